"""Knows what the label of a node that belongs to nobody is worth: its settings meanwhile, and what opens it.

The node's side is hedgenode/tasks/waiting.py.
"""

from pathlib import Path

from hedgerow.errors import UsageError
from hedgerow.fleet import keys, label
from hedgerow.fleet.boards import Board
from hedgerow.fleet.label import Card, Label, WaitingLabel
from hedgerow.plans.look import NOBODY
from hedgerow.session import Credentials, KeptInMemory, suite0
from hedgewire import protection
from hedgewire.cbor import Damage

NAME = "waiting"
NO_SHORT = 0xFFFE  # a number has to stand there; it never speaks over a radio
CONFIG_VERSION = 1


def waiting_config(node_id: bytes, board: Board) -> dict[str, object]:
    """The map of /config.cbor of a node that waits for whoever holds its label."""
    return {
        "v": CONFIG_VERSION,
        "name": NAME,
        "short": NO_SHORT,
        "id": node_id,
        "fleet": NOBODY,
        "board": board.id,
        "ledger": False,
        "protected": True,
        "ble": "ble" in board.radios,
    }


def shown(one: WaitingLabel) -> Credentials:
    """What whoever holds that label can show to its node."""
    kept = KeptInMemory()
    kept.put(one.node_id, protection.labelled(suite0, one.secret, one.public))
    return Credentials(
        own=lambda _: (),
        node_key=lambda node_id: keys.agreement_public(one.public) if node_id == one.node_id else None,
        kept=kept,
    )


def read(said: str) -> WaitingLabel:
    """The label in that text, or in the file of that name. Raises UsageError that says what it is instead."""
    text = said
    if not said.strip().upper().startswith("HEDGEROW"):
        try:
            text = Path(said).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = said
    found = label.read(text)
    match found:
        case WaitingLabel():
            return found
        case Damage():
            raise UsageError(f"this label cannot be read: {found.reason}", next_step="Scan it again, or type it anew.")
        case Label():
            why = f"this is the label of {found.name}, which belongs to a fleet already"
        case Card():
            why = f"this is the key card of {found.holder}, and no label; keep it at home"
    raise UsageError(why, next_step="The label of a node that belongs to nobody says so in its first line.")
