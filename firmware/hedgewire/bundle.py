"""Bundles of the Bundle Protocol version 7 (RFC 9171) to and from values. Knows no clock, no store and no route.

In: outer array definite or indefinite, ipn endpoints of two or three elements (RFC 9758), dtn endpoints, CRC-16 and
CRC-32C, both checked, unknown blocks kept as they are. Out: outer array indefinite, ipn of two elements, CRC as each
block says. The primary block of a received bundle is kept byte for byte: it is immutable, and the id hangs on it.
"""

import hashlib

from hedgewire import cbor
from hedgewire.cbor import Broken, Damage
from hedgewire.crc import crc16, crc32c
from hedgewire.eid import DTN, IPN, NONE, Eid, read_eid, write_eid  # noqa: F401 (DTN and IPN are for callers)

VERSION = 7
MAX_UNCHECKED_BYTES = 300  # of a payload without a CRC: then two segments hold the bundle (link.MAX_DATA)
MAX_BLOCKS = 32  # bounds what a hostile bundle can make a node allocate

NO_CRC = 0
CRC16 = 1
CRC32C = 2
CRC_BYTES = (0, 2, 4)

# Bundle processing flags (RFC 9171, 4.2.3) and block processing flags (4.2.4).
IS_FRAGMENT = 0x01
IS_ADMIN_RECORD = 0x02
MUST_NOT_FRAGMENT = 0x04
BLOCK_REPLICATE = 0x01
BLOCK_REPORT_IF_UNKNOWN = 0x02
BLOCK_DELETE_BUNDLE_IF_UNKNOWN = 0x04
BLOCK_DISCARD_IF_UNKNOWN = 0x10

# Block types.
PAYLOAD = 1
PREVIOUS_NODE = 6
BUNDLE_AGE = 7
HOP_COUNT = 10
KNOWN_BLOCKS = (PAYLOAD, PREVIOUS_NODE, BUNDLE_AGE, HOP_COUNT)


class Block:
    """A block other than the primary one: type, number, flags, crc_type, data (the bytes inside its byte string)."""

    def __init__(self, type: int, number: int, flags: int, crc_type: int, data: bytes):
        self.type = type
        self.number = number
        self.flags = flags
        self.crc_type = crc_type
        self.data = data


class Bundle:
    """The fields of the primary block, and the other blocks in order, the payload last.

    Treat it as a value: `primary` holds the primary block as it was received (else None), and encode() prefers it.
    """

    # Defaults stand on the class: a board pays for every attribute that is set twice.
    version = VERSION
    flags = 0
    crc_type = CRC16
    destination = NONE
    source = NONE
    report_to = NONE
    creation_time_ms = 0  # since 2000-01-01 UTC; 0: the source has no clock
    sequence = 0
    lifetime_ms = 0
    fragment_offset: "int | None" = None
    fragment_total: "int | None" = None
    primary: "bytes | None" = None

    def __init__(self):
        self.blocks = []

    def block(self, type: int) -> "Block | None":
        """The first block of a type."""
        for block in self.blocks:
            if block.type == type:
                return block
        return None

    @property
    def payload(self) -> bytes:
        return self.blocks[-1].data

    @property
    def hop_count(self) -> "tuple | None":
        """(limit, count)."""
        value = self._known(HOP_COUNT)
        return value if isinstance(value, tuple) else None

    @property
    def age_ms(self) -> "int | None":
        value = self._known(BUNDLE_AGE)
        return value if isinstance(value, int) else None

    @property
    def previous_node(self) -> "Eid | None":
        value = self._known(PREVIOUS_NODE)
        return value if isinstance(value, Eid) else None

    def _known(self, type):
        block = self.block(type)
        return None if block is None else read_known(block)


