"""A node with Bluetooth, a laptop without a cable: real bleak on a D-Bus of its own, Bumble's radio, virtual boards."""

import asyncio
import contextlib
import os
import shutil
import sys
import time

import pytest

from hedgerow.errors import FleetError
from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans import credentials, firmware
from hedgerow.plans.parallel import Bench
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.bluetooth.air import Air
from hedgerow.virtual.bluetooth.bluez import ADDRESS_VARIABLE, Bluez, Bus

TEST_WITHIN_S = 50.0
COMMAND_WITHIN_S = 40.0
READY_WITHIN_S = 10.0
FLEET = {"oak": "ESP32_GENERIC_S3", "elm": "ESP32_GENERIC_S3"}
SETTINGS = {"sample_ms": 60000, "ble": True}


class Place:
    """Where the story happens: the air, the laptop's BlueZ, the boards. One event loop, everything bounded."""

    def __init__(self, path, micropython, provisioned):
        self.path = path
        self.fleet_path = provisioned.path
        self._micropython = micropython
        self._provisioned = provisioned
        self._stack = contextlib.AsyncExitStack()

    def run(self, story, within_s=TEST_WITHIN_S):
        async def bounded():
            async with asyncio.timeout(within_s), self._stack:
                await self._begin()
                await story(self)

        asyncio.run(bounded())

    async def _begin(self):
        self.air = Air()
        self.address = await self.air.start()
        self._stack.push_async_callback(self.air.close)
        bus = Bus(self.path)
        await bus.start()
        self._stack.push_async_callback(bus.close)
        bluez = Bluez(self.air, bus.address)
        await bluez.start()
        self._stack.push_async_callback(bluez.close)
        before = os.environ.get(ADDRESS_VARIABLE)
        os.environ[ADDRESS_VARIABLE] = bus.address
        self._stack.callback(_put_back, before)

    async def node(self, name="oak"):
        uid = bytes([2, 0, 0, 0, 0, list(FLEET).index(name) + 1, 0, 0])
        board = VirtualBoard(
            boards.load(FLEET[name]),
            self.path / name,
            self._micropython,
            uid=uid,
            bluetooth=self.address,
            clock=time.time,
        )
        self._stack.push_async_callback(board.close)
        await self._provisioned.put_on(name, board)
        end = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                async with Session(await ports.connect(str(board.port))) as session:
                    await session.ask("hello", timeout_s=0.5)
                return board
            except FleetError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)

    async def cli(self, *words, fleet=True):
        """(exit code, stdout, stderr) of a command, as a person runs it beside the node."""
        if fleet:
            words += ("--fleet", str(self.fleet_path))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hedgerow", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip
        try:
            out, err = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN_S)
        except TimeoutError:
            process.kill()
            raise
        return process.returncode, out.decode(), err.decode()

    @property
    def keys(self):
        return credentials.at(self.fleet_path)


def _put_back(before):
    if before is None:
        del os.environ[ADDRESS_VARIABLE]
    else:
        os.environ[ADDRESS_VARIABLE] = before


class Provisioned:
    """The fleet on this computer, and for every node the flash as provisioning left it."""

    def __init__(self, path):
        self.path = path
        self._flash = {}
        with founding.found(path, "hill"):
            pass
        with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
            for name, kind in FLEET.items():
                text.write(proposal.node_text(name, kind, SETTINGS))

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
def place(tmp_path, provisioned):
    if shutil.which("dbus-daemon") is None:
        why = "there is no dbus-daemon; on Debian and Ubuntu: apt-get install dbus"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return Place(tmp_path, interpreter.ensure(), provisioned)
