"""Knows the three kinds of board that these tests run on, and what each can be put through; knows no test.

A bench is one board and what a person at a table can do to it: pull its power, make it blank, put it back as it was.
What a bench cannot do raises CannotDo with the reason, and the test that needs it is skipped with that reason.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hedgerow.errors import EnvironmentProblem
from hedgerow.fleet import boards
from hedgerow.virtual.board import VirtualBoard
from hedgerow.virtual.emulated_pico import EmulatedPico, find_parts
from hedgerow.virtual.emulated_pico.pico import PATIENCE
from hedgerow.virtual.pump import Disturbance
from hil_tests.background import Background
from hil_tests.mpremote_runs import mpremote
from hil_tests.rig import flash, run_hook, wait_for_port

VIRTUAL, EMULATED = "VIRTUAL", "RPI_PICO_EMULATED"


class CannotDo(Exception):
    """This bench has no way to do what the test needs; the text says why."""


class Bench(Protocol):
    board: boards.Board
    patience: float
    """What waits on the wall clock are multiplied with: an emulated chip is slower than it says."""

    @property
    def port(self) -> str: ...
    def start(self) -> None: ...
    def cut_power(self) -> None: ...
    def power_on(self) -> None: ...
    def cut_power_after_flash_writes(self, writes: int) -> None: ...
    def wait_for_power_cut(self) -> None: ...
    def make_blank(self) -> None: ...
    def save(self) -> object:
        """The contents of the flash; a bench that can do so cuts the power for it."""
        ...

    def restore(self, saved: object) -> None:
        """Put them back, and switch on."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """What the command line says about the board, and the MicroPython that is to run on it (None: the usual one)."""

    board_id: str
    stands_for: str
    port: str | None
    image: Path | None = None
    power_hook: str | None = None
    may_erase: bool = False


def find_bench(wanted: Wanted, directory: Path, background: Background) -> Bench:
    """A bench that is not started. Raises EnvironmentProblem where this machine lacks a part that the board needs."""
    board_id = wanted.board_id
    if wanted.port is not None:
        return RealBench(wanted)
    if board_id == EMULATED:
        return EmulatedBench(wanted.image, directory, background)
    if board_id == VIRTUAL:
        return VirtualBench(wanted, directory, background)
    raise EnvironmentProblem(
        f"{board_id} is a board that one can hold, and no port was given",
        next_step="Name its port with --port, or choose --board VIRTUAL or --board RPI_PICO_EMULATED.",
    )


class VirtualBench:
    """A process of real MicroPython."""

    patience = 1.0

    def __init__(self, wanted: Wanted, directory: Path, background: Background) -> None:
        from hedgerow.virtual import interpreter

        found = interpreter.find() if wanted.image is None else interpreter.probe((str(wanted.image),), "--firmware")
        if found is None:
            raise EnvironmentProblem("this machine has no MicroPython to run virtual boards with")
        self.board = boards.load(wanted.stands_for)
        self._run = background.run
        self._virtual = VirtualBoard(self.board, directory / "virtual", found, uid=bytes.fromhex("e660583883000002"))

    def start(self) -> None:
        self._run(self._virtual.start())

    @property
    def port(self) -> str:
        assert self._virtual.port is not None
        return self._virtual.port

    def cut_power(self) -> None:
        self._run(self._virtual.kill())

    def power_on(self) -> None:
        self._run(self._virtual.power_on())

    def cut_power_after_flash_writes(self, writes: int) -> None:
        self._virtual.cut_after_writes(writes, half=True)

    def wait_for_power_cut(self) -> None:
        self._run(self._virtual.wait_off(20))

    def pull_cable(self) -> None:
        self._virtual.pull_cable()

    def plug(self) -> None:
        self._virtual.plug()

    def disturb(self, disturbance: Disturbance) -> None:
        self._virtual.disturb(disturbance)

    def make_blank(self) -> None:
        self.cut_power()
        self._virtual.image.write_bytes(bytes(self._virtual.image.stat().st_size))
        self.power_on()

    def save(self) -> bytes:
        self.cut_power()
        image = self._virtual.image.read_bytes()
        self.power_on()
        return image

    def restore(self, saved: object) -> None:
        assert isinstance(saved, bytes)
        self.cut_power()
        self._virtual.image.write_bytes(saved)
        self.power_on()

    def close(self) -> None:
        self._run(self._virtual.close())


class EmulatedBench:
    """The official firmware on an emulated chip."""

    patience = float(PATIENCE)

    def __init__(self, image: Path | None, directory: Path, background: Background) -> None:
        self.board = boards.load(EMULATED)
        self._run = background.run
        self.pico = EmulatedPico(find_parts(image).uf2, directory / "emulated_pico")
        self._blank = b""

    def start(self) -> None:
        self._run(self.pico.start())
        self._blank = self.pico.snapshot_flash()

    @property
    def port(self) -> str:
        return self.pico.port

    def cut_power(self) -> None:
        self._run(self.pico.kill())

    def power_on(self) -> None:
        self._run(self.pico.power_on())

    def cut_power_after_flash_writes(self, writes: int) -> None:
        self._run(self.pico.cut_after_flash_operations(writes, torn=True))

    def wait_for_power_cut(self) -> None:
        self._run(self.pico.wait_power_lost(60))

    def make_blank(self) -> None:
        self.restore(self._blank)

    def save(self) -> bytes:
        self.cut_power()
        image = self.pico.snapshot_flash()
        self.power_on()
        return image

    def restore(self, saved: object) -> None:
        assert isinstance(saved, bytes)
        self.cut_power()
        self.pico.load_flash(saved)
        self.power_on()

    def close(self) -> None:
        self._run(self.pico.close())


class RealBench:
    """A board on a cable. Its power is switched by the rig's own command, if there is one; its flash wears."""

    patience = 1.0

    def __init__(self, wanted: Wanted) -> None:
        assert wanted.port is not None
        self.port = wanted.port
        self._power_hook = wanted.power_hook
        self._image = wanted.image
        if wanted.image is not None and not wanted.may_erase:
            raise EnvironmentProblem("another MicroPython erases the board", next_step="Allow it with --may-erase.")
        self.board = boards.load(wanted.board_id) if wanted.board_id != VIRTUAL else _board_at(wanted.port)

    def start(self) -> None:
        """It runs already, but for an image that it is to get."""
        if self._image is not None:
            flash(self.port, self._image)

    def cut_power(self) -> None:
        self._switch("off")

    def power_on(self) -> None:
        if self._power_hook is not None:
            self._switch("on")
            wait_for_port(self.port)

    def _switch(self, action: str) -> None:
        if self._power_hook is None:
            raise CannotDo("nobody can pull the power of a real board from here; --power-hook names a command that can")
        run_hook(self._power_hook, action)

    def cut_power_after_flash_writes(self, writes: int) -> None:
        raise CannotDo("nobody can see the flash writes of a real board from here")

    def wait_for_power_cut(self) -> None:
        raise CannotDo("nobody can see the flash writes of a real board from here")

    def make_blank(self) -> None:
        mpremote(self.port, "exec", _EMPTY_THE_FILE_SYSTEM, timeout_s=120)
        mpremote(self.port, "reset")

    def save(self) -> None:
        return None

    def restore(self, saved: object) -> None:
        """A real board stays as the last test left it."""

    def close(self) -> None:
        """Nothing was opened."""


_EMPTY_THE_FILE_SYSTEM = """
import os
def empty(folder):
    for entry in os.listdir(folder):
        path = folder + "/" + entry
        if os.stat(path)[0] & 0x4000:
            empty(path)
            os.rmdir(path)
        else:
            os.remove(path)
empty("")
"""


def _board_at(port: str) -> boards.Board:
    machine = mpremote(port, "exec", "import os; print(os.uname().machine)").strip()
    with contextlib.suppress(IndexError):
        return boards.answering_as(machine)[0]
    raise EnvironmentProblem(f"the board at {port} says it is {machine!r}, which boards/ does not know")
