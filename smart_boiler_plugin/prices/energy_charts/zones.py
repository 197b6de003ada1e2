"""Which bidding zone of Energy-Charts has the prices of an ENTSO-E country code. Pure."""

from __future__ import annotations

from smart_boiler_plugin.errors import UnknownZoneError

SAME_NAME = "AT BE BG CH CZ EE ES FI FR GR HR HU LT LV ME NL PL PT RO RS SI SK"
NUMBERED = "DK_1 DK_2 NO_1 NO_2 NO_3 NO_4 NO_5 SE_1 SE_2 SE_3 SE_4"

ZONE_BY_COUNTRY = {
    **{code: code for code in SAME_NAME.split()},
    **{code: code.replace("_", "") for code in NUMBERED.split()},
    "DE": "DE-LU",
    "DE_LU": "DE-LU",
    "DE_AT_LU": "DE-AT-LU",
    "IE_SEM": "IE(SEM)",
    "IT_CALA": "IT-Calabria",
    "IT_CNOR": "IT-Centre-North",
    "IT_CSUD": "IT-Centre-South",
    "IT_NORD": "IT-North",
    "IT_SARD": "IT-Sardinia",
    "IT_SICI": "IT-Sicily",
    "IT_SUD": "IT-South",
}
"""Bidding zone (parameter `bzn` of the Energy-Charts API) by ENTSO-E country code.

The codes are those of `entsoe.mappings.Area` (entsoe-py), which the ENTSO-E plugin takes and names its assets after.
The zones are those that the description of the API lists (https://api.energy-charts.info/openapi.json, as generated
clients on GitHub quote it), without zones on paper such as IT-SACOAC, and without those whose prices are not in EUR.
"""


def zone_of(country: str) -> str:
    """Return the bidding zone of an ENTSO-E country code.

    Raises
    ------
    UnknownZoneError
        If Energy-Charts has no such zone; the message lists the codes that it has.

    """
    try:
        return ZONE_BY_COUNTRY[country]
    except KeyError:
        raise UnknownZoneError(
            f"Energy-Charts has no prices of '{country}'. It has those of: {', '.join(sorted(ZONE_BY_COUNTRY))}."
        ) from None
