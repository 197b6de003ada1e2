"""What stands before the first step: the database's tables, an operator, an admin, and their passwords in a file."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any

from smart_boiler_plugin.embedded.shell import Shell
from smart_boiler_plugin.embedded.stack import Stack

CREDENTIALS = "credentials.json"
OPERATOR = {"account": "Warm Water Energy", "user": "operator", "email": "operator@example.com"}
ADMIN = {"account": "Server administration", "user": "admin", "email": "admin@example.com"}


def open_business(stack: Stack) -> None:
    """Make tables, roles, the operator and an admin with random passwords, by the host's command line."""
    shell = stack.shell
    shell.run("db", "upgrade")
    shell.run("add", "initial-structure")
    # made first: `add account` of FlexMeasures 1.0.1 does not link a role that it makes itself
    shell.run("add", "account-role", "--name", "Consultancy")
    credentials = {
        "url": stack.url,
        "operator": _add_user(shell, OPERATOR, account_roles=["--roles", "Consultancy"], user_role="consultant"),
        "admin": _add_user(shell, ADMIN, account_roles=[], user_role="admin"),
    }
    _write(stack.folder, credentials)


def credentials(stack: Stack) -> dict[str, Any]:
    """Return the login data of operator and admin, with the address at which the stack runs now."""
    current = {**json.loads((stack.folder / CREDENTIALS).read_text()), "url": stack.url}
    _write(stack.folder, current)
    return current


def _write(folder: Path, credentials: dict[str, Any]) -> None:
    file = folder / CREDENTIALS
    file.touch(mode=0o600)
    file.write_text(json.dumps(credentials, indent=2) + "\n")


def _add_user(shell: Shell, who: dict[str, str], account_roles: list[str], user_role: str) -> dict[str, str]:
    account = created_id(shell.run("add", "account", "--name", who["account"], *account_roles))
    password = secrets.token_urlsafe(12)
    shell.run(
        *("add", "user", "--username", who["user"], "--email", who["email"]),
        *("--account", account, "--roles", user_role),
        typed=f"{password}\n{password}\n",
    )
    return {"email": who["email"], "password": password}


def created_id(output: str) -> str:
    """Return the id that a command of the host printed for what it made."""
    found = re.search(r"ID: (\d+)", output)
    if not found:
        raise ValueError(f"No id in: {output}")
    return found[1]
