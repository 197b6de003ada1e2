"""Planning the boilers of the caller's customers: as a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_security import current_user
from flexmeasures import Account, Asset
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from flexmeasures.data import db
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.guards import guarded, json_only, takes
from smart_boiler_plugin.api.jobs import asked
from smart_boiler_plugin.customers.directory import visible_customers
from smart_boiler_plugin.errors import NotFoundError
from smart_boiler_plugin.fleet import planning
from smart_boiler_plugin.fleet.planning import BY_DEFAULT, Asked
from smart_boiler_plugin.plan.needed import ONLY
from smart_boiler_plugin.stored import LARGEST_ID, rows_with

MOST_CUSTOMERS = 10_000
"""How many customers one call may name."""


class PlansSchema(Schema):
    """Body of ``POST /plans``; all is optional."""

    customers = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, LARGEST_ID)),
        allow_none=True,
        load_default=None,
        validate=validate.Length(max=MOST_CUSTOMERS),
        metadata={"description": "Ids of accounts; by default all of the caller's."},
    )
    which = fields.List(
        fields.String(validate=validate.OneOf(ONLY)),
        data_key="only",
        validate=validate.Length(min=1),
        allow_none=True,
        load_default=None,
        metadata={
            "description": "'missing': without a valid plan; 'deviating': off the plan; 'all'. "
            f"By default {' and '.join(BY_DEFAULT)}."
        },
    )
    start = fields.AwareDateTime(
        data_key="from", format="iso", allow_none=True, load_default=None, metadata={"description": "By default now."}
    )
    until = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        load_default=None,
        metadata={"description": "By default as far as the prices of each tariff are known."},
    )


@guarded
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@json_only
@takes(body=PlansSchema())
def create_plans(body: dict[str, Any]) -> Any:
    """Plan the boilers of the caller's customers that need it, as a job."""
    start: datetime | None = body["start"]
    wanted = Asked.now(body["which"] or BY_DEFAULT, start, body["until"])
    answer = asked(planning.ask(current_user.account, _boilers(body["customers"]), wanted))
    return answer, 202, {"Location": answer["href"]}


def _boilers(account_ids: list[int] | None) -> list[int]:
    """Return the ids of the boilers of customers.

    Raises
    ------
    NotFoundError
        If one is none of the caller's.

    """
    customers = visible_customers().with_entities(Account.id)
    if account_ids is not None:
        customers = customers.filter(Account.id.in_(account_ids))
    visible = {account_id for (account_id,) in customers}
    unknown = sorted(set(account_ids or ()) - visible)
    if unknown:
        raise NotFoundError(f"You have no boiler customer with account id {unknown[0]}.")
    query = db.select(Asset.id).filter(Asset.account_id.in_(visible), rows_with(Asset)).order_by(Asset.id)
    return list(db.session.scalars(query))
