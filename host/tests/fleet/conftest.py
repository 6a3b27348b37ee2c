"""Knows how tests of this folder get a fleet and boards; knows nothing of what they do with them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import firmware
from hedgerow.plans.parallel import Bench, PortResult
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.pump import Pace

sys.path.insert(0, str(Path(__file__).parent))  # for made_fleet

TEST_WITHIN_S = 55
BOARD = "ESP32_GENERIC_S3"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Compiled files are shared by the tests of one run, and no test writes into anybody's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(firmware.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def nodes_that_ask_nobody():
    """New fleets here are open: most tests look at nodes over a cable, as anybody; test_doors.py has those that ask."""
    usual = proposal.first_text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposal, "first_text", lambda name: usual(name).replace("protected = true", "protected = false"))
        yield


@pytest.fixture
def run() -> Callable[[Coroutine], object]:
    """Run the asynchronous part of a test, for a bounded time."""

    def bounded(work):
        async def within():
            async with asyncio.timeout(TEST_WITHIN_S):
                return await work

        return asyncio.run(within())

    return bounded


@dataclass
class Workshop:
    """A fleet whose nodes n1, n2, … have one board each, powered and bare."""

    fleet: FleetFolder
    boards: list[VirtualBoard]
    results: list[PortResult] = field(default_factory=list)

    @property
    def ports(self) -> list[str]:
        return [str(board.link) for board in self.boards]

    async def provision(self, *nodes: str, ports: list[str] | None = None, **seams) -> list[PortResult]:
        self.results = await Bench(self.fleet, **seams).provision(ports or self.ports, nodes)
        return self.results

    async def must_provision(self, **seams) -> None:
        for result in await self.provision(**seams):
            assert result.passed, result.error


@pytest.fixture(scope="session")
def micropython() -> interpreter.Interpreter:
    """Real MicroPython; a machine that cannot have it fails here, for what is tested with it is the main job."""
    return interpreter.ensure()


@pytest.fixture
def workshop(tmp_path, micropython):
    """`async with workshop(2) as shop:` is a fleet and two bare boards."""

    @asynccontextmanager
    async def opened(
        count: int = 1, board_id: str = BOARD, name: str = "river", pace: Pace | None = None
    ) -> AsyncIterator[Workshop]:
        async with AsyncExitStack() as stack:
            path = tmp_path / name
            founding.found(path, name).close()
            with (path / "fleet.toml").open("a", encoding="utf-8") as file:
                for number in range(1, count + 1):
                    file.write(proposal.node_text(f"n{number}", board_id))
            fleet = stack.enter_context(FleetFolder(path))
            made = []
            for number in range(1, count + 1):
                uid = bytes([number]) * 8
                board = VirtualBoard(
                    boards.load(board_id), tmp_path / f"{name}-{number}", micropython, uid=uid, pace=pace
                )
                stack.push_async_callback(board.close)
                await board.start()
                made.append(board)
            yield Workshop(fleet, made)

    return opened
