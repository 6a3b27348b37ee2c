"""Knows what every way to a node has in common: bytes out, bytes in, an end. Knows no frame, prompt or board."""

from typing import Protocol


class Renewed(Exception):
    """The way fell and is there again. What was on its way, in either direction, is lost."""


class Transport(Protocol):
    """A two-way stream of bytes to one node. One task reads it, one task at a time writes it.

    A way may also say `patience_s`, how much longer than by cable an answer may take (0), and `has_prompt`, whether
    MicroPython's prompt can be at the other end (True), and `piece_bytes`, how much of a file goes in one request.

    Every method raises LinkError when the way is gone, and names it. `receive` may be cancelled at any time (a
    `wait_for` around it loses no byte).
    """

    @property
    def name(self) -> str:
        """What a person calls this way: the port's path, or its URL."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand over all of `data`. Bounded: a way that takes nothing for some seconds is a LinkError."""
        ...

    async def receive(self) -> bytes:
        """At least one byte, or LinkError. Waits as long as nothing comes: bound it at the call.

        A way that mends itself (Bluetooth) raises Renewed each time it has done so.
        """
        ...

    async def close(self) -> None:
        """Give the way back. Never raises; a second call does nothing."""
        ...
