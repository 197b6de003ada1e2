"""What ``make test-install`` asks of an environment into which the wheel was installed: run by that one's Python.

::

    python check_install.py plain       what the package brings along is there, and it loads without its extras
    python check_install.py business    FlexMeasures starts with it, and a customer is taken on
"""

import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import smart_boiler_plugin


def plain() -> None:
    """Look at the package: its version, its files, and that all its modules can be imported without the extras."""
    from flexmeasures import Scheduler
    from flexmeasures.utils.coding_utils import get_classes_module

    folder = Path(smart_boiler_plugin.__file__).parent
    assert folder.is_relative_to(sys.prefix), f"{folder} is not in the new environment"
    assert version("smart-boiler-plugin") == smart_boiler_plugin.__version__
    example = Path(sys.prefix) / "share" / "smart-boiler-plugin" / ".flexmeasures.cfg.example"
    needed = (
        *(example, folder / "py.typed", folder / "translations/nl/LC_MESSAGES/smart_boiler.mo"),
        *(folder / "ui/templates/smart_boiler_plugin/boilers.html", folder / "demo/data"),
        *(folder / "ui/templates/smart_boiler_plugin/mails/invitation.txt",),
    )
    missing = [str(file) for file in needed if not file.exists()]
    assert not missing, missing
    assert "BoilerScheduler" in get_classes_module("smart_boiler_plugin", Scheduler)
    print(f"smart-boiler-plugin {smart_boiler_plugin.__version__}, flexmeasures {version('flexmeasures')}: all there")


def business() -> None:
    """Start FlexMeasures on a PostgreSQL of its own, and take on a customer, who is invited by mail."""
    from smart_boiler_plugin.demo.business import credentials, open_business
    from smart_boiler_plugin.demo.http import Api, Login, accept_invitation, invitation_link
    from smart_boiler_plugin.embedded.stack import Stack

    begin = time.monotonic()
    customer = {"name": "Client 1", "user_name": "client1", "user_email": "client1@example.com"}
    with TemporaryDirectory(prefix="smart-boiler-", ignore_cleanup_errors=True) as folder, Stack(Path(folder)) as stack:
        open_business(stack)
        stack.start_server()
        operator = credentials(stack)["operator"]
        api = Api(Login(stack.url, operator["email"], operator["password"]))
        made = api.post("/smart-boiler-plugin/api/boiler-customer", customer)
        accept_invitation(invitation_link(stack.mailbox, customer["user_email"]), "a password of my own")
        listed = stack.shell.run("smart-boiler", "list-customers")
        assert "Client 1" in listed, listed
        assert "sent" in listed, listed
    print(f"Customer {made['account']} is taken on, and has chosen a password ({time.monotonic() - begin:.0f} s).")


if __name__ == "__main__":
    {"plain": plain, "business": business}[sys.argv[1]]()
