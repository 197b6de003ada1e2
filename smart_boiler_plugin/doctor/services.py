"""What the server needs to run: its database and what is in it, Redis, workers, clocks, mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parseaddr
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_security.utils import config_value
from flexmeasures.data import db
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError

from smart_boiler_plugin import mail as mails
from smart_boiler_plugin import transactions, workers
from smart_boiler_plugin.doctor.asking import Check
from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.host import schema_heads

APART = timedelta(seconds=10)
"""How far clocks may be apart: what is recorded in the future is not known yet, and does not count."""


def database(_: Flask) -> Iterator[Finding]:
    """Whether PostgreSQL answers."""
    try:
        version = db.session.execute(sa.text("SHOW server_version")).scalar_one()
    except SQLAlchemyError as error:
        shown = db.engine.url.render_as_string(hide_password=True)
        told = f"The database gives no answer at {shown}: {transactions.told(error)}"
        yield Finding(told, "Start PostgreSQL and make the database, or correct SQLALCHEMY_DATABASE_URI.")
    else:
        yield Finding(f"PostgreSQL {version} answers.")


def migrations(app: Flask) -> Iterator[Finding]:
    """Whether the tables are those of the installed FlexMeasures."""
    current, expected = schema_heads(app)
    if current is None:
        yield Finding("Of which revision the tables are is not known.", "See what is said of the database.")
    elif current != expected:
        there = ", ".join(current) or "none"
        told = f"The tables are of revision {there}, and FlexMeasures needs {', '.join(expected)}."
        yield Finding(told, "flexmeasures db upgrade")
    else:
        yield Finding(f"The tables are of revision {', '.join(current)}.")


def redis(app: Flask) -> Iterator[Finding]:
    """Whether Redis answers."""
    connection = _impatient(app)
    where = "{host}:{port}".format_map({"host": "?", "port": "?", **connection.connection_pool.connection_kwargs})
    try:
        version = connection.info("server")["redis_version"]
    except RedisError as error:
        said = str(error).rstrip(".")
        told = f"Redis gives no answer at {where}: {said}. Plans are made by no worker, and invitations wait."
        yield Finding(told, "Start Redis, or correct FLEXMEASURES_REDIS_URL, _PORT, _DB_NR and _PASSWORD.")
    else:
        yield Finding(f"Redis {version} answers.")


def _impatient(app: Flask) -> Any:
    """Return a connection to Redis that does not wait as the host's does."""
    settings = app.redis_connection.connection_pool.connection_kwargs  # type: ignore[attr-defined]  # set by the host
    return Redis(**{**settings, **workers.IMPATIENT, "retry": Retry(NoBackoff(), 0)})


def worker(_: Flask) -> Iterator[Finding]:
    """Whether somebody does what is queued."""
    alive, waiting = workers.alive()
    if alive is None:
        yield Finding("Whether a worker is alive is not known.", "See what is said of Redis, and run this again.")
    elif not alive:
        told = f"No worker is alive, and no trigger gets a plan. Jobs that wait: {waiting}."
        yield Finding(
            told, f"flexmeasures jobs run-worker --queue {workers.QUEUE}, in a process of its own that goes on"
        )
    else:
        yield Finding(f"Workers alive: {alive}. Jobs that wait: {waiting}.")


def clocks(app: Flask, now: datetime | None = None) -> Iterator[Finding]:
    """Whether the clocks of this machine, PostgreSQL and Redis agree.

    Parameters
    ----------
    app
        Whose database and Redis.
    now
        What this machine's clock says; by default, it is looked at.

    """
    told: dict[str, datetime] = {}
    told["PostgreSQL"] = db.session.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    seconds, micros = _impatient(app).time()
    told["Redis"] = datetime.fromtimestamp(seconds + micros / 1e6, timezone.utc)
    now = now or datetime.now(timezone.utc)
    wrong = {name: moment - now for name, moment in told.items() if abs(moment - now) > APART}
    for name, apart in wrong.items():
        ahead = "ahead of" if apart > timedelta() else "behind"
        yield Finding(
            f"The clock of {name} is {abs(apart).total_seconds():.0f} s {ahead} this machine's: what is recorded then "
            "does not count yet, or too early.",
            "Let both machines keep time by NTP (chrony, systemd-timesyncd).",
        )
    if not wrong:
        yield Finding("The clocks of this machine, PostgreSQL and Redis agree.")


def mail(app: Flask) -> Iterator[Finding]:
    """Whether a mail server takes us in, and mails have a sender; none is sent."""
    settings = app.extensions["mail"]
    where = f"{settings.server}:{settings.port}"
    sender = config_value("EMAIL_SENDER")
    address = sender[1] if isinstance(sender, tuple) else parseaddr(str(sender))[1]
    wrong = []
    if settings.suppress:
        wrong.append(Finding("MAIL_SUPPRESS_SEND is set: no mail leaves, and no household is invited.", "Remove it."))
    elif refused := mails.refusal():
        told = f"The mail server {where} lets nobody in: {refused}. No household can choose a password."
        fix = "Correct MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS, MAIL_USE_SSL, MAIL_USERNAME and MAIL_PASSWORD."
        wrong.append(Finding(told, fix))
    if not address or address.endswith("@example.com"):
        told = f"Mails are of {address or 'nobody'}, whom no mail server believes."
        wrong.append(Finding(told, 'MAIL_DEFAULT_SENDER = ("Your company", "no-reply@your-domain")'))
    yield from wrong or [Finding(f"The mail server {where} takes mails of {address}.")]


CHECKS: tuple[Check, ...] = (database, migrations, redis, worker, clocks, mail)
"""In their order."""
