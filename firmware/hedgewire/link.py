"""Messages between two nodes, each of them in one frame (ESP-NOW, LoRa, serial). Knows no radio and no route.

All numbers are big-endian. Every message begins with version << 4 | type, fleet tag u16, source short id u16.
"""

import struct

from hedgewire.cbor import Damage

VERSION = 1
MAX_BYTES = 239  # what security adds on the air (hedgenode/crypto/linksec.py) makes 250 of it
MAX_DATA = 209  # bytes of a bundle in one segment
MAX_SEGMENTS = 32  # bits of the bitmap of an acknowledgement

HELLO = 0
OFFER = 1
WANT = 2
SEGMENT = 3
ACK = 4
HEAD = 5
WITNESS = 6
REACHED = 7
PROBE = 8
MAX_REACHED = 28  # ids in one message

# States of an acknowledgement.
PARTIAL = 0
ACCEPTED = 1
HAVE = 2
REFUSED = 3
DELIVERED = 4


class Hello:
    """fleet_tag, source, fingerprint (u32), peers: list of (short, utility u8)."""

    def __init__(self, fleet_tag, source, fingerprint, peers):
        self.fleet_tag = fleet_tag
        self.source = source
        self.fingerprint = fingerprint
        self.peers = peers


class Offer:
    """fleet_tag, source, to, items: list of (id 8 bytes, destination short, copies u8, size u16)."""

    def __init__(self, fleet_tag, source, to, items):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.items = items


class Want:
    """fleet_tag, source, to, ids: list of 8-byte ids."""

    def __init__(self, fleet_tag, source, to, ids):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.ids = ids


class Reached:
    """fleet_tag, source, ids: list of 8-byte ids of messages that have reached their readers."""

    def __init__(self, fleet_tag, source, ids):
        self.fleet_tag = fleet_tag
        self.source = source
        self.ids = ids


class Segment:
    """fleet_tag, source, to, id, index (0 ..), count, copies, data."""

    def __init__(self, fleet_tag, source, to, id, index, count, copies, data):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.id = id
        self.index = index
        self.count = count
        self.copies = copies
        self.data = data


class Ack:
    """fleet_tag, source, to, id, state, bitmap (bit n set: segment n is here)."""

    def __init__(self, fleet_tag, source, to, id, state, bitmap):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.id = id
        self.state = state
        self.bitmap = bitmap


class Head:
    """The head of the source's ledger, shown to all in reach: fleet_tag, source, seq, digest, writer, signature."""

    def __init__(self, fleet_tag, source, seq, digest, writer, signature):
        self.fleet_tag = fleet_tag
        self.source = source
        self.seq = seq
        self.digest = digest
        self.writer = writer
        self.signature = signature


class Witness:
    """A counter-signature of the head of `to`: fleet_tag, source, to, seq, digest, witness, signature."""

    def __init__(self, fleet_tag, source, to, seq, digest, witness, signature):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.seq = seq
        self.digest = digest
        self.witness = witness
        self.signature = signature


class Probe:
    """Who hears whom, how well: fleet_tag, source, to, number, rssi_dbm, snr_db4 (quarters of a decibel).

    A question is to everybody and has neither of the two. An answer is to whoever asked and repeats the number; it says
    how the question was heard, as far as the radio tells: None where it does not.
    """

    def __init__(self, fleet_tag, source, to, number, rssi_dbm, snr_db4):
        self.fleet_tag = fleet_tag
        self.source = source
        self.to = to
        self.number = number
        self.rssi_dbm = rssi_dbm
        self.snr_db4 = snr_db4


def fleet_tag(fleet_id: bytes) -> int:
    """The tag by which frames of other fleets are told apart: the first two bytes of the fleet id."""
    return fleet_id[0] << 8 | fleet_id[1]


# ---- encoding


def encode_hello(fleet_tag: int, source: int, fingerprint: int, peers) -> bytes:
    """peers: (short, utility) pairs, at most 76."""
    out = _start(HELLO, fleet_tag, source)
    _put(out, fingerprint, 4)
    _put(out, len(peers), 1)
    for short, utility in peers:
        _put(out, short, 2)
        _put(out, utility, 1)
    return _whole(out)


