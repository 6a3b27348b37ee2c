"""Knows custodians and persons as named keys. Refuses to know where they live or what they write.

A custodian is the household that a node belongs to; a person writes and reads. Both are documents, so that a name
means the same key on every laptop of the fleet.
"""

from dataclasses import dataclass

from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document, is_key_id, is_public, is_text, or_none
from hedgerow.fleet.keys import key_id
from hedgewire.cbor import Damage

CUSTODIAN = "custodian"
PERSON = "person"


@dataclass(frozen=True, order=True)
class Custodian:
    """A household with the key of its own node; no node moves to another fleet against it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.public)

    def to_document(self) -> Document:
        return documents.make(CUSTODIAN, documents.values_of(self))


@dataclass(frozen=True)
class Person:
    """An address of somebody's own, or one that a node lends (then `lent_by` is that node's id)."""

    name: str
    public: bytes
    lent_by: bytes | None = None

    @property
    def id(self) -> bytes:
        return key_id(self.public)

    def to_document(self) -> Document:
        return documents.make(PERSON, documents.values_of(self))


def read_custodian(document: Document) -> "Custodian | Damage":
    """The custodian that this document is, or why it is none."""
    fields = documents.read(document, CUSTODIAN, {"name": is_text, "public": is_public})
    return fields if isinstance(fields, Damage) else Custodian(**fields)


def read_person(document: Document) -> "Person | Damage":
    """The person that this document is, or why it is none."""
    shape = {"name": is_text, "public": is_public, "lent_by": or_none(is_key_id)}
    fields = documents.read(document, PERSON, shape)
    return fields if isinstance(fields, Damage) else Person(**fields)
