"""Which version of the plugin this is."""

from configparser import ConfigParser
from pathlib import Path

from importlib_metadata import PackageNotFoundError, version


def _own_version() -> str:
    """Return the installed version, or that of the checkout when FlexMeasures loads its folder by path."""
    try:
        return version("smart-boiler-plugin")
    except PackageNotFoundError:
        setup_cfg = ConfigParser()
        setup_cfg.read(Path(__file__).parent.parent / "setup.cfg")
        return setup_cfg.get("metadata", "version", fallback="unknown version")


VERSION = _own_version()
