"""Measures provisioning of several boards at once, beside `mpremote` bringing the same files to one.

    python host/benchmarks/provision.py

What is timed: one `provision` from the first look at the ports to the last verified node, over ptys that carry
115,200 baud each, as cables do. The boards are bare: firmware, identity, name and configuration all travel.
Then 32 boards are provisioned on cables without a limit, where this machine is the limit.
mpremote's time is for one board and the files alone (`fs cp`), on the same kind of cable.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from hedgerow.errors import VerificationError
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import firmware
from hedgerow.plans.parallel import Bench
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.pump import Pace

BOARD = "ESP32_GENERIC_S3"
CABLE = Pace(115_200)
SIX_COST_AT_MOST = 2.0
MANY = 32


async def provision(count: int, pace: Pace | None, folder: Path) -> float:
    """Seconds to make `count` bare virtual boards into verified nodes. Raises if one of them does not pass."""
    found = interpreter.ensure()
    async with AsyncExitStack() as stack:
        path = folder / f"fleet-{count}"
        founding.found(path, "bench").close()
        with (path / proposal.FILE_NAME).open("a", encoding="utf-8") as file:
            for number in range(1, count + 1):
                file.write(proposal.node_text(f"n{number}", BOARD))
        fleet = stack.enter_context(FleetFolder(path))
        ports = []
        for number in range(1, count + 1):
            uid = number.to_bytes(8, "big")
            board = VirtualBoard(boards.load(BOARD), folder / f"board-{count}-{number}", found, uid=uid, pace=pace)
            stack.push_async_callback(board.close)
            await board.start()
            ports.append(str(board.link))
        started = time.monotonic()
        results = await Bench(fleet).provision(ports)
        seconds = time.monotonic() - started
        if failed := [result for result in results if not result.passed]:
            raise VerificationError(f"{len(failed)} of {count} boards did not pass; the first: {failed[0].error}")
        shorts = {result.short for result in results}
        if len(shorts) != count or fleet.roster.conflicts:
            raise VerificationError(f"{count} boards share {len(shorts)} short ids")
        return seconds


async def copy_by_mpremote(folder: Path) -> float:
    """Seconds that `mpremote fs cp -r` needs for the same files on one board with the same cable."""
    found = interpreter.ensure()
    tree = folder / "tree"
    for file in firmware.build(boards.load(BOARD)).files:
        (tree / file.path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tree / file.path[1:]).write_bytes(file.data)
    board = VirtualBoard(boards.load(BOARD), folder / "board-mpremote", found, uid=bytes(8), pace=CABLE)
    try:
        await board.start()
        started = time.monotonic()
        command = [sys.executable, "-m", "mpremote", "connect", str(board.port), "fs", "cp", "-r"]
        sources = [str(path) for path in sorted(tree.iterdir())]
        await asyncio.to_thread(subprocess.run, [*command, *sources, ":"], check=True, capture_output=True, timeout=300)
        return time.monotonic() - started
    finally:
        await board.close()


async def measure(folder: Path) -> dict[str, float]:
    """Every figure of this benchmark, in seconds."""
    await asyncio.to_thread(firmware.build, boards.load(BOARD))  # compiling is not what is measured
    return {
        "one": await provision(1, CABLE, folder),
        "six": await provision(6, CABLE, folder),
        "many": await provision(MANY, None, folder),
        "mpremote": await copy_by_mpremote(folder),
    }


def main() -> dict[str, float]:
    """Measure and print; a board that does not pass ends it with an error."""
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder)))
    size = firmware.build(boards.load(BOARD)).size_bytes
    print(f"{size / 1000:.1f} kB of firmware in {BOARD}, cables of {CABLE.baud:,} baud")
    print(f"  1 board, provisioned and verified         {figures['one']:6.1f} s")
    print(
        f"  6 boards at once                          {figures['six']:6.1f} s"
        f"   {figures['six'] / figures['one']:.2f} times one (at most {SIX_COST_AT_MOST})"
    )
    print(f"  1 board, files alone, by mpremote         {figures['mpremote']:6.1f} s")
    print(f"  {MANY} boards at once, cables without a limit {figures['many']:6.1f} s   none failed")
    return figures


if __name__ == "__main__":
    measured = main()
    sys.exit(0 if measured["six"] <= SIX_COST_AT_MOST * measured["one"] else "6 boards take too long beside one")
