"""What a command says when the database or Redis gives no answer: one line with what to do, and no stack trace."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from smart_boiler_plugin import transactions


def told_in_one_line(command: click.Command) -> click.Command:
    """Return a command that ends with exit code 1 and one line where the database or Redis fails."""
    called: Callable[..., Any] = command.callback or (lambda: None)

    @wraps(called)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            return called(*args, **kwargs)
        except (SQLAlchemyError, RedisError) as error:
            raise click.ClickException(_told(error)) from None

    command.callback = checked
    return command


def _told(error: Exception) -> str:
    said = transactions.told(error)
    if isinstance(error, RedisError):
        return f"Redis gives no answer ({said}). Look whether it runs, then run this command again."
    if transactions.is_away(error):
        return (
            f"The database gives no answer ({said}). What was done before is kept, and what was half done is not. "
            "Look whether it runs, then run this command again: it goes on."
        )
    return f"The database refused a statement ({type(error).__name__}: {said})."
