"""Knows the facts of every board in `boards/`; knows no port and no node.

A board is data: `boards/<ID>/board.toml` has the facts, `board.py` the pins that go onto the node. A stand-in (a
virtual or an emulated board) names the board it stands for and takes every fact that it does not state from there.
"""

import json
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from hedgerow import resources
from hedgerow.errors import UsageError

SCHEMA_FILE = "board.schema.json"

LEAST_HEAP_FOR_KEYS_BYTES = 131_072


@dataclass(frozen=True)
class Current:
    """What a board draws in one state, at its usual supply voltage, and who says so."""

    current_ua: int
    source: str


@dataclass(frozen=True)
class Variant:
    """A build of MicroPython for the same board with other memory; facts that differ from the board's."""

    name: str
    note: str
    flash_bytes: int
    filesystem_bytes: int
    heap_bytes: int
    machine: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """The facts of one board. `folder` is `boards/<ID>`."""

    id: str
    name: str
    mcu: str
    port: str
    """The MicroPython port: "esp32" or "rp2"."""
    machines: tuple[str, ...]
    """Every text that `os.uname().machine` has had since MicroPython 1.22, today's first."""
    flash_bytes: int
    filesystem_bytes: int
    heap_bytes: int
    radios: tuple[str, ...]
    usb_ids: tuple[str, ...]
    """"vid:pid" in lower-case hex, as seen while MicroPython or its USB adapter runs."""
    usb_bootloader_ids: tuple[str, ...]
    bootloader_help: str
    """Which button to hold, in full sentences."""
    folder: Path
    stands_for: str | None = None
    stand_in: str | None = None
    """"virtual" or "emulated" for a stand-in, None for a board that you can hold."""
    supply_mv: int = 3300
    energy: dict[str, Current] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)

    @property
    def machine(self) -> str:
        """The text of `os.uname().machine` that a stand-in answers with."""
        return self.machines[0]

    @property
    def has_room_for_keys(self) -> bool:
        """Whether a member of groups fits: a smaller board carries every layer and reads the public one."""
        return self.heap_bytes >= LEAST_HEAP_FOR_KEYS_BYTES

    @property
    def platform(self) -> str:
        """The text of `sys.platform`; it is the name of the MicroPython port."""
        return self.port

    @property
    def board_py(self) -> Path:
        """The pins, as a file that goes onto the node. A stand-in may leave it to the board it stands for."""
        own = self.folder / "board.py"
        if own.is_file() or self.stands_for is None:
            return own
        return load(self.stands_for).board_py

    def answers_as(self, machine: str) -> bool:
        """Whether a node that says `machine` may be this board. Newer MicroPython writes ESP32-S3 for ESP32S3."""
        known = [*self.machines, *(text for variant in self.variants.values() for text in variant.machine)]
        return _plain(machine) in {_plain(text) for text in known}


def load(board_id: str) -> Board:
    """The board of that id. Raises UsageError for an unknown id or a board.toml that its schema refuses."""
    folder = resources.boards_folder() / board_id
    if not (folder / "board.toml").is_file():
        raise UsageError(f"there is no board {board_id!r}", next_step=f"Known boards are {', '.join(board_ids())}.")
    return _read_once(folder, (folder / "board.toml").stat().st_mtime_ns)


@lru_cache(64)
def _read_once(folder: Path, _changed_ns: int) -> Board:
    """Checking a file against its schema takes milliseconds, and a station with many ports asks all the time."""
    return from_folder(folder)


def all_boards() -> tuple[Board, ...]:
    """Every board, ordered by id; stand-ins are among them."""
    return tuple(load(board_id) for board_id in board_ids())


def board_ids() -> tuple[str, ...]:
    """The ids of every folder of `boards/` that has a board.toml."""
    return tuple(sorted(path.parent.name for path in resources.boards_folder().glob("*/board.toml")))


def answering_as(machine: str) -> tuple[Board, ...]:
    """The boards that one can hold and that say `machine`; empty for an unknown one."""
    return tuple(board for board in all_boards() if board.stand_in is None and board.answers_as(machine))


def from_folder(folder: Path) -> Board:
    """Read one folder. Raises UsageError that names the file and the first fault in it."""
    path = folder / "board.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    if faults := problems(table):
        raise UsageError(f"{path}: {faults[0]}")
    if table["id"] != folder.name:
        raise UsageError(f"{path}: the id {table['id']!r} is not the name of its folder")
    if "stands_for" in table:
        stood_for = folder.parent / table["stands_for"] / "board.toml"
        if not stood_for.is_file():
            raise UsageError(f"{path}: it stands for {table['stands_for']!r}, which is no board")
        table = tomllib.loads(stood_for.read_text(encoding="utf-8")) | table
    return _board(table, folder)


def problems(table: dict[str, Any]) -> list[str]:
    """What the schema has against the contents of a board.toml, in reading order; empty if nothing."""
    import jsonschema  # here, because it takes longer to import than everything else together

    schema = json.loads((resources.boards_folder() / SCHEMA_FILE).read_text(encoding="utf-8"))
    found = jsonschema.Draft202012Validator(schema).iter_errors(table)
    return [f"{'.'.join(str(part) for part in fault.absolute_path) or 'the file'}: {fault.message}" for fault in found]


def _board(table: dict[str, Any], folder: Path) -> Board:
    memory, usb = table["memory"], table["usb"]
    return Board(
        id=table["id"],
        name=table["name"],
        mcu=table["mcu"],
        port=table["port"],
        machines=tuple(table["machine"]),
        flash_bytes=memory["flash_bytes"],
        filesystem_bytes=memory["filesystem_bytes"],
        heap_bytes=memory["heap_bytes"],
        radios=tuple(table["radios"]),
        usb_ids=tuple(usb["ids"]),
        usb_bootloader_ids=tuple(usb["bootloader_ids"]),
        bootloader_help=" ".join(table["bootloader_help"].split()),
        folder=folder,
        stands_for=table.get("stands_for"),
        stand_in=table.get("stand_in"),
        supply_mv=table["supply_mv"],
        energy={state: Current(**figure) for state, figure in table["energy"].items()},
        variants={name: _variant(name, facts, memory) for name, facts in table.get("variants", {}).items()},
    )


def _variant(name: str, facts: dict[str, Any], memory: dict[str, int]) -> Variant:
    return Variant(
        name=name,
        note=facts["note"],
        flash_bytes=facts.get("flash_bytes", memory["flash_bytes"]),
        filesystem_bytes=facts.get("filesystem_bytes", memory["filesystem_bytes"]),
        heap_bytes=facts.get("heap_bytes", memory["heap_bytes"]),
        machine=tuple(facts.get("machine", ())),
    )


def _plain(machine: str) -> str:
    return machine.replace("-", "").casefold().strip()
