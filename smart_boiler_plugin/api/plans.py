"""Planning the boilers of the caller's customers: as a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.guards import guarded, json_only, takes
from smart_boiler_plugin.api.jobs import asked
from smart_boiler_plugin.customers.listing import boilers_to_plan
from smart_boiler_plugin.fleet import planning
from smart_boiler_plugin.fleet.planning import BY_DEFAULT, Asked
from smart_boiler_plugin.plan.needed import ONLY
from smart_boiler_plugin.stored import LARGEST_ID

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
    answer = asked(planning.ask(current_user.account, boilers_to_plan(body["customers"]), wanted))
    return answer, 202, {"Location": answer["href"]}
