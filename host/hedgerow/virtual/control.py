"""Knows how a process that keeps virtual boards is found and asked: a state file, a Unix socket, JSON lines.

The state file names the process by its number and its start time, so that a stale file, or a number that the
system gave to somebody else since, is recognised.
"""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hedgerow.errors import FleetError, LinkError

Request = Mapping[str, Any]
Answers = Mapping[str, Callable[[Request], Awaitable[object]]]
_LONGEST_SOCKET_PATH = 100  # the system's limit is 108 bytes
_LONGEST_LINE_BYTES = 4 << 20


def state_file(directory: Path) -> Path:
    return directory / "state.json"


def problem_file(directory: Path) -> Path:
    return directory / "problem"


def start_time(pid: int) -> str | None:
    """When a process started, in the system's ticks; None when there is none of that number (or only its shell)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True)
class Running:
    """A process that keeps virtual boards."""

    pid: int
    started: str
    socket: str

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


def find(directory: Path) -> Running | None:
    """The process that keeps the boards of this folder. State that it left behind is removed."""
    path = state_file(directory)
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        running = Running(int(state["pid"]), str(state["started"]), str(state["socket"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if running.alive:
        return running
    for stale in (path, Path(running.socket)):
        with contextlib.suppress(OSError):
            stale.unlink()
    return None


def ask(running: Running, request: Request, timeout_s: float = 10.0) -> Any:
    """One question, one answer. Raises the FleetError that the other side answered with, or LinkError."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_s)
            line.connect(running.socket)
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as reader:
                answer = json.loads(reader.readline(_LONGEST_LINE_BYTES))
    except (OSError, ValueError) as error:
        raise LinkError(
            f"the virtual boards do not answer: {error}", next_step="Stop them with `hedgerow virtual down`."
        ) from None
    if "error" in answer:
        raise FleetError(answer["error"])
    return answer["result"]


class Server:
    """The other side of `ask`: writes the state file while it is entered and removes it after."""

    def __init__(self, directory: Path, answers: Answers) -> None:
        self._directory = directory
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._socket_path = directory.resolve() / "control"
        self._private: tempfile.TemporaryDirectory[str] | None = None
        if len(os.fsencode(self._socket_path)) > _LONGEST_SOCKET_PATH:
            self._private = tempfile.TemporaryDirectory(prefix="hedgerow-")
            self._socket_path = Path(self._private.name) / "control"

    async def __aenter__(self) -> "Server":
        self._socket_path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._socket_path, limit=_LONGEST_LINE_BYTES)
        self._socket_path.chmod(0o600)
        state = {"pid": os.getpid(), "started": start_time(os.getpid()), "socket": str(self._socket_path)}
        temporary = state_file(self._directory).with_suffix(".new")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.rename(state_file(self._directory))
        return self

    async def __aexit__(self, *_: object) -> None:
        state_file(self._directory).unlink(missing_ok=True)
        if self._server:
            self._server.close()
        self._socket_path.unlink(missing_ok=True)
        if self._private:
            self._private.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ValueError):  # ValueError: a line beyond the limit
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
            answer = self._answers[request["do"]]
            return {"result": await answer(request)}
        except FleetError as error:
            return {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"error": f"not understood: {error!r}"}
