"""``make demo`` and ``make serve``: from the command line to nothing left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from smart_boiler_plugin.demo.http import Api, Login
from smart_boiler_plugin.embedded.processes import StackError, free_port
from smart_boiler_plugin.embedded.stack import Stack
from tests.databases import open_folder


@pytest.fixture(scope="module")
def folder():
    """A folder for one demo, which several tests use one after the other."""
    with open_folder() as outer:
        yield outer / "smart-boiler"


def start(folder, *words, port=None):
    """Start the demo as make does, in a process group of its own, without a terminal."""
    command = [sys.executable, "-m", "smart_boiler_plugin.demo", "--folder", str(folder), *words]
    return subprocess.Popen(
        [*command, "--port", str(port or free_port())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process, line):
    """Return what a process prints up to a line."""
    lines = []
    for printed in process.stdout:
        lines.append(printed)
        if printed.strip() == line:
            break
    return "".join(lines)


def running_in(folder):
    """Return the command lines of all processes that have to do with a folder, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and (
                str(folder) in " ".join(process.cmdline())
                or process.environ().get("HOME") == str(folder)
                or process.cwd().startswith(str(folder))
            ):
                found.append(process.cmdline())
        except psutil.Error:
            pass
    return found


@pytest.fixture(scope="module")
def killed(folder):
    """What a demo printed that went through all steps, served, and was then killed; and on which port."""
    process = start(folder, "--serve", port=(port := free_port()))
    output = read_until(process, "ready")
    assert output.endswith("ready\n"), output
    process.kill()
    process.wait()
    return output, port


def test_the_demo_goes_through_all_six_steps(killed):
    output, _ = killed
    for number in range(1, 7):
        assert f"\n{number}. " in output
    assert "96 of 96 quarters" in output
    assert "Yesterday is simulated, at real prices of another day." in output
    assert "docs/quickstart.md" in output.partition("Where to look next")[2]
    table = output[output.index("planned cost [EUR]") :].splitlines()[2:5]
    for line in table:
        cost_yesterday, saved, heat, cost = line[14:].split()[:4]
        assert float(cost_yesterday) > 0
        assert float(saved) > 0
        assert float(heat) > 0
        assert float(cost) > 0


def test_serve_has_the_demos_data_also_after_it_was_killed_and_ends_with_nothing_left_running(folder, killed):
    _, port = killed
    process = start(folder, "--serve", port=port)
    try:
        output = read_until(process, "ready")
        assert output.endswith("ready\n"), output
        assert "1. Take on" not in output
        credentials = json.loads((folder / "credentials.json").read_text())
        assert (folder / "credentials.json").stat().st_mode & 0o777 == 0o600
        assert credentials["url"] == f"http://127.0.0.1:{port}"
        for who in ("operator", "admin"):
            assert credentials[who]["password"] in output
            assert f"{who}: {credentials[who]['email']}" in output
            api = Api(Login(credentials["url"], credentials[who]["email"], credentials[who]["password"]))
            accounts = {account["name"] for account in api.get("/api/v3_0/accounts")}
            assert {"Fam. de Boer", "Fam. Jansen", "The Smiths"} <= accounts

        second = start(folder, "--serve")
        assert second.wait(60) == 1
        assert "is running in" in second.stdout.read()
        assert api.get("/api/v3_0/accounts")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0
    assert running_in(folder) == []


@pytest.mark.long
def test_without_serve_it_ends_by_itself_and_leaves_nothing_running(tmp_path):
    process = start(tmp_path / "stack")
    output = process.communicate(timeout=240)[0]
    assert process.returncode == 0, output
    assert "All six steps done" in output
    assert running_in(tmp_path / "stack") == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        pytest.param("postgres/PG_VERSION", signal.SIGINT, marks=pytest.mark.long),
        ("logs/redis.conf", signal.SIGTERM),
        pytest.param("postgres/log", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("postgres/log", signal.SIGHUP, marks=pytest.mark.long),
        pytest.param("logs/commands.log", signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_interrupted_at_any_moment_of_the_start_leaves_nothing_running(tmp_path, moment, number):
    process = start(tmp_path / "stack")
    while not (tmp_path / "stack" / moment).exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.001)
    os.killpg(process.pid, number)
    assert process.wait(60) == 130
    assert "nothing is left running" in process.stdout.read()
    assert running_in(tmp_path / "stack") == []


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = start(tmp_path / "stack", port=port)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert f"Port {port} is taken" in output
    assert "PORT=" in output


def test_a_folder_with_something_else_is_told_and_left_as_it_is(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    process = start(tmp_path)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "holds something else" in output
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_with_spaces_is_told(tmp_path):
    process = start(tmp_path / "my boilers")
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert "folder with spaces" in output


def test_a_port_that_is_taken_costs_no_data(folder, killed):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert start(folder, port=other.getsockname()[1]).wait(60) == 1
    assert (folder / "demo-complete").exists()


def test_a_server_that_dies_is_told_with_its_log(tmp_path, monkeypatch):
    with Stack(tmp_path / "stack") as stack, monkeypatch.context() as patch:
        # no Python can start there, nor any server in it
        patch.setenv("PYTHONHOME", str(tmp_path))
        with pytest.raises(StackError, match=r"ended with exit code .*server\.log"):
            stack.start_server()
    assert "Python path configuration" in (tmp_path / "stack" / "logs" / "server.log").read_text()
    assert running_in(tmp_path / "stack") == []
