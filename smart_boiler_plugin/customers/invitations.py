"""Invitations: a mail with a link to choose a password. A customer outlives a mail server that is down."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from urllib.parse import urlsplit

from flask import current_app, render_template
from flask_mail import Message
from flask_security.recoverable import generate_reset_link
from flask_security.utils import config_value
from flexmeasures import User

from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.settings import SERVER_URL

SENT = "sent"
FAILED = "failed"

TIMEOUT_S = 15
"""How long a mail server may be silent [s]: shorter than the 30 s after which gunicorn gives up on a request."""


def server_url(given: str | None = None) -> str | None:
    """Return the address with which links in mails begin: the given one, else the setting's; None where neither is.

    Raises
    ------
    SmartBoilerError
        If it is no address of a server.

    """
    url = given or SERVER_URL.value or None
    if url and not (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc):
        raise SmartBoilerError(f"'{url}' is no address of a server. Right is: https://boilers.example.com")
    return url


def invite(users: Sequence[User], given_url: str | None = None) -> dict[int, str]:
    """Mail users a link to choose a password, all over one connection.

    The link begins with the address of the server: the given one, else the setting's, else that of the request.

    Returns
    -------
    dict
        Per user id, "sent" or "failed"; why is in the log.

    """
    outcome = {user.id: FAILED for user in users}
    if not users:
        return outcome
    try:
        with _links_from(server_url(given_url)), _patience(), current_app.mail.connect() as connection:  # type: ignore[attr-defined]  # set by the host
            for user in users:
                try:
                    connection.send(_invitation(user))
                    outcome[user.id] = SENT
                except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refusal:
                    # the next one may be accepted
                    _log(f"of user {user.id}", refusal)
    except Exception as error:  # noqa: BLE001 (the customers are there already, whatever is wrong with the mail)
        _log(f"of users {[user_id for user_id, state in outcome.items() if state == FAILED]}", error)
    return outcome


def _invitation(user: User) -> Message:
    """Return the host's own mail for choosing a password."""
    link, token = generate_reset_link(user)
    body, html = (
        render_template(f"security/email/reset_instructions.{kind}", user=user, reset_link=link, reset_token=token)
        for kind in ("txt", "html")
    )
    subject = str(config_value("EMAIL_SUBJECT_PASSWORD_RESET"))
    return Message(subject, sender=config_value("EMAIL_SENDER"), recipients=[user.email], body=body, html=html)


@contextmanager
def _links_from(url: str | None) -> Iterator[None]:
    """Let links begin with an address; with None, with whatever the current request was sent to."""
    with current_app.test_request_context(base_url=url) if url else nullcontext():
        yield


@contextmanager
def _patience() -> Iterator[None]:
    """Bound how long a mail server may be silent. Flask-Mail 0.10 waits for ever, and takes no timeout to pass on."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _log(whose: str, error: Exception) -> None:
    """Log why an invitation failed, without a stack trace: the reason says it all."""
    current_app.logger.error("The invitation %s could not be mailed: %r", whose, error)
