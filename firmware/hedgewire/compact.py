"""Bundles in fewer bytes for small frames: header compression under a fleet's context. Knows no radio and no key.

In the way of SCHC (RFC 8724) and CBHE (RFC 6260): what both ends know is left out. What comes out of expand() is the
very bundle that went into shrink(), bit for bit, for shrink() looks before it says so; what fits no rule goes as it is
behind one byte.

    00 | bundle
    1 everyone clockless week age previous kind kind | hops u8 | source u16 | (destination u16) | sequence
        | (creation time) | (lifetime) | (age) | (previous u16) | payload without what its kind says
Numbers without a size are base 128, low part first. A lifetime or age is doubled: seconds, or
milliseconds and one more.
"""

from hedgewire import bundle, cbor
from hedgewire.bundle import Bundle, Eid
from hedgewire.cbor import Broken, Damage

_EVERYONE = 0x40
_CLOCKLESS = 0x20
_WEEK = 0x10
_AGE = 0x08
_PREVIOUS = 0x04
_KINDS = (None, b"\x83\x02\x01", b"\x83\x02\x02", b"\x83\x01\x00")  # group, sealed, in clear: see message.py
_WEEK_MS = 604800000
_HOP_LIMIT = 16
_SHORT_EVERYONE = 0xFFFF
_TEXT_SERVICE = 1


def shrink(data: bytes, ipn_base: int) -> bytes:
    """An encoded bundle for a small frame; never more than one byte longer than it."""
    found = bundle.decode(data)
    if isinstance(found, Bundle):
        short = _shrink(found, ipn_base)
        if short is not None and len(short) <= len(data) and expand(short, ipn_base) == data:
            return short
    return b"\x00" + data


def expand(data, ipn_base: int) -> "bytes | Damage":
    """The encoded bundle that was shrunk. Never raises for anything that a peer may send."""
    data = bytes(data)
    if data[:1] == b"\x00":
        return data[1:]
    try:
        return _expand(data, ipn_base)
    except Broken as broken:
        return broken.damage


def _shrink(found, ipn_base):
    """The short form if the main fields allow one, else None; rarer ones make it expand to something else."""
    hops, age_ms, previous = found.hop_count, found.age_ms, found.previous_node
    shorts = []
    for eid in (found.source, found.destination, previous or found.source):
        if eid.scheme != bundle.IPN or not 0 <= eid.node - ipn_base <= 0xFFFF:
            return None
        shorts.append(eid.node - ipn_base)
    if hops is None or hops[0] != _HOP_LIMIT or hops[1] > _HOP_LIMIT:
        return None
    kind = _kind(found.payload)
    first = 0x80 | kind
    out = bytearray((0, hops[1]))
    out.extend(shorts[0].to_bytes(2, "big"))
    if shorts[1] == _SHORT_EVERYONE:
        first |= _EVERYONE
    else:
        out.extend(shorts[1].to_bytes(2, "big"))
    _put(out, found.sequence)
    if found.creation_time_ms:
        _put(out, found.creation_time_ms)
    else:
        first |= _CLOCKLESS
    if found.lifetime_ms == _WEEK_MS:
        first |= _WEEK
    else:
        _put_ms(out, found.lifetime_ms)
    if age_ms is not None:
        first |= _AGE
        _put_ms(out, age_ms)
    if previous is not None:
        first |= _PREVIOUS
        out.extend(shorts[2].to_bytes(2, "big"))
    out[0] = first
    out.extend(found.payload if not kind else _inside(found.payload))
    return bytes(out)


def _kind(payload):
    """The place in _KINDS of what a payload begins with, if one string in its shortest form is all that follows."""
    for kind in (1, 2, 3):
        if payload[:3] == _KINDS[kind]:
            return kind if _whole(kind, _inside(payload)) == payload else 0
    return 0


def _inside(payload):
    reader = cbor.Reader(payload)
    reader.at = 3
    try:
        reader.head()
    except Broken:
        return b""
    return payload[reader.at :]


def _whole(kind, inside):
    out = bytearray(_KINDS[kind])
    cbor.head(out, 3 if kind == 3 else 2, len(inside))
    out.extend(inside)
    return bytes(out)


def _expand(data, ipn_base):
    first, at = _fixed(data, 0, 1)
    if first < 0x80:
        raise Broken("rule", 0)
    count, at = _fixed(data, at, 1)
    if count > _HOP_LIMIT:
        raise Broken("hop count", 1)
    source, at = _fixed(data, at, 2)
    destination = _SHORT_EVERYONE
    if not first & _EVERYONE:
        destination, at = _fixed(data, at, 2)
    sequence, at = _number(data, at)
    time_ms, age_ms, lifetime_ms = 0, None, _WEEK_MS
    if not first & _CLOCKLESS:
        time_ms, at = _number(data, at)
    if not first & _WEEK:
        lifetime_ms, at = _ms(data, at)
    if first & _AGE:
        age_ms, at = _ms(data, at)
    if not time_ms and age_ms is None:
        raise Broken("no age", at)  # such a bundle no decoder takes
    previous = None
    if first & _PREVIOUS:
        previous, at = _fixed(data, at, 2)
    kind = first & 3
    payload = _whole(kind, data[at:]) if kind else data[at:]
    ends = [Eid(ipn_base + short, _TEXT_SERVICE) for short in (source, destination)]
    made = bundle.make(ends[0], ends[1], payload, sequence, lifetime_ms, time_ms, hop_limit=_HOP_LIMIT)
    made.blocks = _blocks(count, age_ms, None if previous is None else ipn_base + previous) + made.blocks[-1:]
    return bundle.encode(made)


def _blocks(count, age_ms, previous):
    rows = [(bundle.HOP_COUNT, cbor.encode((_HOP_LIMIT, count)))]
    if age_ms is not None:
        rows.append((bundle.BUNDLE_AGE, cbor.encode(age_ms)))
    if previous is not None:
        endpoint = bytearray()
        bundle.write_eid(endpoint, Eid(previous, 0))
        rows.append((bundle.PREVIOUS_NODE, bytes(endpoint)))
    return [bundle.Block(rows[i][0], i + 2, 0, bundle.NO_CRC, rows[i][1]) for i in range(len(rows))]


def _put(out, number):
    while number > 127:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    out.append(number)


def _put_ms(out, ms):
    _put(out, ms * 2 + 1 if ms % 1000 else ms // 1000 * 2)


def _number(data, at):
    """A number below 2**64 and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        byte, at = _fixed(data, at, 1)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >> 64 or (byte == 0 and shift):
                break
            return number, at
    raise Broken("number", at - 1)


def _ms(data, at):
    doubled, stop = _number(data, at)
    if doubled & 1:
        return doubled >> 1, stop
    ms = (doubled >> 1) * 1000
    if ms >> 64:
        raise Broken("number", at)
    return ms, stop


def _fixed(data, at, size):
    if at + size > len(data):
        raise Broken("truncated", at)
    return int.from_bytes(data[at : at + size], "big"), at + size
