"""UDP: one bundle a datagram (draft-sipos-dtn-udpcl: a datagram that begins as a bundle is one). No receipts at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from hedgerow.errors import LinkError

MOST_DATAGRAM_BYTES = 65_507  # what IPv4 leaves
PAUSE_EVERY = 16
PAUSE_S = 0.005  # after so many, for a receiver whose buffer is small
_BUNDLE = (0x9F, 0x84, 0x85, 0x86, 0x87, 0x88)  # an array, as a bundle begins; what is not is keepalive or of others


class Udp:
    """UDP at one address."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def send(self, bundles: Sequence[bytes]) -> int:
        """Send each bundle once. What is too long for a datagram is passed over: only what comes before it counts."""
        where = f"udp://{self._host}:{self._port}"
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(_Sender, remote_addr=(self._host, self._port))
        except OSError as error:
            raise LinkError(f"{where} is no place to send to: {error.strerror}") from error
        sent = 0
        try:
            for data in bundles:
                if len(data) > MOST_DATAGRAM_BYTES:
                    break
                transport.sendto(data)
                sent += 1
                if sent % PAUSE_EVERY == 0:
                    await asyncio.sleep(PAUSE_S)
            await asyncio.sleep(PAUSE_S)  # where nobody listens, this machine is told by now
        finally:
            transport.close()
        if protocol.refused:
            raise LinkError(f"nobody listens at {where}", next_step="Is the daemon there running?")
        return sent

    @asynccontextmanager
    async def listen(self, take: Callable[[bytes, str], None]) -> AsyncIterator[int]:
        """Take datagrams that begin as a bundle does. Gives the port."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Receiver(take), local_addr=(self._host, self._port)
            )
        except OSError as error:
            raise LinkError(
                f"cannot listen at {self._host}:{self._port}: {error.strerror}", next_step="Choose another port."
            ) from error
        try:
            yield transport.get_extra_info("sockname")[1]
        finally:
            transport.close()


class _Sender(asyncio.DatagramProtocol):
    refused = False

    def error_received(self, exc: Exception) -> None:
        self.refused = self.refused or isinstance(exc, ConnectionRefusedError)


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, str], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[:1] and data[0] in _BUNDLE:
            self._take(data, f"udp from {addr[0]}")
