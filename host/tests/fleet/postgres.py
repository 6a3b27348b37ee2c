"""Runs a real PostgreSQL for a test: Debian's package on loopback, with a data directory of its own, as nobody special.

Knows how to start and end one server; knows nothing of registries.
"""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN_S = 30
USER = "hedgerow"


class Server:
    """A running server; `database()` makes an empty database in it and gives its URL."""

    def __init__(self, port: int) -> None:
        self._root = f"postgresql+psycopg://{USER}@127.0.0.1:{port}"
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._port = port

    def database(self) -> str:
        import psycopg

        name = next(self._names)
        address = f"host=127.0.0.1 port={self._port} user={USER} dbname=postgres connect_timeout=10"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{self._root}/{name}"


def programs() -> Path | None:
    """Where initdb and postgres are: on the path, or where Debian keeps them, the newest first."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: int(path.parent.name), default=None)


@contextmanager
def server(binaries: Path) -> Iterator[Server]:
    # Not under pytest's folder, which is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-postgres-"))
    who = _unprivileged(folder)
    try:
        flags = f"-U {USER} -A trust -E UTF8 --no-locale -N".split()
        initdb = [binaries / "initdb", "-D", folder / "data", *flags]
        made = subprocess.run(initdb, cwd=folder, capture_output=True, text=True, timeout=60, **who)
        assert made.returncode == 0, made.stderr
        port = _free_port()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"],
                cwd=folder,
                stdout=log,
                stderr=log,
                **who,
            )
        try:
            _wait_for(process, folder / "log")
            yield Server(port)
        finally:
            _end(process)
    finally:
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> dict:
    """PostgreSQL refuses to run as root; there it becomes a user who owns nothing but this folder."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def _wait_for(process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while "ready to accept connections" not in log.read_text("utf-8", "replace"):
        assert process.poll() is None and time.monotonic() < until, log.read_text("utf-8", "replace")
        time.sleep(0.05)


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)  # its fast end: clients are cut off
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
