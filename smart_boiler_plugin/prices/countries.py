"""Which country codes there are: those that the ENTSO-E plugin takes; and their time zones. Pure."""

from __future__ import annotations

from difflib import get_close_matches

from smart_boiler_plugin.errors import UnknownCountryError

CODES = """
    AL AT BA BE BG BY CH CWE CY CZ CZ_DE_SK DE DE_50HZ DE_AMPRION DE_AMP_LU DE_AT_LU DE_LU DE_TENNET DE_TRANSNET DK DK_1
    DK_1_NO_1 DK_2 DK_CA EE ES FI FR GB GB_ELECLINK GB_IFA GB_IFA2 GB_NIR GE GR HR HU IE IE_SEM IS IT IT_BRNN IT_CALA
    IT_CNOR IT_CSUD IT_FOGN IT_GR IT_MACRO_NORTH IT_MACRO_SOUTH IT_MALTA IT_NORD IT_NORD_AT IT_NORD_CH IT_NORD_FR
    IT_NORD_SI IT_PRGP IT_ROSN IT_SACO_AC IT_SACO_DC IT_SARD IT_SICI IT_SUD LT LU LU_BZN LV MD ME MK MT NIE NL NO NO_1
    NO_1A NO_2 NO_2A NO_2_NSL NO_3 NO_4 NO_5 PL PL_CZ PT RO RS RU RU_KGD SE SE_1 SE_2 SE_3 SE_4 SI SK TR UA UA_BEI
    UA_DOBTPP UA_IPS UK XK
"""

COUNTRIES = frozenset(CODES.split())
"""Names of `entsoe.mappings.Area` (entsoe-py 0.7)."""

TIMEZONES = {
    **{code: f"Europe/{city}" for city, codes in {
        "Athens": "GR", "Bucharest": "RO", "Chisinau": "MD", "Helsinki": "FI", "Istanbul": "TR",
        "Kaliningrad": "RU_KGD", "Kiev": "UA UA_BEI UA_DOBTPP UA_IPS", "Minsk": "BY", "Moscow": "RU", "Riga": "LV",
        "Sofia": "BG", "Tallinn": "EE", "Vilnius": "LT", "Dublin": "IE IE_SEM", "Lisbon": "PT",
        "London": "GB GB_ELECLINK GB_IFA GB_IFA2 GB_NIR NIE UK",
    }.items() for code in codes.split()},
    "CY": "Asia/Nicosia", "GE": "Asia/Tbilisi", "IS": "Atlantic/Reykjavik",
}  # fmt: skip
"""Time zones (IANA names) of those that do not keep Central European Time."""

SHOWN_LENGTH = 20


def check_country(country: str) -> None:
    """Refuse a country code that does not exist.

    Raises
    ------
    UnknownCountryError
        If it is none; the message says what is like it.

    """
    if country not in COUNTRIES:
        like = get_close_matches(country[:SHOWN_LENGTH].upper(), sorted(COUNTRIES), n=3) or ["NL", "DE_LU"]
        told = f"{country[:SHOWN_LENGTH]!r} is no country code as the ENTSO-E plugin has it, such as {', '.join(like)}."
        raise UnknownCountryError({"country": [told]})
