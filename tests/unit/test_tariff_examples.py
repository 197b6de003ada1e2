"""The examples of docs/tariffs.md: each contract gives the prices that stand beside it, worked out by hand."""

import json
import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.prices.contract import Version, fixed_fees
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.quarters import in_quarters

TEXT = (Path(__file__).parents[2] / "docs" / "tariffs.md").read_text()
EXAMPLES = {
    section.splitlines()[0]: section
    for section in TEXT.partition("## Examples")[2].partition("## The reporter")[0].split("\n### ")[1:]
}
ROW = re.compile(
    r"^\| (working day|holiday|clock forward|clock back) (\S+) \| ([^|]+) \| (\S+) \| ([^|]+) \| (\S+) \|$",
    re.MULTILINE,
)
KINDS = {"working day", "holiday", "clock forward", "clock back"}
QUARTERS = {"clock forward": 92, "clock back": 100}


def contract_of(section):
    (document,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    return ContractSchema().load(json.loads(document))


def timezone_of(section):
    return re.search(r"Time zone: ([\w/]+)\.", section)[1]


def prices_of(contract, day, timezone, spot):
    """Price by the start of the quarter on the clock, such as 02:30 and 02:30 CET, with half-hourly spot prices."""
    begin, end = midnights(pd.Timestamp(day).date(), timezone)
    half_hours = pd.Series(spot, index=pd.date_range(begin, end, freq="30min", inclusive="left"))
    moments = pd.date_range(begin, end, freq="15min", inclusive="left")
    known = in_quarters(half_hours, timedelta(minutes=30)).tz_convert(timezone).reindex(moments)
    found = contract.price(known)
    named = [{f"{moment:%H:%M}", f"{moment:%H:%M %Z}"} for moment in moments]
    return {name: price for names, price in zip(named, found, strict=True) for name in names}, len(moments)


def rows():
    return [
        pytest.param(name, *row, id=f"{name}-{row[1]}-{row[2]}")
        for name, section in EXAMPLES.items()
        for row in ROW.findall(section)
    ]


@pytest.mark.parametrize(("name", "kind", "day", "time", "spot", "worked_out", "price"), rows())
def test_an_example_costs_what_stands_beside_it(name, kind, day, time, spot, worked_out, price):
    assert re.fullmatch(r"[\d.()+*/ -]+", worked_out)
    by_hand = eval(worked_out)  # noqa: S307 (a sum of numbers, as the line before says)
    assert by_hand == pytest.approx(float(price), abs=5e-7)
    contract = contract_of(EXAMPLES[name])
    if time == "fixed fees":
        found = fixed_fees([Version(None, contract)], pd.DatetimeIndex([day])).iloc[0]
    else:
        prices, quarters = prices_of(contract, day, timezone_of(EXAMPLES[name]), np.nan if spot == "-" else float(spot))
        assert quarters == QUARTERS.get(kind, 96)
        found = prices[time]
    assert found == pytest.approx(by_hand, rel=1e-12)


def test_there_are_five_examples_each_with_every_kind_of_day():
    assert len(EXAMPLES) == 5
    for section in EXAMPLES.values():
        assert {row[0] for row in ROW.findall(section)} == KINDS
        # no row is passed over
        assert len(ROW.findall(section)) == section.count("\n| ") - 2


def test_what_the_document_calls_a_contract_elsewhere_is_one():
    for config in re.findall(r"echo '(\{\"price_sensor\".*?\})' >", TEXT):
        document = json.loads(config)
        assert "contract" not in document or ContractSchema().load(document["contract"])
