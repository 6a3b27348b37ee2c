"""Knows how to find nodes of a fleet over Bluetooth Low Energy and to hold a stream of bytes to one; knows no frame.

What is on the air is `hedgewire.beacon`. A connection that falls is taken up again, as often as it does within
`AGAIN_WITHIN_S`: whoever asked something meanwhile is told and asks once more, and a session goes on.
"""

import asyncio
import contextlib
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hedgerow.errors import EnvironmentProblem, FleetError, LinkError
from hedgerow.transports import Renewed
from hedgerow.transports.ports import BLUETOOTH
from hedgewire import beacon

if TYPE_CHECKING:
    from bleak import BleakClient

LISTEN_S = 5.0  # a node says where it is twice a second, and a laptop hears about every second time
CONNECT_WITHIN_S = 10.0
KNOCK_WITHIN_S = 3.0
AGAIN_WITHIN_S = 15.0
STALL_S = 10.0  # a node that takes nothing for so long: it may be working out a key in between
CLOSE_S = 3.0
_SMALLEST_WRITE_BYTES = 20
_adapters: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Known:
    """A node as the roster has it: how people call it, its fleet's id, its public key (32 bytes)."""

    name: str
    short: int
    node_id: bytes
    fleet: bytes
    public: bytes = field(repr=False)

    def is_called(self, who: str) -> bool:
        if who.isdecimal() and int(who) == self.short:
            return True
        return who == self.name or (len(who) >= 4 and self.node_id.hex().startswith(who.lower()))


@dataclass(frozen=True)
class Heard:
    """A node that was heard: which, how loud (dBm), and what it takes to knock there."""

    node: Known
    rssi_dbm: int
    nonce: bytes = field(repr=False)
    device: Any = field(repr=False, compare=False)

    @property
    def port(self) -> str:
        return BLUETOOTH + self.node.name


async def listen(known: Sequence[Known], *, seconds: float = LISTEN_S, enough: int = 0) -> list[Heard]:
    """The nodes of `known` that are in reach, the loudest first. Ends early once `enough` of them were heard.

    Raises EnvironmentProblem where this computer has no Bluetooth that is switched on.
    """
    from bleak import BleakScanner

    found: dict[bytes, Heard] = {}
    done = asyncio.Event()

    def heard(device: Any, advertisement: Any) -> None:
        parsed = beacon.parse(advertisement.manufacturer_data.get(beacon.COMPANY, b""))
        node = None if parsed is None else _who(known, *parsed)
        if node is not None and parsed is not None:
            found[node.node_id] = Heard(node, advertisement.rssi, parsed[0], device)
            if enough and len(found) >= enough:
                done.set()

    with _as_ours("this computer"):
        async with BleakScanner(heard):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), seconds)
    return sorted(found.values(), key=lambda one: -one.rssi_dbm)


def _who(known: Sequence[Known], nonce: bytes, hint: bytes) -> Known | None:
    return next((node for node in known if beacon.hint(node.fleet, node.public, nonce) == hint), None)


async def connect(who: str, known: Sequence[Known]) -> "BleTransport":
    """A stream to the node called `who` (with or without `ble:`); an empty name means the only one in reach.

    Raises LinkError where it is not in reach, or several are and none was named.
    """
    called = who.removeprefix(BLUETOOTH)
    wanted = [node for node in known if not called or node.is_called(called)]
    if not wanted:
        raise LinkError(
            "no node of this fleet is called so"
            if called
            else "no fleet is at hand, and who is on the air says so to none but those who have its roster",
            node=who,
            next_step="Run it in your fleet's folder, or name that with --fleet.",
        )
    async with _adapter():
        return await _connect(who, called, wanted)


def _adapter() -> asyncio.Lock:
    """The adapter is one: whoever listens ends the listening of others, and some cannot connect meanwhile."""
    return _adapters.setdefault(asyncio.get_running_loop(), asyncio.Lock())


async def _connect(who: str, called: str, wanted: Sequence[Known]) -> "BleTransport":
    heard = await listen(wanted, enough=1 if called else len(wanted))
    if not heard:
        raise LinkError(
            f"{called or 'no node of this fleet'} was not heard over Bluetooth within {LISTEN_S:.0f} s",
            node=who,
            next_step="Go nearer; it is silent while its battery is low or somebody else is connected, and where "
            "fleet.toml does not say ble = true.",
        )
    if len(heard) > 1 and not called:
        raise LinkError(
            "several nodes are in reach over Bluetooth",
            node=who,
            state=", ".join(f"{one.port} ({one.rssi_dbm} dBm)" for one in heard),
            next_step="Name one of them with -p.",
        )
    return await BleTransport.to(heard[0])


