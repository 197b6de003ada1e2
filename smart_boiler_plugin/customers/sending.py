"""Workers send invitations that are due: all of them, whoever asked. Nobody waits for a mail server but they.

A mail counts as sent once the server took it. A worker that is killed between that and the commit sends it once more;
two workers never send the same one at a time.
"""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from flask import current_app
from flask_mail import Connection
from flexmeasures import Asset, User
from flexmeasures.data import db
from rq import Retry
from rq.timeouts import BaseTimeoutException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from smart_boiler_plugin import workers
from smart_boiler_plugin.customers import invitations, letter
from smart_boiler_plugin.customers.invitations import DUE, FAILED, MOST_TRIES, SENT, Invitation
from smart_boiler_plugin.mail import MailServerError, PatientConnection, one_line
from smart_boiler_plugin.transactions import transaction, try_lock

SENDING_LOCK = 0x696E7669
"""Key of the advisory lock of who sends an invitation (the bytes of "invi"); the row is the boiler's asset."""

NOT_NOW = 400
"""SMTP replies from here on, and below 500, mean: not now."""

FOR_GOOD = 500
"""SMTP replies from here on mean: never."""


def ask_workers() -> bool:
    """Ask workers to send what is due, after the commit that made it so; return whether they can be asked."""
    return workers.ask("smart_boiler_plugin.customers.sending.work")


def work() -> Retry | None:
    """Send what is due, for a while; a worker calls this. Return when to go on, if there is more."""
    until = time.monotonic() + workers.LIMIT_S
    with workers.job():
        try:
            with closing(send(invitations.in_state(DUE))) as sent:
                for _ in sent:
                    if time.monotonic() > until:
                        ask_workers()
                        return None
        except MailServerError as error:
            current_app.logger.error("Invitations cannot be mailed now: %s", error)  # noqa: TRY400 (it says all)
        # what was refused for now, or could not be tried
        return workers.later() if invitations.in_state(DUE) else None


def send(asset_ids: Sequence[int], *, at_once: bool = False) -> Generator[tuple[int, Invitation | None]]:
    """Send the invitations of boilers that are due, all over one connection, each in a transaction of its own.

    Parameters
    ----------
    asset_ids
        Of the boilers.
    at_once
        Try what was refused for now again at once, too.

    Yields
    ------
    int, Invitation or None
        Each boiler, and how its invitation stands then; None where there is none any more, or somebody else sends it.

    Raises
    ------
    MailServerError
        If no mail server can be reached. The invitation that was next tells why, and stays due.

    """
    if not asset_ids:
        return
    with _connected(asset_ids[0]) as connection:
        for asset_id in asset_ids:
            if not _lives(connection):
                raise MailServerError("The mail server broke the connection off.")
            with transaction():
                found = _claim(asset_id)
                before = invitations.of(found)
                if found is None or before is None or not (before.is_ripe() or (at_once and before.state == DUE)):
                    after = before
                else:
                    after = _try(found, before, connection)
                    _note(found, after)
            yield asset_id, after


@contextmanager
def _connected(first: int) -> Iterator[Connection]:
    """Yield a connection to the mail server of the host's settings."""
    connection = PatientConnection(current_app.extensions["mail"])
    try:
        connection.__enter__()
    except (OSError, smtplib.SMTPException) as error:
        why = f"{type(error).__name__}: {error}"
        with transaction():
            asset = _claim(first)
            before = invitations.of(asset)
            if asset is not None and before is not None and before.state == DUE:
                _note(asset, before.became(DUE, why))
        raise MailServerError(f"The mail server cannot be reached. {why}") from error
    try:
        yield connection
    finally:
        # what it took is sent, whatever it says to a farewell
        with suppress(OSError, smtplib.SMTPException):
            if connection.host is not None:
                connection.host.quit()


def _lives(connection: Connection) -> bool:
    return connection.host is None or connection.host.sock is not None


def _claim(asset_id: int) -> Asset | None:
    """Return a boiler as it is now, whose invitation nobody else sends until the end of the transaction; or None."""
    if not try_lock(SENDING_LOCK, asset_id):
        return None
    return db.session.get(Asset, asset_id, populate_existing=True, options=[joinedload(Asset.owner)])


def _note(asset: Asset, invitation: Invitation) -> None:
    """Store how an invitation stands, unless the household has been erased meanwhile."""
    if db.session.execute(db.select(Asset.id).filter_by(id=asset.id).with_for_update(key_share=True)).first():
        invitations.note(asset, invitation)


def _try(asset: Asset, invitation: Invitation, connection: Connection) -> Invitation:
    """Send one mail, and return how the invitation stands then."""
    user = db.session.query(User).filter_by(account_id=asset.account_id).order_by(User.id).first()
    if user is None:
        return invitation.became(FAILED, "The account has no user any more.")
    if invitations.has_chosen(user, invitation):
        return invitation.became(FAILED, "The user has chosen a password already: no invitation is needed.")
    url = invitations.url_of(invitation)
    if url is None:
        return invitation.became(FAILED, "Nothing says with which address the link begins: SMART_BOILER_SERVER_URL.")
    try:
        mail = letter.invitation(asset, user, asset.owner.consultancy_account, url)
        connection.send(mail)
    except (smtplib.SMTPException, OSError) as error:
        code, why = _said(error, user.email)
        for_good = code >= FOR_GOOD or invitation.tries + 1 >= MOST_TRIES
        current_app.logger.warning("The invitation of user %s was not taken: %s", user.id, why)
        return invitation.became(FAILED if for_good else DUE, why, tries=1)
    except (BaseTimeoutException, DBAPIError):
        raise
    except Exception as error:
        current_app.logger.exception("The invitation of user %s could not be written", user.id)
        return invitation.became(FAILED, f"It could not be written: {type(error).__name__}")
    return invitation.became(SENT, tries=1)


def _said(error: Exception, email: str) -> tuple[int, str]:
    """Return the code of a mail server's refusal, and what it said, without the address; 400 where it said nothing."""
    code, text = NOT_NOW, str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()), (NOT_NOW, b""))
        text = f"{code} {_text(said)}"
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, f"{error.smtp_code} {_text(error.smtp_error)}"
    return code, one_line(re.sub(re.escape(email), "(address)", text, flags=re.IGNORECASE) or repr(error), length=300)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
