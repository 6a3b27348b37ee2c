"""Knows what can be at the other end of a port, and how to say that it is no node that answers. Asks nobody."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hedgerow.errors import LinkError


class Answering(StrEnum):
    """What is at the other end of a port."""

    HEDGEROW = "hedgerow"
    PROMPT = "prompt"
    PROGRAM = "program"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Recognised:
    """`hello` is the node's answer, `banner` MicroPython's version line; each only where it is known."""

    answering: Answering
    hello: dict[str, Any] | None = None
    banner: str | None = None


def silence(name: str, found: Recognised) -> LinkError:
    """Why nothing on this port answers as a node, and what to do about it."""
    if found.answering is Answering.HEDGEROW:
        return LinkError("a node runs there, but it does not answer", node=name, next_step="Try again in a minute.")
    if found.answering is Answering.PROMPT:
        return LinkError(
            "the MicroPython prompt answers, Hedgerow does not run there",
            node=name,
            state=found.banner,
            next_step="Make it a node with `hedgerow provision`, or restart it if it is one (reset button, or power).",
        )
    if found.answering is Answering.PROGRAM:
        return LinkError(
            "something speaks there, but it is not Hedgerow",
            node=name,
            next_step="Another program may run on that board: `hedgerow provision` stops it and replaces it.",
        )
    return LinkError(
        "nothing answers",
        node=name,
        next_step="Check that it has power and that the cable carries data; `hedgerow doctor` knows more.",
    )


def banner_in(text: bytes) -> str | None:
    """`MicroPython v1.25.0 on ...; Raspberry Pi Pico with RP2040`, if the prompt said so."""
    for line in text.decode(errors="replace").splitlines():
        if line.startswith("MicroPython"):
            return line.strip()
    return None
