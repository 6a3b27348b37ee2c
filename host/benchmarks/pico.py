"""Measures the node's firmware on an emulated Pico, in chip time; knows how to run it, not what is inside.

    python host/benchmarks/pico.py           all figures with empty stores
    python host/benchmarks/pico.py --full    also with full stores, which takes some minutes more
    python host/benchmarks/pico.py --node    the running node alone, without the parts one by one
    python host/benchmarks/pico.py --json

Chip time is what the same code takes on a real Pico but for XIP cache misses, which the emulator does not have. Flash
erase and program times are typical ones of the data sheet. The last column says what a figure must reach, if anything.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from full_stores import full_stores

from hedgerow.errors import FleetError
from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans import credentials, firmware
from hedgerow.plans.parallel import Bench as PortBench
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, copy_files
from hedgerow.session import Credentials, KeptInMemory, Session
from hedgerow.transports.serial import open_serial
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.emulated_pico import EmulatedPico

HEAP_FREE_AT_LEAST_BYTES = 100_000
READY_WITHIN_MS = 3000
FIRST_SESSION_WITHIN_MS = 3000
RESUMED_SESSION_WITHIN_MS = 100
BOARD = "RPI_PICO_EMULATED"
NAME = "bench"
UID = bytes.fromhex("e660583883000001")
ANSWER_S = 20.0
SETTLED_MS = 25_000  # every task has had its turns, and the ledger has noted the start
GROUP = bytes.fromhex("6a12b00c5d0e4f71")
READY_WORDS = "is up, boot"  # the first line of the node's log
ON_CHIP = Path(__file__).parent / "on_chip"
EXEC_S = 600.0  # of this computer, which may have other work


@dataclass(frozen=True)
class Figure:
    """One measured number. `at_least` or `at_most` is the bar, where there is one."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def good(self) -> bool:
        return not (
            (self.at_least is not None and self.value < self.at_least)
            or (self.at_most is not None and self.value > self.at_most)
        )

    def __str__(self) -> str:
        bar = f"at least {self.at_least:,.0f}" if self.at_least is not None else ""
        bar = f"at most {self.at_most:,.0f}" if self.at_most is not None else bar
        verdict = "" if not bar else "  PASS" if self.good else "  FAIL"
        return f"{self.name:<58}{self.value:>12,.1f} {self.unit:<6}{bar}{verdict}"


async def measure(directory: Path, tell: Callable[[Figure], None], *, parts: bool, full: bool) -> None:
    """Tells every figure as it is found. Raises EnvironmentProblem where a part of the emulated Pico is missing."""
    async with EmulatedPico(None, directory) as pico:
        if parts:
            for figure in await _without_the_application(pico):
                tell(figure)
        twin = _Twin(directory)
        try:
            await _start_from(pico, await twin.provisioned())
            for figure in await _with_the_application(pico, "empty stores"):
                tell(figure)
            for figure in await _sessions(pico, twin.credentials):
                tell(figure)
            if full:
                files, bundles, samples = full_stores(directory / "stores", boards.load(BOARD).filesystem_bytes)
                await _start_from(pico, await twin.filled(files))
                for figure in await _with_the_application(pico, f"{bundles} bundles, {samples} samples"):
                    tell(figure)
        finally:
            await twin.close()


async def _without_the_application(pico: EmulatedPico) -> list[Figure]:
    transport = open_serial(pico.port)
    try:
        async with Repl(transport) as repl:
            bare = float(await repl.exec("import gc; gc.collect(); print(gc.mem_free())"))
            await copy_files(repl, list(_modules()))
            found = [Figure("heap free, nothing loaded", bare, "bytes")]
            for script in sorted(ON_CHIP.glob("*.py")):
                await repl.soft_reset()
                await repl.exec("import sys; sys.path.insert(0, '/a')")
                found += _figures((await repl.exec(script.read_bytes(), EXEC_S)).decode())
            return found
    finally:
        await transport.close()


def _modules() -> Iterator[FileToCopy]:
    """The firmware without what would start it."""
    built = firmware.build(boards.load(BOARD))
    return (file for file in built.files if file.path != "/main.py")


def _figures(printed: str) -> Iterator[Figure]:
    """Lines of `name|number|unit`, or `name|number|unit|at most`, as the scripts of on_chip/ print them."""
    for line in printed.splitlines():
        name, value, unit, *bar = line.split("|")
        yield Figure(name, float(value), unit, at_most=float(bar[0]) if bar and bar[0] else None)


