"""Pages of the plugin. Call and render: the logic is in the rooms below.

``page.py``: what all pages have. ``reader.py``: numbers, dates and money as people read them.
``household*.py``: what a household sees and does.
"""

from flask import Response, request
from flask.sansio.blueprints import BlueprintSetupState

MENU_VIEW, MENU_TITLE = "smart-boiler-plugin", "Boilers"
"""Entry of the menu, and what it is called."""


def attach(state: BlueprintSetupState) -> None:
    """Add the pages to the app that registers the blueprint, and the entry to its menu."""
    from smart_boiler_plugin.ui import boiler, boilers, household, household_door  # noqa: PLC0415 (once the host is there)

    state.app.after_request_funcs.setdefault(state.name, []).append(_guarded)
    state.add_url_rule("/", view_func=household.at_home_or(boilers.show_boilers))
    state.add_url_rule("/load.csv", view_func=boilers.show_load)
    state.add_url_rule("/plans", view_func=boilers.plan_boilers, methods=["POST"])
    state.add_url_rule("/boilers/<int:account_id>", view_func=boiler.show_boiler)
    household_door.attach(state)
    config = state.app.config
    listed = list(config.get("FLEXMEASURES_MENU_LISTED_VIEWS", []))
    # an operator of the server who lists it themselves decides where and for whom
    if not any(MENU_VIEW in (view, view[0]) for view in listed):
        config["FLEXMEASURES_MENU_LISTED_VIEWS"] = [*listed, MENU_VIEW]
    for setting, value in (("TITLES", MENU_TITLE), ("ICONS", "tint")):
        name = f"FLEXMEASURES_MENU_LISTED_VIEW_{setting}"
        config[name] = {MENU_VIEW: value, **config.get(name, {})}


def _guarded(response: Response) -> Response:
    """Let no cache keep a page, which is about people, and no browser guess what an answer is."""
    if not str(request.endpoint).endswith(".static"):
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
