"""Ask the Energy-Charts API, with patience that ends. HTTP alone: what an answer means is in ``answer``.

The API is public and needs no key. It counts requests per minute (429), and says 404 where it has no price in the whole
span, such as in the first hours of a day that was published late (https://github.com/mampfes/ha_epex_spot/issues/302).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OverallTimeoutError
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from smart_boiler_plugin.errors import NoPricesError, PriceServiceError
from smart_boiler_plugin.prices.energy_charts.answer import Answer, parse

Result = TypeVar("Result")

TRY_AGAIN = (429, 500, 502, 503, 504)

REASONS: tuple[tuple[type[Exception], str], ...] = (
    (requests.Timeout, "did not answer in time. Try again later."),
    (ReadTimeoutError, "did not answer in time. Try again later."),
    (requests.exceptions.SSLError, "cannot prove who it is (TLS)."),
    (requests.exceptions.ChunkedEncodingError, "broke off in the middle of its answer. Try again later."),
    (requests.ConnectionError, "cannot be reached: no connection, or one that was closed without an answer."),
    (requests.exceptions.InvalidURL, "cannot be asked: SMART_BOILER_ENERGY_CHARTS_URL is no address of a server."),
    (requests.exceptions.InvalidSchema, "cannot be asked: SMART_BOILER_ENERGY_CHARTS_URL is no address of a server."),
    (requests.exceptions.MissingSchema, "cannot be asked: SMART_BOILER_ENERGY_CHARTS_URL is no address of a server."),
)
"""What went wrong, by kind; the first one that fits counts."""

ANSWER_MAX = 5_000_000
"""No answer is read beyond this [byte]: a year of quarters has some 700,000."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for what.

    Parameters
    ----------
    connect_s, read_s
        For a connection, and for each next piece of an answer [s].
    retries
        How often to try again.
    backoff_s, backoff_max_s
        Before the second retry (the first follows at once), doubled each time; and at most, whatever the server asks
        for [s].
    overall_s
        For everything together [s].

    """

    connect_s: float = 10.0
    read_s: float = 30.0
    retries: int = 4
    backoff_s: float = 5.0
    backoff_max_s: float = 60.0
    overall_s: float = 240.0


PATIENCE = Patience()


def fetch(zone: str, start: datetime, end: datetime, *, url: str, patience: Patience = PATIENCE) -> Answer:
    """Return the prices of a bidding zone in a span.

    Parameters
    ----------
    zone
        Bidding zone, as Energy-Charts names it.
    start, end
        The span, aware of its time zone.
    url
        Address of the API.
    patience
        How long to wait.

    Raises
    ------
    NoPricesError
        If Energy-Charts has no price of the zone in the span.
    PriceServiceError
        If there is no answer in time, or none that can be believed; says which.

    """
    # The API takes days, ISO 8601 and Unix seconds (description of its parameters, as clients on GitHub quote it:
    # '2024-01-01', '2024-01-01T17:00Z', '1704063600'). Days would be those of the zone, whatever time zone that is.
    span = {"bzn": zone, "start": int(start.timestamp()), "end": int(end.timestamp())}
    content = _within(patience.overall_s, lambda: _get(f"{url.rstrip('/')}/price", span, patience))
    answer = parse(content, start, end) if content is not None else None
    if answer is None or answer.prices.empty:
        raise NoPricesError(
            f"Energy-Charts has no price of the bidding zone {zone} from {start.isoformat()} to {end.isoformat()}."
        )
    return answer


def _get(address: str, span: dict[str, Any], patience: Patience) -> bytes | None:
    """Return the body of a good answer; None where there is nothing in the span (404)."""
    try:
        with (
            _session(patience) as session,
            session.get(address, params=span, timeout=(patience.connect_s, patience.read_s), stream=True) as response,
        ):
            return None if response.status_code == requests.codes.not_found else _body(response)
    except requests.RequestException as error:
        raise PriceServiceError(f"Energy-Charts at {urlsplit(address).hostname} {_reason(error)}") from error


def _session(patience: Patience) -> requests.Session:
    session = _StayingSession()
    retry = _BoundedRetry(
        patience.retries,
        status_forcelist=TRY_AGAIN,
        backoff_factor=patience.backoff_s,
        backoff_max=patience.backoff_max_s,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


class _StayingSession(requests.Session):
    """Follows no redirect: its body would be read whatever its length, and the next address may be anybody's.

    Not by ``allow_redirects``: requests 2.34 reads the body then, too.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _BoundedRetry(Retry):
    """Waits as long as a server asks for, but never longer than between other retries."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        return asked and min(asked, self.backoff_max)


def _body(response: requests.Response) -> bytes:
    """Return the body of an answer, or refuse one that is an error or has no end."""
    if response.status_code in TRY_AGAIN:
        raise PriceServiceError(
            f"Energy-Charts answered {response.status_code} (too many requests, or out of order). Try again later."
        )
    if response.is_redirect:
        raise PriceServiceError(
            f"Energy-Charts sends elsewhere ({response.status_code}). "
            "Set SMART_BOILER_ENERGY_CHARTS_URL to where it is now."
        )
    if response.status_code != requests.codes.ok:
        raise PriceServiceError(f"Energy-Charts refused the request: it answered {response.status_code}.")
    body = b""
    for piece in response.iter_content(chunk_size=2**16):
        body += piece
        if len(body) > ANSWER_MAX:
            raise PriceServiceError(f"Energy-Charts answered with more than {ANSWER_MAX} bytes. Ask for fewer days.")
    return body


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong, in words that show no address: it may hold a password of a proxy."""
    # after its last retry, requests calls a time-out a lost connection
    cause = getattr(error.args[0], "reason", None) if error.args else None
    for kind, reason in REASONS:
        if isinstance(error, kind) or isinstance(cause, kind):
            return reason
    return f"gave an answer that cannot be read ({type(error).__name__})."


def _within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what a function returns, or give up: a server that sends a byte now and then never times out."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 (raised again where the result is asked for)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except OverallTimeoutError as error:
        raise PriceServiceError(f"Energy-Charts did not answer within {seconds:g} s. Try again later.") from error
