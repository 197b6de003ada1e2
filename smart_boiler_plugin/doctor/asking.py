"""How all checks are asked, one after the other: what is wrong with one stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flask import Flask
from flexmeasures.data import db
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from smart_boiler_plugin import transactions
from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.errors import SmartBoilerError

Check = Callable[[Flask], Iterable[Finding]]
"""Looks at one thing of an app, within its context, and changes nothing. Its name is what it is about."""


def examine(checks: Iterable[Check], app: Flask) -> Iterator[Finding]:
    """Ask checks one after the other, and yield what they find.

    What cannot be found out, as the database or Redis gives no answer, is a finding as well.
    """
    for check in checks:
        about = check.__name__.replace("_", " ")
        try:
            for finding in check(app):
                yield Finding(finding.told, finding.fix, about)
        except SmartBoilerError as error:
            yield Finding(str(error), "Mend what it names.", about)
        except SQLAlchemyError as error:
            fix = "See what is said of the database above, and run this again."
            yield Finding(f"Not known: the database said: {transactions.told(error)}", fix, about)
        except RedisError as error:
            yield Finding(
                f"Not known: Redis gives no answer ({error}).", "See what is said of Redis, and run this again.", about
            )
        finally:
            if "sqlalchemy" in app.extensions:
                db.session.rollback()
