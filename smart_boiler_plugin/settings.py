"""Every ``SMART_BOILER_*`` setting, once: name, type, default, meaning; and how to read one.

The README's table and ``.flexmeasures.cfg.example`` list the same settings; a test compares the three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from flask import current_app
from flask.sansio.app import App

PREFIX = "SMART_BOILER_"


@dataclass(frozen=True)
class Setting:
    """One setting of this plugin.

    Parameters
    ----------
    name
        As it is written in the server's configuration.
    default
        What counts when it is unset; also gives the type.
    meaning
        One sentence, with the unit.
    lowest, highest
        Of a number: what is refused beyond, and the default counts then; None where all is possible.

    """

    name: str
    default: Any
    meaning: str
    lowest: float | None = None
    highest: float | None = None

    def for_host(self) -> dict[str, Any]:
        """Describe the setting the way FlexMeasures checks it when it loads the plugin."""
        return {
            "description": self.meaning,
            "level": "debug",
            "message_if_missing": f"The default is {self.default!r}.",
            "parse_as": type(self.default),
        }

    @property
    def value(self) -> Any:
        """The configured value, or the default where it is unset, of a wrong type, or beyond what is possible.

        Of that, the server's log has warned when it started.
        """
        configured: Any = current_app.config.get(self.name)
        if not self.fits(configured) or self.refusal(configured):
            return self.default
        return type(self.default)(configured) if isinstance(self.default, float) else configured

    def fits(self, configured: Any) -> bool:
        """Return whether a configured value is of the right type."""
        return isinstance(configured, type(self.default)) or (
            isinstance(self.default, float) and type(configured) is int
        )

    def refusal(self, configured: Any) -> str:
        """Return why a configured value of the right type is refused, for people; empty where it is not."""
        if self.lowest is None or self.highest is None or type(configured) not in (int, float):
            return ""
        if self.lowest <= configured <= self.highest:
            return ""
        return (
            f"{self.name} = {configured!r} is refused: it must be from {self.lowest:g} to {self.highest:g}. "
            f"{self.default!r} counts."
        )


MAX_READING_AGE = Setting(
    "SMART_BOILER_MAX_READING_AGE",
    timedelta(hours=2),
    "How old the last temperature reading may be to plan from it as it is [timedelta]; an older one is carried "
    "forward.",
)

TAKE_ON_RATE_LIMIT = Setting(
    "SMART_BOILER_TAKE_ON_RATE_LIMIT",
    "60 per minute",
    "How often one user may call to take on customers, one or many at once [calls per time, as of flask-limiter].",
)

DEVICE_RATE_LIMIT = Setting(
    "SMART_BOILER_DEVICE_RATE_LIMIT",
    "60 per minute",
    "How often one device may call with its token [calls per time, as of flask-limiter].",
)

SERVER_URL = Setting(
    "SMART_BOILER_SERVER_URL",
    "",
    "Address of the server, for the links in invitations [URL]; empty, and it is that of the request.",
)

MAX_CARRIED_AGE = Setting(
    "SMART_BOILER_MAX_CARRIED_AGE",
    timedelta(days=2),
    "How old a reading may be to be carried forward through plan and draw-offs [timedelta]; older, and what is wanted "
    "at least is assumed.",
)

SILENT_AFTER = Setting(
    "SMART_BOILER_SILENT_AFTER",
    timedelta(hours=2),
    "After how long without a reading a boiler counts as silent [timedelta]; one that reports changes alone, after "
    "12 h.",
)

TYPICAL_PRICE_SPAN = Setting(
    "SMART_BOILER_TYPICAL_PRICE_SPAN",
    timedelta(days=7),
    "How far back typical prices are taken from, for quarters of a plan whose price is not known [timedelta].",
)

HYGIENE_TEMPERATURE = Setting(
    "SMART_BOILER_HYGIENE_TEMPERATURE",
    60.0,
    "How hot a tank is made against legionella [°C].",
)

HYGIENE_DURATION = Setting(
    "SMART_BOILER_HYGIENE_DURATION",
    timedelta(minutes=30),
    "For how long a tank is kept that hot [timedelta].",
)

HYGIENE_INTERVAL = Setting(
    "SMART_BOILER_HYGIENE_INTERVAL",
    timedelta(days=7),
    "How long after the last time it must be that hot again at the latest [timedelta].",
)

COMFORT_WEIGHT = Setting(
    "SMART_BOILER_COMFORT_WEIGHT",
    6.0,
    "What a kWh of hot water that is not served counts, in mean prices of a kWh of electricity [-], 2 or more.",
    lowest=2.0,
    highest=1000.0,
)

FLOOR = Setting(
    "SMART_BOILER_FLOOR",
    0.0,
    "Temperature below which no tank may fall, whatever that costs [°C]; 0, and there is no such floor.",
    lowest=0.0,
    highest=90.0,
)

ENERGY_CHARTS_URL = Setting(
    "SMART_BOILER_ENERGY_CHARTS_URL",
    "https://api.energy-charts.info",
    "Address of the Energy-Charts API [URL], for a mirror.",
)

FILL_PRICE_GAPS = Setting(
    "SMART_BOILER_FILL_PRICE_GAPS",
    False,  # noqa: FBT003 (its default)
    "Whether update-prices asks Energy-Charts for spot prices that are due and missing [True or False]; mind their "
    "licence.",
)

DEFAULT_TARIFF = Setting(
    "SMART_BOILER_DEFAULT_TARIFF",
    "",
    "Tariff of customers who are taken on without one [name of a tariff]; empty, and it is the spot price of the "
    "ENTSO-E plugin's country.",
)

GUARD = Setting(
    "SMART_BOILER_GUARD",
    True,  # noqa: FBT003 (its default)
    "Whether households are kept from changing accounts, assets and sensors through the host [True or False].",
)

LANGUAGE = Setting(
    "SMART_BOILER_LANGUAGE",
    "en",
    'Language of mails to households that have none of their own ["en", "nl" or "de"].',
)

DEVIATION = Setting(
    "SMART_BOILER_DEVIATION",
    2.0,
    "How far a boiler's temperature may be from its plan before it is planned anew [K]; of those that follow powers "
    "and no set-points.",
    lowest=0.1,
    highest=100.0,
)

MQTT_URL = Setting(
    "SMART_BOILER_MQTT_URL",
    "mqtt://127.0.0.1:1883",
    "Address of the MQTT broker for `flexmeasures smart-boiler mqtt-bridge` [URL]; mqtts:// is encrypted. User and "
    "password: environment.",
)

MQTT_CA = Setting(
    "SMART_BOILER_MQTT_CA",
    "",
    "File with the authorities that may vouch for the MQTT broker [path]; empty, and it is those of the system.",
)

PLANS_KEPT = Setting(
    "SMART_BOILER_PLANS_KEPT",
    timedelta(days=35),
    "How long expected temperatures are kept that are over [timedelta], nine days at least; "
    "`flexmeasures smart-boiler prune` takes older ones away.",
)

SETTINGS = (
    MAX_READING_AGE,
    MAX_CARRIED_AGE,
    SILENT_AFTER,
    TYPICAL_PRICE_SPAN,
    HYGIENE_TEMPERATURE,
    HYGIENE_DURATION,
    HYGIENE_INTERVAL,
    COMFORT_WEIGHT,
    FLOOR,
    TAKE_ON_RATE_LIMIT,
    DEVICE_RATE_LIMIT,
    SERVER_URL,
    ENERGY_CHARTS_URL,
    FILL_PRICE_GAPS,
    DEFAULT_TARIFF,
    GUARD,
    LANGUAGE,
    DEVIATION,
    PLANS_KEPT,
    MQTT_URL,
    MQTT_CA,
)


def warn_about_settings(app: App) -> None:
    """Log a warning for each ``SMART_BOILER_*`` name in the configuration that is none of ours.

    FlexMeasures itself warns of wrong types; a misspelt name would otherwise be ignored in silence. Where nothing says
    what the server's address is, that is warned of, too.
    """
    if not app.config.get(SERVER_URL.name) and not app.config.get("TRUSTED_HOSTS"):
        app.logger.warning(
            "Set %s, or TRUSTED_HOSTS: links in invitations begin with whatever address a request names.",
            SERVER_URL.name,
        )
    for problem in _refused_or_unknown(app.config):
        app.logger.warning(problem)


def problems_of(config: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the ``SMART_BOILER_*`` names of a configuration, for people: types as well."""
    of_type = [
        f"{setting.name} = {config[setting.name]!r} is no {type(setting.default).__name__}. {setting.default!r} counts."
        for setting in SETTINGS
        if config.get(setting.name) is not None and not setting.fits(config[setting.name])
    ]
    return [*of_type, *_refused_or_unknown(config)]


def _refused_or_unknown(config: Mapping[str, Any]) -> list[str]:
    known = [setting.name for setting in SETTINGS]
    refused = [refusal for setting in SETTINGS if (refusal := setting.refusal(config.get(setting.name)))]
    unknown = [
        f"Unknown setting {name} is ignored. Did you mean {get_close_matches(name, known, n=1, cutoff=0)[0]}?"
        for name in config
        if name.startswith(PREFIX) and name not in known
    ]
    return [*refused, *unknown]
