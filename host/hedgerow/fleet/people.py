"""Knows custodians and persons as named keys. Refuses to know where they live or what they write.

A custodian is the household that a node belongs to; a person writes and reads. Both are documents, so that a name
means the same key on every laptop of the fleet, and both count only where that key has signed: nobody is made a
custodian or a person by others.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document, is_key_id, is_public, is_text, or_none
from hedgerow.fleet.keys import key_id
from hedgewire import trust
from hedgewire.cbor import Damage

CUSTODIAN = trust.CUSTODIAN
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
    fields = trust.values(document.fields, CUSTODIAN)
    return fields if isinstance(fields, Damage) else Custodian(**fields)


def read_person(document: Document) -> "Person | Damage":
    """The person that this document is, or why it is none."""
    shape = {"name": is_text, "public": is_public, "lent_by": or_none(is_key_id)}
    fields = documents.read(document, PERSON, shape)
    return fields if isinstance(fields, Damage) else Person(**fields)


def signature_fault(document: Document) -> str | None:
    """Why a custodian or a person does not count, or None: the key that it names must have signed it."""
    public = document.fields.get("public")
    return None if public in document.signers else "its own key has not signed it"


def custodians_in(found: Iterable[Document]) -> dict[str, Custodian]:
    """By name. Where two households share a name, the lower key holds it here and on every other laptop."""
    own = [one for one in found if one.kind == CUSTODIAN and signature_fault(one) is None]
    sound = [one for one in map(read_custodian, own) if not isinstance(one, Damage)]
    return {one.name: one for one in sorted(sound, reverse=True)}


def persons_in(found: Iterable[Document]) -> list[Person]:
    """Everybody who has said so with the key itself, by key id."""
    own = [one for one in found if one.kind == PERSON and signature_fault(one) is None]
    sound = {one.id: one for one in map(read_person, own) if not isinstance(one, Damage)}
    return [sound[key] for key in sorted(sound)]
