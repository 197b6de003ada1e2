"""What a page of boilers shows, as its address says: so that a link shows what its sender saw. Pure.

Names and meanings are those of ``GET /fleet``. What an address says wrongly is left out: the page comes all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from smart_boiler_plugin.fleet.paging import ORDERS, STATE
from smart_boiler_plugin.fleet.told import STATES

PER_PAGE = 25

LONGEST_TEXT = 100
"""How much is looked for [characters]."""

MOST_PAGES = 1_000_000

FIELDS = {
    "state": "state",
    "text": "filter",
    "by": "sort-by",
    "descending": "sort-dir",
    "page": "page",
    "job": "job",
}
"""What each is called in an address."""


@dataclass(frozen=True)
class Wanted:
    """Which boilers are shown, and in which order.

    Parameters
    ----------
    state
        One of ``STATES``; empty means all.
    text
        What is looked for: words that must all be in the name of the customer or the boiler.
    by, descending
        As of ``fleet.paging.chosen``.
    page
        From 1.
    job
        Id of the job that was asked for last, whose progress is shown.

    """

    state: str = ""
    text: str = ""
    by: str = STATE
    descending: bool = False
    page: int = 1
    job: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """Return what the query of an address says."""
        state, by, page = (query.get(FIELDS[name], "") for name in ("state", "by", "page"))
        number = int(page) if page.isascii() and page.isdigit() and len(page) <= len(str(MOST_PAGES)) else 1
        return cls(
            state=state if state in STATES else "",
            text=_plain(query.get(FIELDS["text"], "")),
            by=by if by in ORDERS else STATE,
            descending=query.get(FIELDS["descending"]) == "desc",
            page=max(number, 1),
            job=_plain(query.get(FIELDS["job"], "")),
        )

    @property
    def terms(self) -> list[str]:
        """The words that are looked for."""
        return self.text.split()

    def but(self, **changes: Any) -> str:
        """Return the query of the address that shows the same but for some changes; from its first page on."""
        other = replace(self, **{"page": 1, "job": "", **changes})
        said = {
            "state": other.state,
            "text": other.text,
            "by": "" if other.by == STATE else other.by,
            "descending": "desc" if other.descending else "",
            "page": other.page if other.page > 1 else "",
            "job": other.job,
        }
        return "?" + urlencode({FIELDS[name]: value for name, value in said.items() if value})

    def sorted_by(self, by: str) -> str:
        """Return the query that sorts by something: a second time, the other way round."""
        return self.but(by=by, descending=by == self.by and not self.descending)


def _plain(text: str) -> str:
    """Return a text that the database can be asked for: it knows no NUL."""
    return text.replace("\0", "").strip()[:LONGEST_TEXT]


@dataclass(frozen=True)
class Pages:
    """Pages of a list.

    Parameters
    ----------
    number
        Of the one that is shown, from 1.
    total
        How many things there are.

    """

    number: int
    total: int

    @classmethod
    def of(cls, wanted: int, total: int) -> Pages:
        """Return the page that is wanted; the last one where there are fewer."""
        return cls(min(wanted, cls(1, total).last), total)

    @property
    def last(self) -> int:
        """The last page; of nothing, the first."""
        return max(-(-self.total // PER_PAGE), 1)

    @property
    def some(self) -> slice:
        """Which things are shown."""
        return slice((self.number - 1) * PER_PAGE, self.number * PER_PAGE)

    @property
    def shown(self) -> list[int | None]:
        """Pages that there are links to, ascending: the first, the last, and those around; None stands for a gap."""
        near = sorted({1, self.last, *range(self.number - 1, self.number + 2)} & set(range(1, self.last + 1)))
        linked: list[int | None] = []
        for before, page in zip([0, *near], near, strict=False):
            linked += ([None] if page > before + 2 else [before + 1] if page == before + 2 else []) + [page]
        return linked
