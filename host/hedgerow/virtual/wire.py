"""Knows a serial cable between the UARTs of two virtual boards, at the pace of its speed; knows no meaning of bytes.

A TCP server on this machine, to which both boards connect: `VirtualBoard(wire=...)`. A byte takes ten bits. What is
sent while the other board is off is lost, as on a wire.
"""

import asyncio
import contextlib
from collections.abc import Callable

from hedgerow.virtual.pump import Disturbance

_SLICE_S = 0.004  # what fits into this time is handed over at once
_LATE_S = 0.1  # so late may this process get its turn without slowing the line down
_END_WITHIN_S = 1.0


class Wire:
    """Start it, give its address to two boards. `carried` counts the bytes that each connection brought, and
    `on_bytes` is called with its place and what it brings. `disturbance`: the loss and noise of the cable."""

    def __init__(self, baud: int = 115_200, disturbance: Disturbance | None = None) -> None:
        self.bytes_per_s = baud / 10
        self.disturbance = disturbance or Disturbance()
        self.carried: list[int] = []
        self.on_bytes: Callable[[int, bytes], None] | None = None
        self._ends: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None] | None] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for end in list(self._ends):
            end.close()
        if self._serving:
            await asyncio.wait([task for task in self._serving if task], timeout=_END_WITHIN_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._ends) >= 2:
            writer.close()
            return
        task = asyncio.current_task()
        self._serving.add(task)
        self._ends.append(writer)
        self.carried.append(0)
        place = len(self.carried) - 1
        try:
            with contextlib.suppress(ConnectionError):
                await self._carry(reader, writer, place)
        finally:
            self._ends.remove(writer)
            self._serving.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: int) -> None:
        loop = asyncio.get_running_loop()
        most = max(1, int(self.bytes_per_s * _SLICE_S))
        free_at = 0.0
        while data := await reader.read(most):
            now = loop.time()
            if now - free_at > _LATE_S:
                free_at = now  # the line was idle; a turn that came late is ours to make up for
            free_at += len(data) / self.bytes_per_s
            await asyncio.sleep(max(0.0, free_at - loop.time()))
            self.carried[place] += len(data)
            if self.on_bytes:
                self.on_bytes(place, data)
            arrived = self.disturbance.spoil(data)
            for end in self._ends:
                if end is not writer:
                    end.write(arrived)