class _Twin:
    """A virtual Pico that is provisioned as a person does it: in seconds, where the emulated one takes minutes.

    Both have the same file system block by block, so what one wrote the other starts from.
    """

    def __init__(self, directory: Path) -> None:
        self._fleet_path = directory / "fleet"
        self._board = VirtualBoard(boards.load("RPI_PICO"), directory / "twin", interpreter.ensure(), uid=UID)

    @property
    def credentials(self) -> Credentials:
        return credentials.at(self._fleet_path)

    async def provisioned(self) -> bytes:
        """The file system of a node that is a member of a group, has sent something there, and signed its ledger."""
        with founding.found(self._fleet_path, "bench"):
            pass
        fleet_toml = self._fleet_path / proposal.FILE_NAME
        fleet_toml.write_text(fleet_toml.read_text().replace("protected = true", "protected = false"))
        with fleet_toml.open("a", encoding="utf-8") as text:
            text.write(proposal.node_text(NAME, "RPI_PICO", {"sample_ms": 5000}))
        await self._board.start()
        with folder.FleetFolder(self._fleet_path) as fleet:
            [result] = await PortBench(fleet).provision([str(self._board.port)], [NAME])
        if result.error is not None:
            raise result.error
        async with Session(open_serial(str(self._board.port))) as node:
            group = {"id": GROUP, "name": "bakers", "epoch": 256, "secret": bytes(32)}
            await node.ask("group_put", group, timeout_s=ANSWER_S)
            await node.ask("post", {"group": GROUP, "text": "the oven is on from six"}, timeout_s=ANSWER_S)
            await node.ask("ledger_head", timeout_s=ANSWER_S)
        await self._board.kill()
        return self._board.image.read_bytes()

    async def filled(self, stores: list[FileToCopy]) -> bytes:
        """The same with other stores."""
        await self._board.power_on()
        transport = open_serial(str(self._board.port))
        try:
            async with Repl(transport) as repl:
                await repl.exec(_EMPTY_STORES)
                await copy_files(repl, stores)
        finally:
            await transport.close()
        await self._board.kill()
        return self._board.image.read_bytes()

    async def close(self) -> None:
        await self._board.close()


_EMPTY_STORES = """
import os
for folder in ('/store/bundles', '/store/samples'):
    for name in os.listdir(folder):
        os.remove(folder + '/' + name)
"""


async def _start_from(pico: EmulatedPico, filesystem: bytes) -> None:
    await pico.kill()
    flash = pico.snapshot_flash()
    pico.load_flash(flash[: -len(filesystem)] + filesystem)
    await pico.power_on()


async def _with_the_application(pico: EmulatedPico, stores: str) -> list[Figure]:
    ready_ms = await _restarted(pico)
    async with Session(open_serial(pico.port)) as node:
        await _settled(pico, ready_ms)
        status = await node.ask("status", timeout_s=20)
        hello_ms = await _answer_ms(pico, node, "hello")
    return [
        Figure(f"from reset to running, {stores}", ready_ms, "ms", at_most=READY_WITHIN_MS),
        Figure(f"heap free, {stores}", status["heap_free"], "bytes", at_least=HEAP_FREE_AT_LEAST_BYTES),
        Figure(f"heap used, {stores}", status["heap_used"], "bytes"),
        Figure("hello answered, cable included", hello_ms, "ms"),
    ]


async def _sessions(pico: EmulatedPico, keys: Credentials) -> list[Figure]:
    """The same node, asking for keys: from the first question to its proof. This computer's own part is 1 ms."""
    async with Session(open_serial(pico.port)) as node:
        await node.ask("configure", {"config": {"protected": True}}, timeout_s=ANSWER_S)
    ready_ms = await _restarted(pico)
    await _settled(pico, ready_ms)
    found = []
    keys = replace(keys, kept=KeptInMemory())
    for name, bar_ms in (
        ("first session of a laptop, cable included", FIRST_SESSION_WITHIN_MS),
        ("session taken up again, cable included", RESUMED_SESSION_WITHIN_MS),
    ):
        async with Session(open_serial(pico.port), credentials=keys) as node:
            await node.ask("hello", timeout_s=ANSWER_S)
            before = await pico.chip_time_ms()
            await node.is_protected()
            found.append(Figure(name, await pico.chip_time_ms() - before, "ms", at_most=bar_ms))
            heap = (await node.ask("status", timeout_s=ANSWER_S))["heap_free"]
    return [*found, Figure("heap free with two sessions, empty stores", heap, "bytes")]


async def _restarted(pico: EmulatedPico) -> float:
    """Chip time from reset until the node runs."""
    saying = asyncio.create_task(pico.chip_ms_when_it_says(READY_WORDS, EXEC_S))
    await asyncio.sleep(0)
    await pico.press_reset()
    return await saying


async def _settled(pico: EmulatedPico, ready_ms: float) -> None:
    while (await pico.status()).since_reset_ms < ready_ms + SETTLED_MS:
        await asyncio.sleep(0.5)


async def _answer_ms(pico: EmulatedPico, node: Session, method: str) -> float:
    rounds = 10
    before = await pico.chip_time_ms()
    for _ in range(rounds):
        await node.ask(method, timeout_s=20)
    return (await pico.chip_time_ms() - before) / rounds


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the firmware on an emulated Pico, in chip time.")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--full", action="store_true", help="measure with full stores, too")
    parser.add_argument("--node", action="store_true", help="measure the running node alone")
    wanted = parser.parse_args()
    figures: list[Figure] = []

    def tell(figure: Figure) -> None:
        figures.append(figure)
        if not wanted.json:
            print(figure, flush=True)

    try:
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(measure(Path(directory), tell, parts=not wanted.node, full=wanted.full))
    except FleetError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return problem.exit_code
    if wanted.json:
        print(json.dumps([asdict(figure) | {"good": figure.good} for figure in figures], indent=2))
    return 0 if all(figure.good for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
