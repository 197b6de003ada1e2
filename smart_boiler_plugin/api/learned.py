"""What a customer's readings tell of draw-offs and of the tank."""

from __future__ import annotations

from typing import Any

from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, fields

from smart_boiler_plugin.api.guards import guarded
from smart_boiler_plugin.customers import directory
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.tanks import tanks_seen


class LearnedSchema(Schema):
    """Answer of ``GET /boiler-customer/<account id>/learned``."""

    account = fields.Integer()
    draw_offs_days = fields.Integer(
        metadata={"description": "Days of the last 28 that plans have learned draw-offs from."}
    )
    standing_loss = fields.String(
        allow_none=True,
        metadata={
            "description": "Heat lost in 24 h at 45 K above ambient, by nights without draw-offs; null: not known yet.",
            "example": "1.21 kWh/day ± 0.10",
        },
    )
    heat_capacity = fields.String(allow_none=True, metadata={"example": "0.0927 kWh/K ± 0.0040"})
    nights = fields.Integer(metadata={"description": "How many nights tell of the loss."})
    notes = fields.List(
        fields.String(), metadata={"description": "What differs by more than 30 % from what was entered."}
    )


@guarded
def show_learned(account_id: int) -> tuple[dict[str, Any], int]:
    """Show what a customer's readings of four weeks tell: the operator alone may."""
    customer, now = directory.find(account_id, "read"), server_now()
    boilers = [customer.boiler]
    (seen,), known = tanks_seen(boilers, now), habits(boilers, now)
    return LearnedSchema().dump(
        {
            "account": account_id,
            "draw_offs_days": int(known.days[0]),
            "standing_loss": seen.standing_loss and seen.standing_loss.told("kWh/day", 2),
            "heat_capacity": seen.heat_capacity and seen.heat_capacity.told("kWh/K", 4),
            "nights": seen.nights,
            "notes": seen.notes,
        }
    ), 200
