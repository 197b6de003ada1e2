"""All that is looked at of a server that runs, in its order."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from smart_boiler_plugin.doctor import business, services, written
from smart_boiler_plugin.doctor.asking import Check, examine
from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.doctor.packages import versions

CHECKS: tuple[Check, ...] = (versions, *written.CHECKS, *services.CHECKS, *business.CHECKS)


def findings_of(app: Flask) -> Iterator[Finding]:
    """Yield what is found of an app that runs, within its context."""
    return examine(CHECKS, app)
