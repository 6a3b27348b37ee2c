"""Knows how a laptop asks for a certificate and how stewards answer. No secret travels: the request holds a public key.

Refuses to know ports and to print.
"""

import socket
from dataclasses import dataclass, replace

from hedgenode.rules import trust as rules
from hedgerow.errors import RefusedError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import documents, keys, words
from hedgerow.fleet.charter import LaptopCertificate
from hedgerow.fleet.documents import Document, is_public, is_text
from hedgerow.fleet.folder import FleetFolder
from hedgewire.cbor import Damage

REQUEST = "request"


@dataclass(frozen=True)
class Request:
    """A laptop that wants to work for a fleet."""

    name: str
    laptop: bytes


def request(folder: FleetFolder, name: str | None = None) -> Document:
    """This laptop's request, signed by itself. Makes its key where it has none."""
    if folder.secrets.laptop is None:
        folder.keep_secrets(folder.secrets.with_laptop(name or socket.gethostname() or "laptop", keys.new_seed()))
    elif name is not None and name != folder.secrets.laptop_name:
        folder.keep_secrets(replace(folder.secrets, laptop_name=name))
    says = {"name": folder.secrets.laptop_name, "laptop": folder.secrets.laptop}
    return documents.make(REQUEST, says).signed(folder.secrets.laptop_seed)


def read_request(document: Document) -> Request | None:
    """The request that this document is, or None: a laptop must have signed its own."""
    found = documents.read(document, REQUEST, {"name": is_text, "laptop": is_public})
    if isinstance(found, Damage) or found["laptop"] not in document.signers:
        return None
    return Request(**found)


def certify(folder: FleetFolder, asked: Request, enrolments: int, until_version: int | None = None) -> Document:
    """A certificate with a block of short ids of its own, signed with the stewards' keys here, and kept."""
    judged = folder.standing
    if keys.key_id(asked.laptop) in judged.revoked:
        raise RefusedError(f"the key of laptop {asked.name} was revoked", next_step="It needs a new key: start it anew")
    found = [charters.read_certificate(paper) for paper in folder.registry.documents(charters.LAPTOP)]
    taken = [one for one in found if not isinstance(one, Damage) and one.fleet == judged.fleet]
    first = charters.next_block(taken, max(charters.BLOCK_SHORTS, enrolments))
    if first is None:
        raise RefusedError("all short ids are given to laptops already", next_step="Ask for fewer enrolments")
    certificate = LaptopCertificate(
        judged.fleet,
        judged.version,
        asked.name,
        asked.laptop,
        enrolments,
        first,
        max(charters.BLOCK_SHORTS, enrolments),
        until_version,
    )
    council = rules.counting(judged.charters[-1])
    seeds = [key.seed for key in folder.secrets.stewards.values() if key.public in council]
    return folder.sign(certificate.to_document(), *seeds)


def answer(folder: FleetFolder, certificate: Document) -> list[Document]:
    """What the other laptop needs: the charters, the certificate, and who is revoked."""
    kinds = (charters.CHARTER, charters.REVOCATION)
    return [paper for paper in folder.registry.documents() if paper.kind in kinds or paper.digest == certificate.digest]


def overview(folder: FleetFolder) -> list[dict]:
    """A row for each laptop with a certificate that counts, by name."""
    judged, roster = folder.standing, folder.roster
    rows = []
    for digest, one in judged.certificates.items():
        if keys.key_id(one.laptop) in judged.revoked:
            state = "revoked"
        else:
            state = "in force" if judged.may_act(one) else "ended"
        rows.append(
            {
                "name": one.name,
                "this_one": one.laptop == folder.secrets.laptop,
                "state": state,
                "used": sum(1 for claim in roster.claims if claim.certificate == digest and not roster.refusal(claim)),
                "enrolments": one.enrolments,
                "first_short": one.first_short,
                "last_short": one.first_short + one.short_count - 1,
                "until_version": one.until_version,
                "charter_version": one.charter_version,
                "public": one.laptop.hex(),
                "words": words.fingerprint(one.laptop),
            }
        )
    return sorted(rows, key=lambda row: (row["name"], row["first_short"]))
