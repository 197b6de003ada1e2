"""Mails about problems that begin and end. What was told last stands with the operator's account.

A problem is told once when it begins, and once when it has been gone for a while: what comes and goes is told once. A
mail counts as told once the server took it; who is killed between that and the commit tells it once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_mail import Message
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin import mail, stored
from smart_boiler_plugin.fleet.overview import Overview
from smart_boiler_plugin.fleet.state import completed
from smart_boiler_plugin.fleet.told import NEEDS_A_PERSON, WORDS, BoilerState
from smart_boiler_plugin.mail import one_line
from smart_boiler_plugin.transactions import transaction, try_lock

ATTRIBUTE = "smart-boiler-told"
"""Attribute of an operator's account: sealed, by address, which problems were told."""

TELLING_LOCK = 0x746F6C64
"""Key of the advisory lock of who tells an operator (the bytes of "told")."""

GONE_AFTER = timedelta(hours=1)
"""How long a problem must have been gone to have ended."""

SERVICE, NO_WORKER = "service", "no_worker"
"""Stand for the service in place of a boiler, and for its state."""

MOST_LINES = 50
"""How many boilers are named in each part of a mail."""

MOST_ADDRESSES = 10
"""How many addresses of an operator are remembered: the last ones."""


@dataclass(frozen=True)
class Told:
    """A problem that was told.

    Parameters
    ----------
    state
        Which.
    name
        Of whom.
    gone_since
        Since when it is not there any more; None where it is.

    """

    state: str
    name: str
    gone_since: datetime | None = None


@dataclass(frozen=True)
class Change:
    """What is to be told, and what is to be remembered of it.

    Parameters
    ----------
    begun
        Problems that were not told yet, by whom they are of.
    ended
        Problems that were told, and are over.
    remembered
        All that is told then.

    """

    begun: Mapping[str, str]
    ended: Mapping[str, Told]
    remembered: Mapping[str, Told]


def change(now: Mapping[str, tuple[str, str]], told: Mapping[str, Told], moment: datetime) -> Change:
    """Return what has begun and ended since it was told last. Pure.

    Parameters
    ----------
    now
        State and name of each boiler that has a problem, by its id.
    told
        What was told.
    moment
        Now.

    """
    begun, ended, remembered = {}, {}, {}
    for key, (state, name) in now.items():
        before = told.get(key)
        if before is None or before.state != state:
            begun[key] = before.state if before else ""
        remembered[key] = Told(state, name)
    for key, before in told.items():
        if key in now:
            continue
        since = before.gone_since or moment
        if moment - since >= GONE_AFTER:
            ended[key] = before
        else:
            remembered[key] = Told(before.state, before.name, since)
    return Change(begun, ended, remembered)


def tell(operator: Account, shown: Overview, address: str) -> str:
    """Mail an operator's problems that have begun and ended; return what was done, for people. Commits.

    Parameters
    ----------
    operator
        Whose boilers they are.
    shown
        One look at these.
    address
        Who is told.

    Raises
    ------
    mail.MailServerError
        If no mail server took it; it is told the next time.

    """
    with transaction():
        if not try_lock(TELLING_LOCK, operator.id):
            return "somebody else is telling it just now"
        db.session.refresh(operator)
        problems = {str(each.member.asset_id): each for each in shown.states if each.state in NEEDS_A_PERSON}
        now = {key: (each.state, one_line(each.member.customer)) for key, each in problems.items()}
        if shown.workers == 0:
            now[SERVICE] = (NO_WORKER, "")
        before = _read(operator).get(address, {})
        changed = change(now, before, shown.at)
        if changed.begun or changed.ended:
            mail.send(_message(operator, shown, changed, problems, address))
        if changed.remembered != before:
            _remember(operator, address, changed.remembered)
    if not (changed.begun or changed.ended):
        return "nothing has begun or ended since it was told last: no mail"
    return f"{_counted(changed)}: mailed to {address}"


def _counted(changed: Change) -> str:
    begun, ended = len(changed.begun), len(changed.ended)
    return f"{begun} {'problem' if begun == 1 else 'problems'} begun, {ended} ended"


def _message(
    operator: Account, shown: Overview, changed: Change, problems: Mapping[str, BoilerState], address: str
) -> Message:
    name = one_line(operator.name)
    begun = [problems[key] for key in changed.begun if key in problems]
    # the worst first, as the states come
    lines = [f"{name}: {_counted(changed)}.", ""]
    if SERVICE in changed.begun:
        lines += [f"No worker is alive: {shown.waiting} jobs wait.", ""]
    if begun:
        told = [_line(each, changed.begun[str(each.member.asset_id)]) for each in completed(begun, shown.at)]
        lines += ["Begun:", *_cut(told), ""]
    if changed.ended:
        told = [f"- {each.name}: {WORDS[each.state].lower()}" for key, each in changed.ended.items() if key != SERVICE]
        told += ["- No worker was alive: there is one again."] if SERVICE in changed.ended else []
        lines += ["Ended:", *_cut(told), ""]
    counts = ", ".join(f"{count} {WORDS[state].lower()}" for state, count in shown.counts.items() if count)
    lines += [f"All {len(shown.states)} boilers: {counts}.", "Who they are: flexmeasures smart-boiler status", ""]
    return Message(
        one_line(f"Boilers of {name}: {_counted(changed)}", length=200),
        sender=mail.sender_called(name),
        recipients=[address],
        body="\n".join(lines),
    )


def _line(each: BoilerState, before: str) -> str:
    was = f" (was: {WORDS[before].lower()})" if before in WORDS else ""
    who = f"{one_line(each.member.customer)}, account {each.member.account_id}"
    return f"- {WORDS[each.state]}{was}: {who}. {one_line(each.message, length=500)}"


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_LINES
    return lines if more <= 0 else [*lines[:MOST_LINES], f"- and {more} more"]


def _read(operator: Account) -> dict[str, dict[str, Told]]:
    """Return what was told, by address; nothing where somebody else wrote it."""
    try:
        known = stored.unseal(stored.read(operator, ATTRIBUTE))
    except ValueError:
        return {}
    if known["account_id"] != operator.id:
        return {}
    return {
        address: {key: Told(state, name, gone and datetime.fromisoformat(gone)) for key, (state, name, gone) in told}
        for address, told in known["told"]
    }


def _remember(operator: Account, address: str, told: Mapping[str, Told]) -> None:
    by_address = {other: before for other, before in _read(operator).items() if other != address}
    kept = [*list(by_address.items())[1 - MOST_ADDRESSES :], (address, told)]

    def as_json(each: Told) -> list[Any]:
        return [each.state, each.name, each.gone_since and each.gone_since.isoformat()]

    sealed = stored.seal(
        {
            "account_id": operator.id,
            "told": [[one, [[key, as_json(each)] for key, each in some.items()]] for one, some in kept],
        }
    )
    stored.change(operator, lambda _: sealed, ATTRIBUTE)
