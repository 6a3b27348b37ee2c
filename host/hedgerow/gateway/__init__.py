"""Knows how the bundles of one folder come from and go to other DTN daemons. Knows no convergence layer and no command.

A convergence layer is one file beside this one: `mtcp`, `udp`. It has a class with what `Way` names below, and stands
in `WAYS`. What comes from a stranger is bounded here: which destinations, how long, and by the rules of the folder.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from hedgerow.errors import LinkError, StorageError, UsageError
from hedgerow.fleet.carried import Carried, CarriedFolder, forwarded, hops_left, read
from hedgerow.gateway import mtcp, udp
from hedgewire import bundle
from hedgewire.cbor import Damage

Take = Callable[[bytes, str], None]
"""Called with a bundle's bytes and where they came from; never raises, never waits."""

_ADDRESS = re.compile(r"(?P<way>[a-z]+)://(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/]*):(?P<port>\d{1,5})/?")


class Way(Protocol):
    """A convergence layer at one address."""

    def __init__(self, host: str, port: int) -> None: ...

    async def send(self, bundles: Sequence[bytes]) -> int:
        """Send bundles; how many of them, from the first one on, went out. Raises LinkError where nobody takes them."""
        ...

    def listen(self, take: Take) -> AbstractAsyncContextManager[int]:
        """While it is entered, `take` gets what arrives; gives the port. LinkError where that is taken already."""
        ...


WAYS: Mapping[str, type[Way]] = {"mtcp": mtcp.Mtcp, "udp": udp.Udp}


@dataclass
class Counts:
    """What a gateway did, since it began."""

    received: int = 0
    kept: int = 0
    known: int = 0
    not_ours: int = 0
    no_room: int = 0
    damaged: int = 0
    sent: int = 0
    refused_by: dict[str, str] = field(default_factory=dict)


def way_to(address: str) -> Way:
    """The convergence layer that `mtcp://HOST:PORT` means. Raises UsageError for anything else."""
    said = _ADDRESS.fullmatch(address)
    if said is None or said["way"] not in WAYS or int(said["port"]) > 0xFFFF:
        ways = " or ".join(f"{name}://HOST:PORT" for name in WAYS)
        raise UsageError(f"{address} is no address", next_step=f"Write {ways}.")
    return WAYS[said["way"]](said["host"].strip("[]") or "127.0.0.1", int(said["port"]))


class Gateway:
    """Between one folder of bundles and the daemons at some addresses.

    It takes in what is for its own fleet: for one of 65,536 node numbers from `ipn_base` on. It offers each peer every
    bundle of the folder once; that it may be where it came from costs a transfer and nothing else.
    """

    def __init__(self, folder: CarriedFolder, ipn_base: int, peers: Sequence[str] = ()) -> None:
        self.folder = folder
        self.counts = Counts()
        self._numbers = range(ipn_base, ipn_base + 0x10000)
        self._peers = {address: way_to(address) for address in peers}

    @asynccontextmanager
    async def listening(self, addresses: Sequence[str]) -> AsyncIterator[list[str]]:
        """Take in what arrives at these addresses, until the end of the block; gives them with the ports they have."""
        async with AsyncExitStack() as stack:
            found = []
            for address in addresses:
                port = await stack.enter_async_context(way_to(address).listen(self.take))
                found.append(f"{address.rstrip('/').rpartition(':')[0]}:{port}")
            yield found

    def take(self, data: bytes, came_from: str) -> None:
        """Judge one bundle from elsewhere, and keep it where that is right. Damage and strangers are counted."""
        self.counts.received += 1
        found = read(data, time.time())
        if isinstance(found, Damage) or bundle.must_delete(found.bundle):
            self.counts.damaged += 1
        elif found.bundle.destination.scheme != bundle.IPN or found.destination not in self._numbers:
            self.counts.not_ours += 1
        elif found.id in self.folder or found.id in self.folder.arrived:
            self.counts.known += 1
            self._note(found, came_from)
        elif self._keep(found):
            self.counts.kept += 1
            self._note(found, came_from)
        else:
            self.counts.no_room += 1

    async def send(self) -> int:
        """Offer every peer what it did not have from us yet; how many bundles went out. A peer in trouble is noted."""
        return sum(await asyncio.gather(*(self._send_to(address) for address in self._peers)))

    async def _send_to(self, address: str) -> int:
        due = [one for one in self.folder if address not in self.folder.has_got(one.id) and hops_left(one.bundle)]
        if not due:
            return 0
        now_s = time.time()
        try:
            sent = await self._peers[address].send([forwarded(one.bundle, one.age_ms(now_s)) for one in due])
        except LinkError as error:
            self.counts.refused_by[address] = str(error)
            return 0
        self.counts.refused_by.pop(address, None)
        for one in due[:sent]:
            self._note(one, address)
        self.counts.sent += sent
        return sent

    def _keep(self, one: Carried) -> bool:
        try:
            return self.folder.keep(one)
        except StorageError:
            return False

    def _note(self, one: Carried, address: str) -> None:
        with suppress(StorageError):  # it costs a repetition
            self.folder.note(one.id, address)
