"""Our own data in the JSON that the host keeps with its assets, accounts and sensors.

The plugin has no tables. What is a household's stands in the attributes of its boiler's asset, what is an operator's in
those of its account. Everything of ours is read and written here. Others may write there, too: what is read is untrue
until its room has checked it (a boiler's: ``boiler/door.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from flask import current_app
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import inspect

ATTRIBUTE = "smart-boiler"
"""Attribute of ours; an asset without it is no boiler of ours."""

LARGEST_ID = 2**31 - 1
"""PostgreSQL's integers end here, and it fails to compare with larger ones."""

Owner: TypeAlias = "Account | Asset | Sensor"


def read(owner: Owner, attribute: str = ATTRIBUTE) -> Any:
    """Return what is stored, as it is, not to be changed; None where there is nothing."""
    return owner.attributes.get(attribute)


def is_stored(owner: Owner, attribute: str = ATTRIBUTE) -> bool:
    """Return whether anything is stored, be it null."""
    return attribute in owner.attributes


def rows_with(model: type[Owner], attribute: str = ATTRIBUTE) -> Any:
    """Return the SQL condition that something is stored with a row of this model."""
    return model.attributes.has_key(attribute)


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object as it is, and an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def is_id(value: Any) -> bool:
    """Return whether a JSON value may be the id of a row: PostgreSQL fails to look for any other."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def lock_row(owner: Owner) -> None:
    """Read an owner's row anew, and let nobody else change it until the end of the transaction.

    A row that is not in the database yet is nobody else's.
    """
    if inspect(owner).persistent:
        # what is changed here already would be lost
        db.session.flush()
        columns = [column.key for column in inspect(type(owner)).column_attrs]
        # FOR NO KEY UPDATE: with FOR UPDATE, two who each have added a row that refers to this one wait for each other
        db.session.refresh(owner, columns, with_for_update={"key_share": True})


def change(owner: Owner, changed: Callable[[Any], Any], attribute: str = ATTRIBUTE) -> None:
    """Change what is stored, under a lock of its row. Does not commit.

    What anybody else has committed until now is there; other attributes are left as they are.

    Parameters
    ----------
    owner
        With whom.
    changed
        Returns the new value for what is stored, which is None where there is nothing, and which it leaves unchanged.
        If it raises, nothing is changed.
    attribute
        Name of the attribute.

    """
    lock_row(owner)
    # a new object: the host's database does not see changes inside of one
    owner.attributes = {**(owner.attributes or {}), attribute: changed(read(owner, attribute))}


def seal(value: Any) -> str:
    """Return a JSON value as a text that others cannot make: signed with the server's secret, and packed."""
    return str(_sealer().dumps(value))


def unseal(text: Any) -> Any:
    """Return what was sealed.

    Raises
    ------
    ValueError
        If it was not sealed here.

    """
    try:
        return _sealer().loads(text)
    except (BadData, TypeError) as error:
        raise ValueError("It was not sealed here.") from error


def _sealer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="smart-boiler-plugin")
