"""Knows how to put a few files onto a board that speaks an old or odd MicroPython, by one means after the other.

First our own prompt client, which needs no raw-paste mode; then mpremote and, last, ampy, as the programs that they
are: each reads the same prompt in its own way, and where ours is at its end a person would reach for them anyway.
They are used only here. Whatever wrote a file, it is read back by the same means.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hedgerow.errors import EnvironmentProblem, FleetError, RemoteError, VerificationError
from hedgerow.plans.executor import Connect
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, copy_files
from hedgerow.transports import ports

MEANS = ("hedgerow", "mpremote", "ampy")
PROGRAM_WITHIN_S = 60
_PACKAGES = {"mpremote": "mpremote", "ampy": "adafruit-ampy"}
AMPY_DELAY_S = "0.5"  # ampy soft-resets on every call; boards with USB of their own need a moment


@dataclass(frozen=True)
class Rescued:
    """By which means it worked, and what the others said before."""

    by: str
    failed: Mapping[str, str]


async def put(
    port: str, files: Mapping[str, bytes], by: Sequence[str] = MEANS, *, connect: Connect = ports.connect
) -> Rescued:
    """Write files by the first of these means that works, and read them back. Raises RemoteError if none does."""
    failed: dict[str, str] = {}
    ways: dict[str, Callable[[], Awaitable[None]]] = {
        "hedgerow": lambda: _by_ourselves(port, files, connect),
        "mpremote": lambda: asyncio.to_thread(_by_program, _Mpremote(port), files),
        "ampy": lambda: asyncio.to_thread(_by_program, _Ampy(port), files),
    }
    for name in by:
        try:
            await ways[name]()
        except FleetError as error:
            failed[name] = error.what
        else:
            return Rescued(name, failed)
    raise RemoteError(
        "the files could not be put onto the board: " + "; ".join(f"{name}: {why}" for name, why in failed.items()),
        node=port,
        next_step="Flash it anew with `hedgerow flash`; --erase also removes its files.",
    )


async def _by_ourselves(port: str, files: Mapping[str, bytes], connect: Connect) -> None:
    transport = await connect(port)
    try:
        async with Repl(transport) as repl:
            await copy_files(repl, [FileToCopy(f"/{name}", data) for name, data in files.items()])
    finally:
        await transport.close()


class _Mpremote:
    """`fs cp` both ways. `resume`, because a soft reset would run the program that is to be replaced."""

    name = "mpremote"

    def __init__(self, port: str) -> None:
        self._start = [program("mpremote"), "connect", port, "resume", "fs", "cp"]

    def put(self, file: Path, name: str) -> list[str]:
        return [*self._start, str(file), f":/{name}"]

    def get(self, name: str, file: Path) -> list[str]:
        return [*self._start, f":/{name}", str(file)]


class _Ampy:
    name = "ampy"

    def __init__(self, port: str) -> None:
        self._start = [program("ampy"), "--port", port, "--delay", AMPY_DELAY_S]

    def put(self, file: Path, name: str) -> list[str]:
        return [*self._start, "put", str(file), f"/{name}"]

    def get(self, name: str, file: Path) -> list[str]:
        return [*self._start, "get", f"/{name}", str(file)]


def _by_program(tool: _Mpremote | _Ampy, files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="hedgerow-") as made:
        there, back = Path(made) / "there", Path(made) / "back"
        for name, data in files.items():
            there.write_bytes(data)
            back.unlink(missing_ok=True)
            _run(tool.name, tool.put(there, name))
            _run(tool.name, tool.get(name, back))
            if not back.is_file() or back.read_bytes() != data:
                raise VerificationError(f"{name} reads back otherwise")


def _run(name: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PROGRAM_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RemoteError(f"{name} does not end within {PROGRAM_WITHIN_S} s ({type(error).__name__})") from error
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise RemoteError(f"{name} ended with {done.returncode}: {said[-1].strip() if said else 'it gave no reason'}")


def program(name: str) -> str:
    """The path of an installed program: beside this Python, or on PATH. Raises EnvironmentProblem."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is not None:
        return found
    raise EnvironmentProblem(f"{name} is not installed", next_step=f"`pip install {_PACKAGES[name]}` brings it.")
