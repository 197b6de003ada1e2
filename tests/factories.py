"""Makes what tests need in the host's database. Call inside an app context."""

from flexmeasures import Account
from flexmeasures.data import db
from flexmeasures.data.models.user import AccountRole
from flexmeasures.data.services.users import create_user

PASSWORD = "correct horse battery staple"


def make_account(name, *, roles=(), consultancy=None):
    """Make an account; roles are names of account roles, made if missing."""
    account = Account(name=name, consultancy_account=consultancy)
    for role in roles:
        found = db.session.query(AccountRole).filter_by(name=role).one_or_none()
        account.account_roles.append(found or AccountRole(name=role))
    db.session.add(account)
    db.session.commit()
    return account


def make_user(account, name, *, roles=()):
    """Make a user of an account, and return it with its token."""
    user = create_user(
        username=name,
        email=f"{name}@example.com",
        password=PASSWORD,
        account_name=account.name,
        user_roles=list(roles),
        check_email_deliverability=False,
    )
    db.session.commit()
    return user, user.get_auth_token()


def make_operator(name="Warm Water Energy", user="operator"):
    """Make an operator: a Consultancy account with a consultant; return the account's id and the consultant's token."""
    account = make_account(name, roles=["Consultancy"])
    _, token = make_user(account, user, roles=["consultant"])
    return account.id, token
