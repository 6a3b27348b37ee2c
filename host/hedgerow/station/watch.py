"""Knows when something is plugged in or pulled out. Knows no board, and opens no port.

`Watch` is the seam; `UsbWatch` looks at this machine's USB ports, `NamedWatch` at ports that a person named: a
pseudo-terminal of a virtual board is there when its path is, a URL always.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from hedgerow.errors import LinkError
from hedgerow.flash import bootsel
from hedgerow.fleet import boards
from hedgerow.transports import ports
from hedgerow.transports.ports import PortFacts

DRIVE = "the drive of a Pico in its boot loader"
RASPBERRY_PI = 0x2E8A


def is_pico(facts: PortFacts) -> bool:
    """Whether it may be one of those that are a port now and a drive a moment later."""
    return facts.vid == RASPBERRY_PI or facts.description == DRIVE


def is_known_board(facts: PortFacts) -> bool:
    """Whether its USB id is that of a board, or of an adapter on one, that Hedgerow knows."""
    return bool(ports.guess_boards(facts, _real_boards()))


@cache
def _real_boards() -> list[boards.Board]:
    return [board for board in boards.all_boards() if board.stand_in is None]


class Watch(Protocol):
    """Which ports there are now. Called several times a second, in a thread: it must not wait for anything."""

    def here(self) -> list[PortFacts]: ...


@dataclass(frozen=True)
class UsbWatch:
    """Every USB port of this machine; with `is_board`, those that it says yes to. And the drives of new Picos."""

    is_board: Callable[[PortFacts], bool] = lambda _: True
    ports: Callable[[], list[PortFacts]] = ports.here
    drives: Callable[[], list[Path]] = bootsel.drives

    def here(self) -> list[PortFacts]:
        there = [facts for facts in self.ports() if self.is_board(facts)]
        return there + [PortFacts(str(path), description=DRIVE) for path in self.drives()]


@dataclass(frozen=True)
class NamedWatch:
    """The ports that were named, in that order: paths, URLs, `id:SERIAL`. Each keeps its name as its place."""

    names: Sequence[str]

    def here(self) -> list[PortFacts]:
        plugged = ports.here()
        return [facts for name in self.names if (facts := _one(name, plugged)) is not None]


def named(name: str) -> PortFacts:
    """What is known of a port that was named, while nothing is plugged in there."""
    return PortFacts(name, location=name)


def _one(name: str, plugged: Sequence[PortFacts]) -> PortFacts | None:
    try:
        path = ports.resolve(name, plugged)
    except LinkError:
        return None  # an id: whose adapter is not there
    known = next((facts for facts in plugged if facts.path == path), None)
    if known is not None:
        return replace(known, location=name)
    if "://" in path or _is_there(path):
        return PortFacts(path, location=name)
    return None


def _is_there(path: str) -> bool:
    """COM ports of Windows are no files: the system's list of ports alone knows them."""
    return os.name != "nt" and Path(path).exists()
