"""Mail servers of all kinds, and letting the app take one for its own."""

import socket
import time
from collections import Counter
from contextlib import contextmanager

from aiosmtpd.controller import Controller

from smart_boiler_plugin.embedded.processes import free_port


class Server:
    """A real SMTP server that keeps mails, refuses some addresses, and does something before it takes one.

    Parameters
    ----------
    refusing
        What it says to whom: a reply by the address.
    first
        What it does with each mail before it takes it.

    """

    def __init__(self, refusing=None, first=lambda _: None):
        self.refusing = refusing or {}
        self.first = first
        self.mails = []
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: ARG002, N802
        """Answer whether it takes mails for an address."""
        said = self.refusing.get(address)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: ARG002, N802
        """Take a mail."""
        self.first(envelope)
        self.mails.append(envelope)
        return "250 taken"

    def taken(self):
        """How many mails it took, by address."""
        return Counter(address for mail in self.mails for address in mail.rcpt_tos)


@contextmanager
def used_by(app, monkeypatch, port):
    """Let the app take what listens on a port for its mail server."""
    with monkeypatch.context() as patch:
        mail = app.extensions["mail"]
        for name, value in {"suppress": False, "server": "127.0.0.1", "port": port}.items():
            patch.setattr(mail, name, value)
        yield


@contextmanager
def serving(app, monkeypatch, **words):
    """Yield a server that the app takes for its own."""
    server = Server(**words)
    server.controller.start()
    try:
        with used_by(app, monkeypatch, server.port):
            yield server
    finally:
        server.controller.stop()


@contextmanager
def silent_port():
    """Yield a port where somebody listens and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent.getsockname()[1]


def slowly(_):
    """Take half a second."""
    time.sleep(0.5)