def make(
    source: Eid,
    destination: Eid,
    payload: bytes,
    sequence: int,
    lifetime_ms: int,
    creation_time_ms: int = 0,
    age_ms: int = 0,
    hop_limit: int = 16,
) -> Bundle:
    """A new bundle. Without a clock (creation time 0) it carries its age, as RFC 9171 (4.4.2) demands."""
    bundle = Bundle()
    bundle.source = source
    bundle.destination = destination
    bundle.sequence = sequence
    bundle.lifetime_ms = lifetime_ms
    bundle.creation_time_ms = creation_time_ms
    if not 1 <= hop_limit <= 255:
        raise ValueError("a hop limit is 1 .. 255")
    bundle.blocks = [Block(HOP_COUNT, 2, 0, NO_CRC, cbor.encode((hop_limit, 0)))]
    if creation_time_ms == 0 or age_ms:
        bundle.blocks.append(Block(BUNDLE_AGE, 3, 0, NO_CRC, _age(age_ms)))
    bundle.blocks.append(Block(PAYLOAD, 1, 0, NO_CRC, b""))
    put_payload(bundle, payload)
    return bundle


def put_payload(bundle: Bundle, payload: bytes) -> None:
    """Give a bundle of `make` its payload: with a CRC where it takes three segments of a radio or more, for a sender
    that begins anew says another age, and segments of both tries may fit each other without being right."""
    crc_type = CRC16 if len(payload) > MAX_UNCHECKED_BYTES else NO_CRC
    bundle.blocks[-1] = Block(PAYLOAD, 1, 0, crc_type, bytes(payload))


def with_forwarding(bundle: Bundle, age_ms: int, previous_node: Eid) -> Bundle:
    """What a node hands on: hop count one more, age set, previous node replaced, what asks for it discarded.

    The caller compares the new hop count with its limit, and drops a bundle for which must_delete() is true.
    """
    out = Bundle()
    out.flags = bundle.flags
    out.crc_type = bundle.crc_type
    out.destination = bundle.destination
    out.source = bundle.source
    out.report_to = bundle.report_to
    out.creation_time_ms = bundle.creation_time_ms
    out.sequence = bundle.sequence
    out.lifetime_ms = bundle.lifetime_ms
    if bundle.fragment_total is not None:
        out.fragment_offset = bundle.fragment_offset
        out.fragment_total = bundle.fragment_total
    out.primary = bundle.primary
    for block in bundle.blocks:
        if block.type in KNOWN_BLOCKS or not block.flags & BLOCK_DISCARD_IF_UNKNOWN:
            out.blocks.append(block)
    hops = bundle.hop_count
    if hops is not None:
        _put_block(out, HOP_COUNT, cbor.encode((hops[0], hops[1] + 1)))
    _put_block(out, BUNDLE_AGE, _age(age_ms))
    endpoint = bytearray()
    write_eid(endpoint, previous_node)
    _put_block(out, PREVIOUS_NODE, bytes(endpoint))
    return out


def _age(age_ms):
    out = bytearray()
    cbor.head(out, 0, age_ms)
    return bytes(out)


def _put_block(bundle, type, data):
    """Replace the data of the block of this type, or add such a block before the payload."""
    highest = 1
    for index, block in enumerate(bundle.blocks):
        if block.type == type:
            bundle.blocks[index] = Block(type, block.number, block.flags, block.crc_type, data)
            return
        highest = max(highest, block.number)
    bundle.blocks.insert(len(bundle.blocks) - 1, Block(type, highest + 1, 0, NO_CRC, data))


def must_delete(bundle: Bundle) -> bool:
    """Whether a block that this node cannot process asks for the deletion of its bundle (RFC 9171, 4.2.4)."""
    for block in bundle.blocks:
        if block.type not in KNOWN_BLOCKS and block.flags & BLOCK_DELETE_BUNDLE_IF_UNKNOWN:
            return True
    return False


def bundle_id(bundle: "Bundle | bytes") -> "bytes | Damage":
    """The first 8 bytes of the SHA-256 of the primary block; Damage only for bytes that have no readable one."""
    if isinstance(bundle, Bundle):
        primary = primary_block(bundle)
    else:
        reader = cbor.Reader(bundle)
        try:
            open_bundle(reader)
            primary = read_primary(reader)[0].primary
        except Broken as broken:
            return broken.damage
    return hashlib.sha256(primary).digest()[:8]


# ---- encoding


