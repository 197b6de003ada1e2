"""Makes the pictures of the household's page: `make screenshots`. Its world is not that of `screenshots.py`."""

import pandas as pd
import pytest

from tests.browser.homes import make_homes
from tests.browser.screenshots import BASE, WIDTHS, keep

PAGES = (("household", "mulder", BASE),)
"""Name of the picture, who looks (the user's name), and at which path."""


@pytest.fixture(scope="module", autouse=True)
def world(emptied):
    """What is shown."""
    with emptied.app_context():
        make_homes(pd.Timestamp.now("Europe/Amsterdam"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "user", "path"), PAGES)
def test_picture(visits, name, user, path, width):
    page = visits.page(user, path, width=width)
    page.wait_for_load_state()
    keep(page, f"{name}-{width}", tallest=4000)
