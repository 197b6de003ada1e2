"""What a business needs, once the server runs: an operator, prices, and sites whose boilers are planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd
from flask import Flask
from flexmeasures import Account, AccountRole, Asset, User, UserRole
from flexmeasures.auth.policy import CONSULTANCY_ACCOUNT_ROLE, CONSULTANT_ROLE
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.parts import is_planned, scheduler_of
from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE, by_day
from smart_boiler_plugin.clock.days import day_of, midnight
from smart_boiler_plugin.doctor.asking import Check
from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.sensors import default_country, known_prices
from smart_boiler_plugin.prices.update import remedy
from smart_boiler_plugin.settings import DEFAULT_TARIFF
from smart_boiler_plugin.stored import rows_with


def entsoe(app: Flask) -> Iterator[Finding]:
    """Whether the ENTSO-E plugin can ask for prices, where it is loaded."""
    if "flexmeasures_entsoe" not in app.config.get("LOADED_PLUGINS", {}):
        yield Finding("The ENTSO-E plugin is not loaded: prices come by flexmeasures smart-boiler import-prices.")
    elif not app.config.get("ENTSOE_AUTH_TOKEN"):
        yield Finding(
            "The ENTSO-E plugin is loaded and has no token: it gets no price, and exits with 0.",
            'ENTSOE_AUTH_TOKEN = "..."; or flexmeasures smart-boiler import-prices --source energy-charts',
        )
    else:
        yield Finding("The ENTSO-E plugin is loaded and has a token.")


def operator(_: Flask) -> Iterator[Finding]:
    """Whether there is an account that takes on customers, with a user who may."""
    operators = db.select(Account).filter(Account.account_roles.any(AccountRole.name == CONSULTANCY_ACCOUNT_ROLE))
    with_user = operators.filter(
        Account.users.any(User.flexmeasures_roles.any(UserRole.name == CONSULTANT_ROLE))
    ).order_by(Account.id)
    found, able = list(db.session.scalars(operators)), list(db.session.scalars(with_user))
    if not found:
        yield Finding(
            f"No account has the role {CONSULTANCY_ACCOUNT_ROLE}: nobody can take on a customer.",
            f"flexmeasures add account-role --name {CONSULTANCY_ACCOUNT_ROLE}, if there is none, and then "
            f'flexmeasures add account --name "Warm Water Energy" --roles {CONSULTANCY_ACCOUNT_ROLE}',
        )
    elif not able:
        yield Finding(
            f"{found[0].name} (account {found[0].id}) has no user with the role {CONSULTANT_ROLE}.",
            "flexmeasures add user --username operator --email operator@your-domain "
            f"--account {found[0].id} --roles {CONSULTANT_ROLE}",
        )
    else:
        yield Finding(f"Customers are taken on by {', '.join(each.name for each in able)}.")


def prices(_: Flask) -> Iterator[Finding]:
    """Whether each tariff that a boiler has, or else the usual one, has all prices that are due."""
    used, now = tariffs.boilers_by_sensor(), server_now()
    known_ones = tariffs.all_tariffs()
    chosen = [each for each in known_ones if each.sensor.id in used]
    if not chosen and DEFAULT_TARIFF.value:
        chosen = [tariffs.default_tariff()]
    elif not chosen:
        # the usual one; it is made when the first prices or customers come
        chosen = [each for each in known_ones if each.country == default_country()][:1]
    if not chosen:
        yield Finding(f"No price of {default_country()} has come in yet.", remedy(default_country()))
    for tariff in chosen:
        zone = tariff.sensor.timezone
        today = day_of(now, zone)
        last = today + timedelta(days=1)
        known = known_prices(tariff.sensor, midnight(today, zone), midnight(last + timedelta(days=1), zone))
        days = by_day(pd.DatetimeIndex(known.index), today, last, zone)
        market = MARKET_TIMEZONE if tariff.country else zone
        missing = [day for day in days if day.is_overdue(now, market)]
        for day in missing:
            yield Finding(
                f"{tariff.name}: {day} have a price: plans go by typical ones, or by none.", remedy(tariff.country)
            )
        if not missing:
            yield Finding(f"{tariff.name}: all prices that are due are there.")


def sites(_: Flask) -> Iterator[Finding]:
    """Whether buildings with boilers are planned by a scheduler that knows boilers."""
    parents = db.select(Asset.parent_asset_id).filter(rows_with(Asset), Asset.parent_asset_id.is_not(None))
    query = db.select(Asset).filter(Asset.id.in_(parents)).order_by(Asset.id)
    found = list(db.session.scalars(query))
    wrong = [site for site in found if not is_planned(site)]
    for site in wrong:
        named = scheduler_of(site)
        yield Finding(
            f"{site.name} (asset {site.id}) has boilers in it and is planned by {named or 'the host'}, which takes "
            "their tanks for empty.",
            f"name BoilerScheduler as 'custom-scheduler' in its attributes, in place of {named}"
            if named
            else "flexmeasures smart-boiler upgrade",
        )
    if not wrong:
        yield Finding(
            f"{len(found)} buildings with boilers are planned as boilers are."
            if found
            else "No building has a boiler in it."
        )


CHECKS: tuple[Check, ...] = (entsoe, operator, prices, sites)
"""In their order."""
