"""The operator's pages in a browser: what each sees, where links lead, and how it looks at all widths."""

import re

import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from playwright.sync_api import expect

from smart_boiler_plugin import jobs
from tests.browser.looks import assert_accessible, assert_fits
from tests.browser.worlds import SCRIPT, make_operators_world

PAGE = "/smart-boiler-plugin/"

HUNDREDS = 492
"""Boilers that are copies; with those that are made one by one, 500."""


@pytest.fixture(scope="module", autouse=True)
def world(emptied):
    """Boilers of an operator in every state."""
    with emptied.app_context():
        make_operators_world(HUNDREDS)
    return emptied


def customers(page):
    """Names of the customers of the list."""
    return page.locator("tbody th[role=rowheader] a").all_inner_texts()


def follow(page, locator):
    """Click what leads to another page, and wait for it."""
    with page.expect_navigation():
        locator.click()


@pytest.mark.parametrize("width", [360, *(pytest.param(width, marks=pytest.mark.long) for width in (768, 1280)), 1440])
def test_all_boilers_fit_the_window(visits, modules, width):
    page = visits.page("operator", PAGE, width=width)
    expect(page.locator("[data-chart=load] svg")).to_be_visible()
    assert_fits(page)
    if width in {360, 1440}:
        assert_accessible(page, modules)
    if width == 1440:
        # the first row shows without scrolling
        assert page.locator("tbody tr").first.bounding_box()["y"] < 900


@pytest.mark.parametrize("width", [360, 1440])
def test_one_boiler_fits_the_window(visits, modules, width):
    page = visits.page("operator", PAGE, width=width)
    follow(page, page.get_by_role("link", name="Fam. Van der Meulen"))
    expect(page.get_by_role("heading", level=1, name="Fam. Van der Meulen")).to_be_visible()
    expect(page.locator("[data-chart=boiler] svg")).to_be_visible()
    # temperature, power and price: no empty box
    assert page.locator("[data-chart=boiler] svg text").filter(has_text=re.compile("^(°C|kW|ct/kWh)$")).count() == 3
    assert_fits(page)
    assert_accessible(page, modules)
    follow(page, page.get_by_role("link", name="All boilers"))
    assert page.url.endswith(PAGE)


def test_cards_filter_and_links_show_what_their_sender_saw(visits):
    page = visits.page("operator", PAGE)
    cards = page.get_by_role("navigation", name="Filter by state").get_by_role("link")
    counts = {name: int(count) for count, name in (card.split("\n")[:2] for card in cards.all_inner_texts())}
    assert counts["All boilers"] == 500 == sum(counts.values()) - counts["All boilers"]
    follow(page, cards.filter(has_text="Silent"))
    assert page.url.endswith("?state=silent#list")
    expect(cards.filter(has_text="Silent")).to_have_attribute("aria-current", "true")
    assert len(customers(page)) == counts["Silent"] == 6
    page.get_by_role("searchbox").fill("hassan")
    follow(page, page.get_by_role("button", name="Find"))
    assert customers(page) == ["Hassan"]
    # the same address in another's browser
    assert customers(visits.page("admin", page.url.removeprefix(visits.server))) == ["Hassan"]
    page.get_by_role("searchbox").fill("nobody")
    with page.expect_navigation():
        page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("No boiler matches “nobody”")).to_be_visible()
    follow(page, page.get_by_role("link", name="Show all boilers"))
    assert len(customers(page)) == 25


def test_the_list_is_sorted_by_time_and_turned_page_by_page(visits):
    page = visits.page("operator", PAGE)
    follow(page, page.get_by_role("columnheader", name="Measured").get_by_role("link"))
    expect(page.get_by_role("columnheader", name="Measured")).to_have_attribute("aria-sort", "ascending")
    ago = page.locator("[data-label=Measured] .sb-cell").all_inner_texts()
    # the silent ones, five hours; all others minutes: as texts, "17 min ago" would come first
    assert [each.endswith("h ago") for each in ago] == [True] * 5 + [False] * 20
    follow(page, page.get_by_role("columnheader", name="Measured").get_by_role("link"))
    assert "sort-dir=desc" in page.url
    first = customers(page)
    follow(page, page.get_by_role("link", name="Next"))
    assert "page=2" in page.url
    assert not set(customers(page)) & set(first)
    expect(page.get_by_text("26 to 50 of 500, last measured first")).to_be_visible()
    follow(page, page.get_by_role("link", name="Last page, 20"))
    # never measured comes last, either way
    assert customers(page)[-1] == "Hassan"


def test_a_boiler_is_planned_anew_by_a_button_from_the_page_that_was_shown(visits, world):
    page = visits.page("operator", f"{PAGE}?state=no_plan&sort-by=name")
    follow(page, page.get_by_role("button", name="Plan anew: Peeters"))
    expect(page.get_by_role("status")).to_contain_text("New plans were asked for, of 1 boiler: 1 waiting for a worker.")
    assert "state=no_plan&sort-by=name&job=" in page.url
    with world.app_context():
        asked = [job.waiting for job in jobs.all_jobs()]
        names = [db.session.get(Asset, asset_id).owner.name for _, asset_id in asked[-1]]
        assert names == ["Peeters"]
    # loading it again asks for nothing more
    page.reload()
    with world.app_context():
        assert len(jobs.all_jobs()) == len(asked)


def test_a_name_with_markup_is_text_everywhere(visits):
    page = visits.page("operator", PAGE)
    follow(page, page.get_by_role("link", name=SCRIPT, exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    expect(page.get_by_role("button", name=f"Plan anew: {SCRIPT}")).to_be_visible()
    page = visits.page("operator", f"{PAGE}?filter={SCRIPT}")
    assert customers(page) == [SCRIPT]
    assert page.get_by_role("searchbox").input_value() == SCRIPT


def test_an_admin_sees_the_boilers_of_all_and_another_operator_its_own(visits):
    page = visits.page("admin", f"{PAGE}?sort-by=name&sort-dir=asc&filter=o")
    expect(page.get_by_text(re.compile("of 502 need a look"))).to_be_visible()
    page = visits.page("other", PAGE)
    assert customers(page) == ["Dogwood"]
    assert visits.answer("other", f"{PAGE}boilers/3").status == 404


def test_strangers_and_who_is_not_logged_in_see_nothing(visits):
    for path in (PAGE, f"{PAGE}load.csv", f"{PAGE}boilers/3"):
        answer = visits.answer("stranger", path)
        assert answer.status == 404
        assert "Hassan" not in answer.text()
        assert "Hassan" not in visits.answer(None, path).text()


@pytest.mark.parametrize("width", [360, 1440])
def test_before_the_first_boiler_there_is_a_way_to_begin(visits, modules, width):
    page = visits.page("beginner", PAGE, width=width)
    expect(page.get_by_role("heading", name="No boilers yet")).to_be_visible()
    assert page.get_by_role("navigation", name="Filter by state").count() == 0
    assert_fits(page)
    assert_accessible(page, modules)


def test_no_script_runs_that_the_host_has_not_written(visits):
    page = visits.page("beginner", PAGE)
    page.evaluate("document.querySelector('main').innerHTML += '<img src=x onerror=\"window.ran = 1\">'")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    page.evaluate("new Image().src = 'https://elsewhere.example/x.png'")
    assert page.evaluate("window.ran") is None
    assert [each for each in visits.troubles if "elsewhere.example" in each]
    assert len([each for each in visits.troubles if "Content Security Policy" in each]) >= 3
    visits.troubles.clear()
