"""Many boilers like one that was taken on, by a few statements."""

from flexmeasures.data import db
from sqlalchemy import text

FIRST = 1_000_000
"""Accounts and assets of copies are numbered after this."""

COPIES = [
    """INSERT INTO account (id, name, consultancy_account_id, attributes, secrets)
       SELECT :first + n, 'Client ' || n, :operator, '{}', '{}' FROM generate_series(1, :count) n""",
    """INSERT INTO roles_accounts (account_id, role_id)
       SELECT :first + n, role_id FROM generate_series(1, :count) n, roles_accounts WHERE account_id = :account""",
    """INSERT INTO generic_asset (id, name, account_id, generic_asset_type_id, attributes, secrets, sensors_to_show,
                                  sensors_to_show_as_kpis, flex_context, flex_model)
       SELECT :first + n, 'Boiler Client ' || n, :first + n, a.generic_asset_type_id,
              jsonb_set(a.attributes, '{smart-boiler,volume_l}',
                        to_jsonb(CAST(a.attributes->'smart-boiler'->'volume_l' AS numeric) + n * :larger_l)),
              '{}', '[]', '[]', a.flex_context, a.flex_model
       FROM generate_series(1, :count) n, (SELECT * FROM generic_asset WHERE id = :asset) a""",
    """INSERT INTO sensor (name, unit, timezone, event_resolution, knowledge_horizon_fnc, knowledge_horizon_par,
                           generic_asset_id, attributes)
       SELECT s.name, s.unit, s.timezone, s.event_resolution, s.knowledge_horizon_fnc, s.knowledge_horizon_par,
              :first + n, s.attributes
       FROM generate_series(1, :count) n, (SELECT * FROM sensor WHERE generic_asset_id = :asset) s""",
]


def copy_boiler(boiler, operator, count, *, larger_l=0.0):
    """Copy a boiler, its account and its sensors so many times; each tank is larger than the one before [l]."""
    numbers = {"first": FIRST, "count": count, "operator": operator, "larger_l": larger_l}
    numbers |= {"asset": boiler.asset.id, "account": boiler.asset.account_id}
    for copy in COPIES:
        db.session.execute(text(copy), {name: value for name, value in numbers.items() if f":{name}" in copy})
