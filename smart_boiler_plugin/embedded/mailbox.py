"""A real SMTP server on the loopback interface that keeps every mail as a file, and delivers none."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any


class Mailbox:
    """A mailbox for everybody. Each mail is a file ``0001.eml``, ``0002.eml`` ... in the folder.

    Parameters
    ----------
    folder
        Where the mails go; made if missing.
    port
        TCP port on the loopback interface to listen on.

    """

    def __init__(self, folder: Path, port: int) -> None:
        from aiosmtpd.controller import Controller  # noqa: PLC0415 (see the package's docstring)

        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._controller = Controller(_Keeper(folder), hostname="127.0.0.1", port=port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening, and keep the mails."""
        self._controller.stop()

    def __iter__(self) -> Iterator[EmailMessage]:
        """Iterate over the mails, oldest first."""
        for file in sorted(self.folder.glob("*.eml")):
            yield message_from_bytes(file.read_bytes(), policy=policy.default)


class _Keeper:
    """Takes each mail and writes it to a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        number = len(list(self.folder.glob("*.eml"))) + 1
        content = envelope.content
        # whoever looks meanwhile finds all of it, or nothing
        unfinished = self.folder / f"{number:04}.part"
        unfinished.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        unfinished.rename(unfinished.with_suffix(".eml"))
        return "250 kept"
