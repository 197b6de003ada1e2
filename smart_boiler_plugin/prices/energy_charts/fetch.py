"""Ask the Energy-Charts API, with patience that ends. HTTP alone: what an answer means is in ``answer``.

The API is public and needs no key. It counts requests per minute (429), and says 404 where it has no price in the whole
span, such as in the first hours of a day that was published late (https://github.com/mampfes/ha_epex_spot/issues/302).
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio
import httpx

from smart_boiler_plugin.errors import NoPricesError, PriceServiceError
from smart_boiler_plugin.prices.energy_charts.answer import Answer, parse

BUSY = (429, 500, 502, 503, 504)
PASSING = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)

ANSWER_MAX = 5_000_000
"""No answer is read beyond this [byte]: a year of quarters has some 700,000."""


@dataclass(frozen=True)
class Patience:
    """How long to wait: for a connection, each next piece of an answer, a retry, and everything together [s].

    The wait before a retry is doubled each time. ``backoff_max_s`` is the longest, whatever the server asks for.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    retries: int = 4
    backoff_s: float = 5.0
    backoff_max_s: float = 60.0
    overall_s: float = 240.0


PATIENCE = Patience()


def fetch(zone: str, start: datetime, end: datetime, *, url: str, patience: Patience = PATIENCE) -> Answer:
    """Return the prices of a bidding zone, as Energy-Charts names it, in a span that is aware of its time zone.

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
    content = anyio.run(_get, f"{url.rstrip('/')}/price", span, patience)
    answer = parse(content, start, end) if content is not None else None
    if answer is None or answer.prices.empty:
        raise NoPricesError(
            f"Energy-Charts has no price of the bidding zone {zone} from {start.isoformat()} to {end.isoformat()}."
        )
    return answer


async def _get(address: str, span: dict[str, Any], patience: Patience) -> bytes | None:
    """Return the body of a good answer; None where there is nothing in the span (404). No error shows the address."""
    response = None
    try:
        # for httpx itself, a server that sends a byte now and then is never late
        with anyio.fail_after(patience.overall_s):
            url = httpx.URL(address, params=span)
            # httpx logs addresses: a password must not be in them
            auth = (url.username, url.password) if url.userinfo else None
            timeout = httpx.Timeout(patience.read_s, connect=patience.connect_s)
            async with httpx.AsyncClient(auth=auth, timeout=timeout) as client:
                response = await _ask(client, url.copy_with(userinfo=b""), patience)
                return None if response.status_code == httpx.codes.NOT_FOUND else await _body(response)
    except (TimeoutError, httpx.TimeoutException):
        reason = f"did not answer in time (at most within {patience.overall_s:g} s). Try again later."
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        reason = "cannot be asked: SMART_BOILER_ENERGY_CHARTS_URL is no address of a server."
    except httpx.TransportError as error:
        if response is not None:
            reason = "broke off in the middle of its answer. Try again later."
        elif isinstance(error.__cause__ and error.__cause__.__context__, ssl.SSLError):
            reason = "cannot prove who it is (TLS)."
        else:
            reason = "cannot be reached: no connection, or one that was closed without an answer."
    except httpx.HTTPError as error:
        reason = f"gave an answer that cannot be read ({type(error).__name__})."
    raise PriceServiceError(f"Energy-Charts {reason}")


async def _ask(client: httpx.AsyncClient, url: httpx.URL, patience: Patience) -> httpx.Response:
    """Return the head of the first answer that is no passing trouble, or of the one after the last retry."""
    for attempt in range(patience.retries):
        asked_s = ""
        with suppress(*PASSING):  # the last try tells
            response = await client.send(client.build_request("GET", url), stream=True)
            if response.status_code not in BUSY:
                return response
            await response.aclose()
            asked_s = response.headers.get("Retry-After", "")
        wait_s = max(patience.backoff_s * 2**attempt, float(asked_s) if asked_s.isdecimal() else 0)
        await anyio.sleep(min(wait_s, patience.backoff_max_s))
    return await client.send(client.build_request("GET", url), stream=True)


async def _body(response: httpx.Response) -> bytes:
    """Return the body of a good answer that has an end."""
    if response.has_redirect_location:  # what is there may be anybody's
        raise PriceServiceError("Energy-Charts sends elsewhere. Set SMART_BOILER_ENERGY_CHARTS_URL to where it is now.")
    if response.status_code != httpx.codes.OK:
        advice = " Try again later." if response.status_code in BUSY else ""
        raise PriceServiceError(f"Energy-Charts answered {response.status_code}.{advice}")
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > ANSWER_MAX:
            raise PriceServiceError(f"Energy-Charts answered with more than {ANSWER_MAX} bytes. Ask for fewer days.")
    return body
