"""What all pages of ours have: the host's base under a strict policy, and forms that another site cannot send."""

import pytest

from tests.browser.looks import assert_accessible, assert_fits
from tests.factories import make_operator


@pytest.fixture(scope="module", autouse=True)
def world(emptied):
    """An operator without boilers."""
    with emptied.app_context():
        make_operator()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_page_fits_and_is_accessible(visits, modules, width):
    page = visits.page("operator", "/smart-boiler-plugin/", width=width)
    assert page.get_by_role("main").get_by_role("heading", level=1).is_visible()
    assert_fits(page)
    assert_accessible(page, modules)


def test_no_script_runs_that_the_host_has_not_written(visits):
    page = visits.page("operator", "/smart-boiler-plugin/")
    page.evaluate("document.querySelector('main').innerHTML += '<img src=x onerror=\"window.ran = 1\">'")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in each for each in visits.troubles)
    visits.troubles.clear()
