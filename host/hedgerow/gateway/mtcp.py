"""MTCP, the minimal TCP convergence layer (draft-ietf-dtn-mtcpcl-01): bundles as CBOR byte strings, one after another.

A connection has one direction and no receipts. The most that a sender can know is that the other side took all bytes
and closed in order.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from hedgerow.errors import LinkError
from hedgerow.fleet.carried import MOST_BUNDLE_BYTES
from hedgewire import cbor

MOST_CONNECTIONS = 16
IDLE_S = 120.0  # a peer that says nothing for so long is let go
FRAME_S = 30.0  # and so is one that needs longer for a bundle: 64 kB at 17 kbit/s
CONNECT_S = 10.0
CLOSE_S = 5.0
_BYTE_STRING = 2


class Mtcp:
    """MTCP at one address."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._connections: set[asyncio.Task[None] | None] = set()

    async def send(self, bundles: Sequence[bytes]) -> int:
        """Send bundles over a connection of their own; all of them, or LinkError: then nobody knows how many."""
        where = f"mtcp://{self._host}:{self._port}"
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as error:
            raise LinkError(f"{where} takes no connection", next_step="Is the daemon there running?") from error
        try:
            for data in bundles:
                writer.write(cbor.encode(data))
                async with asyncio.timeout(FRAME_S):
                    await writer.drain()
            writer.write_eof()
            with contextlib.suppress(TimeoutError):  # a peer that leaves its side open has taken what it got
                async with asyncio.timeout(CLOSE_S):
                    await reader.read(1)
        except (OSError, TimeoutError) as error:
            raise LinkError(f"{where} broke the connection", next_step="It is tried again.") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await writer.wait_closed()
        return len(bundles)

    @asynccontextmanager
    async def listen(self, take: Callable[[bytes, str], None]) -> AsyncIterator[int]:
        """Serve MOST_CONNECTIONS peers at a time; more are sent away. Gives the port."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if len(self._connections) < MOST_CONNECTIONS:
                self._connections.add(task)
                try:
                    await _receive(reader, take, _name(writer))
                finally:
                    self._connections.discard(task)
            writer.close()

        try:
            server = await asyncio.start_server(serve, self._host, self._port, limit=MOST_BUNDLE_BYTES)
        except OSError as error:
            raise LinkError(
                f"cannot listen at {self._host}:{self._port}: {error.strerror}", next_step="Choose another port."
            ) from error
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in list(self._connections):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(task for task in self._connections if task is not None), return_exceptions=True)


async def _receive(reader: asyncio.StreamReader, take: Callable[[bytes, str], None], came_from: str) -> None:
    """Bundle after bundle, until the end, a fault, or silence."""
    try:
        while True:
            async with asyncio.timeout(IDLE_S):
                first = await reader.readexactly(1)
            async with asyncio.timeout(FRAME_S):
                length = await _length(first[0], reader)
                if length is None:
                    return  # no byte string, or longer than any bundle: what follows is not to be understood
                data = await reader.readexactly(length)
            take(data, came_from)
    except (asyncio.IncompleteReadError, TimeoutError, OSError):
        return


async def _length(first: int, reader: asyncio.StreamReader) -> int | None:
    """Of the byte string whose first byte that is; None where it is none, has no length, or is too long."""
    if first >> 5 != _BYTE_STRING:
        return None
    length = first & 31
    if length > 27:
        return None
    if length >= 24:
        length = int.from_bytes(await reader.readexactly(1 << (length - 24)), "big")
    return length if length <= MOST_BUNDLE_BYTES else None


def _name(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername") or ("?",)
    return f"mtcp from {peer[0]}"
