"""Knows which serial ports this machine has and what a person may call them; knows nothing of what is behind one.

A port is named by its path (`/dev/ttyACM0`, `COM3`), by a pyserial URL (`socket://host:2217`, `rfc2217://..`), by the
serial number of its USB side (`id:E6605838`), or as mpremote does (`a0`, `u0`, `c3`).
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serial.tools import list_ports

from hedgerow.errors import LinkError

if TYPE_CHECKING:
    from hedgerow.transports import Transport

BLUETOOTH = "ble:"
_SHORTCUTS = {"a": "/dev/ttyACM", "u": "/dev/ttyUSB", "c": "COM"}


@dataclass(frozen=True)
class PortFacts:
    """What the system says about one port without opening it. Unknown facts are None."""

    path: str
    description: str | None = None
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    manufacturer: str | None = None
    product: str | None = None
    location: str | None = None
    """Which socket of which hub it is plugged into (`1-1.4`): that stays when the path changes."""

    @property
    def usb_id(self) -> str | None:
        """`2e8a:0005`, as lsusb prints it."""
        return None if self.vid is None or self.pid is None else f"{self.vid:04x}:{self.pid:04x}"


def here() -> list[PortFacts]:
    """The ports of this machine, USB ones only: a board never hides behind a motherboard's own `ttyS0`."""
    found = [_facts(port) for port in list_ports.comports() if port.vid is not None]
    return sorted(found, key=lambda facts: _natural(facts.path))


def resolve(spec: str, ports: Sequence[PortFacts] | None = None) -> str:
    """The path or URL that `spec` means. Raises LinkError if an `id:` fits no port, or more than one."""
    if spec.startswith("id:"):
        return _by_serial_number(spec, here() if ports is None else ports)
    if (short := re.fullmatch(r"([auc])(\d+)", spec)) is not None:
        return _SHORTCUTS[short[1]] + short[2]
    return spec


def is_bluetooth(spec: str) -> bool:
    """Whether it names a node on the air, as `hedgerow.transports.ble` understands it."""
    return spec.startswith(BLUETOOTH)


async def connect(spec: str, baud: int = 115200) -> "Transport":
    """Open what `spec` names, in a thread: a slow socket delays no other port. Raises as `open_serial` does."""
    if is_bluetooth(spec):
        raise LinkError(
            "this step needs a cable, it is not done over Bluetooth", node=spec, next_step="Name a serial port with -p."
        )
    from hedgerow.transports.serial import open_serial  # it needs describe_ports() from here

    opening = asyncio.ensure_future(asyncio.to_thread(lambda: open_serial(resolve(spec), baud)))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:  # the thread goes on, and nobody wants what it opens any more
        opening.add_done_callback(_give_back)
        raise


_closing: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected before its end


def _give_back(opening: "asyncio.Future[Any]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        task = asyncio.ensure_future(opening.result().close())
        _closing.add(task)
        task.add_done_callback(_closing.discard)


def guess_boards(facts: PortFacts, boards: Iterable[Any]) -> list[Any]:
    """The boards whose `usb_ids` name this USB id: none, one, or several that share an adapter."""
    return [board for board in boards if facts.usb_id is not None and facts.usb_id in _usb_ids(board)]


def describe_ports(ports: Sequence[PortFacts] | None = None) -> str:
    """A sentence that lists what is there, for the error of somebody who named something else."""
    present = here() if ports is None else ports
    if not present:
        return "No USB serial port is plugged in. A cable that only charges shows none either"
    return "Plugged in: " + ", ".join(_name(facts) for facts in present)


def _name(facts: PortFacts) -> str:
    return f"{facts.path} (id:{facts.serial_number})" if facts.serial_number else facts.path


def _by_serial_number(spec: str, ports: Sequence[PortFacts]) -> str:
    wanted = spec.removeprefix("id:").lower()
    numbered = [facts for facts in ports if facts.serial_number]
    found = [facts for facts in numbered if facts.serial_number and facts.serial_number.lower() == wanted]
    if not found and wanted:  # a person copies the first digits from a sticker
        found = [facts for facts in numbered if facts.serial_number and facts.serial_number.lower().startswith(wanted)]
    if len(found) == 1:
        return found[0].path
    if found:
        # An ESP32-C6 or a J-Link shows two interfaces with one number: the person has to choose.
        raise LinkError(
            "this serial number fits more than one port",
            node=spec,
            next_step="Name one by its path: " + ", ".join(facts.path for facts in found),
        )
    raise LinkError("no port has this serial number", node=spec, state=describe_ports(ports))


def _usb_ids(board: Any) -> set[str]:
    """Boards name ids as text `2e8a:0005`; other spellings of the same are understood."""
    return {one.lower() if isinstance(one, str) else f"{one[0]:04x}:{one[1]:04x}" for one in board.usb_ids}


def _facts(port: Any) -> PortFacts:
    known = None if port.description in (None, "n/a") else port.description
    number = port.serial_number or None
    return PortFacts(
        port.device, known, port.vid, port.pid, number, port.manufacturer, port.product, port.location or None
    )


def _natural(path: str) -> list[object]:
    """ttyACM2 before ttyACM10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path)]
