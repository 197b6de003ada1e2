"""Prices in files as others write them."""

import pytest

from smart_boiler_plugin.prices.files import read_prices
from smart_boiler_plugin.prices.quarters import spread_over_quarters


@pytest.fixture
def read(tmp_path):
    """A function that returns the prices [EUR/MWh] of the quarters that a text holds."""

    def read(text):
        file = tmp_path / "prices.csv"
        file.write_text(text, encoding="utf-8")
        return spread_over_quarters(read_prices(file))

    return read


def rows(*times):
    return "start,EUR/MWh\n" + "".join(f"2025-10-29T{time}Z,{n}\n" for n, time in enumerate(times))


@pytest.mark.parametrize(("unit", "price"), [("EUR/MWh", 50), ("EUR/kWh", 0.05), ("ct/kWh", 5), ("€ / kWh", 0.05)])
def test_the_header_names_the_unit(read, unit, price):
    assert read(f"start,Price ({unit})\n2025-10-29T00:00Z,{price}\n").tolist() == pytest.approx([50])


def test_semicolons_and_decimal_commas_are_read(read):
    assert read("start;EUR/MWh\n2025-10-29T00:00Z;65,45\n").tolist() == [65.45]


def test_24_hours_are_96_quarters(read):
    assert read(rows(*(f"{h:02}:00" for h in range(24)))).tolist() == [h for h in range(24) for _ in range(4)]


def test_half_hours_hold_for_two_quarters(read):
    assert read(rows("00:00", "00:30", "01:00")).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_file_may_change_from_hours_to_quarters(read):
    assert read(rows("00:00", "01:00", "02:00", "02:15")).tolist() == [0] * 4 + [1] * 4 + [2, 3]


def test_a_hole_between_quarters_stays_a_hole(read):
    assert read(rows("00:00", "00:15", "01:15", "01:30")).tolist() == [0, 1, 2, 3]
