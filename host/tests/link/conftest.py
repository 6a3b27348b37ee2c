"""Knows how tests of this folder get a board; knows nothing of what they do with it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hedgerow.fleet import boards
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.pump import Pace

sys.path.insert(0, str(Path(__file__).parents[1]))  # for fake_node
sys.path.insert(0, str(Path(__file__).parent))  # for lines
sys.path.insert(0, str(Path(__file__).parents[3] / "firmware" / "tests"))  # for what boards have and CPython lacks

import fake_cryptolib
import like_micropython  # noqa: F401 - gives asyncio the names that boards have

fake_cryptolib.install()

UID = bytes.fromhex("e660583883000001")
TEST_WITHIN_S = 60


@pytest.fixture
def micropython() -> interpreter.Interpreter:
    found = interpreter.find()
    if found is None:
        pytest.skip("no micropython on PATH and none in $HEDGEROW_MICROPYTHON")
    return found


@pytest.fixture
def board(micropython, tmp_path):
    """`async with board() as one:` is a running virtual Pico with an empty flash; `board(pace=..)` a slow cable."""

    @asynccontextmanager
    async def started(pace: Pace | None = None, name: str = "one") -> AsyncIterator[VirtualBoard]:
        one = VirtualBoard(boards.load("RPI_PICO"), tmp_path / name, micropython, uid=UID, pace=pace)
        await one.start()
        try:
            yield one
        finally:
            await one.close()

    return started


@pytest.fixture
def run() -> Callable[[Awaitable], object]:
    """Run the asynchronous part of a test, for a bounded time."""

    def bounded(work):
        async def within():
            async with asyncio.timeout(TEST_WITHIN_S):
                return await work

        return asyncio.run(within())

    return bounded
