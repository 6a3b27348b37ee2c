"""Knows how to look inside a bundle, a damaged one too; decides nothing about it and prints nothing.

`hedgewire.bundle.decode` stops at the first fault, as a node should. This goes on as far as the bytes can be read:
a block with a wrong CRC is shown with its fields, a block that makes no sense is stepped over if its length is known.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hedgewire import bundle, cbor, message
from hedgewire.bundle import Block, Bundle, Eid

CRC_NAMES = {bundle.NO_CRC: "none", bundle.CRC16: "CRC-16", bundle.CRC32C: "CRC-32C"}
BLOCK_NAMES = {
    bundle.PAYLOAD: "payload",
    bundle.PREVIOUS_NODE: "previous node",
    bundle.BUNDLE_AGE: "bundle age",
    bundle.HOP_COUNT: "hop count",
}
LAYER_NAMES = {message.PUBLIC: "public", message.GROUP: "group", message.SEALED: "sealed"}
# RFC 9171, 4.2.3 and 4.2.4.
BUNDLE_FLAGS = {
    0x000001: "is a fragment",
    0x000002: "is an administrative record",
    0x000004: "must not be fragmented",
    0x000020: "acknowledgement by the application is requested",
    0x000040: "status reports carry the time",
    0x004000: "report reception",
    0x010000: "report forwarding",
    0x020000: "report delivery",
    0x040000: "report deletion",
}
BLOCK_FLAGS = {
    0x01: "copied into every fragment",
    0x02: "report if not understood",
    0x04: "delete the bundle if not understood",
    0x10: "discard if not understood",
}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """What is wrong, and at which byte the faulty thing begins."""

    reason: str
    offset: int


@dataclass(frozen=True)
class Crc:
    """`state` is good, bad or absent."""

    type: str
    state: str


@dataclass(frozen=True)
class PrimaryView:
    """The primary block; its bundle holds the fields."""

    offset: int
    size_bytes: int
    crc: Crc
    bundle: Bundle


@dataclass(frozen=True)
class BlockView:
    """Another block. `meaning` is text for a person; None for a block type that is unknown here."""

    offset: int
    size_bytes: int
    crc: Crc
    block: Block
    meaning: str | None


@dataclass(frozen=True)
class Unreadable:
    """Bytes that stand where a block should and are none."""

    offset: int
    data: bytes


@dataclass
class BundleView:
    """All that could be read. Without findings, `hedgewire.bundle.decode` accepts the same bytes.

    The id is None where the primary block is unreadable or its CRC wrong: it would be another bundle's.
    """

    size_bytes: int
    definite: bool = False
    bundle_id: bytes | None = None
    primary: PrimaryView | None = None
    blocks: list[BlockView] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """The shape that `hedgerow bundle show --json` prints; bytes as hex."""
        return {
            "good": self.good,
            "id": self.bundle_id.hex() if self.bundle_id else None,
            "size_bytes": self.size_bytes,
            "outer_array": "definite" if self.definite else "indefinite",
            "primary": _primary_as_dict(self.primary) if self.primary else None,
            "blocks": [_block_as_dict(view) for view in self.blocks],
            "unreadable": [{"offset": one.offset, "hex": one.data.hex()} for one in self.unreadable],
            "findings": [vars(finding) for finding in self.findings],
        }


def inspect(data: bytes) -> BundleView:
    """Look inside a bundle. Every fault becomes a finding; nothing is raised for anything that data may hold."""
    view = BundleView(len(data))
    reader = cbor.Reader(data)
    try:
        count = bundle.open_bundle(reader)
        view.definite = count >= 0
        _look_at_next(reader, view, _look_at_primary)
        seen = 1
        while not bundle.at_end(reader, count, seen):
            if seen > bundle.MAX_BLOCKS + 1:  # told already; what is beyond is not worth a reader's time
                view.unreadable.append(Unreadable(reader.at, data[reader.at :]))
                return view
            _look_at_next(reader, view, _look_at_block)
            seen += 1
        if view.primary and not view.unreadable and (fault := bundle.bundle_fault(_whole(view))):
            view.findings.append(Finding(fault, reader.at))
        reader.close()
    except cbor.Broken as broken:
        view.findings.append(Finding(broken.damage.reason, broken.damage.offset))
        if reader.at < len(data):
            view.unreadable.append(Unreadable(reader.at, data[reader.at :]))
    return view


def _look_at_next(reader: cbor.Reader, view: BundleView, look: Callable[[cbor.Reader, BundleView], None]) -> None:
    """Add the next block to the view. Broken, with the reader at its start, if nothing tells where it ends."""
    start = reader.at
    try:
        look(reader, view)
    except cbor.Broken as broken:
        reader.at = start
        try:
            reader.item()
        except cbor.Broken:
            reader.at = start
            raise broken from None
        view.findings.append(Finding(broken.damage.reason, broken.damage.offset))
        view.unreadable.append(Unreadable(start, bytes(reader.data[start : reader.at])))


def _look_at_primary(reader: cbor.Reader, view: BundleView) -> None:
    start = reader.at
    found, crc_good = bundle.read_primary(reader)
    if crc_good is False:
        view.findings.append(Finding("CRC of the primary block", start))
    view.primary = PrimaryView(start, reader.at - start, _crc(found.crc_type, crc_good), found)
    identity = bundle.bundle_id(found)
    if crc_good is not False and isinstance(identity, bytes):
        view.bundle_id = identity


def _look_at_block(reader: cbor.Reader, view: BundleView) -> None:
    start = reader.at
    block, crc_good = bundle.read_block(reader)
    if crc_good is False:
        view.findings.append(Finding(f"CRC of block {block.number}", start))
    if fault := bundle.block_fault([other.block for other in view.blocks], block):
        view.findings.append(Finding(fault, start))
    destination = view.primary.bundle.destination if view.primary else bundle.NONE
    crc = _crc(block.crc_type, crc_good)
    view.blocks.append(BlockView(start, reader.at - start, crc, block, meaning(block, destination)))


def _whole(view: BundleView) -> Bundle:
    assert view.primary is not None
    whole = view.primary.bundle
    whole.blocks = [other.block for other in view.blocks]
    return whole


def _crc(crc_type: int, good: bool | None) -> Crc:
    return Crc(CRC_NAMES[crc_type], "absent" if good is None else "good" if good else "bad")


# ---- what it means, in words


def meaning(block: Block, destination: Eid) -> str | None:
    """A known block's content in words; None for an unknown type."""
    if block.type == bundle.PAYLOAD:
        return _payload(block.data, destination)
    if block.type not in bundle.KNOWN_BLOCKS:
        return None
    value = bundle.read_known(block)
    if isinstance(value, cbor.Damage):
        return f"not readable: {value.reason}"
    if isinstance(value, tuple):
        return f"{value[1]} of at most {value[0]} hops"
    if isinstance(value, int):
        return duration(value)
    return printable(str(value))


