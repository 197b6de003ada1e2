"""Taking on many customers, each on its own, in chunks; and what would come of it.

Asked for by the API (few at once), by a worker (``bulk.py``) and on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import current_app
from flexmeasures import Account, AccountRole, User
from flexmeasures.data import db
from rq.timeouts import BaseTimeoutException
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError, IntegrityError

from smart_boiler_plugin.boiler.connecting import refuse_taken_topics
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import sending
from smart_boiler_plugin.customers.changes import NAMES_LOCK, conflict, one_change, refuse_what_is_taken
from smart_boiler_plugin.customers.directory import Customer, of_account
from smart_boiler_plugin.customers.invitations import server_url
from smart_boiler_plugin.customers.taking_on import NewCustomer, make_customer, names_of, tariff_of
from smart_boiler_plugin.errors import SmartBoilerError, UnexpectedError
from smart_boiler_plugin.transactions import lock

CHUNK = 10
"""How many customers of a long list are taken on in one transaction, some 1.5 s: others who take on wait for it."""


CREATED, ALREADY_THERE, POSSIBLE, REJECTED, FAILED = "Created", "Already there", "Possible", "Rejected", "Failed"


@dataclass(frozen=True)
class Outcome:
    """What came of one customer of many.

    Parameters
    ----------
    result
        ``CREATED``; ``ALREADY_THERE``: this operator has a customer with just these names, who is left as it is;
        ``POSSIBLE``; ``REJECTED``; or ``FAILED``, where something happened that nobody foresaw.
    customer
        Where there is one.
    refusal
        Why not.

    """

    result: str
    customer: Customer | None = None
    refusal: SmartBoilerError | None = None

    @property
    def status(self) -> str:
        """Name of the status, in the words of the API."""
        named = {CREATED: "CREATED", ALREADY_THERE: "ALREADY_THERE", POSSIBLE: "OK"}
        return self.refusal.status if self.refusal else named[self.result]


def take_on_many(
    news: Sequence[NewCustomer | SmartBoilerError], operator: Account, given_url: str | None = None
) -> Iterator[list[Outcome]]:
    """Take on many customers, each on its own: what is wrong with one stops no other.

    Parameters
    ----------
    news
        Who; or, in place of one, what was wrong with it when it was read, which is handed through.
    operator
        The account whose consultants will manage the customers.
    given_url
        Address of the server, for the links in the invitations; None means the setting's.

    Yields
    ------
    list of Outcome
        What came of a chunk of ``news``, in their order, once it is committed.

    """
    url = server_url(given_url)
    for begin in range(0, len(news), CHUNK):
        with one_change():
            outcomes = take_on_chunk(news[begin : begin + CHUNK], operator, url)
        sending.ask_workers()
        yield outcomes


def take_on_chunk(news: Sequence[NewCustomer | SmartBoilerError], operator: Account, url: str | None) -> list[Outcome]:
    """Take on customers, each on its own, and return what came of each. Does not commit.

    Others who give names wait until the end of the transaction.
    """
    lock(NAMES_LOCK)
    return [_try_to_make(new, operator, url) for new in news]


def find_out(news: Sequence[NewCustomer | SmartBoilerError], operator: Account) -> list[Outcome]:
    """Return what ``take_on_many`` would come to, and change nothing."""
    given = Given()
    with one_change(commit=False):
        outcomes = [_find_out(new, operator, given) for new in news]
        db.session.rollback()
    return outcomes


class Given:
    """What customers earlier in a list will be called, in small letters, whole and by field; and what they have."""

    def __init__(self) -> None:
        self.whole: set[tuple[str, ...]] = set()
        self.by_field: dict[str, set[str]] = {}
        self.tariffs: set[str | None] = set()
        self.topics: set[str] = set()

    def add(self, names: dict[str, str]) -> None:
        """Add what one will be called, by field."""
        self.whole.add(tuple(names.values()))
        for name, value in names.items():
            self.by_field.setdefault(name, set()).add(value)


def _find_out(new: NewCustomer | SmartBoilerError, operator: Account, given: Given) -> Outcome:
    """Return what would come of one, once those before it are customers."""
    if isinstance(new, SmartBoilerError):
        return Outcome(REJECTED, refusal=new)
    names = {name: value.lower() for name, (_, value) in names_of(new).items()}
    if tuple(names.values()) in given.whole or _already_there(new, operator):
        return Outcome(ALREADY_THERE)
    try:
        refuse_what_is_taken(names_of(new), given.by_field)
        new.boiler.check()
        if new.tariff not in given.tariffs:
            tariff_of(new, operator)
            given.tariffs.add(new.tariff)
        if new.device:
            refuse_taken_topics(new.device, given=given.topics)
            given.topics |= new.device.all_topics
    except SmartBoilerError as error:
        return Outcome(REJECTED, refusal=error)
    given.add(names)
    return Outcome(POSSIBLE)


def _try_to_make(new: NewCustomer | SmartBoilerError, operator: Account, url: str | None) -> Outcome:
    """Make all rows of a customer, or none of them, and return what came of it."""
    if isinstance(new, SmartBoilerError):
        return Outcome(REJECTED, refusal=new)
    there = _already_there(new, operator)
    if there is not None:
        return Outcome(ALREADY_THERE, there)
    try:
        with db.session.begin_nested():
            return Outcome(CREATED, make_customer(new, operator, url))
    except IntegrityError as error:
        refusal = conflict(error)
        return Outcome(REJECTED, refusal=refusal) if isinstance(refusal, SmartBoilerError) else _unexpected(error)
    except SmartBoilerError as error:
        return Outcome(REJECTED, refusal=error)
    except (DBAPIError, BaseTimeoutException):
        # the whole chunk, once more
        raise
    except Exception as error:  # noqa: BLE001 (what is wrong with one stops no other)
        return _unexpected(error)


def _unexpected(error: Exception) -> Outcome:
    """Return what is told of a customer with whom something happened that nobody foresaw."""
    # errors of the database hold all that was to be stored
    told = None if isinstance(error, DBAPIError) else error
    current_app.logger.error("A customer could not be taken on: %s", type(error).__name__, exc_info=told)
    return Outcome(FAILED, refusal=UnexpectedError("Something went wrong on the server. Its log has the details."))


def _already_there(new: NewCustomer, operator: Account) -> Customer | None:
    """Return the customer of this operator who has all of these names, in whatever case; None where there is none."""
    account = (
        db.session.query(Account)
        .join(User, User.account_id == Account.id)
        .filter(
            Account.consultancy_account_id == operator.id,
            Account.account_roles.any(AccountRole.name == CUSTOMER_ROLE),
            *(func.lower(column) == func.lower(value) for column, value in names_of(new).values()),
        )
        .first()
    )
    return account and of_account(account)
