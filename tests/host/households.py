"""Two operators with their households, as they come into being over HTTP, and how people log in."""

import re
from dataclasses import dataclass

from flexmeasures import Account
from flexmeasures.data import db

from tests.factories import PASSWORD, make_operator, make_user

API = "/smart-boiler-plugin/api"


@dataclass(frozen=True)
class Household:
    """Ids of a household that was taken on (as the API answers them), and the mail address of its user."""

    ids: dict[str, int]
    email: str

    @property
    def account(self):
        """Id of the account."""
        return self.ids["account"]

    @property
    def boiler(self):
        """Id of the boiler's asset."""
        return self.ids["boiler"]

    @property
    def fill_rate(self):
        """Id of the sensor of the power."""
        return self.ids["fill_rate"]


class World:
    """Operator "Warm Water Energy" with Ash and Birch, operator "Rival" with Cedar; each with a user who can log in."""

    def __init__(self, app):
        self.app = app
        self.tokens = {}
        with app.app_context():
            _, self.tokens["operator"] = make_operator()
            _, self.tokens["rival"] = make_operator("Rival", "rival")
        owners = {"Ash": "operator", "Birch": "operator", "Cedar": "rival"}
        self.households = {name: self.take_on(name, owner) for name, owner in owners.items()}
        for name, household in self.households.items():
            self.tokens[name] = self.log_in(household.email)
        self.ash, self.birch, self.cedar = self.households.values()

    def take_on(self, name, owner):
        """Take a household on, and let its second user be an account-admin with a known password."""
        low = name.lower()
        body = {"name": name, "user_name": low, "user_email": f"{low}@example.com"}
        answer = self.call(owner, "POST", f"{API}/boiler-customer", body)
        assert answer.status_code == 201, answer.text
        with self.app.app_context():
            account = db.session.get(Account, answer.json["account"])
            user, _ = make_user(account, f"{low}-home", roles=["account-admin"])
            return Household(answer.json, user.email)

    def log_in(self, email):
        """Return the token that the host gives for address and password."""
        answer = self.app.test_client().post("/api/requestAuthToken", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return answer.json["auth_token"]

    def call(self, who, method, path, body=None):
        """Call with somebody's token; without a body, without a content type."""
        arguments = {} if body is None else {"json": body}
        headers = {"Authorization": self.tokens[who]}
        return self.app.test_client().open(path, method=method, headers=headers, **arguments)

    def browser(self, email):
        """Return a client that has logged in on the host's page."""
        client = self.app.test_client()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)[1]
        answer = client.post("/login", data={"email": email, "password": PASSWORD, "csrf_token": token})
        assert answer.status_code == 302, answer.text
        return client
