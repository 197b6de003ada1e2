"""Whether Python and packages are of versions with which the plugin runs. Imports nothing that may be missing."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import importlib_metadata
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from smart_boiler_plugin.doctor.findings import Finding

PACKAGE = "smart-boiler-plugin"

ENTSOE_PY = Requirement("entsoe-py>=0.7.8")
"""Older ones keep one quarter of each hour, and say nothing of it."""


def versions(*_: object) -> Iterator[Finding]:
    """Whether Python and all packages are of versions with which the plugin runs."""
    python, needed = _needed()
    wrong = []
    if not python.contains(platform.python_version()):
        wrong.append(Finding(f"Python {platform.python_version()} is none of {python}.", "Use Python 3.11."))
    for requirement in (*needed, ENTSOE_PY):
        installed = _installed(requirement.name)
        if installed is None and requirement is ENTSOE_PY:
            continue
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            told = f"{requirement.name} is {installed or 'not installed'}, and {requirement.specifier or 'is'} needed."
            wrong.append(Finding(told, f'pip install "{requirement}"'))
    shown = ", ".join(f"{name} {_installed(name)}" for name in ("flexmeasures", "Flask-Security-Too", "SQLAlchemy"))
    yield from wrong or [Finding(f"Python {platform.python_version()}, {shown}.")]


def _needed() -> tuple[SpecifierSet, list[Requirement]]:
    """Return which Python and packages the plugin needs: of its installed package, or of the checkout it is in."""
    try:
        said = importlib_metadata.metadata(PACKAGE)["Requires-Python"]
        lines = [line for line in importlib_metadata.requires(PACKAGE) or [] if "extra ==" not in line]
    except importlib_metadata.PackageNotFoundError:
        file = ConfigParser()
        file.read(Path(__file__).parents[2] / "setup.cfg")
        said = file.get("options", "python_requires", fallback="")
        written = file.get("options", "install_requires", fallback="").splitlines()
        lines = [line for line in written if line and not line.startswith("#")]
    return SpecifierSet(said), [Requirement(line) for line in lines]


def _installed(name: str) -> str | None:
    try:
        return str(importlib_metadata.version(name))
    except importlib_metadata.PackageNotFoundError:
        return None
