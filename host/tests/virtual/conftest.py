"""A bench for tests of virtual boards: boards in temporary folders, and a program that talks to their ports."""

import asyncio
import contextlib
import os
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from hedgerow.fleet import boards as board_facts
from hedgerow.virtual import VirtualBoard, interpreter

TOOLS = Path(sys.executable).parent


class Client:
    """A terminal program: opens a port, sends, waits for what must come."""

    def __init__(self, port):
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        termios.tcflush(self._fd, termios.TCIFLUSH)
        self.heard = b""

    async def send(self, data):
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.005)

    async def until(self, wanted, within_s=5.0):
        """All that came up to and including `wanted`; the rest stays for the next call."""
        deadline = asyncio.get_running_loop().time() + within_s
        while wanted not in self.heard:
            try:
                data = os.read(self._fd, 4096)
                if not data:
                    raise OSError("hung up")
                self.heard += data
            except BlockingIOError:
                assert asyncio.get_running_loop().time() < deadline, f"no {wanted!r} in {self.heard[-500:]!r}"
                await asyncio.sleep(0.003)
        end = self.heard.index(wanted) + len(wanted)
        got, self.heard = self.heard[:end], self.heard[end:]
        return got

    async def ask(self, data, wanted, within_s=5.0):
        await self.send(data)
        return await self.until(wanted, within_s)

    async def raw(self):
        """To the raw prompt, out of whatever runs."""
        await self.send(b"\r\x03")
        await asyncio.sleep(0.1)  # as mpremote does it: the interrupt needs a moment, and gives no sign of its own
        await self.ask(b"\r\x01", b"raw REPL; CTRL-B to exit\r\n>")

    async def execute(self, code):
        """At the raw prompt: what the code printed and the traceback it ended with."""
        await self.ask(code.encode() + b"\x04", b"OK")
        out = await self.until(b"\x04")
        error = await self.until(b"\x04>")
        return out[:-1].decode(), error[:-2].decode()

    def close(self):
        os.close(self._fd)


class Bench:
    """Makes boards, runs a test's story with a bound on its time, takes everything down after it."""

    def __init__(self, folder, micropython):
        self.folder = folder
        self.micropython = micropython
        self._stack = contextlib.AsyncExitStack()

    def run(self, story, within_s=30.0):
        async def bounded():
            async with asyncio.timeout(within_s), self._stack:
                return await story(self)

        return asyncio.run(bounded())

    async def board(self, kind="VIRTUAL", name="board", **settings):
        settings.setdefault("uid", b"\x02\x00\x00\x00\x00\x01\x00\x00")
        board = VirtualBoard(board_facts.load(kind), self.folder / name, self.micropython, **settings)
        board.on_event = lambda *event: print(name, *event)  # pytest shows it when a test fails
        self._stack.push_async_callback(board.close)
        await board.start()
        return board

    def client(self, board):
        client = Client(board.port)
        self._stack.callback(client.close)
        return client

    async def at_raw_prompt(self, board):
        client = self.client(board)
        await client.raw()
        return client

    async def tool(self, name, *arguments, within_s=20.0):
        """Run mpremote or ampy as a person would: (exit code, all that it printed)."""
        process = await asyncio.create_subprocess_exec(
            TOOLS / name, *map(str, arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), within_s)
        except TimeoutError:
            process.kill()
            raise
        return process.returncode, out.decode().replace("\r\n", "\n")


@pytest.fixture(scope="session")
def micropython():
    return interpreter.ensure()


@pytest.fixture
def bench(tmp_path, micropython):
    return Bench(tmp_path, micropython)
