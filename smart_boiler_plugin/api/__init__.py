"""Routes of the plugin. Parse, call, dump: the logic is in ``customers``."""

from flask.sansio.blueprints import BlueprintSetupState


def attach(state: BlueprintSetupState) -> None:
    """Add the routes to the app that registers the blueprint."""
    from smart_boiler_plugin.api import customer_crud  # noqa: PLC0415 (only needed once FlexMeasures is there)

    state.add_url_rule("/boiler-customer", view_func=customer_crud.create_boiler_customer, methods=["POST"])
