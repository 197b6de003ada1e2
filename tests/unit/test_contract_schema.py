"""What is no contract, and what is told about it."""

import json

import pytest
from marshmallow import ValidationError

from smart_boiler_plugin.clock.public_holidays import check_region
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.countries import check_country
from smart_boiler_plugin.prices.tariff_schema import load_contract, needs_spot

RATE = {"rate": "0.3 EUR/kWh"}


def part(**fields):
    return {"parts": [{**RATE, **fields}]}


@pytest.mark.parametrize(
    ("wrong", "place", "told"),
    [
        ({}, "parts", "Missing data"),
        ({"parts": []}, "parts", "Length must be between 1 and 200"),
        ({"parts": [RATE] * 201}, "parts", "Length must be between 1 and 200"),
        ({"parts": RATE}, "parts", "Not a valid list."),
        ({"parts": [{}]}, "parts.0.rate", "Give a 'rate', such as '0.05 EUR/kWh', or a 'factor'"),
        ({"parts": [{**RATE, "factor": 1}]}, "parts.0.rate", "Give a 'rate'"),
        ({"parts": [{"rate": None}]}, "parts.0.rate", "may not be null"),
        ({"parts": [{"rate": 0.3}]}, "parts.0.rate", "'0.3' is no money per energy. Expected, for example, '0.05 EUR"),
        ({"parts": [{"rate": "nan EUR/kWh"}]}, "parts.0.rate", "is no money per energy"),
        ({"parts": [{"rate": "inf EUR/kWh"}]}, "parts.0.rate", "is no money per energy"),
        ({"parts": [{"rate": "1e999 EUR/kWh"}]}, "parts.0.rate", "is no money per energy"),
        ({"parts": [{"rate": "0.3 EUR"}]}, "parts.0.rate", "is no money per energy"),
        ({"parts": [{"rate": "1e7 EUR/kWh"}]}, "parts.0.rate", "'1e7 EUR/kWh' is not possible."),
        ({"parts": [{"rate": "-1e7 EUR/kWh"}]}, "parts.0.rate", "is not possible."),
        ({"parts": [{"rate": "x" * 1_000_000}]}, "parts.0.rate", f"'{'x' * 40}...' is no money"),
        ({"parts": [{"rate": ["x" * 1_000_000]}]}, "parts.0.rate", "'list' is no money"),
        ({"parts": [{"factor": -1}]}, "parts.0.factor", "Must be greater than or equal to 0"),
        ({"parts": [{"factor": 1001}]}, "parts.0.factor", "less than or equal to 1000"),
        ({"parts": [{"factor": "1"}]}, "parts.0.factor", "Not a valid number."),
        ({"parts": [{"factor": float("nan")}]}, "parts.0.factor", "Special numeric values"),
        ({"parts": [{"factor": float("inf")}]}, "parts.0.factor", "Special numeric values"),
        ({"parts": [{"factor": 10**400}]}, "parts.0.factor", ""),
        (part(mean_of="hour"), "parts.0.mean_of", "Goes with a 'factor'."),
        ({"parts": [{"factor": 1, "mean_of": "day"}]}, "parts.0.mean_of", "Must be one of: hour."),
        (part(days="mo-fr"), "parts.0.days", "'mo-fr' names no days. Expected, for example, 'mon-fri'"),
        (part(days="x" * 1_000_000), "parts.0.days", f"'{'x' * 40}' names no days."),
        (part(months="winter"), "parts.0.months", "'winter' names no months. Expected, for example, 'oct-mar'"),
        (part(months=""), "parts.0.months", "names no months"),
        (part(**{"from": "07:00"}), "parts.0.until", "Give both 'from' and 'until'"),
        (part(until="07:00"), "parts.0.from", "Give both 'from' and 'until'"),
        (part(**{"from": "07:10", "until": "08:00"}), "parts.0.from", "Must be a full quarter of an hour"),
        (part(**{"from": "07:00", "until": "24:00"}), "parts.0.until", "the end of a day is 00:00"),
        (part(holidays="sometimes"), "parts.0.holidays", "Must be one of: only, never, as sunday."),
        (part(holidays="only"), "holidays_of", "Say whose: a country or region, such as ES or DE-BY."),
        ({**part(), "holidays_of": "ES"}, "holidays_of", "No part says 'holidays'"),
        (part(valid_from="soon"), "parts.0.valid_from", "Must be a day such as 2026-01-31."),
        (part(valid_from="1677-01-01"), "parts.0.valid_from", "1677-01-01 is not between 1990 and 2200."),
        (part(valid_until="9999-12-31"), "parts.0.valid_until", "9999-12-31 is not between 1990 and 2200."),
        (part(valid_from="2026-01-02", valid_until="2026-01-01"), "parts.0.valid_until", "Is before valid_from, 2026"),
        (part(kind="capacity"), "parts.0.kind", "Unknown field."),
        ({"parts": [RATE, {"rate": "0.1 GBP/kWh"}]}, "parts.1.rate", "Is in GBP, but the contract is in EUR."),
        ({**part(), "fixed_fees": [{"fee": "1 GBP/day"}]}, "fixed_fees.0.fee", "Is in GBP, but the contract is in EUR"),
        ({**part(), "fixed_fees": [{"fee": "1 EUR"}]}, "fixed_fees.0.fee", "'1 EUR' is no money per day or month."),
        ({**part(), "fixed_fees": [{"fee": "1 EUR/year"}]}, "fixed_fees.0.fee", "is no money per day or month."),
        ({**part(), "fixed_fees": [{"fee": "1 kWh/day"}]}, "fixed_fees.0.fee", "is no money per day or month."),
        ({**part(), "fixed_fees": [{"fee": "1e999 EUR/day"}]}, "fixed_fees.0.fee", "is no money per day or month."),
        ({**part(), "fixed_fees": [{"fee": "1e7 EUR/day"}]}, "fixed_fees.0.fee", "is not possible."),
        ({**part(), "fixed_fees": [{"fee": "1 EUR/day"}] * 51}, "fixed_fees", "Longer than maximum length 50."),
        ({**part(), "vat": 21}, "vat", "'21' is no share from 0 to 100 %. Expected, for example, '21 %'."),
        ({**part(), "vat": "-1 %"}, "vat", "is no share from 0 to 100 %"),
        ({**part(), "vat": "101 %"}, "vat", "is no share from 0 to 100 %"),
        ({**part(), "vat": []}, "vat", "Must have 1 to 50 entries."),
        ({**part(), "vat": [{"vat": "1 %"}] * 51}, "vat", "Must have 1 to 50 entries."),
        ({**part(), "vat": [{"vat": "1 %"}, {"vat": "2 %"}]}, "vat", "only one may be without 'valid_from'"),
        ({**part(), "vat": [{"vat": "1 %", "valid_from": "2026-01-01"}] * 2}, "vat", "Only one may hold from a day on"),
        ({**part(), "vat": [{"valid_from": "2026-01-01"}]}, "vat.0.vat", "Missing data"),
        ({**part(), "vat": ["21 %"]}, "vat.0", "Invalid input type."),
        ({**part(holidays="only"), "holidays_of": "XX"}, "holidays_of", "Nothing is known of holidays of 'XX'."),
        ({**part(holidays="only"), "holidays_of": "DE-XX"}, "holidays_of", "Regions of DE: BB, BE, BW, BY"),
        ({**part(holidays="only"), "holidays_of": "DE-"}, "holidays_of", "Regions of DE"),
        ({**part(holidays="only"), "holidays_of": "13-01"}, "holidays_of", "'13-01' is no month and day"),
        ({**part(holidays="only"), "holidays_of": []}, "holidays_of", "Must be a country or region"),
        ({**part(holidays="only"), "holidays_of": 7}, "holidays_of", "Must be a country or region"),
        ({**part(holidays="only"), "holidays_of": ["x" * 1_000_000]}, "holidays_of", f"'{'x' * 20}'"),
        ({**part(), "surcharge": 1}, "surcharge", "Unknown field."),
    ],
)  # fmt: skip
def test_what_is_no_contract_is_refused_with_the_name_of_its_field(wrong, place, told):
    with pytest.raises(ValidationError) as refused:
        ContractSchema().load(wrong)
    messages = refused.value.messages
    for name in place.split("."):
        messages = messages[int(name) if name.isdigit() else name]
    assert told in str(messages)
    assert len(json.dumps(refused.value.messages)) < 1000


