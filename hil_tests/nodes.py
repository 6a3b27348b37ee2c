"""Knows the board on the bench as a node of a fleet: provisioned, asked and audited by the project's own means.

Knows nothing of frames or files: what a person does with a command is done here with the functions behind it.
"""

import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hedgerow.errors import LinkError
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.boards import Board
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, firmware, report
from hedgerow.plans.findings import Finding
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.parallel import Bench as PortBench
from hedgerow.plans.parallel import PortResult
from hedgerow.session import Session
from hedgerow.transports import ports
from hil_tests.background import Background
from hil_tests.benches import Bench

NAME = "under-test"
SETTINGS = {"radio": "none", "sample_ms": 500}  # alone on the table, and quick enough to watch
READY_S = 10.0
PROVISION_S = 100.0

Result = TypeVar("Result")


def build(board: Board) -> FirmwareSet:
    """The firmware, built once a run: whoever edits it meanwhile does not make an audit of this run find something."""
    return _build(board.id)


@cache
def _build(board_id: str) -> FirmwareSet:
    return firmware.build(boards.load(board_id))


class Node:
    """One fleet of one node. Every method blocks, and is bounded by the patience that its board needs."""

    def __init__(self, bench: Bench, background: Background, fleet_path: Path) -> None:
        self.bench = bench
        self._background = background
        self._fleet_path = fleet_path
        self._keys = credentials.at(fleet_path)
        if not (fleet_path / proposal.FILE_NAME).exists():
            with founding.found(fleet_path, "bench"):
                pass
            with (fleet_path / proposal.FILE_NAME).open("a", encoding="utf-8") as text:
                text.write(proposal.node_text(NAME, bench.board.id, SETTINGS))

    def provision(self) -> PortResult:
        """What `hedgerow provision` does. Raises what it would tell."""
        result = self.try_to_provision()
        if result.error is not None:
            raise result.error
        return result

    def try_to_provision(self) -> PortResult:
        """The same, with the error in the result."""

        async def work(fleet: FleetFolder) -> PortResult:
            [result] = await PortBench(fleet, build=build).provision([self.bench.port], [NAME])
            return result

        return self._with_fleet(work, PROVISION_S)

    def audit(self) -> list[Finding]:
        """What `hedgerow audit` finds."""

        async def work(fleet: FleetFolder) -> list[Finding]:
            audit = await report.run(fleet, [self.bench.port], build=build)
            for error in audit.errors.values():
                raise error
            return audit.findings

        return self._with_fleet(work, 90)

    def ask(self, method: str, params: dict[str, Any] | None = None, timeout_s: float = 5.0) -> Any:
        """One question over a connection of its own."""

        async def work() -> Any:
            async with Session(await ports.connect(self.bench.port), credentials=self._keys) as session:
                return await session.ask(method, params, timeout_s * self.bench.patience)

        return self._background.run(work(), 6 * timeout_s * self.bench.patience + 20)  # repeated, and then explained

    def wait_until_it_runs(self) -> dict[str, Any]:
        """Its hello, as soon as it answers."""
        end = time.monotonic() + READY_S * self.bench.patience
        while True:
            try:
                return self.ask("hello", timeout_s=1.0)
            except LinkError:
                if time.monotonic() > end:
                    raise

    def power_cycle(self) -> dict[str, Any]:
        """Cut the power, switch it on again; its hello."""
        self.bench.cut_power()
        self.bench.power_on()
        return self.wait_until_it_runs()

    def _with_fleet(self, work: Callable[[FleetFolder], Awaitable[Result]], timeout_s: float) -> Result:
        async def with_open_fleet() -> Result:
            with FleetFolder(self._fleet_path) as fleet:
                return await work(fleet)

        return self._background.run(with_open_fleet(), timeout_s * self.bench.patience)
