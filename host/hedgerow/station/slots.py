"""Knows which socket of a hub lies where on the table: `station.toml` in the fleet's folder. Knows no board.

    [[place]]
    name = "left 1"
    port = "1-1.4.1"     # the socket, as the station shows it; or a port's path, or id:SERIAL of a USB adapter

Places stand on the screen in the order of the file. Sockets that it does not name come after them.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hedgerow.errors import UsageError
from hedgerow.transports.ports import PortFacts

FILE = "station.toml"
_SOCKET = re.compile(r"\d+-\d+(\.\d+)*(:\S+)?")  # bus, then one number a hub on the way


@dataclass(frozen=True)
class Slot:
    """One place: what people call it, and by what its port is known."""

    name: str
    port: str

    def is_of(self, facts: PortFacts) -> bool:
        serial_number = f"id:{facts.serial_number}" if facts.serial_number else None
        socket = facts.location.partition(":")[0] if facts.location else None  # without the interface behind it
        return self.port in (facts.location, socket, facts.path, serial_number)


def read(folder: Path) -> tuple[Slot, ...]:
    """The places of that folder's file, or none. Raises UsageError that says what is wrong with it."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    rows = table.get("place", [])
    if not isinstance(rows, list) or set(table) - {"place"}:
        raise UsageError(f"{path} holds nothing but [[place]] tables")
    slots = tuple(_slot(row, number, path) for number, row in enumerate(rows, 1))
    for what, values in (("name", [slot.name for slot in slots]), ("port", [slot.port for slot in slots])):
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise UsageError(f'{path}: two places have {what} = "{twice}"')
    return slots


def _slot(row: object, number: int, path: Path) -> Slot:
    if (
        not isinstance(row, dict)
        or set(row) != {"name", "port"}
        or not all(isinstance(one, str) for one in row.values())
    ):
        raise UsageError(f'{path}: place {number} needs name = "…" and port = "…", and nothing else')
    if not row["name"].strip() or not row["port"].strip():
        raise UsageError(f"{path}: place {number} has an empty name or port")
    return Slot(row["name"].strip(), row["port"].strip())


def place_of(facts: PortFacts, slots: Sequence[Slot]) -> tuple[str, str]:
    """(key, title) of the place where this port is. The key stays when a board comes back under another path."""
    slot = next((slot for slot in slots if slot.is_of(facts)), None)
    if slot is not None:
        return slot.name, slot.name
    key = facts.location or facts.path
    return key, f"socket {key.partition(':')[0]}" if _SOCKET.fullmatch(key) else key
