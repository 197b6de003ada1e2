"""The plugin's exceptions.

::

    SmartBoilerError            anything this plugin refuses; carries its HTTP status
    ├── BadFileError            400: a file of customers or prices that cannot be read as one
    ├── NotYoursToChangeError   403: a household may change its comfort and language, an operator its tariffs
    ├── NotFoundError           404: no customer or tariff of the caller's has this id
    ├── UnknownCountryError     422: no country has this code
    ├── UnknownZoneError        422: Energy-Charts has no prices of the country code
    ├── PriceServiceError       502: Energy-Charts gave no answer, or none that can be believed
    ├── ConflictError           409: a name or e-mail is taken; or a change does not fit what is there
    ├── BrokenBoilerError       422: what is stored of a boiler is wrong, whoever wrote it
    ├── NoPricesError           422: there is nothing to derive a consumption price from
    ├── NoPowerError            422: nothing is known of what a boiler took
    └── UnexpectedError         500: something that nobody foresaw happened with one of many

How they look in an HTTP answer is decided in ``api/errors.py``, and on the command line in ``cli``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SmartBoilerError(Exception):
    """Something this plugin refuses to do, with a message for whoever asked.

    Parameters
    ----------
    message
        Either a sentence, or what is wrong per field: ``{"name": ["..."], "boiler": {"volume": ["..."]}}``.

    """

    http_status = 422
    status = "UNPROCESSABLE_ENTITY"

    def __init__(self, message: str | Mapping[str, Any]) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        """Return the message as one line: ``boiler.volume: ...; name: ...``."""
        return "; ".join(_lines(self.message))


class BadFileError(SmartBoilerError):
    """A file of customers or prices cannot be read as one."""

    http_status = 400
    status = "INVALID_REQUEST"


class NotYoursToChangeError(SmartBoilerError):
    """A household wants to change what only its operator can, or an operator a public tariff. Nothing was changed."""

    http_status = 403
    status = "INVALID_SENDER"


class NotFoundError(SmartBoilerError):
    """There is no such customer or tariff, or none of the caller's: which of both is not told."""

    http_status = 404
    status = "NOT_FOUND"


class ConflictError(SmartBoilerError):
    """What should be made exists already, or a change does not fit what is there. Nothing was changed."""

    http_status = 409
    status = "CONFLICT"


class UnknownCountryError(SmartBoilerError):
    """A country code is none of those that the ENTSO-E plugin takes."""


class UnknownZoneError(SmartBoilerError):
    """A country code is none of those whose prices Energy-Charts has."""


class PriceServiceError(SmartBoilerError):
    """A price service gave no answer, or none that can be believed."""

    http_status = 502
    status = "BAD_GATEWAY"


class BrokenBoilerError(SmartBoilerError):
    """What is stored of a boiler is wrong, whoever wrote it. The message says what, and how to mend it."""


class NoPricesError(SmartBoilerError):
    """There is no spot price in the span that was asked for."""


class NoPowerError(SmartBoilerError):
    """Nothing is known of what a boiler took on a day, neither metered nor planned."""


class UnexpectedError(SmartBoilerError):
    """Something happened with one of many that nobody foresaw; the log has the details."""

    http_status = 500
    status = "INTERNAL_SERVER_ERROR"


def _lines(message: object, field: str = "") -> list[str]:
    """Return what is wrong, one text per field."""
    if isinstance(message, Mapping):
        return [line for name, inner in message.items() for line in _lines(inner, f"{field}.{name}".lstrip("."))]
    text = " ".join(map(str, message)) if isinstance(message, (list, tuple)) else str(message)
    return [f"{field}: {text}" if field else text]
