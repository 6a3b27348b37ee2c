"""Knows what stewards decide together: the charter and the certificates of laptops. Refuses to know single nodes.

The fleet's id is the first 8 bytes of the digest of its founding charter (the one whose `fleet` is None). A later
version names its parent and the fleet; a secession names its parent but no fleet, so that a new id begins. Signatures
are not checked here: `Document` already carries them, and who counts which is a rule of its own.
"""

from dataclasses import dataclass

from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document, is_count, is_digest, is_key_id, is_public, is_text, or_none
from hedgewire.cbor import Damage

CHARTER = "charter"
LAPTOP = "laptop"
LOWEST_SHORT = 1
HIGHEST_SHORT = 0xFFFE  # 0xFFFF is everyone, 0 is nobody
BLOCK_SHORTS = 250


@dataclass(frozen=True, order=True)
class Steward:
    """Somebody whose signature counts towards the threshold, until a charter version if a term was set."""

    name: str
    public: bytes
    until_version: int | None = None


@dataclass(frozen=True)
class Charter:
    """One version of what the stewards agreed on: who they are and how many of them decide."""

    name: str
    version: int
    stewards: tuple[Steward, ...]
    threshold: int
    fleet: bytes | None = None
    parent: bytes | None = None

    def to_document(self) -> Document:
        stewards = [[steward.name, steward.public, steward.until_version] for steward in self.stewards]
        fields = {"name": self.name, "version": self.version, "stewards": stewards, "threshold": self.threshold}
        return documents.make(CHARTER, {**fields, "fleet": self.fleet, "parent": self.parent})

    @property
    def fleet_id(self) -> bytes:
        return self.fleet if self.fleet is not None else self.to_document().digest[:8]


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

    @property
    def digest(self) -> bytes:
        return self.to_document().digest

    def holds(self, short: int) -> bool:
        return self.first_short <= short < self.first_short + self.short_count


def read_charter(document: Document) -> "Charter | Damage":
    """The charter that this document is, or why it is none."""
    shape = {
        "name": is_text,
        "version": is_count,
        "stewards": _are_stewards,
        "threshold": is_count,
        "fleet": or_none(is_key_id),
        "parent": or_none(is_digest),
    }
    fields = documents.read(document, CHARTER, shape)
    if isinstance(fields, Damage):
        return fields
    stewards = tuple(Steward(*item) for item in fields.pop("stewards"))
    if not 1 <= fields["threshold"] <= len(stewards):
        return Damage("charter: threshold", 0)
    return Charter(stewards=stewards, **fields)


def read_certificate(document: Document) -> "LaptopCertificate | Damage":
    """The certificate that this document is, or why it is none."""
    shape = {
        "fleet": is_key_id,
        "charter_version": is_count,
        "name": is_text,
        "laptop": is_public,
        "enrolments": is_count,
        "first_short": is_count,
        "short_count": is_count,
        "until_version": or_none(is_count),
    }
    fields = documents.read(document, LAPTOP, shape)
    if isinstance(fields, Damage):
        return fields
    certificate = LaptopCertificate(**fields)
    last_short = certificate.first_short + certificate.short_count - 1
    if certificate.first_short < LOWEST_SHORT or last_short > HIGHEST_SHORT:
        return Damage("laptop: block of short ids", 0)
    return certificate


def next_block(taken: "list[LaptopCertificate]", short_count: int = BLOCK_SHORTS) -> int | None:
    """The first short id of the lowest free block of that size, or None when the 16-bit space is full."""
    first = LOWEST_SHORT
    for certificate in sorted(taken, key=lambda other: other.first_short):
        if first + short_count <= certificate.first_short:
            break
        first = max(first, certificate.first_short + certificate.short_count)
    return first if first + short_count - 1 <= HIGHEST_SHORT else None


def _are_stewards(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(_is_steward(item) for item in value)


def _is_steward(item: object) -> bool:
    if not isinstance(item, list) or len(item) != 3:
        return False
    name, public, until_version = item
    return is_text(name) and is_public(public) and or_none(is_count)(until_version)
