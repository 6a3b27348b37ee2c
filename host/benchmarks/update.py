"""Measures an update over a cable of 115,200 baud, beside `mpremote fs cp -r` of the same tree; knows no board.

    python host/benchmarks/update.py

One file of the firmware changes between two releases: a few lines more, as after a mended fault. What is timed is the
whole of `hedgerow update`, from opening the port to the confirmation that was read back: the session and its keys, the
restart, the health check. The bytes are all that go over the cable in that time, both ways. "Changed chunks" are the
blocks of the file and of the manifest that the node had not, as they are sent.

mpremote gets a board with the old tree, and brings it to the new one. It compares by hash and leaves out what is there
already; it verifies nothing afterwards, restarts nothing, and a cut leaves half of a tree. The node's own work runs at
this computer's speed in both figures; a real chip hashes and restarts more slowly.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hedgerow import resources
from hedgerow.errors import VerificationError
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, firmware, reach, release, update
from hedgerow.plans.parallel import Bench
from hedgerow.plans.release import Kept
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.pump import Pace

BOARD = "ESP32_GENERIC_S3"
CABLE = Pace(115_200)
CHANGED = "hedgenode/store/segments"
CHANGE = "\n\ndef mended(value):\n    return value if value is None or value >= 0 else -value\n"
BYTES_AT_MOST = 3000  # beside the changed chunks
SECONDS_AT_MOST = 3.0
UID = bytes.fromhex("020000000001aaaa")


@dataclass(frozen=True)
class Taken:
    """What one way took: bytes over the cable in both directions, how many of them were chunks, seconds."""

    what: str
    wire_bytes: int
    chunk_bytes: int
    seconds: float

    def __str__(self) -> str:
        beside = f", {self.wire_bytes - self.chunk_bytes:,} beside {self.chunk_bytes:,} of chunks"
        return f"  {self.what:<44}{self.wire_bytes:>9,} bytes{self.seconds:>8.2f} s{beside if self.chunk_bytes else ''}"


def sources(folder: Path) -> dict[int, Path]:
    """Firmware folders: what is there now, and the same with one change."""
    found = {1: folder / "source-1", 2: folder / "source-2"}
    for path in found.values():
        for package in firmware.PACKAGES:
            shutil.copytree(resources.firmware_folder() / package, path / package)
        for name in firmware.AS_SOURCE:
            shutil.copy(resources.firmware_folder() / name, path / name)
    with (found[2] / f"{CHANGED}.py").open("a", encoding="utf-8") as file:
        file.write(CHANGE)
    return found


def releases(fleet: FleetFolder, folder: Path) -> dict[int, Kept]:
    """Both releases, signed."""
    made = {}
    for number, source in sources(folder).items():
        kept = release.build(boards.load(BOARD), fleet.fleet_id, number, folder / f"release-{number}", source)
        made[number], _ = release.sign(kept, fleet.secrets.stewards.values(), fleet.standing)
    return made


async def by_hedgerow(folder: Path) -> tuple[list[Taken], dict[int, Kept]]:
    """A node is provisioned, brought to the first release, then to the second."""
    founding.found(folder / "fleet", "bench").close()
    with (folder / "fleet" / proposal.FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(proposal.node_text("n1", BOARD))
    with FleetFolder(folder / "fleet") as fleet:
        kept = releases(fleet, folder)
        bare = VirtualBoard(boards.load(BOARD), folder / "node", interpreter.ensure(), uid=UID)
        await bare.start()
        [result] = await Bench(fleet).provision([str(bare.link)])
        await bare.close()
        if result.error is not None:
            raise result.error
        board = VirtualBoard(boards.load(BOARD), folder / "node", interpreter.ensure(), uid=UID, pace=CABLE)
        try:
            await board.start()
            taken = [
                await _update(board, kept[1], fleet, "hedgerow update, the first after provisioning"),
                await _update(board, kept[2], fleet, "hedgerow update, one file changed"),
            ]
        finally:
            await board.close()
    return taken, kept


async def _update(board: VirtualBoard, kept: Kept, fleet: FleetFolder, what: str) -> Taken:
    keys = credentials.of(fleet)
    counters = board.counters
    await _running(board, keys)
    before, began = counters.to_board + counters.from_board, time.monotonic()
    async with reach.all_nodes([str(board.link)], credentials=keys) as (reached, errors):
        if errors:
            raise next(iter(errors.values()))
        done = await update.update(reached[0], kept, lambda _doing: None, credentials=keys)
    if not done.changed:
        raise VerificationError("nothing was updated")
    seconds = time.monotonic() - began
    sent = done.bytes_sent + done.manifest_bytes_sent
    return Taken(what, counters.to_board + counters.from_board - before, sent, seconds)


async def _running(board: VirtualBoard, keys) -> None:
    """Wait until it answers; the first session of a laptop is agreed on here, as on any day but the first."""
    async with asyncio.timeout(20):
        while True:
            async with reach.all_nodes([str(board.link)], credentials=keys) as (reached, _):
                if reached:
                    await reached[0].session.ask("status")
                    return
            await asyncio.sleep(0.1)


async def by_mpremote(folder: Path, kept: dict[int, Kept]) -> Taken:
    """A board with the old tree gets the new one."""
    fast = VirtualBoard(boards.load(BOARD), folder / "peer", interpreter.ensure(), uid=UID)
    await fast.start()
    await _copy_by_mpremote(fast, kept[1])
    await fast.close()
    board = VirtualBoard(boards.load(BOARD), folder / "peer", interpreter.ensure(), uid=UID, pace=CABLE)
    try:
        await board.start()
        counters = board.counters
        before, began = counters.to_board + counters.from_board, time.monotonic()
        await _copy_by_mpremote(board, kept[2])
        seconds = time.monotonic() - began
        return Taken("mpremote fs cp -r, the same tree", counters.to_board + counters.from_board - before, 0, seconds)
    finally:
        await board.close()


async def _copy_by_mpremote(board: VirtualBoard, kept: Kept) -> None:
    tops = [str(path) for path in sorted(kept.folder.iterdir()) if path.name != release.FILE_NAME]
    command = [sys.executable, "-m", "mpremote", "connect", str(board.port), "fs", "cp", "-r", *tops, ":"]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=300)


async def measure(folder: Path) -> list[Taken]:
    taken, kept = await by_hedgerow(folder)
    size = sum(size for _, size, _ in kept[2].says.files)
    manifest = len(kept[2].paper.encode())
    print(f"{BOARD}, {CABLE.baud:,} baud: {len(kept[2].says.files)} files, {size:,} bytes, a manifest of {manifest:,}")
    return [*taken, await by_mpremote(folder, kept)]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    for taken in found:
        print(taken)
    ours = found[1]
    good = ours.wire_bytes - ours.chunk_bytes <= BYTES_AT_MOST and ours.seconds <= SECONDS_AT_MOST
    print(f"  at most {BYTES_AT_MOST:,} bytes beside the chunks, {SECONDS_AT_MOST} s: {'PASS' if good else 'FAIL'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
