"""Knows how to start and stop the background process that keeps virtual boards; knows nothing of the boards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hedgerow.errors import FleetError, UsageError
from hedgerow.virtual import control

READY_WITHIN_S = 60.0
DOWN_WITHIN_S = 10.0


def start(directory: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start `python -m hedgerow.virtual.fleet DIRECTORY ARGUMENTS` and wait until it answers its control socket."""
    directory.mkdir(parents=True, exist_ok=True)
    problem = control.problem_file(directory)
    problem.unlink(missing_ok=True)
    command = [sys.executable, "-m", "hedgerow.virtual.fleet", str(directory), *arguments]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if control.find(directory):
            return process
        if process.poll() is not None:
            if problem.exists():
                raise UsageError(problem.read_text(encoding="utf-8"))
            raise FleetError("the virtual boards did not start", next_step=f"Read {directory / 'log'}.")
        time.sleep(0.02)
    process.terminate()
    raise FleetError(f"the virtual boards did not start in {READY_WITHIN_S:.0f} s")


def stop(directory: Path) -> bool:
    """Ask the keeper to stop, and end one that does not by its number, if that is still its own. False: none was up."""
    running = control.find(directory)
    if not running:
        return False
    try:
        control.ask(running, {"do": "stop"}, timeout_s=3)
    except FleetError:
        if running.alive:
            os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_WITHIN_S
    while running.alive:
        if time.monotonic() > deadline:
            os.kill(running.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    control.find(directory)  # removes what a killed one left
    return True
