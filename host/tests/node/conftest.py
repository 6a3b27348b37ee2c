"""Knows how tests get nodes that were provisioned once, and what a person can do to them; knows no test."""

import asyncio
import contextlib
import hashlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for in_chromium
sys.path.insert(0, str(Path(__file__).resolve().parent))  # for by_phone
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "firmware" / "tests"))

import fake_cryptolib

from hedgerow.errors import EnvironmentProblem, FleetError
from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans import firmware
from hedgerow.plans.parallel import Bench as PortBench
from hedgerow.repl import Repl
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.attacker import Attacker
from hedgerow.virtual.radio import Ether
from hedgewire import admin, frame

fake_cryptolib.install()  # CPython has none, and some tests look into the node's own modules

TEST_WITHIN_S = 40.0
READY_WITHIN_S = 10.0
SETTINGS = {"sample_ms": 300, "hello_ms": 200}
RESTART = frame.encode(frame.REQUEST, admin.request(1, "restart", {}))
RESET = b"import machine\nmachine.reset()\n\x04"  # for the raw REPL
# Runs a change of the application once, at the next start; the start after that is an ordinary one.
ONCE = """
import os
try:
    os.stat("/once")
except OSError:
    open("/once", "w").close()
{change}
from hedgenode import app
app.main()
"""


# The nodes of the one fleet that all tests share, and the boards that they stand for.
FLEET = {
    "oak": "ESP32_GENERIC_S3",
    "elm": "ESP32_GENERIC_S3",
    "pico": "RPI_PICO",
    "small": "ESP32_GENERIC",
}


def build(board: boards.Board) -> firmware.FirmwareSet:
    """The firmware as it is shipped; but for names that a test here looks into, where memory is not what is tested."""
    if board.id == FLEET["small"]:
        return firmware.build(board)
    tests = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")]
    return firmware.build(board, others=tests)


