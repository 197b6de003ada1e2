"""smart-boiler-plugin: what FlexMeasures reads of it (version, settings, blueprints), and nothing else.

Routes and commands are attached when FlexMeasures registers the blueprints. So a process that loads this plugin
twice (by name and by path, or for two apps) gets them both times, and the pure modules (``physics``, ``clock``, ...)
are imported in a moment: FlexMeasures takes seconds.
"""

from typing import Any

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState

from smart_boiler_plugin.api.docs import PREFIX, swagger_blueprint
from smart_boiler_plugin.settings import SETTINGS, warn_about_settings
from smart_boiler_plugin.version import VERSION

__version__ = VERSION
__settings__ = {setting.name: setting.for_host() for setting in SETTINGS}


def _answer(error: Exception) -> Any:
    """Answer any error of the API in its own shape."""
    from smart_boiler_plugin.api.errors import answer  # noqa: PLC0415 (see the module docstring)

    return answer(error)


smart_boiler_plugin_api_bp = Blueprint("smart-boiler-plugin API", __name__, url_prefix=PREFIX)
# the codes by name, too: FlexMeasures registers handlers for them that would come first
for what in (Exception, 401, 403, 429):
    smart_boiler_plugin_api_bp.register_error_handler(what, _answer)
smart_boiler_plugin_docs_bp = swagger_blueprint()
smart_boiler_plugin_ui_bp = Blueprint(
    "smart-boiler-plugin UI",
    __name__,
    url_prefix="/smart-boiler-plugin",
    template_folder="ui/templates",
    static_folder="ui/static",
)
smart_boiler_plugin_cli_bp = Blueprint("smart-boiler-plugin CLI", __name__, cli_group="smart-boiler")


@smart_boiler_plugin_api_bp.record_once
def _attach_api(state: BlueprintSetupState) -> None:
    from smart_boiler_plugin.api import attach  # noqa: PLC0415 (see the module docstring)
    from smart_boiler_plugin.transactions import watch  # noqa: PLC0415

    watch(state.app)
    warn_about_settings(state.app)
    attach(state)
    state.app.before_request(_guard)


def _guard() -> Any:
    """Ask before each request of the host's, too, whether a household may."""
    from smart_boiler_plugin.customers.guard import guard  # noqa: PLC0415

    return guard()


@smart_boiler_plugin_ui_bp.record_once
def _attach_ui(state: BlueprintSetupState) -> None:
    from smart_boiler_plugin.ui import attach  # noqa: PLC0415

    attach(state)


@smart_boiler_plugin_cli_bp.record_once
def _attach_cli(_: BlueprintSetupState) -> None:
    from smart_boiler_plugin.cli import attach  # noqa: PLC0415

    attach(smart_boiler_plugin_cli_bp.cli)
