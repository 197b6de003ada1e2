"""What the address of the page of all boilers says, and its pages; and on which colours text is white."""

import pytest

from smart_boiler_plugin.ui.page import is_bright
from smart_boiler_plugin.ui.wanted import Pages, Wanted


def test_an_address_says_all_that_is_shown():
    said = {"state": "cold", "filter": "van der", "sort-by": "measured", "sort-dir": "desc", "page": "3", "job": "j"}
    wanted = Wanted.of(said)
    assert (wanted.state, wanted.terms, wanted.by, wanted.descending, wanted.page, wanted.job) == (
        "cold",
        ["van", "der"],
        "measured",
        True,
        3,
        "j",
    )
    assert wanted.but(page=3) == "?state=cold&filter=van+der&sort-by=measured&sort-dir=desc&page=3"
    assert Wanted.of({}).but() == "?"


def test_a_change_begins_with_the_first_page_and_shows_no_job():
    wanted = Wanted.of({"page": "3", "job": "j", "filter": "a&b=c"})
    assert wanted.but(state="cold") == "?state=cold&filter=a%26b%3Dc"
    assert wanted.but(job="k") == "?filter=a%26b%3Dc&job=k"


def test_what_an_address_says_wrongly_is_left_out():
    for said in (
        {"state": "hot", "sort-by": "password", "sort-dir": "up", "page": "-1"},
        {"state": "'", "page": "1e9"},
        {"page": "0"},
        {"page": "9" * 50},
        {"page": "٣"},
        {"filter": " \0 ", "job": "\0"},
    ):
        assert Wanted.of(said) == Wanted(), said
    assert len(Wanted.of({"filter": 500 * "x"}).text) == 100


def test_sorting_a_second_time_turns_round():
    wanted = Wanted.of({"sort-by": "measured", "state": "cold"})
    assert wanted.sorted_by("measured") == "?state=cold&sort-by=measured&sort-dir=desc"
    assert wanted.sorted_by("name") == "?state=cold&sort-by=name"
    assert Wanted.of({"sort-by": "measured", "sort-dir": "desc"}).sorted_by("measured") == "?sort-by=measured"


def test_pages_hold_25_and_link_the_first_the_last_and_those_around():
    assert Pages.of(1, 0) == Pages(1, 0)
    assert Pages(1, 0).last == 1
    assert [Pages(1, total).last for total in (25, 26, 500, 10_000)] == [1, 2, 20, 400]
    # beyond the last one comes the last one
    assert Pages.of(99, 30).number == 2
    assert Pages.of(2, 30).some == slice(25, 50)
    assert Pages(1, 500).shown == [1, 2, None, 20]
    assert Pages(10, 500).shown == [1, None, 9, 10, 11, None, 20]
    # a gap of one page is that page
    assert Pages(4, 500).shown == [1, 2, 3, 4, 5, None, 20]
    assert Pages(1, 30).shown == [1, 2]


@pytest.mark.parametrize(
    ("color", "bright"),
    [
        *[(dark, False) for dark in ("#1a3443", "#000", "#747474", "nonsense", "")],
        *[(bright, True) for bright in ("#f1a122", "#fff", "#767676")],
    ],
)
def test_text_on_an_accounts_own_colour_is_black_where_that_is_read_better(color, bright):
    """White has a contrast of 4.5 on #767676 and black of 4.6; on #747474 white has 4.7, and black 4.5."""
    assert is_bright(color) is bright
