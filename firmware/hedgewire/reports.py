"""Administrative records and status reports (RFC 9171, 6.1): to and from bytes. Knows no policy: who reports, when."""

from hedgewire import bundle, cbor
from hedgewire.bundle import Bundle, Eid
from hedgewire.cbor import Broken, Damage
from hedgewire.eid import read_eid, write_eid

STATUS_REPORT = 1

# Reasons (RFC 9171, 9.6); others are kept as numbers.
NO_INFORMATION = 0
LIFETIME_EXPIRED = 1
DEPLETED_STORAGE = 4
HOP_LIMIT_EXCEEDED = 9
BLOCK_UNINTELLIGIBLE = 8
BLOCK_UNSUPPORTED = 11


class Status:
    """received, forwarded, delivered, deleted: None (not asserted), True (no time told) or ms since 2000-01-01.

    source, creation_time_ms and sequence name the bundle that is reported on, fragment is (offset, payload length) of a
    fragment, else None.
    """

    received: "int | None" = None
    forwarded: "int | None" = None
    delivered: "int | None" = None
    deleted: "int | None" = None
    reason = NO_INFORMATION
    fragment: "tuple | None" = None

    def __init__(self, source: Eid, creation_time_ms: int, sequence: int):
        self.source = source
        self.creation_time_ms = creation_time_ms
        self.sequence = sequence

    def asserted(self) -> tuple:
        return self.received, self.forwarded, self.delivered, self.deleted


class Record:
    """An administrative record of a type that is none of ours: type, content (its encoding, CBOR of our profile)."""

    def __init__(self, type, content):
        self.type = type
        self.content = content


def about(subject: Bundle) -> Status:
    """A report on a bundle, nothing asserted yet."""
    status = Status(subject.source, subject.creation_time_ms, subject.sequence)
    if subject.flags & bundle.IS_FRAGMENT:
        status.fragment = (subject.fragment_offset, len(subject.payload))
    return status


def encode(status: Status) -> bytes:
    """The payload of the bundle that reports it; that bundle has the flag IS_ADMIN_RECORD, and asks for no reports."""
    out = bytearray()
    cbor.head(out, 4, 2)
    cbor.head(out, 0, STATUS_REPORT)
    cbor.head(out, 4, 4 if status.fragment is None else 6)
    cbor.head(out, 4, 4)
    for when in status.asserted():
        cbor.write(out, [False] if when is None else [True] if when is True else [True, when])
    cbor.head(out, 0, status.reason)
    write_eid(out, status.source)
    cbor.write(out, [status.creation_time_ms, status.sequence])
    for number in status.fragment or ():
        cbor.head(out, 0, number)
    return bytes(out)


def decode(payload) -> "Status | Record | Damage":
    """What the payload of an administrative bundle says. Never raises for anything that a peer may send."""
    reader = cbor.Reader(payload)
    try:
        if reader.array() != 2:
            raise Broken("administrative record", 0)
        type = reader.uint()
        start = reader.at
        if type != STATUS_REPORT:
            reader.item()
            reader.close()
            return Record(type, bytes(reader.data[start:]))
        status = _read_status(reader)
        reader.close()
    except Broken as broken:
        return broken.damage
    return status


def _read_status(reader):
    start = reader.at
    items = reader.array()
    if items not in (4, 6) or reader.array() != 4:
        raise Broken("status report", start)
    times = [_read_time(reader) for _ in range(4)]
    reason = reader.uint()
    source = read_eid(reader)
    if reader.array() != 2:
        raise Broken("creation timestamp", start)
    status = Status(source, reader.uint(), reader.uint())
    status.received, status.forwarded, status.delivered, status.deleted = times
    status.reason = reason
    if items == 6:
        status.fragment = (reader.uint(), reader.uint())
    return status


def _read_time(reader):
    start = reader.at
    items = reader.array()
    asserted = reader.item()
    if items == 1 and asserted is False:
        return None
    if items == 1 and asserted is True:
        return True
    if items == 2 and asserted is True:
        return reader.uint()
    raise Broken("status report", start)
