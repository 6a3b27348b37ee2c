"""Endpoint ids of bundles: the schemes ipn (RFC 9758) and dtn (RFC 9171, 4.2.5). Knows no block and no route."""

from hedgewire import cbor
from hedgewire.cbor import Broken

DTN = 1
IPN = 2


class Eid:
    """An endpoint. ipn: node and service are ints; dtn: node is the text behind "dtn:", service is 0."""

    def __init__(self, node, service: int = 0, scheme: int = IPN):
        self.node = node
        self.service = service
        self.scheme = scheme

    def __str__(self):
        if self.scheme == IPN:
            return f"ipn:{self.node}.{self.service}"
        return f"dtn:{self.node}"

    def __repr__(self):
        return f"Eid({self})"

    def __eq__(self, other):
        return (
            isinstance(other, Eid)
            and self.node == other.node
            and self.service == other.service
            and self.scheme == other.scheme
        )

    def __hash__(self):
        return hash((self.node, self.service, self.scheme))


NONE = Eid("none", 0, DTN)  # the null endpoint


def write_eid(out: bytearray, eid: Eid) -> None:
    """Append an endpoint; ipn has two elements, whatever it had where it came from."""
    cbor.head(out, 4, 2)
    cbor.head(out, 0, eid.scheme)
    if eid.scheme == IPN:
        cbor.head(out, 4, 2)
        cbor.head(out, 0, eid.node)
        cbor.head(out, 0, eid.service)
    elif eid.node == "none":
        cbor.head(out, 0, 0)
    else:
        cbor.write(out, eid.node)


def read_eid(reader: cbor.Reader) -> Eid:
    """The endpoint that begins here; Broken where it is none."""
    at = reader.at
    data = reader.data
    if at + 3 <= reader.end and data[at] == 0x82 and data[at + 1] == IPN and data[at + 2] == 0x82:
        reader.at = at + 3  # the usual form, [2, [node, service]], without three calls: a bundle has four of them
        return Eid(reader.uint(), reader.uint())
    if reader.array() != 2:
        raise Broken("endpoint", at)
    scheme = reader.uint()
    if scheme == IPN:
        items = reader.array()
        if items < 2 or items > 3:
            raise Broken("endpoint", at)
        node = reader.uint()
        if items == 3:  # allocator and number: the two halves of a fully qualified node number
            number = reader.uint()
            if node >> 32 or number >> 32:
                raise Broken("endpoint", at)
            node = node << 32 | number
        return Eid(node, reader.uint())
    if scheme != DTN:
        raise Broken("endpoint scheme", at)
    if reader.at < reader.end and reader.data[reader.at] == 0:
        reader.at += 1
        return NONE
    text = reader.text()
    if not text.startswith("//"):
        raise Broken("endpoint", at)
    return Eid(text, 0, DTN)
