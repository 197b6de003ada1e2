"""Makes the pictures of all pages: ``make screenshots``; no test of ``make test``, which collects ``test_*.py`` alone.

To add a page: a line of ``PAGES``.
"""

import io
from pathlib import Path

import pytest
from flexmeasures import Account
from flexmeasures.data import db
from PIL import Image

from tests.browser.worlds import SCRIPT, make_operators_world

FOLDER = Path(__file__).parents[2] / "docs" / "pages"

BASE = "/smart-boiler-plugin/"

PAGES = (
    ("operator", "operator", BASE),
    ("boiler", "operator", f"{BASE}boilers/3"),
)
"""Name of the picture, who looks (the user's name), and at which path."""

WIDTHS = (360, 1440)

TALLEST = 2000
"""What is below is cut off [px]: rows of a list."""

COLOURS = 128
"""Of a picture, which so takes a fifth of the room."""


@pytest.fixture(scope="module", autouse=True)
def world(emptied):
    """What is shown."""
    with emptied.app_context():
        make_operators_world(492)
        db.session.query(Account).filter_by(name=SCRIPT).one().name = "Client 1"
        db.session.commit()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "user", "path"), PAGES)
def test_picture(visits, name, user, path, width):
    keep(visits.page(user, path, width=width), f"{name}-{width}")


def keep(page, name, tallest=TALLEST):
    """Keep a picture of a page under a name."""
    page.evaluate("document.fonts.ready")
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, tallest)))
    FOLDER.mkdir(exist_ok=True)
    picture.quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)
