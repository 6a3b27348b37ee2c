"""A fleet as signed documents, with keys that are made from names: what tests of rosters and registries share."""

import hashlib
from dataclasses import replace
from functools import cache

from hedgerow.fleet import keys, standing
from hedgerow.fleet.charter import Charter, LaptopCertificate, Revocation, Steward
from hedgerow.fleet.documents import Document
from hedgerow.fleet.roster import Enrolment, Roster

BOARD = "ESP32_GENERIC_S3"


def seed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


@cache
def public(name: str) -> bytes:
    return keys.public_of(seed(name))


def key_id(name: str) -> bytes:
    return keys.key_id(public(name))


def steward(name: str, until_version: int | None = None) -> Steward:
    return Steward(name, public(name), until_version)


FIRST = Charter("river", 1, (steward("Ana"), steward("Ben"), steward("Cy")), 2)
FLEET = FIRST.fleet_id


def signed(record, *names: str) -> Document:
    return record.to_document().signed(*(seed(name) for name in names))


def second(**changes) -> Charter:
    return replace(FIRST, **{"version": 2, "fleet": FLEET, "parent": FIRST.digest} | changes)


def certificate_of(laptop: int, enrolments: int = 10, **changes) -> LaptopCertificate:
    name = f"laptop-{laptop}"
    given = LaptopCertificate(FLEET, 1, name, public(name), enrolments, 1 + 10 * laptop, 10)
    return replace(given, **changes)


def revocation(*names: str, charter_version: int = 1) -> Revocation:
    return Revocation(FLEET, charter_version, tuple(sorted(key_id(name) for name in names)))


def a_fleet(*laptops: int) -> list[Document]:
    """The charter, and certificates for these laptops."""
    return [signed(FIRST, "Ana", "Ben"), *(signed(certificate_of(laptop), "Ana", "Cy") for laptop in laptops)]


def node_key(number: int) -> bytes:
    return bytes([number]) * 32


def judged(papers) -> standing.Standing:
    return standing.judge(papers, FLEET)


def roster_of(papers) -> Roster:
    return Roster.of(papers, judged(papers))


def enrol(papers: list[Document], laptop: LaptopCertificate, number: int, name: str | None = None) -> list[Document]:
    """The papers and one more, as that laptop would write it."""
    claim = roster_of(papers).next_enrolment(laptop, node_key(number), name or f"node-{number}", BOARD)
    return [*papers, signed(claim, laptop.name)]


def enrolment(laptop: LaptopCertificate, number: int, serial: int, **changes) -> Enrolment:
    """One that no honest tool would write."""
    made = Enrolment(
        FLEET, node_key(number), laptop.first_short, f"node-{number}", BOARD, None, laptop.laptop, laptop.digest, serial
    )
    return replace(made, **changes)
