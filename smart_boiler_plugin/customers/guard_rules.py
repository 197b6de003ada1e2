"""Who may call which endpoint of the host: one table, read by the guard (``guard.py``).

Each method and endpoint of the running app must be named here; ``tests/host/test_guard.py`` walks the whole URL map.
For a household, what is not named is refused.
"""

from __future__ import annotations

from enum import Enum
from fnmatch import fnmatchcase


class Rule(Enum):
    """What holds at an endpoint, beside what the host itself checks."""

    HOST = "The host's own check is enough: pages and data of one's own, readings, users and passwords of one's own."
    NO_HOUSEHOLD = "Changes accounts, assets, sensors, users or annotations: for operators and admins."
    DELETES_ASSET = "The host checks nothing: for those who may delete this very asset, and no household."
    READS_SENSOR = "The host checks nothing: for those who may read this very sensor."
    TRIGGERS = "Makes a plan: what is stored with what is planned is looked at first."


RULES: tuple[tuple[str, str, Rule], ...] = (
    # --- the doors that the host leaves open to everybody who is logged in
    ("GET", "AssetCrudUI:delete_with_data", Rule.DELETES_ASSET),
    ("GET", "SensorUI:get", Rule.READS_SENSOR),
    # --- the host's API: its GETs change nothing and check what they show
    ("POST", "AssetAPI:trigger_schedule", Rule.TRIGGERS),
    ("POST", "SensorAPI:trigger_schedule", Rule.TRIGGERS),
    ("POST", "SensorAPI:post_data", Rule.HOST),
    ("POST", "SensorAPI:upload_data", Rule.HOST),
    ("POST", "SensorEntityAddressAPI:post_data_deprecated", Rule.HOST),
    ("POST", "AssetAPI:update_default_asset_view", Rule.HOST),  # of the session
    ("POST", "AssetAPI:update_keep_legends_below_graphs", Rule.HOST),  # of the session
    ("PATCH", "UserAPI:patch", Rule.HOST),
    ("PATCH", "UserAPI:reset_user_password", Rule.HOST),
    *(
        ("GET", f"{view}:*", Rule.HOST)
        for view in (
            *("AccountAPI", "AssetAPI", "AssetTypesAPI", "HealthAPI", "JobAPI", "SensorAPI"),
            *("SensorEntityAddressAPI", "ServicesAPI", "SourceAPI", "UserAPI"),
        )
    ),
    *(
        (method, f"{view}:*", Rule.NO_HOUSEHOLD)
        for view in ("AccountAPI", "AssetAPI", "SensorAPI", "UserAPI")
        for method in ("POST", "PATCH", "DELETE")
    ),
    # --- the host's pages, one by one, as a GET may change something there
    *(
        ("GET", f"AssetCrudUI:{page}", Rule.HOST)
        for page in ("index", "get", "context", "graphs", "properties", "status", "auditlog", "owned_by")
    ),
    ("GET", "AssetCrudUI:create_sensor", Rule.NO_HOUSEHOLD),
    ("POST", "AssetCrudUI:post", Rule.NO_HOUSEHOLD),
    *(("GET", f"AccountCrudUI:{page}", Rule.HOST) for page in ("index", "get", "auditlog")),
    ("GET", "AccountCrudUI:new", Rule.NO_HOUSEHOLD),
    *(("GET", f"UserCrudUI:{page}", Rule.HOST) for page in ("index", "get", "auditlog", "reset_password_for")),
    *(("GET", f"flexmeasures_ui.{page}_view", Rule.HOST) for page in ("dashboard", "docs", "logged_in_user")),
    # --- logging in and out, passwords, static files, descriptions
    ("*", "security.*", Rule.HOST),
    ("GET", "*static", Rule.HOST),
    ("GET", "favicon", Rule.HOST),
    ("GET", "root_dispatcher", Rule.HOST),
    ("GET", "swagger_ui.show", Rule.HOST),
    ("GET", "flexmeasures_api.get_versions", Rule.HOST),
    ("POST", "flexmeasures_api.request_auth_token", Rule.HOST),
    ("*", "flexmeasures_api_ops.*", Rule.HOST),  # the host asks for a role of its own
    ("*", "flexmeasures_api_v*.implementation_gone", Rule.HOST),
    ("*", "rq_dashboard.*", Rule.NO_HOUSEHOLD),
    # --- ours check by themselves
    ("*", "smart-boiler-plugin *", Rule.HOST),
)
"""Method, pattern of the endpoint's name, and what holds there; the first that fits counts. HEAD is GET."""


def rule_of(method: str, endpoint: str) -> Rule | None:
    """Return what holds for a method at an endpoint; None where nobody has classified it."""
    asked = "GET" if method == "HEAD" else method
    fits = (rule for known, pattern, rule in RULES if known in {asked, "*"} and fnmatchcase(endpoint, pattern))
    return next(fits, None)
