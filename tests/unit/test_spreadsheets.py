"""CSV files as spreadsheets write them."""

import pytest

from smart_boiler_plugin.customers.rows import read_csv
from smart_boiler_plugin.errors import BadFileError
from smart_boiler_plugin.spreadsheets import decode, with_point


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_names_and_units_are_read_in_every_encoding_that_excel_writes(encoding):
    assert decode("Müller, Bøgh, 50 °C, 5 €, é".encode(encoding)) == "Müller, Bøgh, 50 °C, 5 €, é"


@pytest.mark.parametrize(
    "content",
    [
        # UTF-8 with one letter in Windows-1252: every other one would be garbled
        "Müller ".encode() + b"\xfc",
        b"start,\xff/MWh",
        b"PK\x03\x04\x00\xe9",
        # no letter of Windows-1252
        b"\x81",
        b"\xff\xfe\x00",
    ],
)
def test_what_would_have_to_be_guessed_is_refused(content):
    with pytest.raises(BadFileError, match="no CSV file in UTF-8"):
        decode(content)


@pytest.mark.parametrize(
    ("cell", "separator", "read"),
    [
        ("80,5 l", ";", "80.5 l"),
        ("-0,5", "\t", "-0.5"),
        (",5 K", ";", ".5 K"),
        ("1,500 kW", ";", "1.500 kW"),
        ("80,5 l", ",", "80.5 l"),
        # thousands, or not
        ("1,500 W", ",", "1,500 W"),
        ("1.234,5", ";", "1.234,5"),
        ("1,5,0", ";", "1,5,0"),
        ("80 l", ";", "80 l"),
        ("De Boer, Jan", ";", "De Boer, Jan"),
        ("1,5 l, blue", ";", "1,5 l, blue"),
        ("", ";", ""),
    ],
)
def test_a_decimal_comma_becomes_a_point(cell, separator, read):
    assert with_point(cell, separator) == read


def test_customers_of_a_spreadsheet_are_those_of_a_plain_file():
    """Only numbers have decimal commas: a name keeps its own."""
    header = ("name", "user_name", "user_email", "boiler_name", "volume", "latitude", "reports", "cop")
    row = ("Müller, H.", "hm", "hm@example.com", "1,5 m", "80,5 l", "52,37", "0,5 K", "2,5")
    text = ";".join(header) + "\r\n" + ";".join(row) + "\r\n"
    boiler = {"name": "1,5 m", "volume": "80.5 l", "latitude": "52.37", "reports": "0.5 K", "cop": "2.5"}
    expected = {"name": "Müller, H.", "user_name": "hm", "user_email": "hm@example.com", "boiler": boiler}
    assert list(read_csv(text.encode("windows-1252"))) == [expected]
