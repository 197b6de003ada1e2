"""What is to be seen before the server starts: what its configuration says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from smart_boiler_plugin.doctor.asking import Check
from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.prices.countries import TIMEZONES
from smart_boiler_plugin.settings import SERVER_URL, problems_of

MODULE = "smart_boiler_plugin"

PLACEHOLDER = re.compile(r"<[^<>]+>")
"""What .flexmeasures.cfg.example has where something is to be filled in."""


def configuration(app: Flask) -> Iterator[Finding]:
    """Whether something is left to be filled in, and whether settings of the plugin are misspelt or refused."""
    left = {name: found for name, value in app.config.items() if (found := _left_in(value))}
    for name, found in sorted(left.items()):
        yield Finding(f"{name} still has what is to be filled in: {found}", f"Set {name}.")
    told = problems_of(app.config)
    for problem in told:
        yield Finding(problem, "Correct or remove it.")
    if not left and not told:
        yield Finding("Nothing is left to be filled in, and all settings of the plugin count.")


def _left_in(value: object) -> str:
    """Return a placeholder in a text, or in texts of a list or dict; empty where there is none."""
    if isinstance(value, str):
        found = PLACEHOLDER.search(value)
        return found[0] if found else ""
    if isinstance(value, dict):
        value = tuple(value.values())
    return next(filter(None, map(_left_in, value)), "") if isinstance(value, (list, tuple)) else ""


def plugins(app: Flask) -> Iterator[Finding]:
    """Whether FlexMeasures can load what FLEXMEASURES_PLUGINS names, and this plugin once.

    What it cannot load it leaves out, and only a line in its log says so.
    """
    named = app.config.get("FLEXMEASURES_PLUGINS") or []
    entries = [word.strip() for word in named.split(",") if word.strip()] if isinstance(named, str) else named
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        yield Finding(
            f"FLEXMEASURES_PLUGINS is {named!r}, and no list of texts.", f'FLEXMEASURES_PLUGINS = ["{MODULE}"]'
        )
        return
    wrong = [found for entry in entries if (found := _wrong_with(entry))]
    yield from wrong
    ours = [entry for entry in entries if Path(os.path.normpath(entry)).name == MODULE]
    if len(ours) > 1:
        told = f"FLEXMEASURES_PLUGINS names this plugin {len(ours)} times, and the server does not start: {ours}."
        yield Finding(
            told, f"Name it once: by name where it is installed ({MODULE!r}), else by the path of its folder."
        )
    elif not ours and not wrong:
        yield Finding("FLEXMEASURES_PLUGINS does not name this plugin.", f"Add {MODULE!r} to FLEXMEASURES_PLUGINS.")
    elif not wrong:
        yield Finding(f"{', '.join(entries)} can be loaded.")


def _wrong_with(entry: str) -> Finding | None:
    """Return why FlexMeasures does not load a plugin, and how to write it; None where it does."""
    folder = Path(entry)
    is_path = os.sep in entry
    if entry.startswith("~"):
        return Finding(
            f"{entry!r} in FLEXMEASURES_PLUGINS is not loaded: FlexMeasures knows no '~'.",
            f"Write it out: {str(folder.expanduser())!r}",
        )
    inner = folder / MODULE
    if folder.is_dir() and not (folder / "__init__.py").exists() and (inner / "__init__.py").exists():
        return Finding(
            f"{entry!r} in FLEXMEASURES_PLUGINS is not loaded: it is the repository's folder, and not the plugin's.",
            f"Name the folder in it: {str(inner.resolve())!r}",
        )
    if is_path and not (folder / "__init__.py").exists():
        what = "has no __init__.py" if folder.is_dir() else "is not there"
        return Finding(f"{entry!r} in FLEXMEASURES_PLUGINS is not loaded: it {what}.", "Correct the path.")
    if is_path and not folder.is_absolute():
        return Finding(
            f"{entry!r} in FLEXMEASURES_PLUGINS is found only by who starts in {Path.cwd()}: no cron line does.",
            f"Write it out: {str(folder.resolve())!r}",
        )
    if not is_path and not _is_importable(entry):
        likely = entry.replace("-", "_")
        known = likely != entry and _is_importable(likely)
        fix = f"Write {likely!r}." if known else "pip install it into this environment, or name the path of its folder."
        return Finding(f"{entry!r} in FLEXMEASURES_PLUGINS is not loaded: there is no such package here.", fix)
    return None


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def time_zone(app: Flask) -> Iterator[Finding]:
    """Whether customers are taken on in the time zone of the prices."""
    name = str(app.config.get("FLEXMEASURES_TIMEZONE"))
    country = str(app.config.get("ENTSOE_COUNTRY_CODE") or "NL")
    market = str(app.config.get("ENTSOE_COUNTRY_TIMEZONE") or TIMEZONES.get(country, "Europe/Amsterdam"))
    try:
        now = pd.Timestamp.now(ZoneInfo(name))
    except (ValueError, OSError, KeyError):
        yield Finding(f"FLEXMEASURES_TIMEZONE = {name!r} is no time zone.", f'FLEXMEASURES_TIMEZONE = "{market}"')
        return
    apart = abs(now.utcoffset() - now.tz_convert(market).utcoffset())
    # the islands of a country may be an hour off, and so may it be from the market
    if apart > pd.Timedelta(hours=2):
        told = f"Customers are taken on in the time zone {name} (FLEXMEASURES_TIMEZONE), and prices are of {market}."
        yield Finding(
            told, f'FLEXMEASURES_TIMEZONE = "{market}"; or set ENTSOE_COUNTRY_CODE and ENTSOE_COUNTRY_TIMEZONE'
        )
    else:
        yield Finding(f"Customers are taken on in {name}.")


def links(app: Flask) -> Iterator[Finding]:
    """Whether links in mails lead to this server, and nobody can forge them."""
    url, trusted = app.config.get(SERVER_URL.name), app.config.get("TRUSTED_HOSTS")
    trusted = trusted.split(",") if isinstance(trusted, str) else trusted
    host = urlsplit(str(url or "")).hostname
    if not trusted:
        told = "TRUSTED_HOSTS is not set: links in mails begin with whatever address a request names."
        yield Finding(told, f'TRUSTED_HOSTS = ["{host or "boilers.example.com"}"], the names by which users reach it')
    if host and trusted and not host_is_trusted(host, [name.strip() for name in trusted]):
        told = f"Links in invitations lead to {host} ({SERVER_URL.name}), which TRUSTED_HOSTS refuses with 400."
        yield Finding(told, f"Add {host!r} to TRUSTED_HOSTS, or correct {SERVER_URL.name}.")
    elif trusted:
        yield Finding(f"Links lead to {host or ', '.join(trusted)}.")


CHECKS: tuple[Check, ...] = (configuration, plugins, time_zone, links)
"""In their order."""
