"""Mails: a connection that waits for nobody for ever, and names from people as one line of text."""

from __future__ import annotations

import re
import smtplib
from email.utils import formataddr, parseaddr

from flask import current_app
from flask_mail import Connection, Message
from flask_security.utils import config_value

from smart_boiler_plugin.errors import SmartBoilerError

TIMEOUT_S = 15
"""How long a mail server may be silent [s]."""

LONGEST_NAME = 100
"""How much of a name stands in a mail [characters]."""

SPECIAL = re.compile(r"[][\\()<>@,:;\"]")
"""Characters that mean something in a header with addresses."""


class MailServerError(SmartBoilerError):
    """No mail server could be reached, or it let nobody in, or it did not take a mail. What is due stays due."""


class PatientConnection(Connection):
    """A connection of Flask-Mail that waits no longer than ``TIMEOUT_S``: Flask-Mail 0.10 waits for ever."""

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        """Connect as the host's settings say."""
        kind = smtplib.SMTP_SSL if self.mail.use_ssl else smtplib.SMTP
        host = kind(self.mail.server, self.mail.port or 0, timeout=TIMEOUT_S)
        host.set_debuglevel(int(self.mail.debug))
        if self.mail.use_tls:
            host.starttls()
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host


def send(message: Message) -> None:
    """Send one mail.

    Raises
    ------
    MailServerError
        If it was not taken.

    """
    try:
        with PatientConnection(current_app.extensions["mail"]) as connection:
            connection.send(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailServerError(f"The mail was not taken. {type(error).__name__}: {error}") from error


def refusal() -> str:
    """Return why the mail server lets us not in, for people; empty where it does. No mail is sent."""
    try:
        with PatientConnection(current_app.extensions["mail"]):
            return ""
    except (OSError, smtplib.SMTPException) as error:
        return f"{type(error).__name__}: {error}"


def one_line(name: object, length: int = LONGEST_NAME) -> str:
    """Return a name as one line of text: what is not printable, line breaks first, becomes a space."""
    printable = "".join(character if character.isprintable() else " " for character in str(name))
    return " ".join(printable.split())[:length].strip()


def sender_called(name: str) -> str:
    """Return the host's own address with another name, quoted as a header wants it."""
    configured = config_value("EMAIL_SENDER")
    address = configured[1] if isinstance(configured, tuple) else parseaddr(str(configured))[1]
    # what separates addresses is no part of a name, however it is quoted: not all readers unquote alike
    return formataddr((one_line(SPECIAL.sub(" ", name)), address))