class Provisioned:
    """The fleet on this computer, and for every node the flash as provisioning left it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._flash: dict[str, bytes] = {}
        with founding.found(path, "table"):
            pass
        # Open, as most tests look at nodes as anybody with a cable; host/tests/fleet/test_doors.py has those that ask.
        founded = (path / proposal.FILE_NAME).read_text()
        (path / proposal.FILE_NAME).write_text(founded.replace("protected = true", "protected = false"))
        with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
            for name, kind in FLEET.items():
                text.write(proposal.node_text(name, kind, SETTINGS))

    async def put_on(self, name: str, board: VirtualBoard) -> None:
        """Start the board as that node. The first time it is provisioned, later it gets the same flash."""
        if name in self._flash:
            board.directory.mkdir(parents=True)
            board.image.write_bytes(self._flash[name])
            await board.start()
            return
        await board.start()
        with folder.FleetFolder(self.path) as fleet:
            [result] = await PortBench(fleet, build=build).provision([str(board.port)], [name])
        assert result.error is None, result.error
        await board.kill()
        self._flash[name] = board.image.read_bytes()
        await board.power_on()


class Nodes:
    """The table: boards that are nodes, and hands. One event loop, everything bounded."""

    def __init__(self, path: Path, micropython: interpreter.Interpreter, provisioned: Provisioned) -> None:
        self.path = path
        self._micropython = micropython
        self._provisioned = provisioned
        self._stack = contextlib.AsyncExitStack()

    @property
    def fleet_path(self) -> Path:
        return self._provisioned.path

    def run(self, story: Coroutine[None, None, None], within_s: float = TEST_WITHIN_S) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(within_s), self._stack:
                await story

        asyncio.run(bounded())

    async def node(self, name: str = "oak", ether: tuple[str, int] | None = None, world=None) -> VirtualBoard:
        """A node that runs, as provisioning left it."""
        uid = bytes([2, 0, 0, 0, 0, list(FLEET).index(name) + 1, 0, 0])
        board = VirtualBoard(
            boards.load(FLEET[name]),
            self.path / name,
            self._micropython,
            uid=uid,
            ether=ether,
            clock=time.time,
            world=world,
        )
        self._stack.push_async_callback(board.close)
        await self._provisioned.put_on(name, board)
        await self.hello(board)
        board.resets.clear()
        return board

    async def ether(self, loss: float, attacker: Attacker | None = None) -> tuple[str, int]:
        """The radio between boards; its address. `self.air` is what happens there."""
        self.air = Ether(seed=1, loss=loss, attacker=attacker)
        self._stack.push_async_callback(self.air.close)
        return await self.air.start()

    async def configure(self, board: VirtualBoard, **changes) -> None:
        """Let the node start again with other settings."""
        starts = board.resets.count("hard") + 1
        await self.ask(board, "configure", {"config": changes})
        await self.ask(board, "restart")
        await self.ends(board, "hard", starts)
        await self.hello(board)

    # what one asks

    @contextlib.asynccontextmanager
    async def session(self, board: VirtualBoard, **options):
        async with Session(await ports.connect(str(board.port)), **options) as session:
            yield session

    async def ask(self, board: VirtualBoard, method: str, params: dict | None = None, timeout_s: float = 3.0):
        async with self.session(board) as session:
            return await session.ask(method, params, timeout_s)

    async def hello(self, board: VirtualBoard) -> dict:
        """Its hello, as soon as it runs."""
        end = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                return await self.ask(board, "hello", timeout_s=0.5)
            except FleetError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    # what one does

    async def put(self, board: VirtualBoard, path: str, data: bytes, patience_s: float = 3.0) -> None:
        async with self.session(board) as session:

            async def ask(method: str, **params):
                return await session.ask(method, params, patience_s)

            sha256 = hashlib.sha256(data).digest()
            at = (await ask("put_begin", path=path, size=len(data), sha256=sha256))["have"]
            while at < len(data):
                at = (await ask("put_data", offset=at, data=data[at : at + 1024]))["next"]
            assert (await ask("put_end"))["sha256"] == sha256

    async def change_once(self, board: VirtualBoard, change: str) -> None:
        """Let the node start once with that change (indented by four) of its program, at its next start."""
        await self.put(board, "/main.py", ONCE.format(change=change).encode())

    @contextlib.asynccontextmanager
    async def prompt(self, board: VirtualBoard):
        """The raw REPL, out of the running node; left as it is, not restarted."""
        transport = await ports.connect(str(board.port))
        try:
            repl = Repl(transport)
            await repl.enter()
            yield repl
        finally:
            await transport.close()

    async def hear(self, board: VirtualBoard, wanted: bytes, *keys: bytes, within_s: float = 8.0) -> bytes:
        """Send the keys, then listen until the text comes; all that was heard. What is said before is lost."""
        transport = await ports.connect(str(board.port))
        heard = b""
        try:
            for key in keys:
                await transport.send(key)
            async with asyncio.timeout(within_s):
                while wanted not in heard:
                    heard += await transport.receive()
        except TimeoutError:
            raise AssertionError(f"{wanted!r} did not come, but {heard[-400:]!r}") from None
        finally:
            await transport.close()
        return heard

    async def mpremote(self, board: VirtualBoard, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mpremote", "connect", str(board.port), *command,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), 60)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode == 0, out
        return out.decode().replace("\r\n", "\n")

    def memory(self, board: VirtualBoard) -> bytes:
        """All that the board's process has in writable memory at this moment."""
        found = []
        with Path(f"/proc/{board.pid}/maps").open() as maps, Path(f"/proc/{board.pid}/mem").open("rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if rights.startswith("rw"):
                    start, end = (int(part, 16) for part in span.split("-"))
                    memory.seek(start)
                    found.append(memory.read(end - start))
        return b"".join(found)

    async def restart(self, board: VirtualBoard, wanted: bytes) -> bytes:
        """Restart a running node and hear what it says, up to `wanted`."""
        return await self.hear(board, wanted, RESTART)

    async def reset(self, board: VirtualBoard, wanted: bytes) -> bytes:
        """The same from its raw prompt."""
        return await self.hear(board, wanted, RESET)

    async def reset_at_prompt(self, board: VirtualBoard, wanted: bytes) -> bytes:
        """The same from its friendly prompt, which echoes: a prompt counts after the reset only."""
        return await self.hear(board, wanted, b"\r\x01" + RESET)

    def on_leaving(self, call: Callable[[], Awaitable[None]]) -> None:
        """Called when the story is over, however it ends."""
        self._stack.push_async_callback(call)

    async def ends(self, board: VirtualBoard, how: str, count: int = 1, within_s: float = 12.0) -> None:
        """Wait until the board was reset in that way so many times."""
        async with asyncio.timeout(within_s):
            while board.resets.count(how) < count:
                await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def micropython():
    try:
        return interpreter.ensure()
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(firmware.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield Provisioned(tmp_path_factory.mktemp("fleet") / "fleet")


@pytest.fixture
def nodes(tmp_path, micropython, provisioned):
    return Nodes(tmp_path, micropython, provisioned)
