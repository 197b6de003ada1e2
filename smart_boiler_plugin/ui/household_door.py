"""How households come to their page: its addresses, their first page after login, and a menu with what they can use."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState
from flask_security import current_user

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers.directory import boiler_of
from smart_boiler_plugin.customers.households import is_household
from smart_boiler_plugin.customers.languages import language_of
from smart_boiler_plugin.texts import translator
from smart_boiler_plugin.ui import MENU_TITLE, MENU_VIEW, household, household_programme

LISTED, TITLES, ROOT = (
    "FLEXMEASURES_MENU_LISTED_VIEWS",
    "FLEXMEASURES_MENU_LISTED_VIEW_TITLES",
    "FLEXMEASURES_ROOT_VIEW",
)

USELESS = "dashboard"
"""The host's map of all assets: a household has one boiler, and lands on its own page."""


def attach(state: BlueprintSetupState) -> None:
    """Add the addresses of the household's page, and let households find it."""
    for name, view in (
        ("warm", household.warm),
        ("stop", household.stop),
        ("leave", household.leave),
        ("back", household.come_back),
        ("speak", household.speak),
    ):
        state.add_url_rule(f"/home/{name}", f"household_{name}", view, methods=["POST"])
    state.add_url_rule("/home/<int:account_id>", "household_of", household.show_home_of)
    state.add_url_rule("/home/programme", "household_programme", household_programme.show_programme)
    state.add_url_rule("/home/programme", "household_keep_programme", household_programme.keep, methods=["POST"])
    app: Any = state.app  # a Flask, as all apps of the host
    app.context_processor(_menu)
    _come_first(app)


def _come_first(app: App) -> None:
    """Let households begin on their page, where the server's operator has not said where they begin."""
    said = app.config.get(ROOT) or []
    entries = [said] if isinstance(said, str) else list(said)
    app.config[ROOT] = [*entries, (MENU_VIEW, [CUSTOMER_ROLE])]


def _menu() -> dict[str, Any]:
    """Return what a household's menu has: its page by that name, and nothing of the host's that shows it nothing.

    What the server's operator lists for some roles stays.
    """
    if not getattr(current_user, "is_authenticated", False) or not is_household(current_user):
        return {}
    config = current_app.config
    _ = translator(language_of(boiler_of(current_user.account)))
    titles = dict(config.get(TITLES, {}))
    if titles.get(MENU_VIEW) == MENU_TITLE:
        titles[MENU_VIEW] = _("My boiler")
    return {LISTED: [each for each in config.get(LISTED, []) if each != USELESS], TITLES: titles}
