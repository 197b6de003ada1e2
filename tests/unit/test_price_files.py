"""Prices in files as others write them."""

import pytest

from smart_boiler_plugin.errors import BadFileError
from smart_boiler_plugin.prices.files import read_prices
from smart_boiler_plugin.prices.quarters import spread_over_quarters


@pytest.fixture
def read(tmp_path):
    """A function that returns the prices [currency/MWh] of the quarters that a text holds."""

    def read(text, currency="EUR", encoding="utf-8"):
        file = tmp_path / "prices.csv"
        file.write_bytes(text.encode(encoding))
        return spread_over_quarters(read_prices(file, currency))

    return read


def rows(*times):
    return "start,EUR/MWh\n" + "".join(f"2025-10-29T{time}Z,{n}\n" for n, time in enumerate(times))


@pytest.mark.parametrize(
    ("unit", "currency", "price"),
    [
        ("EUR/MWh", "EUR", 50),
        ("EUR/kWh", "EUR", 0.05),
        ("ct/kWh", "EUR", 5),
        ("Cent/kWh", "EUR", 5),
        ("€ / kWh", "EUR", 0.05),
        ("öre/kWh", "SEK", 5),
        # an o and a diaeresis of its own
        ("o\u0308re/kWh", "SEK", 5),
        ("SEK/kWh", "SEK", 0.05),
        ("kr/MWh", "SEK", 50),
        ("øre/kWh", "NOK", 5),
        ("øre/kWh", "DKK", 5),
        ("p/kWh", "GBP", 5),
        ("£/MWh", "GBP", 50),
        ("gr/kWh", "PLN", 5),
    ],
)
def test_the_header_names_the_unit(read, unit, currency, price):
    assert read(f"start,Price ({unit})\n2025-10-29T00:00Z,{price}\n", currency).tolist() == pytest.approx([50])


@pytest.mark.parametrize(
    ("unit", "currency", "expected"),
    [
        ("öre/kWh", "EUR", "EUR/MWh, EUR/kWh or ct/kWh"),
        ("öre/kWh", "NOK", "NOK/MWh, NOK/kWh or øre/kWh"),
        ("p/kWh", "EUR", "EUR/MWh, EUR/kWh or ct/kWh"),
        ("EUR/MWh", "GBP", "GBP/MWh, GBP/kWh or p/kWh"),
        ("EUR/MWh", "USD", "USD/MWh or USD/kWh"),
        ("EUR/MW", "EUR", "EUR/MWh, EUR/kWh or ct/kWh"),
    ],
)
def test_prices_in_other_money_are_refused(read, unit, currency, expected):
    with pytest.raises(BadFileError) as refused:
        read(f"start,{unit}\n2025-10-29T00:00Z,5\n", currency)
    assert f"line 1: the prices are in {unit}. Expected: {expected}." in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_excel_writes_is_read(read, encoding, separator):
    text = f"start{separator}öre/kWh\r\n2025-10-29T00:00Z{separator}-65,45\r\n{separator}\r\n"
    assert read(text, "SEK", encoding).tolist() == pytest.approx([-654.5])


def test_decimal_commas_between_commas_are_read_but_where_they_may_separate_thousands(read):
    assert read('start,EUR/MWh\n2025-10-29T00:00Z,"65,45"\n').tolist() == [65.45]
    with pytest.raises(BadFileError, match="line 2"):
        read('start,EUR/MWh\n2025-10-29T00:00Z,"1,234"\n')


def test_a_wrong_line_is_counted_with_the_header(read):
    with pytest.raises(BadFileError, match="line 4: 2025-10-29T00:15Z,1,5,0"):
        read("start;EUR/MWh\n\n2025-10-29T00:00Z;1\n2025-10-29T00:15Z;1,5,0\n")


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