def encode_offer(fleet_tag: int, source: int, to: int, items) -> bytes:
    """items: (id, destination, copies, size), at most 17."""
    out = _start(OFFER, fleet_tag, source)
    _put(out, to, 2)
    _put(out, len(items), 1)
    for id, destination, copies, size in items:
        _put_id(out, id)
        _put(out, destination, 2)
        _put(out, copies, 1)
        _put(out, size, 2)
    return _whole(out)


def encode_want(fleet_tag: int, source: int, to: int, ids) -> bytes:
    """ids: at most 28."""
    out = _start(WANT, fleet_tag, source)
    _put(out, to, 2)
    _put(out, len(ids), 1)
    for id in ids:
        _put_id(out, id)
    return _whole(out)


def encode_reached(fleet_tag: int, source: int, ids) -> bytes:
    """ids: at most MAX_REACHED."""
    out = _start(REACHED, fleet_tag, source)
    _put(out, len(ids), 1)
    for id in ids:
        _put_id(out, id)
    return _whole(out)


def encode_segment(fleet_tag: int, source: int, to: int, id, index: int, count: int, copies: int, data) -> bytes:
    if not 0 <= index < count <= MAX_SEGMENTS or not 0 < len(data) <= MAX_DATA:
        raise ValueError("segment out of bounds")
    out = _start(SEGMENT, fleet_tag, source)
    _put(out, to, 2)
    _put_id(out, id)
    _put(out, index, 1)
    _put(out, count, 1)
    _put(out, copies, 1)
    out.extend(data)
    return _whole(out)


def encode_ack(fleet_tag: int, source: int, to: int, id, state: int, bitmap: int) -> bytes:
    if not PARTIAL <= state <= DELIVERED:
        raise ValueError("no such state")
    out = _start(ACK, fleet_tag, source)
    _put(out, to, 2)
    _put_id(out, id)
    _put(out, state, 1)
    _put(out, bitmap, 4)
    return _whole(out)


def encode_head(fleet_tag: int, source: int, seq: int, digest, writer, signature) -> bytes:
    """writer: public key, 32 bytes."""
    out = _start(HEAD, fleet_tag, source)
    _put_signed(out, seq, digest, writer, signature)
    return _whole(out)


def encode_witness(fleet_tag: int, source: int, to: int, seq: int, digest, witness, signature) -> bytes:
    """witness: public key, 32 bytes."""
    out = _start(WITNESS, fleet_tag, source)
    _put(out, to, 2)
    _put_signed(out, seq, digest, witness, signature)
    return _whole(out)


def encode_probe(fleet_tag: int, source: int, to: int, number: int, rssi_dbm=None, snr_db4=None) -> bytes:
    """rssi_dbm: -255 .. -1; snr_db4: -127 .. 127 quarters of a decibel; None where nobody can tell."""
    out = _start(PROBE, fleet_tag, source)
    _put(out, to, 2)
    _put(out, number, 2)
    _put(out, 0 if rssi_dbm is None else -rssi_dbm, 1)
    _put(out, 0 if snr_db4 is None else snr_db4 + 128, 1)
    return _whole(out)


def _put_signed(out, seq, digest, public, signature):
    if len(digest) != 32 or len(public) != 32 or len(signature) != 64:
        raise ValueError("a digest and a key have 32 bytes, a signature 64")
    _put(out, seq, 4)
    out.extend(digest)
    out.extend(public)
    out.extend(signature)


def _start(kind, fleet_tag, source):
    out = bytearray(1)
    out[0] = VERSION << 4 | kind
    _put(out, fleet_tag, 2)
    _put(out, source, 2)
    return out


def _put(out, number, size):
    if number < 0 or number >> (8 * size):
        raise ValueError("number out of range")
    out.extend(number.to_bytes(size, "big"))


def _put_id(out, id):
    if len(id) != 8:
        raise ValueError("a bundle id has 8 bytes")
    out.extend(id)


def _whole(out):
    if len(out) > MAX_BYTES:
        raise ValueError("too long for a link frame")
    return bytes(out)


# ---- decoding


