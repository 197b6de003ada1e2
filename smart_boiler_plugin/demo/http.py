"""The host's HTTP API, as an operator or a customer uses it: with a token, over the network."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from smart_boiler_plugin.embedded.mailbox import Mailbox
from smart_boiler_plugin.embedded.processes import StackError

REQUEST_TIMEOUT_S = 60


def _browser(url: str = "") -> httpx.Client:
    """Return a client without the environment's proxies and passwords: the server is on this machine."""
    return httpx.Client(base_url=url, timeout=REQUEST_TIMEOUT_S, follow_redirects=True, trust_env=False)


@dataclass(frozen=True)
class Login:
    """Who talks to which server: its address, and a user's e-mail and password."""

    url: str
    email: str
    password: str


class Api:
    """The API of a server, on behalf of one user; the token comes from ``POST /api/requestAuthToken``.

    Parameters
    ----------
    login
        Who talks to which server.

    Raises
    ------
    StackError
        If the server refuses, here and in every call; the message has its answer.

    """

    def __init__(self, login: Login) -> None:
        self.url = login.url
        self._client = _browser(login.url)
        answer = self._call("POST", "/api/requestAuthToken", json={"email": login.email, "password": login.password})
        self._client.headers["Authorization"] = answer["auth_token"]

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON answer of a GET."""
        return self._call("GET", path, params=parameters or None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer of a POST of JSON."""
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer of a PATCH of JSON."""
        return self._call("PATCH", path, json=body)

    def open_page(self, path: str) -> str:
        """Return the HTML of a page of the host's web interface."""
        return self._request("GET", path).text

    def trigger_schedule(self, sensor: int, body: dict[str, Any]) -> str:
        """Ask for a schedule of a power sensor, and return the id of the job."""
        return str(self.post(f"/api/v3_0/sensors/{sensor}/schedules/trigger", body)["schedule"])

    def wait_for_schedule(self, sensor: int, job: str, duration: str, timeout_s: float = 60) -> dict[str, Any]:
        """Return the schedule once a worker has made it.

        Parameters
        ----------
        sensor, job
            As of ``trigger_schedule``.
        duration
            How much of it to return (ISO 8601); the host's default is six hours.
        timeout_s
            How long to wait [s].

        """
        deadline = time.monotonic() + timeout_s
        while True:
            path = f"/api/v3_0/sensors/{sensor}/schedules/{job}"
            answer = self._request("GET", path, params={"duration": duration})
            # while the job waits or runs, the host answers with 202
            if answer.status_code == httpx.codes.OK:
                return dict(answer.json())
            if time.monotonic() > deadline:
                raise StackError(f"No schedule for sensor {sensor} within {timeout_s:g} s. Last answer: {answer.text}")
            time.sleep(0.2)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        return self._request(method, path, **arguments).json()

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise StackError(f"{method} {path} got no answer: {error}") from error
        if not answer.is_success:
            raise StackError(f"{method} {path} was refused with {answer.status_code}: {answer.text}")
        return answer


class DeviceApi(Api):
    """The calls of a gateway, by its device token alone.

    Parameters
    ----------
    url
        Of the server.
    token
        As ``POST /device-tokens`` has shown it.

    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._client = _browser(url)
        self._client.headers["Authorization"] = f"Bearer {token}"


def invitation_link(mailbox: Mailbox, email: str, timeout_s: float = 60) -> str:
    """Return the link in the last invitation that went to somebody, once a worker has sent one.

    Parameters
    ----------
    mailbox
        Where it goes.
    email
        To whom.
    timeout_s
        How long to wait [s].

    Raises
    ------
    StackError
        If none went there.

    """
    deadline = time.monotonic() + timeout_s
    while True:
        for mail in reversed(list(mailbox)):
            body = mail.get_body(("plain",))
            found = body and re.search(r"http\S+/reset/\S+", body.get_content())
            if mail["To"] == email and found:
                return found[0]
        if time.monotonic() > deadline:
            raise StackError(f"No invitation for {email} in {mailbox.folder} within {timeout_s:g} s")
        time.sleep(0.1)


def accept_invitation(link: str, password: str) -> None:
    """Open the link of an invitation and choose a password, as its reader would in a browser.

    Raises
    ------
    StackError
        If the server does not accept it.

    """
    browser = _browser()
    form = browser.get(link)
    csrf_token = form.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    answer = browser.post(
        link,
        data={"csrf_token": csrf_token, "password": password, "password_confirm": password},
        follow_redirects=False,
    )
    if answer.status_code != httpx.codes.FOUND:
        raise StackError(f"The invitation was not accepted: {answer.status_code} {answer.reason_phrase}")
