"""All services of a FlexMeasures server in one folder, started and stopped together."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import httpx

from smart_boiler_plugin.embedded.mailbox import Mailbox
from smart_boiler_plugin.embedded.postgres import Postgres
from smart_boiler_plugin.embedded.processes import Process, StackError, free_port, interrupts_held, port_is_taken
from smart_boiler_plugin.embedded.redis import Redis, private_file
from smart_boiler_plugin.embedded.shell import Shell

START_TIMEOUT_S = 120
"""How long a FlexMeasures process may take to start [s]; on two slow cores without byte code it is some 40."""


class Stack:
    """PostgreSQL, Redis, mailbox, FlexMeasures server and worker in one folder. A context manager.

    Entering it locks the folder and starts database, Redis and mailbox. Then ``shell`` runs the host's commands,
    and ``start_server`` starts server and worker. Leaving it ends all that it started, and keeps the data.

    Parameters
    ----------
    folder
        Where everything is kept: data, configuration, logs, mails. Made if missing.
    port
        TCP port of the server on the loopback interface; unset means a free one.
    database_uri
        A PostgreSQL database to use in place of an embedded one.
    settings
        Further settings of FlexMeasures.
    fresh
        Remove what an earlier stack has left in the folder.

    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        database_uri: str | None = None,
        settings: Mapping[str, Any] | None = None,
        fresh: bool = False,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_uri = database_uri
        self._settings = dict(settings or {})
        self._fresh = fresh
        self._running = ExitStack()
        self._parts: list[Process | Postgres | Redis] = []

    def __enter__(self) -> Stack:  # noqa: PYI034 (Self needs Python 3.11)
        with ExitStack() as starting:
            starting.enter_context(_lock(self.folder))
            if port_is_taken(self.port):
                raise StackError(
                    f"Port {self.port} is taken on this machine. End what listens there, or choose another: PORT=5001"
                )
            if self._fresh:
                _clear(self.folder)
            (self.folder / "logs").mkdir(exist_ok=True)
            if self.database_uri is None:
                with interrupts_held():
                    postgres = Postgres(self.folder / "postgres")
                    starting.callback(postgres.stop)
                self.database_uri = postgres.uri
                self._parts.append(postgres)
            with interrupts_held():
                redis = Redis(self.folder / "logs", self._environment)
                starting.callback(redis.stop)
            self._parts.append(redis)
            mail_port = free_port()
            with interrupts_held():
                self.mailbox = Mailbox(self.folder / "mails", mail_port)
                starting.callback(self.mailbox.stop)
            self._write_config(redis, mail_port)
            log = self.folder / "logs" / "commands.log"
            self.shell = Shell(folder=self.folder, log=log, environment=self._environment)
            starting.callback(self.shell.stop)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def start_server(self, progress: Callable[[int], object] = lambda _: None) -> None:
        """Start the FlexMeasures server and a worker, and wait until both are there.

        Parameters
        ----------
        progress
            Called with 1 when the one is there, and again when the other is.

        Raises
        ------
        StackError
            If one of them does not start.

        """
        program = str(Path(sys.executable).parent / "flexmeasures")
        # no worker for the queue `ingestion`: without one, the host stores what is posted before it answers
        worker = self._start("worker", [program, "jobs", "run-worker", "--queue", "scheduling"], "worker.log")
        server = self._start("server", [program, "run", "--host", "127.0.0.1", "--port", str(self.port)], "server.log")
        server.wait_until(self._server_answers, START_TIMEOUT_S)
        progress(1)
        worker.wait_until(self._worker_is_there, START_TIMEOUT_S)
        progress(1)

    def start_bridge(self, *words: str) -> None:
        """Start the bridge to MQTT with words of its command, and do not wait for it."""
        program = str(Path(sys.executable).parent / "flexmeasures")
        self._start("bridge", [program, "smart-boiler", "mqtt-bridge", *words], "bridge.log")

    def wait(self) -> None:
        """Wait for as long as all that was started runs.

        Raises
        ------
        StackError
            When some of it has ended.

        """
        while True:
            for part in self._parts:
                part.raise_if_ended()
            time.sleep(0.5)

    def _start(self, name: str, command: list[str], log: str) -> Process:
        with interrupts_held():
            process = Process(
                name, command, log=self.folder / "logs" / log, folder=self.folder, environment=self._environment
            )
            self._running.callback(process.stop)
        self._parts.append(process)
        return process

    @property
    def _environment(self) -> dict[str, str]:
        """FlexMeasures reads its configuration from the home directory, and some settings from the environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)}
        return {**inherited, "HOME": str(self.folder), MARK: str(self.folder), "PYTHONUNBUFFERED": "1"}

    def _write_config(self, redis: Redis, mail_port: int) -> None:
        settings = {
            **_kept_secrets(self.folder / "secrets.json"),
            "FLEXMEASURES_ENV": "production",
            "FLEXMEASURES_PLUGINS": ["smart_boiler_plugin"],
            "FLEXMEASURES_TIMEZONE": "Europe/Amsterdam",
            "SQLALCHEMY_DATABASE_URI": self.database_uri,
            **redis.settings,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": mail_port,
            "MAIL_USERNAME": None,
            "MAIL_PASSWORD": None,
            "TRUSTED_HOSTS": ["127.0.0.1", "localhost"],
            # server and worker of FlexMeasures 1.0.1, started at once on a new database, both make the template assets,
            # and one of them dies of it (UniqueViolation generic_asset_public_root_name_key)
            "FLEXMEASURES_CREATE_TEMPLATE_ASSETS_ON_STARTUP": False,
            # the look-ups of leaked passwords and of mail domains need the internet
            "SECURITY_PASSWORD_CHECK_BREACHED": None,
            "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
            **self._settings,
        }
        config = private_file(self.folder / ".flexmeasures.cfg")
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))

    def _server_answers(self) -> bool:
        try:
            # no proxy stands between us and ourselves
            return httpx.get(f"{self.url}/api/", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _worker_is_there(self) -> bool:
        return "processing 1 queue(s)" in (self.folder / "logs" / "worker.log").read_text()


MARK = "SMART_BOILER_STACK"
"""Environment variable that marks the processes of a stack, with its folder."""

FOREIGN_VARIABLES = ("FLEXMEASURES_", "FLASK_", "MAIL_", "SQLALCHEMY_", "SECURITY_", "REDIS_")
"""Environment variables with these beginnings configure some other FlexMeasures, not this one."""


def _clear(folder: Path) -> None:
    """Remove all that a stack has left in its folder, but for the file that is locked."""
    try:
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
    except OSError as error:
        raise StackError(f"The folder {folder} cannot be cleared: {error}. Choose another: FOLDER=...") from error


def _end_leftovers(folder: Path) -> None:
    """Kill what a killed run has left behind. Whoever holds the lock is the only rightful user of the folder."""
    import psutil  # noqa: PLC0415 (see the package's docstring)

    leftovers = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            marked = process.environ().get(MARK) == str(folder)
            # Redis writes its title over its environment, and the mark with it
            redis = process.name() == "redis-server" and process.cwd() == str(folder / "logs")
            if process.pid != os.getpid() and (marked or redis):
                process.kill()
                leftovers.append(process)
    psutil.wait_procs(leftovers, timeout=10)


def _kept_secrets(file: Path) -> dict[str, Any]:
    """Return the server's secrets, made once per folder: passwords in its database rest on them."""
    if not file.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SECURITY_PASSWORD_SALT": secrets.token_urlsafe(24),
            "SECURITY_TOTP_SECRETS": {"1": secrets.token_urlsafe(24)},
        }
        private_file(file).write_text(json.dumps(made))
    return dict(json.loads(file.read_text()))


LOCK = "embedded-stack.lock"
"""File in the folder of a stack that its user has locked."""


def _lock(folder: Path) -> TextIO:
    """Lock a folder of a stack and end what a killed run has left there; closing what is returned unlocks it.

    Raises
    ------
    StackError
        If a stack is running there, or the folder holds something that no stack has made.

    """
    lock = folder / LOCK
    if folder.exists() and not lock.exists() and any(folder.iterdir()):
        raise StackError(f"The folder {folder} holds something else. Move it away, or choose another: FOLDER=...")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = lock.open("a+")
    except OSError as error:
        raise StackError(f"The folder {folder} cannot be used: {error.strerror}. Choose another: FOLDER=...") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StackError(
            f"A demo or server is running in {folder} already. "
            "End it (Ctrl-C where it runs), or choose another: FOLDER=..."
        ) from None
    _end_leftovers(folder)
    return file
