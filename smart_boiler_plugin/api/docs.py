"""The page that shows the OpenAPI description with the host's Swagger look."""

from __future__ import annotations

from flask import Blueprint
from flask_swagger_ui import get_swaggerui_blueprint

PREFIX = "/smart-boiler-plugin/api"


def swagger_blueprint() -> Blueprint:
    """Return the blueprint that shows the description as the host shows its own."""
    blueprint: Blueprint = get_swaggerui_blueprint(
        f"{PREFIX}/docs",
        f"{PREFIX}/openapi.json",
        config={"app_name": "smart-boiler-plugin", "layout": "BaseLayout"},
        blueprint_name="smart-boiler-plugin API docs",
    )
    return blueprint
