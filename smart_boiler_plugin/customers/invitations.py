"""The outbox of invitations: how each customer's stands. It is written in the transaction that takes the customer on.

It stands with the boiler's asset. Who sends: ``sending.py``; what: ``letter.py``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import has_request_context, request
from flexmeasures import Asset, User
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin import stored
from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.settings import SERVER_URL

ATTRIBUTE = "smart-boiler-invitation"
"""Attribute of the boiler's asset; customers of earlier versions have none."""

DUE, SENT, FAILED = "due", "sent", "failed"
"""A worker will send it; the mail server took it; it was refused, and nobody tries again unless asked."""

MOST_TRIES = 5
"""How often a mail is tried that the server did not take for now."""

PAUSE = timedelta(minutes=5)
"""How long such a mail waits until it is tried again; servers that do not know us want some minutes."""

LONGEST_WHY = 300
"""How much is kept of what a mail server said [characters]."""


@dataclass(frozen=True)
class Invitation:
    """How the invitation of a customer stands.

    Parameters
    ----------
    state
        ``DUE``, ``SENT`` or ``FAILED``.
    why
        What went wrong the last time; None where nothing did.
    at
        Since when it stands so (ISO 8601).
    tries
        How often the mail server had it in hand.
    url
        Address of the server that the link begins with, sealed; None means the setting's.
    password
        Fingerprint of the password that nobody knows, which a user has until it chooses one.

    """

    state: str
    why: str | None
    at: str
    tries: int = 0
    url: str | None = None
    password: str | None = None

    def became(self, state: str, why: object = None, tries: int = 0) -> Invitation:
        """Return the same invitation in another state, from now on."""
        told = None if why is None else str(why)[:LONGEST_WHY]
        return replace(self, state=state, why=told, at=_now(), tries=self.tries + tries)

    def is_ripe(self) -> bool:
        """Return whether it is to be sent now: it is due, and was not just refused for now."""
        pause = PAUSE if self.tries else timedelta(0)
        return self.state == DUE and server_now() - datetime.fromisoformat(self.at) >= pause


def server_url(given: str | None = None) -> str | None:
    """Return the address with which links in mails begin: the given one, else the setting's, else that of the request.

    Raises
    ------
    SmartBoilerError
        If it is no address of a server.

    """
    url = given or SERVER_URL.value or (request.url_root if has_request_context() else None)
    if url and not (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc):
        raise SmartBoilerError(f"'{url}' is no address of a server. Right is: https://boilers.example.com")
    return url


def of(asset: Asset | None) -> Invitation | None:
    """Return the invitation of a boiler's household; None where nothing is known of any."""
    return _read(stored.read(asset, ATTRIBUTE)) if asset is not None else None


def make_due(asset: Asset, user: User, url: str | None) -> None:
    """Note that a user who has just been made is to be invited. Does not commit.

    Parameters
    ----------
    asset
        The boiler.
    user
        Whom, with a password that nobody knows.
    url
        As of ``server_url``.

    """
    note(asset, Invitation(DUE, None, _now(), url=url and stored.seal(url), password=_fingerprint(user)))


def make_due_again(asset: Asset, user: User, url: str | None) -> None:
    """Note that a user is to be invited once more; without an address, the one before counts. Does not commit.

    Raises
    ------
    ConflictError
        If the user has a password of its own already.
    SmartBoilerError
        If nothing says with which address the link begins.

    """
    before = of(asset)
    if has_chosen(user, before):
        raise ConflictError(
            f"User {user.id} has chosen a password already, and needs no invitation. One that is forgotten is reset by "
            "'Forgot password' at the login."
        )
    sealed = stored.seal(url) if url else before and before.url
    if not sealed:
        raise SmartBoilerError("Nothing says with which address the link begins: set SMART_BOILER_SERVER_URL.")
    known = before.password if before else None
    note(asset, Invitation(DUE, None, _now(), url=sealed, password=known))


def note(asset: Asset, invitation: Invitation) -> None:
    """Store how an invitation stands. Does not commit."""
    stored.change(asset, lambda _: asdict(invitation), ATTRIBUTE)


def has_chosen(user: User, invitation: Invitation | None) -> bool:
    """Return whether a user has chosen a password, as far as it can be told; who was here has one."""
    known = invitation.password if invitation else None
    came = user.last_login_at or user.last_seen_at
    return came is not None or (known is not None and known != _fingerprint(user))


def url_of(invitation: Invitation) -> str | None:
    """Return the address with which the link begins; None where nothing says."""
    try:
        return str(stored.unseal(invitation.url)) if invitation.url else server_url()
    except ValueError:
        return server_url()


def in_state(state: str) -> list[int]:
    """Return the ids of all boilers whose invitation is in a state, those first that are so for longest."""
    entry = Asset.attributes[ATTRIBUTE]
    query = db.select(Asset.id).filter(entry["state"].astext == state).order_by(entry["at"].astext, Asset.id)
    return list(db.session.scalars(query))


def _fingerprint(user: User) -> str:
    """Return what tells one password from another, and nothing of it."""
    return sha256(str(user.password).encode()).hexdigest()[:16]


def _now() -> str:
    return str(server_now().isoformat())


def _read(entry: Any) -> Invitation | None:
    """Return what is stored as an invitation; None where it is none: anybody may have written there."""
    texts = {"state": False, "why": True, "at": False, "url": True, "password": True}
    try:
        invitation = Invitation(**entry)
        moment = datetime.fromisoformat(invitation.at)
    except (TypeError, ValueError):
        return None
    right = all(
        isinstance(value := getattr(invitation, name), str) or (value is None and optional)
        for name, optional in texts.items()
    )
    fits = invitation.state in {DUE, SENT, FAILED} and type(invitation.tries) is int and moment.utcoffset() is not None
    return invitation if right and fits else None