def encode(bundle: Bundle) -> bytes:
    """The bundle with every CRC computed; ValueError if its payload is not its last block."""
    if not bundle.blocks or bundle.blocks[-1].type != PAYLOAD:
        raise ValueError("the last block of a bundle is its payload")
    out = bytearray(b"\x9f")
    out.extend(primary_block(bundle))
    for block in bundle.blocks:
        start = len(out)
        cbor.head(out, 4, 6 if block.crc_type else 5)
        cbor.head(out, 0, block.type)
        cbor.head(out, 0, block.number)
        cbor.head(out, 0, block.flags)
        cbor.head(out, 0, block.crc_type)
        cbor.head(out, 2, len(block.data))
        out.extend(block.data)
        _seal(out, start, block.crc_type)
    out.append(0xFF)
    return bytes(out)


def primary_block(bundle: Bundle) -> bytes:
    """The primary block as it stands in the bundle, CRC included: what signatures and sealed bodies are bound to."""
    return bundle.primary or _encode_primary(bundle)


def _encode_primary(bundle):
    fragment = bundle.flags & IS_FRAGMENT
    out = bytearray()
    cbor.head(out, 4, 8 + (2 if fragment else 0) + (1 if bundle.crc_type else 0))
    cbor.head(out, 0, bundle.version)
    cbor.head(out, 0, bundle.flags)
    cbor.head(out, 0, bundle.crc_type)
    write_eid(out, bundle.destination)
    write_eid(out, bundle.source)
    write_eid(out, bundle.report_to)
    cbor.head(out, 4, 2)
    cbor.head(out, 0, bundle.creation_time_ms)
    cbor.head(out, 0, bundle.sequence)
    cbor.head(out, 0, bundle.lifetime_ms)
    if fragment:
        cbor.head(out, 0, bundle.fragment_offset)
        cbor.head(out, 0, bundle.fragment_total)
    _seal(out, 0, bundle.crc_type)
    return bytes(out)


def _seal(out, start, crc_type):
    """Append the CRC over the block from start, its own bytes taken as zero (RFC 9171, 4.2.2)."""
    size = CRC_BYTES[crc_type]
    if size:
        cbor.head(out, 2, size)
        out.extend(bytes(size))
        crc = _crc(memoryview(out)[start:], crc_type)
        out[len(out) - size :] = crc.to_bytes(size, "big")


def _crc(data, crc_type):
    return crc16(data) if crc_type == CRC16 else crc32c(data)


# ---- decoding


def decode(data) -> "Bundle | Damage":
    """The bundle in data, or Damage that names the first fault. Never raises for anything that a peer may send."""
    reader = cbor.Reader(data)
    try:
        return _decode(reader)
    except Broken as broken:
        return broken.damage


def _decode(reader):
    count = open_bundle(reader)
    start = reader.at
    bundle, crc_good = read_primary(reader)
    if crc_good is False:
        raise Broken("CRC of the primary block", start)
    while not at_end(reader, count, 1 + len(bundle.blocks)):
        start = reader.at
        block, crc_good = read_block(reader)
        if crc_good is False:
            raise Broken(f"CRC of block {block.number}", start)
        fault = block_fault(bundle.blocks, block)
        if fault:
            raise Broken(fault, start)
        bundle.blocks.append(block)
    fault = bundle_fault(bundle)
    if fault:
        raise Broken(fault, reader.at)
    reader.close()
    return bundle


def open_bundle(reader: cbor.Reader) -> int:
    """Enter the outer array: its number of blocks, or -1 where its end is marked (the form that RFC 9171 asks for)."""
    if reader.end and reader.data[0] == 0x9F:
        reader.at = 1
        return -1
    return reader.array()


def at_end(reader: cbor.Reader, count: int, seen: int) -> bool:
    """Whether the outer array ends here, after `seen` blocks; consumes the end mark."""
    if count >= 0:
        return seen >= count
    if reader.at < reader.end and reader.data[reader.at] == 0xFF:
        reader.at += 1
        return True
    return False


