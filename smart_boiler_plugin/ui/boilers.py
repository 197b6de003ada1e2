"""The page of all boilers that a user may see."""

from __future__ import annotations

from flask import Response
from flask_security import current_user, login_required
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.fleet.members import members, seen_by
from smart_boiler_plugin.fleet.state import states_of
from smart_boiler_plugin.fleet.told import WORDS, worst_first
from smart_boiler_plugin.ui.page import render


@login_required
def show_boilers() -> Response:
    """Show the boilers that the user may see, the worst first, each with its state and a link to its graphs."""
    boilers = worst_first(states_of(members(seen_by(current_user)), server_now()))
    return render("boilers.html", boilers=boilers, words=WORDS)
