"""The page of all boilers that a user may see."""

from __future__ import annotations

from flask_security import current_user, login_required
from flexmeasures.ui.utils.view_utils import render_flexmeasures_template

from smart_boiler_plugin.fleet.state import states


@login_required
def show_boilers() -> str:
    """Show the boilers that the user may see, with their last temperature and a link to their graphs."""
    page: str = render_flexmeasures_template("smart_boiler_plugin/boilers.html", boilers=states(current_user))
    return page
