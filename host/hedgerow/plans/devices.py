"""Knows how to say what each serial port is and what is behind it. Stops nothing that runs there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow.fleet import boards
from hedgerow.plans import reach
from hedgerow.plans.reach import Behind, Connect
from hedgerow.transports import ports
from hedgerow.transports.ports import PortFacts


@dataclass(frozen=True)
class Device:
    """A port, the ids of the boards that its USB id fits, and what is behind it (None: not asked)."""

    facts: PortFacts
    board_ids: tuple[str, ...] = ()
    behind: Behind | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "port": self.facts.path,
            "boards": self.board_ids,
            "serial_number": self.facts.serial_number,
            "usb_id": self.facts.usb_id,
            "description": self.facts.description,
        }
        if self.behind is not None:
            found = self.behind.found
            hello = found.hello if found else None
            row["answering"] = found.answering.value if found else None
            row["node"] = {key: hello.get(key) for key in _OF_HELLO} if hello else None
            row["banner"] = found.banner if found else None
            row["error"] = self.behind.error
        return row


_OF_HELLO = ("name", "short", "id", "fleet", "board", "app", "mp")


async def devices(names: Sequence[str] | None, *, probe: bool, connect: Connect = ports.connect) -> list[Device]:
    """The ports named, or all of this machine. With `probe` each is opened and asked, all at the same time."""
    facts = _wanted(names)
    behind = await reach.behind([one.path for one in facts], connect=connect) if probe else [None] * len(facts)
    real = [board for board in boards.all_boards() if board.stand_in is None]
    return [
        Device(one, tuple(board.id for board in ports.guess_boards(one, real)), found)
        for one, found in zip(facts, behind, strict=True)
    ]


def nothing_there() -> str:
    """The sentence for an empty list."""
    return ports.describe_ports([])


def _wanted(names: Sequence[str] | None) -> list[PortFacts]:
    """One that the system does not list (a pty, a URL) has nothing but its name."""
    here = ports.here()
    if not names:
        return here
    known = {facts.path: facts for facts in here}
    return [known.get(path, PortFacts(path)) for path in (ports.resolve(name, here) for name in names)]
