"""New customers as others write them: as JSON, one or many, or as lines of a CSV file. Each is checked on its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flexmeasures import Account, Asset, User
from marshmallow import ValidationError, fields, post_load, validate

from smart_boiler_plugin.boiler.connection import ConnectionSchema
from smart_boiler_plugin.boiler.data import BoilerData, Place
from smart_boiler_plugin.boiler.data_schema import BoilerSchema, Reports, split_boiler
from smart_boiler_plugin.customers.directory import default_boiler_name
from smart_boiler_plugin.customers.taking_on import NewCustomer
from smart_boiler_plugin.errors import BadFileError, SmartBoilerError
from smart_boiler_plugin.fields import Quantity, TrimmingSchema, line, printable
from smart_boiler_plugin.spreadsheets import decode, separator_of, with_point
from smart_boiler_plugin.texts import LANGUAGES

CUSTOMER_NAME_LENGTH = min(Account.name.type.length, Asset.name.type.length - len(default_boiler_name("")))
"""Longest name of a customer: it fits the account, and the boiler is named after it."""

BOILER_COLUMNS = {("boiler_name" if name == "name" else name): name for name in BoilerSchema().fields}
"""Columns of a CSV file that describe the boiler, and what they are in JSON."""

DEVICE_COLUMNS = {f"device_{name}": name for name in ConnectionSchema().fields}
"""Columns that describe the boiler's device, and what they are in JSON."""

NUMBERS = {
    name for name, field in BoilerSchema().fields.items() if isinstance(field, (Quantity, Reports, fields.Float))
}
"""Fields of a boiler that are a number, most of them with a unit."""


def tariff_field() -> fields.String:
    """Return the field for a tariff."""
    told = "Name of what the customer pays for one kWh; by default the server's. `list-tariffs` lists them."
    return line(Asset.name.type.length, metadata={"description": told, "example": "NL spot tariff"})


def language_field() -> fields.String:
    """Return the field for a household's language."""
    told = "In which language the household is written to; by default the server's."
    return fields.String(validate=validate.OneOf(LANGUAGES), metadata={"description": told, "example": LANGUAGES[0]})


def _mailable(email: str) -> None:
    """Refuse what the host would refuse later, as it looks with the same library, and what most mail servers would."""
    try:
        validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValidationError(f"Not a valid email address: {error}") from error


class NewCustomerSchema(TrimmingSchema):
    """A new customer."""

    name = line(CUSTOMER_NAME_LENGTH, required=True, metadata={"example": "Fam. de Boer"})
    user_name = line(User.username.type.length, required=True, metadata={"example": "deboer"})
    user_email = fields.Email(
        required=True,
        validate=[validate.Length(max=User.email.type.length), printable, _mailable],
        metadata={"example": "deboer@example.com"},
    )
    tariff = tariff_field()
    language = language_field()
    device = fields.Nested(ConnectionSchema)
    boiler = fields.Nested(BoilerSchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewCustomer:
        """Return the new customer."""
        boiler, place = split_boiler(data.pop("boiler", {}))
        return NewCustomer(**data, boiler=BoilerData(**boiler), place=Place(**place))


def read_csv(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the customers of a CSV file with a header, in the form of the JSON body.

    Columns are separated by commas, semicolons or tabs; a quantity may have a decimal comma (``spreadsheets``).

    Raises
    ------
    BadFileError
        If a column has an unknown name, or it is no CSV file.

    """
    text = decode(content)
    separator = separator_of(text)
    try:
        yield from _rows(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator), separator)
    except csv.Error as error:
        raise BadFileError(f"This is no CSV file of customers: {error}.") from error


def _rows(reader: csv.DictReader[str], separator: str) -> Iterator[dict[str, Any]]:
    known = {"name", "user_name", "user_email", "tariff", "language", *BOILER_COLUMNS, *DEVICE_COLUMNS}
    unknown = [column for column in reader.fieldnames or [] if column not in known]
    if unknown:
        raise BadFileError(f"Unknown columns: {', '.join(unknown)}. Known are: {', '.join(sorted(known))}.")
    missing = {"name", "user_name", "user_email"} - set(reader.fieldnames or [])
    if missing:
        raise BadFileError(f"Missing columns: {', '.join(sorted(missing))}.")
    for row in reader:
        # an empty cell means that nothing is known, and a cell too many has no name
        filled = {column: value for column, value in row.items() if column is None or value not in {None, ""}}
        boiler = {name: filled.pop(column) for column, name in BOILER_COLUMNS.items() if column in filled}
        device = {name: filled.pop(column) for column, name in DEVICE_COLUMNS.items() if column in filled}
        for name in NUMBERS & boiler.keys():
            boiler[name] = with_point(boiler[name], separator)
        if None in filled:
            filled["more columns than the header"] = filled.pop(None)
        yield {**filled, "boiler": boiler, **({"device": device} if device else {})}


def load_rows(rows: Iterable[Any]) -> list[NewCustomer | SmartBoilerError]:
    """Return the customers that rows describe; in place of a wrong row, what is wrong with it."""
    schema = NewCustomerSchema()
    return [_load_row(row, schema) for row in rows]


def _load_row(row: Any, schema: NewCustomerSchema) -> NewCustomer | SmartBoilerError:
    try:
        new: NewCustomer = schema.load(row)
    except ValidationError as error:
        return SmartBoilerError(error.messages_dict)
    return new
