"""Knows what stewards decide together: the charter, the certificates of laptops, revocations. Knows no single node.

The fleet's id is the first 8 bytes of the digest of its founding charter (the one whose `fleet` is None). A later
version names its parent and the fleet; a secession names its parent but no fleet, so that a new id begins, and so does
the charter of two fleets that become one, which names both. Signatures
are not checked here: `Document` carries them, and standing.py says which ones are enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document
from hedgewire import trust
from hedgewire.cbor import Damage
from hedgewire.trust import HIGHEST_SHORT, LOWEST_SHORT

CHARTER = trust.CHARTER
LAPTOP = trust.LAPTOP
REVOCATION = trust.REVOCATION
BLOCK_SHORTS = 250


@dataclass(frozen=True, order=True)
class Steward:
    """Somebody whose signature counts towards the threshold, until a charter version if a term was set."""

    name: str
    public: bytes
    until_version: int | None = None


@dataclass(frozen=True)
class Charter:
    """One version of what the stewards agreed on: who they are, how many of them decide, whose keys count no more."""

    name: str
    version: int
    stewards: tuple[Steward, ...]
    threshold: int
    fleet: bytes | None = None
    parent: bytes | None = None
    revoked: tuple[bytes, ...] = ()  # key ids, ordered
    joins: bytes | None = None  # digest of the other parent's charter, where two fleets become one

    def to_document(self) -> Document:
        stewards = [[steward.name, steward.public, steward.until_version] for steward in self.stewards]
        says = documents.values_of(self) | {"stewards": stewards, "revoked": list(self.revoked)}
        if self.joins is None:
            del says["joins"]  # most charters have nothing to say of it
        return documents.make(CHARTER, says)

    @cached_property
    def digest(self) -> bytes:
        return self.to_document().digest

    @property
    def fleet_id(self) -> bytes:
        return self.fleet if self.fleet is not None else self.digest[:8]

    def steward(self, name: str) -> Steward | None:
        return next((steward for steward in self.stewards if steward.name == name), None)


@dataclass(frozen=True)
class LaptopCertificate:
    """What one laptop may do alone: a bounded number of enrolments, in a block of short ids of its own."""

    fleet: bytes
    charter_version: int
    name: str
    laptop: bytes  # public key
    enrolments: int
    first_short: int
    short_count: int
    until_version: int | None = None

    def to_document(self) -> Document:
        return documents.make(LAPTOP, documents.values_of(self))

    @cached_property
    def digest(self) -> bytes:
        return self.to_document().digest

    def holds(self, short: int) -> bool:
        return self.first_short <= short < self.first_short + self.short_count


@dataclass(frozen=True)
class Revocation:
    """Keys that count no more, from the moment a copy of this arrives."""

    fleet: bytes
    charter_version: int
    keys: tuple[bytes, ...]  # key ids, ordered
    charter: bytes | None = None  # digest of the charter that follows, where a steward goes

    def to_document(self) -> Document:
        return documents.make(REVOCATION, documents.values_of(self) | {"keys": list(self.keys)})


def read_charter(document: Document) -> "Charter | Damage":
    """The charter that this document is, or why it is none. Its digest is the document's: unknown fields count."""
    found = trust.values(document.fields, CHARTER)
    if isinstance(found, Damage):
        return found
    stewards = tuple(Steward(*item) for item in found["stewards"])
    return _named(Charter(**found | {"stewards": stewards, "revoked": tuple(found["revoked"])}), document)


def read_certificate(document: Document) -> "LaptopCertificate | Damage":
    """The certificate that this document is, or why it is none."""
    found = trust.values(document.fields, LAPTOP)
    return found if isinstance(found, Damage) else _named(LaptopCertificate(**found), document)


def read_revocation(document: Document) -> "Revocation | Damage":
    """The revocation that this document is, or why it is none."""
    found = trust.values(document.fields, REVOCATION)
    if isinstance(found, Damage):
        return found
    return Revocation(found["fleet"], found["charter_version"], tuple(found["keys"]), found["charter"])


def next_block(taken: Iterable[LaptopCertificate], short_count: int = BLOCK_SHORTS) -> int | None:
    """The first short id of the lowest free block of that size, or None when the 16-bit space is full."""
    first = LOWEST_SHORT
    for certificate in sorted(taken, key=lambda other: other.first_short):
        if first + short_count <= certificate.first_short:
            break
        first = max(first, certificate.first_short + certificate.short_count)
    return first if first + short_count - 1 <= HIGHEST_SHORT else None


def _named(record, document: Document):
    # What a newer tool wrote beside our fields belongs to the body, so the digest is not made from our fields alone.
    record.__dict__["digest"] = document.digest
    return record