class BleTransport:
    """A `Transport` to one node. Use `to`."""

    patience_s = 2.0
    has_prompt = False

    def __init__(self, node: Known) -> None:
        self.name = BLUETOOTH + node.name
        self._node = node
        self._client: BleakClient | None = None
        self._unread = bytearray()
        self._news = asyncio.Event()
        self._closed = False
        self._failure: LinkError | None = None
        self._sent = 0  # bytes since the knock, and how many of them the node has taken
        self._taken = 0
        self._welcome = asyncio.Event()
        self._room = asyncio.Event()
        self._again: asyncio.Task[None] | None = None
        self.fallen = 0  # connections that fell and were taken up again
        self._told = 0  # of those, whom we have told our reader of

    @classmethod
    async def to(cls, heard: Heard) -> "BleTransport":
        """Connect to the node that was heard, and knock."""
        made = cls(heard.node)
        await made._connect(heard)
        return made

    async def send(self, data: bytes) -> None:
        """A frame that is being sent when the connection falls is lost with it, as on a bad cable."""
        client = await self._at_hand()
        size = _write_bytes(client)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            await self._room_for(len(piece), client)
            if client is not self._client:
                return
            self._sent += len(piece)
            try:
                await client.write_gatt_char(beacon.TO_NODE, piece, response=False)
            except Exception as error:
                if not client.is_connected or client is not self._client:
                    return
                raise _our_error(self.name, error) from error

    async def receive(self) -> bytes:
        while True:
            if self._told < self.fallen:
                self._told = self.fallen
                raise Renewed
            if self._unread:
                data = bytes(self._unread)
                self._unread.clear()
                return data
            self._refuse_if_gone()
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._again is not None:
            self._again.cancel()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # it is gone either way
                await asyncio.wait_for(client.disconnect(), CLOSE_S)
        self._news.set()

    async def _connect(self, heard: Heard) -> None:
        from bleak import BleakClient

        client = BleakClient(heard.device, disconnected_callback=self._fell, timeout=CONNECT_WITHIN_S)
        with _as_ours(self.name):
            await client.connect()
            self._sent = self._taken = 0
            self._welcome.clear()
            await client.start_notify(beacon.TAKEN, self._on_taken)
            await client.start_notify(beacon.FROM_NODE, self._on_data)
            knock = beacon.knock(self._node.fleet, self._node.public, heard.nonce)
            await client.write_gatt_char(beacon.TO_NODE, knock, response=True)
            try:
                await asyncio.wait_for(self._welcome.wait(), KNOCK_WITHIN_S)
            except TimeoutError:
                await client.disconnect()
                raise LinkError(
                    "the node does not open its door over Bluetooth",
                    node=self.name,
                    next_step="Run the same command again. If it stays so, its key changed: update this folder.",
                ) from None
        self._client = client

    def _on_taken(self, _characteristic: Any, data: bytearray) -> None:
        self._taken = int.from_bytes(data, "big")
        self._welcome.set()
        self._room.set()

    def _on_data(self, _characteristic: Any, data: bytearray) -> None:
        self._unread += data
        self._news.set()

    async def _room_for(self, size: int, client: "BleakClient") -> None:
        """Wait until the node has taken enough of what is on its way."""
        # The knock is outside this count on both sides.
        end = asyncio.get_running_loop().time() + STALL_S
        while client is self._client and self._sent - self._taken + size > beacon.WINDOW_BYTES:
            if asyncio.get_running_loop().time() > end:
                raise LinkError(f"the node has taken nothing for {STALL_S:.0f} s", node=self.name)
            taken = self._taken
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._room.wait()
            if taken != self._taken:
                end = asyncio.get_running_loop().time() + STALL_S

    def _fell(self, client: "BleakClient") -> None:
        """The connection is gone, and nobody here wanted it."""
        if self._closed or client is not self._client:
            return
        self._client = None
        self._room.set()
        self._again = asyncio.ensure_future(self._take_up())

    async def _take_up(self) -> None:
        try:
            async with asyncio.timeout(AGAIN_WITHIN_S):
                while self._client is None:
                    async with _adapter():
                        for heard in await listen([self._node], enough=1):
                            with contextlib.suppress(LinkError):
                                await self._connect(heard)
                self._unread.clear()
                self.fallen += 1
        except TimeoutError:
            self._failure = LinkError(
                f"the Bluetooth connection fell, and the node was not heard again within {AGAIN_WITHIN_S:.0f} s",
                node=self.name,
                next_step="Go nearer and run the same command again: it goes on where it was.",
            )
        except FleetError as error:
            self._failure = LinkError(str(error), node=self.name)
        self._news.set()

    async def _at_hand(self) -> "BleakClient":
        if self._again is not None:
            await asyncio.wait([self._again])
        self._refuse_if_gone()
        assert self._client is not None
        return self._client

    def _refuse_if_gone(self) -> None:
        if self._closed:
            raise LinkError("the connection was closed", node=self.name)
        if self._failure is not None:
            raise self._failure


def _write_bytes(client: "BleakClient") -> int:
    characteristic = client.services.get_characteristic(beacon.TO_NODE)
    return _SMALLEST_WRITE_BYTES if characteristic is None else characteristic.max_write_without_response_size


@contextlib.contextmanager
def _as_ours(name: str) -> Any:
    """What bleak raises, as an error of ours that says what to do."""
    try:
        yield
    except FleetError:
        raise
    except Exception as error:
        raise _our_error(name, error) from error


def _our_error(name: str, error: Exception) -> FleetError:
    from bleak.exc import BleakBluetoothNotAvailableError, BleakError

    if isinstance(error, (BleakBluetoothNotAvailableError, FileNotFoundError, ImportError)):
        return EnvironmentProblem(
            f"Bluetooth cannot be used here ({_short(error)})",
            next_step="Switch it on; on Linux the service bluetooth (BlueZ) must run.",
        )
    if isinstance(error, (BleakError, OSError, TimeoutError, EOFError)):
        return LinkError(
            f"the Bluetooth connection failed ({_short(error)})",
            node=name,
            next_step="Go nearer and run the same command again.",
        )
    raise error


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:120]
