"""Knows the envelope that every fleet document travels in; refuses to know what the document says.

A document is a body (canonical CBOR of a map with `kind` and `v`) and the signatures given to it so far. Its digest
is the SHA-256 of the body alone: signing a document does not change what it is called, and two copies with
different signatures merge by union. The body stays bytes, so that a field of a later version survives us.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from hedgerow.errors import LocalError
from hedgerow.fleet import keys
from hedgewire import cbor, document
from hedgewire.cbor import Damage
from hedgewire.document import is_count, is_digest, is_key_id, is_public, is_text, or_none

__all__ = [
    "Document",
    "Shape",
    "decode",
    "is_count",
    "is_digest",
    "is_key_id",
    "is_public",
    "is_text",
    "make",
    "or_none",
    "read",
    "unite",
    "values_of",
]

VERSION = document.VERSION
READ_AT_ONCE = 4096  # bodies and signatures whose reading is remembered: a command asks for the same ones often

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
        return dict(_fields(self.body))

    @property
    def kind(self) -> str:
        return _kind(self.body)

    @property
    def signers(self) -> frozenset[bytes]:
        """Public keys whose signature of this body is right."""
        return frozenset(signer for signer, signature in self.signatures if _is_right(signer, signature, self.body))

    def signed(self, *seeds: bytes) -> "Document":
        """This document with the signatures of these seeds added."""
        return self.with_signatures(tuple((keys.public_of(seed), keys.sign(seed, self.body)) for seed in seeds))

    def with_signatures(self, signatures: "tuple[Signature, ...]") -> "Document":
        return Document(self.body, tuple(sorted(set(self.signatures) | set(signatures))))

    def merged(self, other: "Document") -> "Document":
        """The union of the signatures of two copies of one document."""
        if other.body != self.body:
            raise LocalError("only two copies of one document merge")
        return self.with_signatures(other.signatures)

    def encode(self) -> bytes:
        return document.encode(self.body, self.signatures)


def make(kind: str, says: Mapping[str, object]) -> Document:
    """A new, unsigned document of our version."""
    return Document(document.make(kind, dict(says)))


def values_of(record: Any) -> dict[str, object]:
    """The fields of a dataclass instance by name, nothing cached beside them."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def decode(data: bytes) -> "Document | Damage":
    """The document in `data`, or what is wrong with it. Never raises: copies come from strangers."""
    found = document.decode(data)
    if isinstance(found, Damage):
        return found
    return Document(found.body).with_signatures(tuple(found.signatures))


def read(found: Document, kind: str, shape: Shape) -> "dict | Damage":
    """The fields of a document of this kind that `shape` names, or the first field that is wrong."""
    return document.read(found.fields, kind, dict(shape))


def unite(found: Iterable[Document]) -> list[Document]:
    """Each document once, with the signatures of all its copies, by digest."""
    united: dict[bytes, Document] = {}
    for one in found:
        digest = one.digest
        united[digest] = united[digest].merged(one) if digest in united else one
    return [united[digest] for digest in sorted(united)]


@lru_cache(READ_AT_ONCE)
def _fields(body: bytes) -> dict:
    found: Any = cbor.decode(body)  # a map: `make` and `decode` let nothing else in
    return found


@lru_cache(READ_AT_ONCE)
def _kind(body: bytes) -> str:
    return _fields(body)["kind"]


@lru_cache(READ_AT_ONCE)
def _is_right(signer: bytes, signature: bytes, body: bytes) -> bool:
    return keys.verify(signer, signature, body)
