"""Knows which image a board gets, from what it says of itself and what its owner says. Changes nothing anywhere."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hedgerow.errors import FleetError, RefusedError, UsageError
from hedgerow.flash import image as images_of
from hedgerow.flash.image import Image, mebibytes, plain
from hedgerow.fleet import boards
from hedgerow.fleet.boards import Board
from hedgerow.plans.executor import Connect
from hedgerow.session import Answering, Session
from hedgerow.transports import ports
from hedgerow.transports.ports import PortFacts


@dataclass(frozen=True)
class Seen:
    """What could be seen of a board without stopping it. `machine` is MicroPython's own word, `guesses` USB's."""

    port: str
    answering: Answering = Answering.NOTHING
    machine: str | None = None
    board: Board | None = None
    guesses: tuple[Board, ...] = ()
    version: tuple[int, int] | None = None
    """Of MicroPython, where its banner says it."""


async def see(port: str, connect: Connect, here: Sequence[PortFacts]) -> Seen:
    """Look at a port. A board in its boot loader says nothing, and that is no error."""
    path = ports.resolve(port, here)
    facts = next((one for one in here if one.path == path), PortFacts(path))
    real = [board for board in boards.all_boards() if board.stand_in is None]
    guesses = tuple(ports.guess_boards(facts, real))
    async with Session(await connect(port), name=port) as session:
        try:
            found = await session.recognise()
        except FleetError:
            return Seen(port, guesses=guesses)  # its port went away while it was asked: it restarts
    if found.hello is not None:
        known = next((board for board in real if board.id == found.hello.get("board")), None)
        return Seen(port, found.answering, board=known, guesses=guesses)
    machine = found.banner.rpartition("; ")[2].strip() if found.banner and " with " in found.banner else None
    answering_so = boards.answering_as(machine) if machine else ()
    known = answering_so[0] if answering_so else None
    return Seen(port, found.answering, machine, known, guesses, _version_in(found.banner or ""))


def _version_in(banner: str) -> tuple[int, int] | None:
    found = re.match(r"MicroPython v(\d+)\.(\d+)", banner)
    return (int(found[1]), int(found[2])) if found else None


def is_pico(seen: Seen, board: Board | None) -> bool:
    """Whether the drive is the way in, as far as can be told."""
    if (known := board or seen.board) is not None:
        return known.mcu == "RP2040"
    return bool(seen.guesses) and all(one.mcu == "RP2040" for one in seen.guesses)


def button(board: Board | None, seen: Seen) -> str:
    """Which button to hold: of this board, or of every one that it may be."""
    if known := board or seen.board:
        return known.bootloader_help
    return seen.guesses[0].bootloader_help if seen.guesses else ""


def choose(
    images: Mapping[str, Image], board: Board | None, seen: Seen, mcu: str, flash_bytes: int | None, node: str
) -> tuple[Image, Board | None]:
    """The image for this chip, and the board it makes of it. Raises RefusedError with what to do instead.

    `board` is what the person said; it outweighs what runs there now, which may have been flashed by mistake.
    """
    if board is not None and board.mcu != mcu:
        raise _refused(f"this board has an {mcu}, and {board.id} has an {board.mcu}", node, "Name the right board.")
    known = board or (seen.board if seen.board is not None and seen.board.mcu == mcu else None)
    if len(images) == 1:
        (image,) = images.values()
        return _the_only(image, known, mcu, flash_bytes, node)
    may_be = [known] if known else [one for one in boards.all_boards() if one.stand_in is None and one.mcu == mcu]
    machines = _machines(seen, may_be)
    fitting = [one for one in images.values() if plain(one.machine) in machines]
    if known is None and len({_board_of(one) for one in fitting}) > 1:
        names = ", ".join(one.id for one in may_be)
        raise UsageError(
            f"this chip ({mcu}) may be one of {names}, and nothing on it tells which",
            node=node,
            state="Nothing was changed",
            next_step="Name the board with --board; its name is printed on it.",
        )
    best = images_of.best(fitting, mcu, flash_bytes, machines)
    if best is not None:
        return _fits_board(best, known or _boards_of(best), node)
    if fitting and (why := images_of.misfit(fitting[0], mcu, flash_bytes)):
        raise _refused(why, node, "Fetch the build for this size of flash, then `hedgerow images add` it.")
    wanted = known.id if known else mcu
    raise _refused(
        f"no image for {wanted} is in the store",
        node,
        f"Fetch the one for {wanted} from micropython.org/download, then `hedgerow images add FILE`.",
    )


def _the_only(
    image: Image, known: Board | None, mcu: str, flash_bytes: int | None, node: str
) -> tuple[Image, Board | None]:
    """One image was named: it is taken or refused, never replaced by another."""
    if why := images_of.misfit(image, mcu, flash_bytes):
        raise _refused(why, node, "Take the image for this board; `hedgerow images list` shows those that are here.")
    if known is not None and not known.answers_as(image.machine):
        raise _refused(
            f"the image is for {image.machine}, and this is {known.id}",
            node,
            "Take the image for this board; or, if it is another one, name it with --board.",
        )
    return _fits_board(image, known or _boards_of(image), node)


def _fits_board(image: Image, board: Board | None, node: str) -> tuple[Image, Board | None]:
    """A Pico does not say how large its flash is: its file system must not be overwritten by the firmware."""
    if board is not None and image.mcu == "RP2040":
        room = board.flash_bytes - board.filesystem_bytes
        if image.flash_bytes > room:
            raise _refused(
                f"the image takes {mebibytes(image.flash_bytes)}, and {board.id} has {mebibytes(room)} for it",
                node,
                "Take the image for this board.",
            )
    return image, board


def _machines(seen: Seen, may_be: Sequence[Board]) -> list[str]:
    """Plain machine texts in the order of preference: what it says now (its build knows its memory), then the plain
    build of each board, then the others."""
    first = [seen.machine] if seen.machine and any(one.answers_as(seen.machine) for one in may_be) else []
    plain_builds = [text for one in may_be for text in one.machines]
    variants = [text for one in may_be for variant in one.variants.values() for text in variant.machine]
    return list(dict.fromkeys(plain(text) for text in (*first, *plain_builds, *variants)))


def _boards_of(image: Image) -> Board | None:
    found = boards.answering_as(image.machine)
    return found[0] if found else None


def _board_of(image: Image) -> str | None:
    board = _boards_of(image)
    return board.id if board else None


def _refused(what: str, node: str, next_step: str) -> RefusedError:
    return RefusedError(what, node=node, state="Nothing was changed", next_step=next_step)
