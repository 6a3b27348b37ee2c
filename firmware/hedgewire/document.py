"""The envelope that every fleet document travels in: a body, and the signatures given to it. Knows no key's owner.

The body is canonical CBOR of a map with `kind` and `v`, and stays bytes: its SHA-256, which callers compute, is the
document's name, and a field of a later version survives us.
"""

from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1

PUBLIC_BYTES = 32
KEY_ID_BYTES = 8
DIGEST_BYTES = 32
SIGNATURE_BYTES = 64
MAX_BYTES = 1920  # fits one bundle and one administration frame, so that a node can hold it and pass it on


class Document:
    """body: bytes, fields: the map in it, signatures: list of (public key, signature), ordered, none twice."""

    def __init__(self, body, fields, signatures):
        self.body = body
        self.fields = fields
        self.signatures = signatures

    @property
    def kind(self) -> str:
        return self.fields["kind"]


def make(kind: str, says: dict) -> bytes:
    """The body of a new document of our version."""
    fields = {"kind": kind, "v": VERSION}
    fields.update(says)
    return cbor.encode(fields)


def encode(body: bytes, signatures=()) -> bytes:
    """The envelope. The order of `signatures`, pairs of a public key and a signature, does not matter."""
    pairs = sorted(set(signatures))
    return cbor.encode({"body": body, "signatures": [list(pair) for pair in pairs]})


def decode(data) -> "Document | Damage":
    """The document in `data`, or what is wrong with it. No signature is checked."""
    envelope = cbor.decode(data)
    if isinstance(envelope, Damage):
        return envelope
    if not isinstance(envelope, dict) or not isinstance(envelope.get("body"), bytes):
        return Damage("no document envelope", 0)
    body = envelope["body"]
    fields = understand(body)
    if isinstance(fields, Damage):
        return fields
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or not all(_is_signature(item) for item in signatures):
        return Damage("signatures are pairs of a key and 64 bytes", 0)
    return Document(body, fields, sorted({(signer, signature) for signer, signature in signatures}))


def understand(body) -> "dict | Damage":
    """The map that a body is."""
    fields = cbor.decode(body)
    if isinstance(fields, Damage):
        return fields
    if not isinstance(fields, dict) or not is_text(fields.get("kind")) or not is_count(fields.get("v")):
        return Damage("a document needs a kind and a version", 0)
    return fields


def read(fields: dict, kind: str, shape: dict) -> "dict | Damage":
    """The fields that `shape` names, which maps names to tests, of a document of this kind; or the first wrong one."""
    if fields["kind"] != kind:
        return Damage("a %s is no %s" % (fields["kind"], kind), 0)
    if fields["v"] != VERSION:
        return Damage("%s of version %d" % (kind, fields["v"]), 0)
    for name in sorted(shape):
        if not shape[name](fields.get(name)):
            return Damage("%s: %s" % (kind, name), 0)
    return {name: fields.get(name) for name in shape}


def is_text(value) -> bool:
    """Text that says something."""
    return isinstance(value, str) and value != ""


def is_count(value) -> bool:
    """A whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_public(value) -> bool:
    """An Ed25519 public key."""
    return isinstance(value, bytes) and len(value) == PUBLIC_BYTES


def is_key_id(value) -> bool:
    """The short form of a key."""
    return isinstance(value, bytes) and len(value) == KEY_ID_BYTES


def is_digest(value) -> bool:
    """A SHA-256."""
    return isinstance(value, bytes) and len(value) == DIGEST_BYTES


def or_none(is_right):
    """The same test for a field that may be left open."""
    return lambda value: value is None or is_right(value)


def _is_signature(item):
    if not isinstance(item, list) or len(item) != 2:
        return False
    return is_public(item[0]) and isinstance(item[1], bytes) and len(item[1]) == SIGNATURE_BYTES
