"""Knows which way leads to a node: a cable as it is named, the air, or another node and the mesh behind it.

`/dev/ttyACM0`, `socket://host:2217`: whatever `hedgerow.transports.ports` opens. `ble:NAME`: over Bluetooth, where the
fleet's roster says who is who. `mesh:NAME@PORT`: from the node at that port through the mesh; without `@PORT` from the
only one that is plugged in.
"""

from collections.abc import Awaitable, Callable, Sequence

from hedgerow.errors import LinkError
from hedgerow.session import Credentials, Session
from hedgerow.session.far import FarTransport
from hedgerow.transports import Transport, ble, ports

MESH = "mesh:"
Connect = Callable[[str], Awaitable[Transport]]


async def open_way(port: str, connect: Connect, credentials: Credentials | None) -> Transport:
    """A stream to whatever is behind `port`. Raises LinkError for a name that this fleet does not have."""
    if ports.is_bluetooth(port):
        return await ble.connect(port, () if credentials is None else credentials.known())
    if port.startswith(MESH):
        return await _through_the_mesh(port, connect, credentials)
    return await connect(port)


async def _through_the_mesh(port: str, connect: Connect, credentials: Credentials | None) -> Transport:
    who, _, entry_port = port.removeprefix(MESH).partition("@")
    known = () if credentials is None else credentials.known()
    found = [node for node in known if node.is_called(who)]
    if not found:
        raise LinkError(
            "no node of this fleet is called so",
            node=port,
            next_step="Run it in your fleet's folder, or name that with --fleet: `-p mesh:NAME@PORT`.",
        )
    entry = Session(await open_way(entry_port or _only_port(), connect, credentials), credentials=credentials)
    return FarTransport(entry, found[0].short, f"{MESH}{found[0].name}")


def _only_port() -> str:
    here = ports.here()
    if len(here) != 1:
        raise LinkError(
            "through which node is it to go?", state=ports.describe_ports(here), next_step="Say `-p mesh:NAME@PORT`."
        )
    return here[0].path


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
