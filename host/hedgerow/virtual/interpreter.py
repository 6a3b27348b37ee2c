"""Knows where a MicroPython for this computer is, or how to get one; knows nothing of boards."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hedgerow.errors import EnvironmentProblem

ENVIRONMENT = "HEDGEROW_MICROPYTHON"
OLDEST = (1, 22)


@dataclass(frozen=True)
class Interpreter:
    """A MicroPython that runs: the command (a loader may come first), its version, where it was found."""

    command: tuple[str, ...]
    version: tuple[int, int]
    origin: str


_PROBE = "import sys,vfs;vfs.VfsLfs2;print(sys.implementation.name,sys.implementation.version[0],sys.implementation.version[1])"


def probe(command: tuple[str, ...], origin: str) -> Interpreter:
    """Run it once; raises EnvironmentProblem when it is not a MicroPython that can stand for a board."""
    try:
        done = subprocess.run([*command, "-c", _PROBE], capture_output=True, text=True, timeout=5, check=False)
        words = done.stdout.split()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{command[-1]} does not run: {error}") from None
    if len(words) != 3 or words[0] != "micropython":
        raise EnvironmentProblem(f"{command[-1]} is no MicroPython with LittleFS")
    version = (int(words[1]), int(words[2]))
    if version < OLDEST:
        raise EnvironmentProblem(f"{command[-1]} is MicroPython {version[0]}.{version[1]}, and 1.22 is the oldest")
    return Interpreter(command, version, origin)


def find() -> Interpreter | None:
    if path := os.environ.get(ENVIRONMENT):
        return probe((path,), f"${ENVIRONMENT}")
    if path := shutil.which("micropython"):
        return probe((path,), "PATH")
    return None
