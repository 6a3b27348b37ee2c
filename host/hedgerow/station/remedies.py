"""Knows what to tell a volunteer about a failed board: what happened and what to do, each a sentence. Touches nothing.

Errors speak to somebody at a keyboard; at a station nobody types, and a button matters more than a command.
"""

from hedgerow.errors import FleetError, InterruptedWork, LinkError, StorageError, VerificationError
from hedgerow.fleet.boards import Board
from hedgerow.station.card import Stage

_WORDS = (
    ("Run the same command again", "Try this place again"),
    ("run the same command again", "try this place again"),
    ("give the same command again", "try this place again"),
    ("run the same command with", "start the station with"),
    ("Try again in a minute", "Try this place again in a minute"),
)
_CABLE = "Check cable and power, and plug it in again: it goes on where it was."


def problem(error: FleetError) -> str:
    """What happened, and in which state the board is now."""
    told = " ".join(_sentence(part) for part in (error.what, error.state) if part)
    return error.what[:1] + told[1:]  # it may begin with the name of a node, which has no capital


def remedy(error: FleetError, stage: Stage, board: Board | None) -> str:
    """What to do. Where a boot loader did not answer, which button to hold."""
    said = _in_station_words(error.next_step) or _by_kind(error)
    button = board.bootloader_help if board is not None else ""
    if button and isinstance(error, LinkError) and stage in (Stage.IDENTIFY, Stage.FLASH) and button not in said:
        return f"{said} If that does not help: {button}"
    return said


def is_by_link(error: FleetError) -> bool:
    """Whether it was the way to the board and not the board."""
    return isinstance(error, (LinkError, InterruptedWork))


def _by_kind(error: FleetError) -> str:
    if is_by_link(error):
        return _CABLE
    if isinstance(error, VerificationError):
        return "Try this place again. If it fails twice, the flash is worn: set this board aside."
    if isinstance(error, StorageError):
        return "Erase the board with `hedgerow flash --erase`, or make room on this laptop; then try this place again."
    return "Try this place again. If it fails twice, set this board aside and go on with the next one."


def _in_station_words(text: str | None) -> str:
    for ours, theirs in _WORDS:
        text = (text or "").replace(ours, theirs)
    return _sentence(text) if text else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
