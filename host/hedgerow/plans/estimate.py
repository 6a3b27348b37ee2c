"""Knows about how long work on a node takes, so that people hear it before it starts. Measures and does nothing.

Rates are those of a cable at 115,200 baud, which a USB port of the chip's own beats; Bluetooth and the mesh are slower.
"""

from collections.abc import Iterable

from hedgerow import resources
from hedgerow.plans.ways import MESH
from hedgerow.transports import ports

CABLE_BYTES_A_S = 9_000  # what arrives and is hashed at 115,200 baud
AROUND_INSTALL_S = 8  # to look, to start the node, to read it back
COMPILED_PERCENT = 30  # of the source's size, on every board that there is
REPORT_S = 10  # of a node that hashes each of its files; all nodes do it at the same time


def sending_s(size_bytes: int) -> int:
    """Seconds that so many bytes take, at least one."""
    return max(1, round(size_bytes / CABLE_BYTES_A_S))


def firmware_bytes() -> int:
    """About what a node's firmware weighs; to compile it first would take longer than the answer is worth."""
    folder = resources.firmware_folder()
    sources = [path for package in ("hedgewire", "hedgenode") for path in (folder / package).rglob("*.py")]
    return sum(path.stat().st_size for path in sources) * COMPILED_PERCENT // 100


def install_s(size_bytes: int) -> int:
    """Seconds to make a bare board a node whose firmware has that size."""
    return sending_s(size_bytes) + AROUND_INSTALL_S


def words(seconds: int) -> str:
    """`about 20 s`, `about 3 min`: no more digits than an estimate has."""
    if seconds < 10:
        return f"about {max(1, seconds)} s"
    if seconds < 90:
        return f"about {round(seconds, -1) if seconds >= 20 else 5 * round(seconds / 5)} s"
    return f"about {round(seconds / 60)} min"


def slower(port_names: Iterable[str]) -> str:
    """What to add where one of these ways is slower than a cable; empty where none is."""
    names = list(port_names)
    if any(name.startswith(MESH) for name in names):
        return "; through the mesh minutes"
    return "; longer over Bluetooth" if any(ports.is_bluetooth(name) for name in names) else ""
