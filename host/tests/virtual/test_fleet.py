"""Many virtual boards in one process, and the command that starts, lists and stops them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hedgerow.errors import EnvironmentProblem, UsageError
from hedgerow.fleet import boards as board_facts
from hedgerow.virtual import control, interpreter
from hedgerow.virtual.fleet import VirtualFleet, chosen_boards


def _hedgerow(folder, *arguments, within_s=30):
    done = subprocess.run(
        [sys.executable, "-m", "hedgerow", "virtual", *map(str, arguments), "--dir", str(folder / "v")],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path, micropython, monkeypatch):
    """A folder for boards; whatever is still up there when a test ends is taken down."""
    if micropython.origin.startswith("$"):
        monkeypatch.setenv(interpreter.ENVIRONMENT, micropython.command[-1])
    yield tmp_path
    _hedgerow(tmp_path, "down")


def test_boards_are_started_listed_killed_and_stopped(folder):
    code, out, error = _hedgerow(folder, "up", "-n", "3", "--board", "VIRTUAL", "--board", "RPI_PICO", "-d", "--json")
    assert code == 0, error
    facts = json.loads(out)
    assert [(fact["name"], fact["board"]) for fact in facts] == [
        ("node-1", "VIRTUAL"),
        ("node-2", "RPI_PICO"),
        ("node-3", "VIRTUAL"),
    ]
    assert len({fact["port"] for fact in facts}) == 3
    assert len({fact["uid"] for fact in facts}) == 3
    assert (folder / "v" / "node-2" / "port").resolve().as_posix() == facts[1]["port"]
    running = control.find(folder / "v")
    control.ask(running, {"do": "kill", "board": "node-2"})
    assert [bool(fact["pid"]) for fact in control.ask(running, {"do": "list"})] == [True, False, True]
    control.ask(running, {"do": "power_on", "board": "2"})
    assert "node-2" in _hedgerow(folder, "list")[1]
    pids = [fact["pid"] for fact in control.ask(running, {"do": "list"})]
    assert _hedgerow(folder, "up")[0] == UsageError.exit_code
    assert _hedgerow(folder, "down")[0] == 0
    assert not any(control.start_time(pid) for pid in pids)
    assert json.loads(_hedgerow(folder, "list", "--json")[1]) == []
    assert [path.name for path in (folder / "v").iterdir() if path.name in ("state.json", "control")] == []


def test_boards_do_not_outlive_a_killed_keeper_and_its_state_is_recognised_as_stale(folder):
    assert _hedgerow(folder, "up", "-n", "2", "-d")[0] == 0
    running = control.find(folder / "v")
    pids = [fact["pid"] for fact in control.ask(running, {"do": "list"})]
    os.kill(running.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(control.start_time(pid) for pid in (*pids, running.pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(control.start_time(pid) for pid in pids)
    assert control.find(folder / "v") is None
    assert not control.state_file(folder / "v").exists()


def test_down_never_ends_a_process_that_only_has_the_number(folder):
    (folder / "v").mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    state = {"pid": bystander.pid, "started": "1", "socket": str(folder / "v" / "control")}
    control.state_file(folder / "v").write_text(json.dumps(state))
    assert "No virtual boards" in _hedgerow(folder, "down")[1]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_fault_at_the_start_is_a_sentence(folder):
    code, _, error = _hedgerow(folder, "up", "--board", "TOASTER", "-d")
    assert code == UsageError.exit_code
    assert "TOASTER" in error
    assert "Traceback" not in error


def test_a_contact_plan_is_followed_by_number(bench):
    from hedgerow.virtual.contacts import parse_plan

    async def story(bench):
        kinds = chosen_boards(["VIRTUAL"], 3)
        fleet = VirtualFleet(bench.folder, bench.micropython, kinds, plan=parse_plan("0 CONN 1 2 up\n"))
        bench._stack.push_async_callback(fleet.close)
        await fleet.start()
        await asyncio.sleep(0.05)
        assert fleet.ether.links.pairs(fleet.boards) == [("node-1", "node-2")]
        fleet.link("2", "node-3", True)
        assert fleet.ether.links.up("node-3", "node-2")

    bench.run(story)


def test_thirty_two_boards_live_in_one_process(bench):
    async def story(bench):
        fleet = VirtualFleet(bench.folder, bench.micropython, [board_facts.load("VIRTUAL")] * 32)
        bench._stack.push_async_callback(fleet.close)
        await fleet.start()
        clients = [bench.client(board) for board in fleet.boards.values()]
        await asyncio.gather(*(client.raw() for client in clients))
        answers = await asyncio.gather(
            *(client.execute("import machine\nprint(machine.unique_id().hex())") for client in clients)
        )
        assert len({out for out, _ in answers}) == 32
        assert [error for _, error in answers] == [""] * 32

    bench.run(story)


def test_a_chosen_interpreter_that_does_not_fit_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(interpreter.ENVIRONMENT, sys.executable)
    with pytest.raises(EnvironmentProblem, match="is not MicroPython"):
        interpreter.ensure()
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho micropython 1 21\n")
    old.chmod(0o755)
    monkeypatch.setenv(interpreter.ENVIRONMENT, str(old))
    with pytest.raises(EnvironmentProblem, match=r"1\.21, too old"):
        interpreter.ensure()
    old.write_text("#!/bin/sh\necho micropython 1 24\n")
    with pytest.raises(EnvironmentProblem, match="without LittleFS"):
        interpreter.ensure()
    monkeypatch.setenv(interpreter.ENVIRONMENT, str(tmp_path / "missing"))
    with pytest.raises(EnvironmentProblem, match="does not run"):
        interpreter.ensure()


def test_without_apt_the_problem_is_said_at_once(monkeypatch, tmp_path):
    monkeypatch.delenv(interpreter.ENVIRONMENT, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(EnvironmentProblem, match=r"no MicroPython on this computer.*HEDGEROW_MICROPYTHON"):
        interpreter.ensure()
    assert time.monotonic() - started < 5


def test_an_archive_that_is_silent_is_given_up_within_five_seconds(monkeypatch):
    given_up = threading.Event()

    def never(*_):
        given_up.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(interpreter.socket, "create_connection", never)
    started = time.monotonic()
    with pytest.raises(EnvironmentProblem, match=r"does not answer.*HEDGEROW_MICROPYTHON"):
        interpreter._reach("http://archive.example/debian")
    assert time.monotonic() - started < 5
    given_up.set()


def test_the_archive_is_the_one_that_the_system_uses(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    assert interpreter.debian_mirror(tmp_path) is None
    (tmp_path / "sources.list").write_text("deb [signed-by=/k] http://one.example/debian bookworm main\n")
    assert interpreter.debian_mirror(tmp_path) == "http://one.example/debian"
    (tmp_path / "sources.list.d" / "a.sources").write_text(
        "Types: deb\nURIs: https://other.example/tools https://two.example/debian/\nSuites: stable\n"
    )
    assert interpreter.debian_mirror(tmp_path) == "https://two.example/debian/"
