"""Routes of the plugin. Parse, call, dump: the logic is in ``customers``, ``taking_on`` and ``leaving``."""

from flask.sansio.blueprints import BlueprintSetupState


def attach(state: BlueprintSetupState) -> None:
    """Add the routes to the app that registers the blueprint."""
    from smart_boiler_plugin.api.before_plans import clean_up_before  # noqa: PLC0415
    from smart_boiler_plugin.api.bodies import check_body, forbid_storing  # noqa: PLC0415
    from smart_boiler_plugin.api.routes import ROUTES  # noqa: PLC0415 (only needed once FlexMeasures is there)

    largest = {route.view.__name__: route.largest for route in ROUTES if route.largest}
    # before all others: the host looks for tokens in the body, and would read it first
    state.app.before_request_funcs.setdefault(None, []).insert(0, lambda: check_body(state.name, largest))
    state.app.after_request_funcs.setdefault(state.name, []).append(forbid_storing)
    state.app.before_request(clean_up_before)
    for route in ROUTES:
        state.add_url_rule(route.path, view_func=route.view, methods=[route.method])
