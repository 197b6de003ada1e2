"""A household's page in a real Chromium: on a phone first, in three languages, by keyboard, and with its forms."""

import re

import pandas as pd
import pytest

from tests.browser.homes import make_homes
from tests.browser.looks import assert_accessible, assert_fits

PAGE, PHONE = "/smart-boiler-plugin/", 360
WEEK = f"{PAGE}home/programme"

TOO_SMALL = """
() => [...document.querySelectorAll("main button, main a, main input, main summary")]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden") && !each.matches(".visually-hidden"))
  .map((each) => [each.outerHTML.slice(0, 80), (each.closest("label") ?? each).getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.9)
  .map(([what, box]) => `${Math.round(box.height)} px: ${what}`)
"""


@pytest.fixture(scope="module", autouse=True)
def world(emptied):
    """Households in all states."""
    with emptied.app_context():
        make_homes(pd.Timestamp.now("Europe/Amsterdam"))


@pytest.mark.parametrize("width", [360, *(pytest.param(width, marks=pytest.mark.long) for width in (320, 768)), 1440])
def test_all_states_fit_are_accessible_and_large_enough_to_touch(visits, modules, width):
    # German has the longest words
    for user in ("schmidt", "mulder", "cold", "new") if width == PHONE else ("schmidt",):
        page = visits.page(user, PAGE, width=width)
        page.locator("[data-chart] svg").wait_for()
        assert_fits(page)
        assert page.evaluate(TOO_SMALL) == []
        assert_accessible(page, modules)
    page = visits.page("schmidt", WEEK, width=width)
    assert_fits(page)
    assert page.evaluate(TOO_SMALL) == []
    assert_accessible(page, modules)


def test_the_first_screen_of_a_phone_reaches_warm_now_and_a_wide_one_has_one_column(visits):
    for user in ("mulder", "schmidt", "jansen"):
        button = visits.page(user, PAGE, width=360).locator(".sb-act button").first.bounding_box()
        assert button["y"] + button["height"] <= 780
    box = visits.page("mulder", PAGE, width=1440).get_by_role("main").bounding_box()
    assert box["width"] <= 640


def test_the_chart_says_its_gist_and_the_table_the_same(visits):
    page = visits.page("mulder", PAGE, width=360)
    assert page.get_by_role("img", name=re.compile(r"Now \d+.°C")).count() == 1
    assert page.locator("[data-chart] svg path").count() > 10
    page.get_by_text("The same as a table").click()
    assert page.get_by_role("row").count() in (48, 49, 50)


def test_all_that_can_be_done_is_reached_by_keyboard_in_the_order_of_the_screen(visits):
    page = visits.page("mulder", PAGE, width=1440)
    page.evaluate(
        "document.querySelector('main').setAttribute('tabindex', '-1'); document.querySelector('main').focus()"
    )
    told = []
    for _ in range(20):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name")
        if text and text not in told:
            told.append(text)
    wanted = ["Warm now", "until", "I am away", "Change", "The same as a table", "Statement", "My data", "English"]
    assert [each for each in told if each in wanted] == wanted


def test_warm_now_and_stop_are_two_presses(visits):
    page = visits.page("jansen", PAGE, width=360)
    page.get_by_role("button", name="Nu warm").press("Enter")
    band = page.get_by_role("status").filter(has_text="warm")
    # what is metered may not have noticed yet
    assert re.search("Verwarmt nu, warm rond|“Nu warm” staat aan, tot", band.inner_text())
    assert_fits(page)
    page.get_by_role("button", name="Stop met verwarmen").click()
    assert "Uw boiler verwarmt weer volgens plan." in page.get_by_role("status").first.inner_text()
    assert page.get_by_role("button", name="Nu warm").is_visible()


def test_an_absence_is_said_and_taken_back(visits):
    page = visits.page("mulder", PAGE, width=360)
    page.get_by_role("button", name="I am away").click()
    assert "Away until Sunday" in page.get_by_role("status").inner_text()
    assert_fits(page)
    page.get_by_role("button", name="I am back already").click()
    assert "Welcome back." in page.get_by_role("status").inner_text()


def test_a_time_is_added_to_the_programme(visits):
    page = visits.page("mulder", WEEK, width=360)
    last = page.get_by_role("group", name="Another time")
    last.get_by_text("Wed").click()
    assert last.get_by_role("checkbox", name="Wed").is_checked()
    last.get_by_label("From").fill("12:00")
    last.get_by_label("Until").fill("13:00")
    page.get_by_role("button", name="Save").click()
    assert "Your programme was saved" in page.get_by_role("status").inner_text()
    assert page.get_by_text("Wed: 06:30 to 08:30").count() == 1


def test_the_language_is_a_press_away(visits):
    page = visits.page("silent", PAGE, width=360)
    page.get_by_role("button", name="Deutsch").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Warmes Wasser zu Hause"


def test_a_name_that_is_a_script_is_text(visits):
    page = visits.page("evil", PAGE)
    assert page.get_by_role("heading", level=1).is_visible()
    page = visits.page("operator", PAGE)
    assert page.evaluate("window.ran") is None