def test_a_contract_is_written_in_one_way_without_what_holds_anyway():
    written = {
        "parts": [
            {"rate": "5 cEUR/kWh", "days": "mon-sun", "from": "00:00", "until": "00:00", "months": "jan-dec"},
            {"rate": "50 EUR/MWh", "days": "fri-mon", "months": "oct-mar"},
            {"factor": 1, "from": "22:00", "until": "06:00", "holidays": "never"},
        ],
        "vat": [{"vat": "9 %", "valid_from": "2026-01-01"}, {"vat": "21.0%"}],
        "fixed_fees": [],
        "holidays_of": ["ES"],
    }
    assert ContractSchema().dump(ContractSchema().load(written)) == {
        "parts": [
            {"rate": "0.05 EUR/kWh"},
            {"rate": "0.05 EUR/kWh", "days": "mon,fri,sat,sun", "months": "jan,feb,mar,oct,nov,dec"},
            {"factor": 1.0, "from": "22:00", "until": "06:00", "holidays": "never"},
        ],
        "vat": [{"vat": "21 %"}, {"vat": "9 %", "valid_from": "2026-01-01"}],
        "holidays_of": "ES",
    }


def test_the_simple_form_is_another_way_to_write_a_contract():
    simple = {"factor": 1.02, "fees": ["0.05 EUR/kWh", {"fee": "0.03 EUR/kWh", "months": "oct-mar"}], "vat": "21 %"}
    contract = {
        "parts": [{"factor": 1.02}, {"rate": "0.05 EUR/kWh"}, {"rate": "0.03 EUR/kWh", "months": "oct-mar"}],
        "vat": "21 %",
    }
    assert load_contract(simple) == load_contract({"contract": contract})


def test_a_simple_form_without_factor_waits_for_no_spot_price():
    assert load_contract({"factor": 0, "fees": ["0.3 EUR/kWh"]}) == load_contract({"contract": {"parts": [RATE]}})
    assert not needs_spot(load_contract({"factor": 0, "fees": ["0.3 EUR/kWh"]}))
    assert needs_spot(load_contract({"vat": "21 %"}))


def test_every_region_that_a_refusal_names_is_one():
    for region in ("ES", "ES-MD", "DE-BY", "GB-ENG", "GB", "NL", "12-25", "02-29"):
        check_region(region)


def test_every_country_of_ours_is_one():
    for country in ("NL", "BE", "DE_LU", "NO_1", "IE_SEM", "GB"):
        check_country(country)
