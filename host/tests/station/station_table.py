"""A table with a fleet, boards and a station, for the tests of this folder; knows nothing of what they do with it."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from hedgerow.flash.store import ImageStore
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans.flash import FlashBench
from hedgerow.plans.parallel import Bench
from hedgerow.report.node_labels import LabelFiles
from hedgerow.station.bench import Station
from hedgerow.station.card import Card, Phase
from hedgerow.station.records import Records
from hedgerow.station.watch import NamedWatch, named
from hedgerow.station.work import Tools
from hedgerow.virtual import VirtualBoard, interpreter

sys.path.append(str(Path(__file__).parents[1] / "flash"))

import made_images

if sys.platform.startswith("linux"):
    from hedgerow.virtual.esp_rom import EmulatedRom

BOARD = "ESP32_GENERIC_S3"
SENSORS = 'sensors = [{ driver = "sht31" }, { driver = "lps22hb", address = 0x5c }]\n'


class NewBoard:
    """A board as it comes: in its boot loader until it was flashed, and MicroPython from then on, on one port."""

    def __init__(self, folder: Path, runs: Path, **faults) -> None:
        folder.mkdir(parents=True)
        self.port = folder / "port"
        self._rom = EmulatedRom("ESP32-S3", folder, 8 << 20, **faults)
        self._runs = runs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._rom.close()

    def _live(self) -> None:
        while not self._stop.is_set():
            time.sleep(0.02)
            if self._rom.erased_bytes and not self._rom.is_open:
                self._rom.close()
                self.port.symlink_to(self._runs)
                return


@dataclass
class Table:
    """A fleet whose nodes n1, n2, … have a board each, an image of MicroPython, and a station with their ports."""

    folder: Path
    fleet: FleetFolder
    boards: list[VirtualBoard]
    stack: AsyncExitStack
    labels: LabelFiles = None

    def port(self, number: int) -> str:
        return str(self.boards[number - 1].link)

    def new_board(self, number: int, **faults) -> str:
        """That board comes without MicroPython; its port."""
        new = NewBoard(self.folder / f"new-{number}", self.boards[number - 1].link, **faults)
        self.stack.callback(new.close)
        return str(new.port)

    def tools(self) -> Tools:
        images = ImageStore(self.folder / "images").sound_images()
        self.labels = labels = LabelFiles(self.fleet)
        return Tools(self.fleet, Bench(self.fleet), FlashBench(images), Records(self.fleet.path), labels.one)

    def station(self, ports: Sequence[str], **seams) -> Station:
        return Station(self.tools(), NamedWatch(ports), expected=[named(port) for port in ports], **seams)

    def write_fleet(self, text: str) -> None:
        (self.fleet.path / "fleet.toml").write_text(text)


@asynccontextmanager
async def opened(
    tmp_path: Path, micropython: interpreter.Interpreter, count: int = 1, pace=None
) -> AsyncIterator[Table]:
    async with AsyncExitStack() as stack:
        path = tmp_path / "orchard"
        founding.found(path, "orchard").close()
        with (path / "fleet.toml").open("a", encoding="utf-8") as file:
            for number in range(1, count + 1):
                file.write(proposal.node_text(f"n{number}", BOARD))
        (tmp_path / "images").mkdir()
        image = tmp_path / "s3.bin"
        image.write_bytes(made_images.esp("ESP32-S3", flash_code=3))
        ImageStore(tmp_path / "images").add(image)
        fleet = stack.enter_context(FleetFolder(path))
        made = []
        for number in range(1, count + 1):
            board = VirtualBoard(
                boards.load(BOARD), tmp_path / f"board-{number}", micropython, uid=bytes([number]) * 8, pace=pace
            )
            stack.push_async_callback(board.close)
            await board.start()
            made.append(board)
        yield Table(tmp_path, fleet, made, stack)


async def until(station: Station, wanted: Callable[[list[Card]], bool], within_s: float = 50.0) -> list[Card]:
    """The cards, as soon as they are as wanted."""
    async with asyncio.timeout(within_s):
        while not wanted(station.cards):
            await station.changed(station.version)
    return station.cards


def at_rest(count: int) -> Callable[[list[Card]], bool]:
    """All of so many places have come to an end."""
    return lambda cards: len(cards) == count and all(card.phase in (Phase.PASS, Phase.FAIL) for card in cards)
