"""Routes of the plugin. Parse, call, dump: the logic is in ``customers``, ``taking_on`` and ``leaving``."""

from flask.sansio.blueprints import BlueprintSetupState


def attach(state: BlueprintSetupState) -> None:
    """Add the routes to the app that registers the blueprint."""
    from smart_boiler_plugin.api.routes import ROUTES  # noqa: PLC0415 (only needed once FlexMeasures is there)

    for route in ROUTES:
        state.add_url_rule(route.path, view_func=route.view, methods=[route.method])
