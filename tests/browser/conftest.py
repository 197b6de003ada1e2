"""A real Chromium on a real server: pages as people see them, and no request that leaves the machine.

Chromium ends with each file: while Playwright is there, it keeps an event loop running, which other tests do not
expect. A file makes its world once (``world`` or the like, of module scope) after ``emptied``.
"""

import shutil
import threading

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.browser import cdn
from tests.browser.visits import Visits
from tests.host.apps import empty

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # whatever a page or Chromium itself asks for elsewhere is not found
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="session")
def modules():
    """The folder of npm packages."""
    folder, why_not = cdn.packages()
    if folder is None:
        pytest.skip(why_not)
    return folder


@pytest.fixture(scope="module")
def browser(modules):
    """A Chromium that is installed."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip(f"no Chromium is installed: looked for {', '.join(CHROMIUMS)}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=OPTIONS)
        yield chromium
        chromium.close()


class _Quietly(WSGIRequestHandler):
    """Tells nothing of each file that a page loads."""

    def log_request(self, *_):
        pass


@pytest.fixture(scope="session")
def server(_running_app):
    """Address of a server of the app."""
    running = make_server("127.0.0.1", 0, _running_app.app, threaded=True, request_handler=_Quietly)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def emptied(_running_app):
    """The app, with an empty database."""
    empty(_running_app.app)
    return _running_app.app


@pytest.fixture(scope="module")
def visits(browser, server, modules):
    """Opens pages as people who are logged in (``visits.Visits``)."""
    some = Visits(browser, server, modules)
    yield some
    some.end()


@pytest.fixture(autouse=True)
def _no_trespass(visits):
    """No page asked for anything elsewhere that is not served here, broke its policy, or had an error in a script."""
    visits.troubles.clear()
    yield
    assert "\n".join(visits.troubles) == ""