def read_primary(reader: cbor.Reader) -> tuple:
    """(Bundle without blocks, whether its CRC is good or None if it has none)."""
    start = reader.at
    items = reader.array()
    bundle = Bundle()
    at = reader.at
    bundle.version = reader.uint()
    if bundle.version != VERSION:
        raise Broken("version", at)
    bundle.flags = reader.uint()
    bundle.crc_type = _read_crc_type(reader)
    fragment = bundle.flags & IS_FRAGMENT
    if items != 8 + (2 if fragment else 0) + (1 if bundle.crc_type else 0):
        raise Broken("number of fields", start)
    bundle.destination = read_eid(reader)
    bundle.source = read_eid(reader)
    bundle.report_to = read_eid(reader)
    at = reader.at
    if reader.array() != 2:
        raise Broken("creation timestamp", at)
    bundle.creation_time_ms = reader.uint()
    bundle.sequence = reader.uint()
    bundle.lifetime_ms = reader.uint()
    if fragment:
        bundle.fragment_offset = reader.uint()
        bundle.fragment_total = reader.uint()
    crc_good = _read_crc(reader, start, bundle.crc_type)
    bundle.primary = bytes(reader.data[start : reader.at])
    return bundle, crc_good


def read_block(reader: cbor.Reader) -> tuple:
    """(Block, whether its CRC is good or None if it has none)."""
    start = reader.at
    items = reader.array()
    type = reader.uint()
    number = reader.uint()
    flags = reader.uint()
    crc_type = _read_crc_type(reader)
    if items != (6 if crc_type else 5):
        raise Broken("number of fields", start)
    data = reader.byte_string()
    return Block(type, number, flags, crc_type, data), _read_crc(reader, start, crc_type)


def _read_crc_type(reader):
    at = reader.at
    crc_type = reader.uint()
    if crc_type > CRC32C:
        raise Broken("CRC type", at)
    return crc_type


def _read_crc(reader, start, crc_type):
    if crc_type == NO_CRC:
        return None
    at = reader.at
    size = CRC_BYTES[crc_type]
    found = reader.byte_string()
    if len(found) != size:
        raise Broken("CRC length", at)
    # The check runs over the block with zeros where the CRC stands.
    crc = _crc(reader.data[start : reader.at - size], crc_type)
    zeros = bytes(size)
    crc = crc16(zeros, crc) if crc_type == CRC16 else crc32c(zeros, crc)
    return crc == int.from_bytes(found, "big")


def read_known(block: Block) -> "Eid | int | tuple | bytes | Damage":
    """The meaning of a known block's data; an unknown block's data is its own meaning."""
    if block.type not in (PREVIOUS_NODE, BUNDLE_AGE, HOP_COUNT):
        return block.data
    reader = cbor.Reader(block.data)
    try:
        if block.type == PREVIOUS_NODE:
            value = read_eid(reader)
        elif block.type == BUNDLE_AGE:
            value = reader.uint()
        else:
            if reader.array() != 2:
                raise Broken("hop count", 0)
            value = (reader.uint(), reader.uint())
            if not 1 <= value[0] <= 255:
                raise Broken("hop limit", 0)
        reader.close()
    except Broken as broken:
        return broken.damage
    return value


def block_fault(before: list, block: Block) -> "str | None":
    """What is wrong with a block, or with its place behind the blocks before it; None if nothing is."""
    if len(before) >= MAX_BLOCKS:
        return "too many blocks"
    if before and before[-1].type == PAYLOAD:
        return "block behind the payload"
    if block.number == 0 or (block.type == PAYLOAD) != (block.number == 1):
        return "block number"
    for other in before:
        if other.number == block.number:
            return "block number"
        if other.type == block.type and block.type in KNOWN_BLOCKS:
            return "repeated block"
    if isinstance(read_known(block), Damage):
        return f"data of block {block.number}"
    return None


def bundle_fault(bundle: Bundle) -> "str | None":
    """What is wrong with a bundle as a whole, all its blocks read."""
    if not bundle.blocks or bundle.blocks[-1].type != PAYLOAD:
        return "no payload"
    if bundle.creation_time_ms == 0 and bundle.block(BUNDLE_AGE) is None:
        return "no age"
    return None
