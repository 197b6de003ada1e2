"""Asking Energy-Charts where it misbehaves: a local server that does so in each way."""

import logging
import socket
import time
from dataclasses import replace

import pandas as pd
import pytest

from smart_boiler_plugin.errors import NoPricesError, PriceServiceError
from smart_boiler_plugin.prices.energy_charts import fetch as module
from smart_boiler_plugin.prices.energy_charts.fetch import fetch
from tests.energy_charts import (
    LITTLE_PATIENCE,
    answer,
    break_off,
    drip,
    energy_charts,
    fall_asleep,
    hang_up,
    redirect_without_end,
    say,
)

START = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
END = pd.Timestamp("2025-10-30", tz="Europe/Amsterdam")


@pytest.fixture
def service():
    with energy_charts() as server:
        yield server


def ask(server, patience=LITTLE_PATIENCE):
    return fetch("NL", START, END, url=server.url, patience=patience)


def test_zone_and_span_are_asked_for_without_a_doubt_about_time_zones(service):
    service.answers = [say(answer())]
    assert len(ask(service).prices) == 96
    # date -d 2025-10-29T00:00+01:00 +%s
    assert service.asked == [("/price", {"bzn": "NL", "start": "1761692400", "end": "1761778800"})]


def test_a_slash_at_the_end_of_the_address_does_no_harm(service):
    service.answers = [say(answer())]
    fetch("NL", START, END, url=f"{service.url}/", patience=LITTLE_PATIENCE)
    assert service.asked[0][0] == "/price"


@pytest.mark.parametrize(
    "trouble",
    [
        [say(status=429, Retry_After="0")],
        [say(status=429)],
        [say(status=503), say(status=503)],
        [say(status=500), say(status=502)],
        [hang_up],
        [fall_asleep],
    ],
)
def test_passing_trouble_is_waited_for(service, trouble):
    service.answers = [*trouble, say(answer())]
    assert len(ask(service).prices) == 96
    assert len(service.asked) == len(trouble) + 1


def test_retry_after_is_honoured_as_long_as_it_is_bearable(service):
    service.answers = [say(status=429, Retry_After="1"), say(answer())]
    began = time.monotonic()
    ask(service, replace(LITTLE_PATIENCE, backoff_max_s=0.1))
    # the first retry would follow after 5 ms, and 1 s is longer than is waited
    assert 0.1 <= time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    ("trouble", "told", "asked"),
    [
        (say(status=429, Retry_After="86400"), "answered 429", 3),
        (say(status=429, Retry_After="soon"), "answered 429", 3),
        (say(status=500), "answered 500", 3),
        (say(status=503), "answered 503", 3),
        (say(status=400), "answered 400", 1),
        (say({"detail": "bzn"}, status=422), "answered 422", 1),
        (say(status=204), "answered 204", 1),
        (say(b"<html>Maintenance</html>"), "not answer with JSON", 1),
        (say({"detail": "fine"}), "'unix_seconds' is no list", 1),
        (say(answer(price=[1.0])), "96 moments but 1 prices", 1),
        (say(answer(unit="No Unit")), "prices in 'No Unit'", 1),
        (fall_asleep, "did not answer in time", 3),
        (hang_up, "no connection, or one that was closed", 3),
        (break_off, "broke off in the middle", 1),
        (say(status=301, Location="file:///etc/passwd"), "sends elsewhere", 1),
        (say(b"no gzip", Content_Encoding="gzip"), "cannot be read (DecodingError)", 1),
    ],
)
def test_lasting_trouble_ends_in_words(service, trouble, told, asked):
    service.answers = [trouble]
    with pytest.raises(PriceServiceError) as refused:
        ask(service)
    assert told in str(refused.value)
    assert len(service.asked) == asked


@pytest.mark.parametrize("nothing", [say({"detail": "Not Found"}, status=404), say(answer(prices=[None] * 96))])
def test_nothing_in_the_span_is_told_as_that(service, nothing):
    service.answers = [nothing]
    with pytest.raises(NoPricesError, match="no price of the bidding zone NL from 2025-10-29T00:00:00"):
        ask(service)


def test_a_server_that_sends_a_byte_now_and_then_holds_nobody_for_long(service):
    service.answers = [drip]
    began = time.monotonic()
    with pytest.raises(PriceServiceError, match=r"within 0\.2 s"):
        ask(service, replace(LITTLE_PATIENCE, overall_s=0.2))
    assert time.monotonic() - began < 1


def test_an_answer_without_end_is_not_read_to_its_end(service, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_MAX", 1000)
    service.answers = [say(answer())]
    with pytest.raises(PriceServiceError, match="more than 1000 bytes"):
        ask(service)


def test_where_it_is_sent_elsewhere_it_reads_and_asks_nothing(service):
    """A redirect's body would be read to its end, and the address may be one that only this machine reaches."""
    service.answers = [redirect_without_end]
    began = time.monotonic()
    with pytest.raises(PriceServiceError, match="Set SMART_BOILER_ENERGY_CHARTS_URL to where it is now"):
        ask(service)
    assert time.monotonic() - began < 1
    assert len(service.asked) == 1


def test_nobody_at_the_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(PriceServiceError, match="cannot be reached"):
            fetch("NL", START, END, url=url, patience=LITTLE_PATIENCE)


@pytest.mark.parametrize("url", ["api.example.com", "ftp://api.example.com", "http://", ""])
def test_an_address_that_is_none_is_told_with_its_setting(url):
    with pytest.raises(PriceServiceError, match="SMART_BOILER_ENERGY_CHARTS_URL"):
        fetch("NL", START, END, url=url, patience=LITTLE_PATIENCE)


def test_who_cannot_prove_who_it_is_is_told(service):
    with pytest.raises(PriceServiceError, match="cannot prove who it is"):
        fetch("NL", START, END, url=service.url.replace("http:", "https:"), patience=LITTLE_PATIENCE)


def test_a_password_in_the_address_is_not_told(service, caplog, monkeypatch):
    # the host's logging has switched it off, if an app was made in this process before
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", False)
    caplog.set_level("INFO", logger="httpx")
    for trouble in (say(status=400), hang_up, fall_asleep, say(status=302, Location="/elsewhere")):
        service.answers = [trouble]
        with pytest.raises(PriceServiceError) as refused:
            fetch("NL", START, END, url=service.url.replace("//", "//me:geheim@"), patience=LITTLE_PATIENCE)
        assert "geheim" not in str(refused.value)
    assert f"{service.url}/price" in caplog.text
    assert "geheim" not in caplog.text


def test_a_password_in_the_address_is_sent(service):
    service.answers = [lambda handler: say(answer(), 200 if "Authorization" in handler.headers else 401)(handler)]
    assert len(fetch("NL", START, END, url=service.url.replace("//", "//me:geheim@"), patience=LITTLE_PATIENCE).prices)
