"""Knows the envelope that every fleet document travels in; refuses to know what the document says.

A document is a body (canonical CBOR of a map with `kind` and `v`) and the signatures given to it so far. Its digest
is the SHA-256 of the body alone: signing a document does not change what it is called, and two copies with
different signatures merge by union. The body stays bytes, so that a field of a later version survives us.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from hedgerow.errors import LocalError
from hedgerow.fleet import keys
from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1
DIGEST_BYTES = 32
SIGNATURE_BYTES = 64

Signature = tuple[bytes, bytes]  # (public key of the signer, Ed25519 signature of the body)
Shape = Mapping[str, Callable[[object], bool]]


@dataclass(frozen=True)
class Document:
    """One signed or still unsigned statement of somebody in the fleet."""

    body: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()

    @property
    def fields(self) -> dict:
        found: Any = cbor.decode(self.body)  # a map: `make` and `decode` let nothing else in
        return found

    @property
    def kind(self) -> str:
        return self.fields["kind"]

    def with_signatures(self, signatures: "tuple[Signature, ...]") -> "Document":
        return Document(self.body, tuple(sorted(set(self.signatures) | set(signatures))))

    def merged(self, other: "Document") -> "Document":
        """The union of the signatures of two copies of one document."""
        if other.body != self.body:
            raise LocalError("only two copies of one document merge")
        return self.with_signatures(other.signatures)

    def encode(self) -> bytes:
        signatures = [[signer, signature] for signer, signature in self.signatures]
        return cbor.encode({"body": self.body, "signatures": signatures})


def make(kind: str, says: Mapping[str, object]) -> Document:
    """A new, unsigned document of our version."""
    return Document(cbor.encode({"kind": kind, "v": VERSION, **says}))


def values_of(record: Any) -> dict[str, object]:
    """The fields of a dataclass instance by name, nothing cached beside them."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def decode(data: bytes) -> "Document | Damage":
    """The document in `data`, or what is wrong with it. Never raises: copies come from strangers."""
    envelope = cbor.decode(data)
    if isinstance(envelope, Damage):
        return envelope
    if not isinstance(envelope, dict) or not is_bytes(envelope.get("body")):
        return Damage("no document envelope", 0)
    body = cbor.decode(envelope["body"])
    if isinstance(body, Damage):
        return body
    if not isinstance(body, dict) or not is_text(body.get("kind")) or not is_count(body.get("v")):
        return Damage("a document needs a kind and a version", 0)
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or not all(_is_signature(item) for item in signatures):
        return Damage("signatures are pairs of a key and 64 bytes", 0)
    return Document(envelope["body"]).with_signatures(tuple((signer, signature) for signer, signature in signatures))


def read(document: Document, kind: str, shape: Shape) -> "dict | Damage":
    """The fields of a document of this kind that `shape` names, or the first field that is wrong."""
    found = document.fields
    if found["kind"] != kind:
        return Damage(f"a {found['kind']} is no {kind}", 0)
    if found["v"] != VERSION:
        return Damage(f"{kind} of version {found['v']}", 0)
    for name, is_right in shape.items():
        if not is_right(found.get(name)):
            return Damage(f"{kind}: {name}", 0)
    return {name: found.get(name) for name in shape}


def is_bytes(value: object) -> bool:
    """Bytes of any length."""
    return isinstance(value, bytes)


def is_text(value: object) -> bool:
    """Text that says something."""
    return isinstance(value, str) and value != ""


def is_count(value: object) -> bool:
    """A whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_public(value: object) -> bool:
    """An Ed25519 public key."""
    return isinstance(value, bytes) and len(value) == keys.PUBLIC_BYTES


def is_key_id(value: object) -> bool:
    """The short form of a key."""
    return isinstance(value, bytes) and len(value) == keys.KEY_ID_BYTES


def is_digest(value: object) -> bool:
    """A SHA-256."""
    return isinstance(value, bytes) and len(value) == DIGEST_BYTES


def or_none(is_right: Callable[[object], bool]) -> Callable[[object], bool]:
    """The same rule for a field that may be left open."""
    return lambda value: value is None or is_right(value)


def _is_signature(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and is_public(item[0]) and _is_signature_bytes(item[1])


def _is_signature_bytes(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == SIGNATURE_BYTES
