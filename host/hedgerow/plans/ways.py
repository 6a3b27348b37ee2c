"""Knows which way leads to a node: a cable as it is named, or the air, where the fleet's roster says who is who."""

from collections.abc import Awaitable, Callable, Sequence

from hedgerow.session import Credentials
from hedgerow.transports import Transport, ble, ports

Connect = Callable[[str], Awaitable[Transport]]


async def open_way(port: str, connect: Connect, credentials: Credentials | None) -> Transport:
    """A stream to whatever is behind `port`: a serial port as `connect` opens it, or `ble:NAME`."""
    if not ports.is_bluetooth(port):
        return await connect(port)
    return await ble.connect(port, () if credentials is None else credentials.known())


async def expand(port_names: Sequence[str], credentials: Credentials | None) -> list[str]:
    """The same names, but for `ble:`, which stands for every node of the fleet that is in reach."""
    found: list[str] = []
    for name in port_names:
        if name != ports.BLUETOOTH:
            found.append(name)
            continue
        heard = await ble.listen(() if credentials is None else credentials.known())
        found += [one.port for one in heard]
    return found