def decode(data) -> "Hello | Offer | Want | Segment | Ack | Head | Witness | Reached | Probe | Damage":
    """The message in data, or Damage. Lengths must fit to the byte."""
    size = len(data)
    if size < 5:
        return Damage("truncated", size)
    if size > MAX_BYTES:
        return Damage("too long", MAX_BYTES)
    if data[0] >> 4 != VERSION:
        return Damage("version", 0)
    kind = data[0] & 15
    if kind > PROBE:
        return Damage("unknown type", 0)
    tag, source = struct.unpack_from(">HH", data, 1)
    return _DECODERS[kind](data, size, tag, source)


def _counted(data, size, at, item_bytes):
    """None if exactly the promised items follow the count at `at`, else Damage."""
    if size <= at:
        return Damage("truncated", size)
    stop = at + 1 + data[at] * item_bytes
    if size < stop:
        return Damage("truncated", size)
    if size > stop:
        return Damage("trailing bytes", stop)
    return None


def _hello(data, size, tag, source):
    damage = _counted(data, size, 9, 3)
    if damage:
        return damage
    peers = []
    for at in range(10, size, 3):
        peers.append(struct.unpack_from(">HB", data, at))
    return Hello(tag, source, struct.unpack_from(">I", data, 5)[0], peers)


def _offer(data, size, tag, source):
    damage = _counted(data, size, 7, 13)
    if damage:
        return damage
    items = []
    for at in range(8, size, 13):
        destination, copies, bundle_bytes = struct.unpack_from(">HBH", data, at + 8)
        items.append((bytes(data[at : at + 8]), destination, copies, bundle_bytes))
    return Offer(tag, source, struct.unpack_from(">H", data, 5)[0], items)


def _want(data, size, tag, source):
    damage = _counted(data, size, 7, 8)
    if damage:
        return damage
    ids = []
    for at in range(8, size, 8):
        ids.append(bytes(data[at : at + 8]))
    return Want(tag, source, struct.unpack_from(">H", data, 5)[0], ids)


def _reached(data, size, tag, source):
    damage = _counted(data, size, 5, 8)
    if damage:
        return damage
    ids = []
    for at in range(6, size, 8):
        ids.append(bytes(data[at : at + 8]))
    return Reached(tag, source, ids)


def _segment(data, size, tag, source):
    if size < 19:
        return Damage("truncated", size)
    index, count, copies = data[15], data[16], data[17]
    if count > MAX_SEGMENTS or index >= count:
        return Damage("segment number", 15)
    if size > 18 + MAX_DATA:
        return Damage("trailing bytes", 18 + MAX_DATA)
    to = struct.unpack_from(">H", data, 5)[0]
    return Segment(tag, source, to, bytes(data[7:15]), index, count, copies, bytes(data[18:]))


def _ack(data, size, tag, source):
    if size < 20:
        return Damage("truncated", size)
    if size > 20:
        return Damage("trailing bytes", 20)
    if data[15] > DELIVERED:
        return Damage("unknown state", 15)
    to = struct.unpack_from(">H", data, 5)[0]
    return Ack(tag, source, to, bytes(data[7:15]), data[15], struct.unpack_from(">I", data, 16)[0])


def _head(data, size, tag, source):
    damage = _of_size(size, 137)
    if damage:
        return damage
    seq = struct.unpack_from(">I", data, 5)[0]
    return Head(tag, source, seq, bytes(data[9:41]), bytes(data[41:73]), bytes(data[73:]))


def _witness(data, size, tag, source):
    damage = _of_size(size, 139)
    if damage:
        return damage
    to, seq = struct.unpack_from(">HI", data, 5)
    return Witness(tag, source, to, seq, bytes(data[11:43]), bytes(data[43:75]), bytes(data[75:]))


def _probe(data, size, tag, source):
    damage = _of_size(size, 11)
    if damage:
        return damage
    to, number = struct.unpack_from(">HH", data, 5)
    return Probe(tag, source, to, number, -data[9] if data[9] else None, data[10] - 128 if data[10] else None)


def _of_size(size, wanted):
    if size < wanted:
        return Damage("truncated", size)
    return Damage("trailing bytes", wanted) if size > wanted else None


_DECODERS = (_hello, _offer, _want, _segment, _ack, _head, _witness, _reached, _probe)
