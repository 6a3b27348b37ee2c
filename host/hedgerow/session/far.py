"""Knows how to reach one node through another and the mesh between them: a way like a cable, but slow and in pieces.

What a cable would carry goes as bundles (hedgewire.message.TO_NODE and TO_HOST), whole frames in each. They may come in
any order, twice, or never; a session bears that, and asks again after `PATIENCE_S` of silence.
"""

import asyncio
from typing import Any

from hedgerow.errors import LinkError
from hedgerow.session import Session

PATIENCE_S = 90.0  # a hop takes a second or two by radio; a relay that sleeps takes longer
MOST_BYTES = 1800  # of frames in one bundle
_POLL_S = 0.3
_ALL = 0xFFFFFFFF


class FarTransport:
    """A `Transport` to the node with number `short`, from the node that `entry` is a session with, which it owns."""

    patience_s = PATIENCE_S
    piece_bytes = 1024  # of a file in one request, so that its frame fits
    has_prompt = False

    def __init__(self, entry: Session, short: int, name: str) -> None:
        self.name = name
        self._entry = entry
        self._short = short
        self._read_up_to: int | None = None

    async def send(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise LinkError(
                f"this takes {len(data)} bytes at once, and {MOST_BYTES} go through the mesh",
                node=self.name,
                next_step="Do it by cable or over Bluetooth.",
            )
        if self._read_up_to is None:
            await self._forget_old()
        await self._entry.ask("far_send", {"to": self._short, "data": data})

    async def receive(self) -> bytes:
        while True:
            rows = await self._read() if self._read_up_to is not None else []
            if rows:
                self._read_up_to = max(row[0] for row in rows)
                return b"".join(bytes(row[1]) for row in sorted(rows, key=lambda row: row[0]))
            await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        await self._entry.close()

    async def _read(self) -> list[Any]:
        return await self._entry.ask("far_read", {"from": self._short, "after": self._read_up_to})

    async def _forget_old(self) -> None:
        """What was answered to a command before this one is nobody's any more."""
        await self._entry.ask("far_read", {"from": self._short, "after": _ALL})
        self._read_up_to = 0
