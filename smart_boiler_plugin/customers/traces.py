"""What a customer has left elsewhere on the server: in the audit log, as a data source, with its operator, in jobs.

The audit log keeps that something happened, and when. Names go: those of today, and those that the log remembers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from flexmeasures import Account, Asset, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import or_

from smart_boiler_plugin import stored
from smart_boiler_plugin.customers.changes import FIELDS

ERASED = "(erased)"
"""What stands in place of names."""

SHORTEST = 3
"""How long a name must be to be looked for in texts about nothing that is left [characters]: others hold anything."""

NAMING = re.compile(
    r"\bUser (?P<a>.+)(?= (?:created|deleted)$)"
    r"|\bfor user (?P<b>.+)$"
    r"|\bAccount (?P<c>.+)(?= created while creating user )"
    r"|\bcreated while creating user (?P<d>.+)$"
    r"|^Took on boiler customer '(?P<e>.+)': created account \d+$"
    r"|^Renamed boiler customer '(?P<f>.+)' to '(?P<g>.+)'$"
    r"|^Created account '(?P<h>.+)' \(\d+\)"
)
"""Where the host and this plugin write names of accounts and users into the audit log (``test_traces.py``)."""

QUOTED = r"'.*'|'.*$|\b(?:From|To)\b.*"
"""What else may be personal: names of assets and sensors, old and new values; of a text that is cut, to its end."""

Entry: TypeAlias = "AuditLog | AssetAuditLog"


def entries_of_assets(assets: Sequence[Asset], users: Sequence[User]) -> list[AssetAuditLog]:
    """Return what the audit log has about assets, and what users did to any."""
    about = AssetAuditLog.affected_asset_id.in_([asset.id for asset in assets])
    by = AssetAuditLog.active_user_id.in_([user.id for user in users])
    return list(db.session.query(AssetAuditLog).filter(or_(about, by)).order_by(AssetAuditLog.id))


def entries_of_account(account: Account, users: Sequence[User]) -> list[AuditLog]:
    """Return what the audit log has about an account and users, and what these did."""
    user_ids = [user.id for user in users]
    about = or_(AuditLog.affected_account_id == account.id, AuditLog.affected_user_id.in_(user_ids))
    query = db.session.query(AuditLog).filter(or_(about, AuditLog.active_user_id.in_(user_ids)))
    return list(query.order_by(AuditLog.id))


def names_of(account: Account, users: Sequence[User]) -> set[str]:
    """Return the names of an account and its users, and their addresses: those of today, and those that are logged."""
    ids = {user.id for user in users}
    entries = entries_of_account(account, users)
    by_them = {entry.active_user_name for entry in entries if entry.active_user_id in ids}
    logged = {name for entry in entries for name in named_in(entry.event or "")}
    sources = db.session.scalars(db.select(Source.name).filter(_source_of(account, users)))
    now = {account.name, *(name for user in users for name in (user.username, user.email))}
    # what an operator did is logged with the operator's name, which stays
    others = set(db.session.scalars(db.select(User.username).filter(User.id.not_in(ids))))
    return {name for name in now | ((by_them | logged | set(sources)) - others) if name and name != ERASED}


def named_in(event: str) -> list[str]:
    """Return the names of accounts and users in an event of the audit log."""
    found = NAMING.search(event)
    names = found.groupdict().values() if found else ()
    return [name for name in names if name and not name.startswith(ERASED)]


def take_names_out(entries: Iterable[Entry], names: Collection[str], users: Sequence[User]) -> None:
    """Leave of audit log entries that something happened, and when: no names, quoted texts, old or new values."""
    ids = {user.id for user in users}
    whole = _whole(names)
    for entry in entries:
        event = NAMING.sub(_without_names, entry.event or "")
        entry.event = re.sub(f"{QUOTED}|{whole}", ERASED, event, flags=re.IGNORECASE)
        if entry.active_user_id in ids or entry.active_user_name in names:
            entry.active_user_name = ERASED


def take_names_out_elsewhere(names: Collection[str], operator_id: int | None) -> None:
    """Take names out of what the audit log has about nothing that is left, and about the operator."""
    sought = [name for name in names if len(name) >= SHORTEST]
    if not sought:
        return
    whole = re.compile(_whole(sought), re.IGNORECASE)
    about_none = {
        AuditLog: AuditLog.affected_account_id.is_(None),
        AssetAuditLog: AssetAuditLog.affected_asset_id.is_(None),
    }
    for model, about in about_none.items():
        if model is AuditLog and operator_id is not None:
            about = about | (AuditLog.affected_account_id == operator_id)  # noqa: PLW2901
        said = or_(*(model.event.icontains(name, autoescape=True) for name in sought))
        by = model.active_user_name.in_(sought)
        for entry in db.session.query(model).filter(about, said | by):
            entry.event = whole.sub(ERASED, entry.event or "")
            if entry.active_user_id is None and entry.active_user_name in sought:
                entry.active_user_name = ERASED


def take_names_from_operator(operator: Account | None, names: Collection[str]) -> None:
    """Take names out of what this plugin keeps with an operator, such as rows that were asked for in bulk."""
    if operator is None:
        return
    lower = {name.lower() for name in names}
    for attribute in [name for name in operator.attributes or {} if name.startswith(stored.ATTRIBUTE)]:
        if _without(stored.read(operator, attribute), lower) != stored.read(operator, attribute):
            stored.change(operator, lambda value: _without(value, lower), attribute)


def forget_sources(account: Account, users: Sequence[User]) -> None:
    """Delete the data sources of an account and users; one whose data others have stays, without a name."""
    ids = list(db.session.scalars(db.select(Source.id).filter(_source_of(account, users))))
    used = db.select(TimedBelief.source_id).filter(TimedBelief.source_id == Source.id).exists()
    db.session.execute(db.delete(Source).filter(Source.id.in_(ids), ~used))
    db.session.execute(
        db.update(Source).filter(Source.id.in_(ids)).values(name=ERASED, user_id=None, account_id=None, version=None)
    )


def _source_of(account: Account, users: Sequence[User]) -> Any:
    return or_(Source.user_id.in_([user.id for user in users]), Source.account_id == account.id)


def _whole(names: Collection[str]) -> str:
    """Return the pattern of names as whole words, longest first; of none, what is nowhere."""
    longest = sorted(names, key=len, reverse=True)
    return "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest) or r"(?!)"


def _without_names(found: re.Match[str]) -> str:
    """Return what was matched with each name replaced."""
    text, begin = found.group(), found.start()
    spans = [found.span(group) for group, name in found.groupdict().items() if name]
    # "for user 3" names nobody
    named = [
        (first - begin, last - begin)
        for first, last in spans
        if not re.fullmatch(r"\d+ again", found.string[first:last])
    ]
    for first, last in sorted(named, reverse=True):
        text = text[:first] + ERASED + text[last:]
    return text


def _without(value: Any, names: Collection[str]) -> Any:
    """Return a JSON value in which texts that are a name are replaced; of a customer's row, all names in it."""
    if isinstance(value, dict):
        theirs = any(isinstance(value.get(field), str) and value[field].lower() in names for field in FIELDS.values())
        return {
            key: ERASED if theirs and key in FIELDS.values() else _without(inner, names) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return ERASED if isinstance(value, str) and value.lower() in names else value
