"""What stands before the first step: the database's tables, an operator, an admin, and their passwords in a file."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smart_boiler_plugin.embedded.processes import StackError
from smart_boiler_plugin.embedded.redis import private_file
from smart_boiler_plugin.embedded.stack import Stack

CREDENTIALS = "credentials.json"
OPERATOR = {"account": "Warm Water Energy", "user": "operator", "email": "operator@example.com"}
ADMIN = {"account": "Server administration", "user": "admin", "email": "admin@example.com"}


COMMANDS = 7
"""How many commands opening a business takes."""


def open_business(stack: Stack, progress: Callable[[int], object] = lambda _: None) -> None:
    """Make tables, roles, the operator and an admin with random passwords, by the host's command line.

    Parameters
    ----------
    stack
        Where.
    progress
        Called with 1 after each of the ``COMMANDS``.

    """

    def run(*words: str, typed: str = "") -> str:
        output = stack.shell.run(*words, typed=typed)
        progress(1)
        return output

    def add_user(who: dict[str, str], role: str, *account_roles: str) -> dict[str, str]:
        account = created_id(run("add", "account", "--name", who["account"], *account_roles))
        password = secrets.token_urlsafe(12)
        run(
            *("add", "user", "--username", who["user"], "--email", who["email"], "--account", account, "--roles", role),
            typed=f"{password}\n{password}\n",
        )
        return {"email": who["email"], "password": password}

    run("db", "upgrade")
    run("add", "initial-structure")
    # made first: `add account` of FlexMeasures 1.0.1 does not link a role that it makes itself
    run("add", "account-role", "--name", "Consultancy")
    operator = add_user(OPERATOR, "consultant", "--roles", "Consultancy")
    _write(stack.folder, {"url": stack.url, "operator": operator, "admin": add_user(ADMIN, "admin")})


def credentials(stack: Stack) -> dict[str, Any]:
    """Return the login data of operator and admin, with the address at which the stack runs now."""
    current = {**json.loads((stack.folder / CREDENTIALS).read_text()), "url": stack.url}
    _write(stack.folder, current)
    return current


def _write(folder: Path, credentials: dict[str, Any]) -> None:
    private_file(folder / CREDENTIALS).write_text(json.dumps(credentials, indent=2) + "\n")


def created_id(output: str) -> str:
    """Return the id that a command of the host printed for what it made.

    Raises
    ------
    StackError
        If it printed none.

    """
    found = re.search(r"ID: (\d+)", output)
    if not found:
        raise StackError(f"The host printed no id: {output}")
    return found[1]
