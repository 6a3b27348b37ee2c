"""Three protected nodes in a row, of which a laptop has a cable to the first."""

import asyncio
import contextlib
import itertools
import time

import pytest

from hedgerow.errors import FleetError
from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans import credentials, firmware
from hedgerow.plans.parallel import Bench
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.contacts import Links
from hedgerow.virtual.radio import Ether

TEST_WITHIN_S = 55.0
READY_WITHIN_S = 10.0
NAMES = ("near", "middle", "far")
SETTINGS = {"sample_ms": 60000, "hello_ms": 200}
BOARD = "ESP32_GENERIC_S3"


class Valley:
    """Nodes, the air between them, and what the laptop has. One event loop, everything bounded."""

    def __init__(self, path, micropython, provisioned):
        self.path = path
        self.fleet_path = provisioned.path
        self._micropython = micropython
        self._provisioned = provisioned
        self._stack = contextlib.AsyncExitStack()
        self.boards = {}

    def run(self, story, within_s=TEST_WITHIN_S):
        async def bounded():
            async with asyncio.timeout(within_s), self._stack:
                await story(self)

        asyncio.run(bounded())

    async def start(self, *names, loss=0.0):
        """The nodes of those names, each in reach of the ones beside it only."""
        self.air = Ether(seed=1, loss=loss, links=Links(everyone=False))
        self._stack.push_async_callback(self.air.close)
        address = await self.air.start()
        for name in names:
            uid = bytes([2, 0, 0, 0, 0, NAMES.index(name) + 1, 0, 0])
            board = VirtualBoard(
                boards.load(BOARD), self.path / name, self._micropython, uid=uid, ether=address, clock=time.time
            )
            self.air.name(uid[:6], name)
            self._stack.push_async_callback(board.close)
            self.boards[name] = board
            await self._provisioned.put_on(name, board)
        for one, other in itertools.pairwise(names):
            self.air.link(one, other, True)
        for board in self.boards.values():
            await self._ready(board)

    async def _ready(self, board):
        end = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                async with Session(await ports.connect(str(board.port))) as session:
                    await session.ask("hello", timeout_s=0.5)
                return
            except FleetError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    @property
    def keys(self):
        return credentials.at(self.fleet_path)

    def port(self, name="near"):
        return str(self.boards[name].port)


class Provisioned:
    """The fleet on this computer, and for every node the flash as provisioning left it."""

    def __init__(self, path):
        self.path = path
        self._flash = {}
        with founding.found(path, "valley"):
            pass
        with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
            for name in NAMES:
                text.write(proposal.node_text(name, BOARD, SETTINGS))

    async def put_on(self, name, board):
        if name in self._flash:
            board.directory.mkdir(parents=True)
            board.image.write_bytes(self._flash[name])
            await board.start()
            return
        await board.start()
        with folder.FleetFolder(self.path) as fleet:
            [result] = await Bench(fleet).provision([str(board.port)], [name])
        assert result.error is None, result.error
        await board.kill()
        self._flash[name] = board.image.read_bytes()
        await board.power_on()


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(firmware.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield Provisioned(tmp_path_factory.mktemp("fleet") / "fleet")


@pytest.fixture
def valley(tmp_path, provisioned):
    return Valley(tmp_path, interpreter.ensure(), provisioned)
