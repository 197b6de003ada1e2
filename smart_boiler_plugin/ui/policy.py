"""The Content-Security-Policy of our pages: what the host's own base loads, what is ours, and nothing else. Pure.

The host's base has scripts and styles within the page, and no nonces for them. So the policy is made of an empty page:
what stands there is the host's, whatever its version, and its hash is allowed. What else comes into a page, such as a
name with markup in it that some template forgot to escape, has another hash and does not run.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import urlsplit

FONTS = ("https://fonts.gstatic.com", "https://cdnjs.cloudflare.com", "https://cdn.jsdelivr.net")
"""From where the host's style sheets take their fonts (Poppins, Font Awesome, Bootstrap's icons)."""

TEXT_OF = {"script": "script-src", "style": "style-src-elem"}
"""Elements whose text is run or applied, and by which directive."""


class _Loaded(HTMLParser):
    """Collects what a page loads, by the directive that allows it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.sources: dict[str, list[str]] = {"script-src": [], "style-src-elem": [], "img-src": []}
        self._within: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" in given:
            self._add("script-src", given["src"])
        elif tag == "link" and given.get("rel") == "stylesheet":
            self._add("style-src-elem", given.get("href", ""))
        elif tag == "img":
            self._add("img-src", given.get("src", ""))
        elif tag in TEXT_OF:
            self._within, self._text = tag, []

    def handle_data(self, data: str) -> None:
        if self._within:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            digest = b64encode(sha256("".join(self._text).encode()).digest()).decode()
            self.sources[TEXT_OF[tag]].append(f"'sha256-{digest}'")
            self._within = None

    def _add(self, directive: str, url: str) -> None:
        """Allow one file of another origin; all of our own origin is allowed anyway."""
        parts = urlsplit(url)
        # a character that ends a source or a directive comes from nowhere good
        if parts.scheme == "https" and not set(url) & set(" ;,'\"\n"):
            self.sources[directive].append(f"https://{parts.netloc}{parts.path}")


def policy_of(empty_page: str) -> str:
    """Return the Content-Security-Policy of pages that add nothing from elsewhere to an empty one.

    Parameters
    ----------
    empty_page
        HTML of the host's base without any content.

    """
    loaded = _Loaded()
    loaded.feed(empty_page)
    allowed = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *loaded.sources["script-src"]],
        "style-src": ["'self'"],
        "style-src-elem": ["'self'", *loaded.sources["style-src-elem"]],
        # attributes: the host's menu and toasts have some, and ECharts sizes its drawing by them
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", *loaded.sources["img-src"]],
        "font-src": ["'self'", *FONTS],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{directive} {' '.join(dict.fromkeys(sources))}" for directive, sources in allowed.items())
