"""Opens pages as people who are logged in, and notes what goes wrong in them."""

import re
from http import HTTPStatus

from tests.browser import cdn
from tests.factories import PASSWORD

HEIGHTS = {360: 780, 768: 1024, 1440: 900}


class Visits:
    """Pages of a browser, one context for each user and width, which are kept.

    ``troubles`` are requests to elsewhere that nobody serves, what a policy forbade, and errors in scripts.
    """

    def __init__(self, browser, server, modules):
        self.browser, self.server, self.modules = browser, server, modules
        self.troubles = []
        self._sessions, self._pages, self._contexts = {}, {}, []

    def page(self, user, path="/", *, width=1440, **options):
        """Return the page at a path as a user (the name before ``@example.com``) sees it; None: nobody is logged in."""
        key = (user, width, *sorted(options.items()))
        if key not in self._pages:
            self._pages[key] = self._context(width, self._session(user), **options).new_page()
            self._watch(self._pages[key])
        page = self._pages[key]
        page.goto(self.server + path)
        return page

    def answer(self, user, path):
        """Return what the server answers to a user at a path, without showing it."""
        context = self._context(1440, self._session(user))
        answer = context.request.get(self.server + path)
        answer.body()
        self._contexts.append(context)
        return answer

    def end(self):
        """Close all pages."""
        for context in [*self._contexts, *(page.context for page in self._pages.values())]:
            context.close()

    def _session(self, user):
        """Return the cookies of a user: each logs in once."""
        if user is not None and user not in self._sessions:
            context = self._context(1440)
            page = context.request.get(f"{self.server}/login").text()
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
            form = {"csrf_token": token, "email": f"{user}@example.com", "password": PASSWORD}
            answer = context.request.post(f"{self.server}/login", form=form, max_redirects=0)
            assert answer.status == HTTPStatus.FOUND, f"{user} cannot log in"
            self._sessions[user] = context.storage_state()
            context.close()
        return self._sessions.get(user)

    def _context(self, width, session=None, **options):
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            storage_state=session,
            **{"locale": "en-GB", "timezone_id": "Europe/Amsterdam", "reduced_motion": "reduce", **options},
        )
        context.set_default_timeout(10_000)
        context.route(lambda url: not url.startswith(self.server), self._serve)
        return context

    def _serve(self, route):
        found = cdn.file_of(route.request.url, self.modules)
        if found is None:
            self.troubles.append(f"request to {route.request.url}")
            route.abort()
            return
        kind, body = found
        route.fulfill(body=body, content_type=kind, headers={"Access-Control-Allow-Origin": "*"})

    def _watch(self, page):
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", self._hear)

    def _hear(self, message):
        if message.type == "error":
            self.troubles.append(f"console: {message.text}")