def _payload(data: bytes, destination: Eid) -> str:
    if destination.scheme == bundle.IPN and destination.service == message.TEXT:
        found = message.decode(data)
        if not isinstance(found, cbor.Damage):
            body = f"“{printable(found.body)}”" if isinstance(found.body, str) else f"{size(found.body)}, encrypted"
            return f"{LAYER_NAMES[found.layer]} text message: {body}"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return size(data)
    return f"{size(data)}: “{text}”" if text and text.isprintable() else size(data)


def size(data: bytes) -> str:
    """The length of data in words."""
    return "1 byte" if len(data) == 1 else f"{len(data)} bytes"


def printable(text: str) -> str:
    """A stranger's text without anything that could move a terminal's cursor."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def flag_names(flags: int, names: dict[int, str]) -> list[str]:
    """The names of all set bits; a bit without a name stands as its number."""
    bits = [1 << bit for bit in range(flags.bit_length()) if flags >> bit & 1]
    return [names.get(bit, f"reserved bit 0x{bit:x}") for bit in bits]


def duration(ms: int) -> str:
    """Milliseconds as a person says them: the two largest units."""
    parts = []
    rest = ms
    for unit_ms, name in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")):
        number, rest = divmod(rest, unit_ms)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts[:2]) or "0 ms"


def created(primary: Bundle) -> str:
    """The creation time in UTC; a source without a clock has none."""
    if primary.creation_time_ms == 0:
        return "unknown (the source has no clock)"
    try:
        moment = EPOCH + timedelta(milliseconds=primary.creation_time_ms)
    except OverflowError:
        return f"{primary.creation_time_ms} ms after 2000-01-01"
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _primary_as_dict(view: PrimaryView) -> dict[str, Any]:
    primary = view.bundle
    return {
        "offset": view.offset,
        "size_bytes": view.size_bytes,
        "crc": vars(view.crc),
        "version": primary.version,
        "flags": primary.flags,
        "flag_names": flag_names(primary.flags, BUNDLE_FLAGS),
        "destination": str(primary.destination),
        "source": str(primary.source),
        "report_to": str(primary.report_to),
        "creation_time_ms": primary.creation_time_ms,
        "created": created(primary) if primary.creation_time_ms else None,
        "sequence": primary.sequence,
        "lifetime_ms": primary.lifetime_ms,
        "fragment_offset": primary.fragment_offset,
        "fragment_total": primary.fragment_total,
    }


def _block_as_dict(view: BlockView) -> dict[str, Any]:
    block = view.block
    return {
        "offset": view.offset,
        "size_bytes": view.size_bytes,
        "crc": vars(view.crc),
        "type": block.type,
        "name": BLOCK_NAMES.get(block.type),
        "number": block.number,
        "flags": block.flags,
        "flag_names": flag_names(block.flags, BLOCK_FLAGS),
        "data": block.data.hex(),
        "meaning": view.meaning,
    }
