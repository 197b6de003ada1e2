"""Invitations: a mail with a link to choose a password. A customer outlives a mail server that is down."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

from flask import current_app, render_template
from flask_mail import Message
from flask_security.recoverable import generate_reset_link
from flask_security.utils import config_value
from flexmeasures import User

SENT = "sent"
FAILED = "failed"


def invite(users: Sequence[User]) -> dict[int, str]:
    """Mail users a link to choose a password, all over one connection.

    Needs a request context, as the link starts with the address of the server.

    Returns
    -------
    dict
        Per user id, "sent" or "failed"; why is in the log.

    """
    outcome = {user.id: FAILED for user in users}
    if not users:
        return outcome
    try:
        with current_app.mail.connect() as connection:  # type: ignore[attr-defined]  # set by the host
            for user in users:
                try:
                    connection.send(_invitation(user))
                    outcome[user.id] = SENT
                except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refusal:
                    # the next one may be accepted
                    _log(f"of user {user.id}", refusal)
    except OSError as error:  # no server, or none any more: all that smtplib raises is an OSError
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


def _log(whose: str, error: Exception) -> None:
    """Log why an invitation failed, without a stack trace: the reason says it all."""
    current_app.logger.error("The invitation %s could not be mailed: %r", whose, error)
