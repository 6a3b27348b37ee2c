"""Who may say what in a fleet: which charter follows, whose certificate holds, who is revoked, which role a key has.

Gets statements and the set of public keys whose signatures somebody has checked; answers None or a sentence that says
why not. Checks no signature itself, and runs on host and node alike, so that both judge by one rule. A statement has
the attributes that hedgewire/trust.py lists. Charters are given oldest first, the last one being in force.
"""

import hashlib

from hedgenode.rules.roles import CUSTODIAN, LAPTOP, PERSON, STEWARD, STRANGER  # noqa: F401 - all roles are one set


def key_id(public: bytes) -> bytes:
    """The first 8 bytes of the SHA-256 of a public key."""
    return hashlib.sha256(public).digest()[:8]


def digest(body) -> bytes:
    """What a document is called: the SHA-256 of its body."""
    return hashlib.sha256(body).digest()


def counting(charter) -> set:
    """Public keys of the stewards whose term includes this charter."""
    return {s.public for s in charter.stewards if s.until_version is None or charter.version <= s.until_version}


def lacking(charter, signers, revoked=()) -> int:
    """How many signatures of its own stewards are missing; each key counts once, revoked ones never."""
    given = [public for public in counting(charter) if public in signers and key_id(public) not in revoked]
    return max(0, charter.threshold - len(given))


def _needs(count, charter, whose):
    return "it lacks %d of %d signatures of %s" % (count, charter.threshold, whose)


def _sense_fault(charter):
    """A council that nobody could act for is no council."""
    if len(counting(charter)) < charter.threshold:
        return "so many terms have ended that nobody could decide under it"
    for steward in charter.stewards:
        if key_id(steward.public) in charter.revoked:
            return "it names steward %s and revokes the same key" % steward.name
    return None


def beginning_fault(charter, signers) -> "str | None":
    """Why this charter cannot begin a fleet, or None."""
    if charter.fleet is not None:
        return "it does not begin a fleet, and the charter before it is not known here"
    return anchor_fault(charter, signers)


def anchor_fault(charter, signers) -> "str | None":
    """Why a charter that somebody entitled has named cannot be the first one known here, or None."""
    short = lacking(charter, signers)
    return _sense_fault(charter) or (_needs(short, charter, "its stewards") if short else None)


def following_fault(charter, old, old_digest: bytes, fleet: bytes, signers) -> "str | None":
    """Why this charter does not follow the old one, or None. Both councils must have signed, as TUF asks of a root."""
    if charter.fleet != fleet:
        return "it is the charter of another fleet"
    if charter.version <= old.version:
        return "charter %d is old, charter %d is in force" % (charter.version, old.version)
    if charter.version > old.version + 1:
        return "charter %d is missing before it" % (old.version + 1)
    if charter.parent != old_digest:
        return "it follows another charter %d than this one: the fleet has split" % old.version
    fault = _sense_fault(charter)
    if fault is not None:
        return fault
    for council, whose in ((old, "the stewards before"), (charter, "the stewards whom it names")):
        short = lacking(council, signers)
        if short:
            return _needs(short, council, whose)
    return None


def endorsed_fault(charter_version: int, charters, signers, revoked=()) -> "str | None":
    """Why no council since that charter has signed, or None.

    Any council since then may have: stewards whose terms ended in peace leave their certificates behind. Whoever is to
    lose that, too, is revoked, and others sign again.
    """
    if charter_version > charters[-1].version:
        return "it hangs on charter %d, which is not known here" % charter_version
    least = None
    for charter in charters:
        if charter.version >= charter_version:
            short = lacking(charter, signers, revoked)
            least = short if least is None else min(least, short)
    if least is None:
        return "it hangs on charter %d, which is too old" % charter_version
    return _needs(least, charters[-1], "the stewards") if least else None


def certificate_fault(certificate, charters, fleet: bytes, signers, revoked=()) -> "str | None":
    """Why a laptop's certificate says nothing, or None. Whether its term has ended is another question."""
    if certificate.fleet != fleet:
        return "it is a certificate of another fleet"
    return endorsed_fault(certificate.charter_version, charters, signers, revoked)


def is_in_force(certificate, version: int, revoked=()) -> bool:
    """Whether a certificate that says something lets its laptop act under this charter."""
    if key_id(certificate.laptop) in revoked:
        return False
    return certificate.until_version is None or version <= certificate.until_version


def revocation_fault(revocation, charters, fleet: bytes, signers) -> "str | None":
    """Why a revocation says nothing, or None. Only the council in force revokes: a former one cannot strike back."""
    charter = charters[-1]
    if revocation.fleet != fleet:
        return "it is a revocation of another fleet"
    if revocation.charter_version > charter.version:
        return "it hangs on charter %d, which is not known here" % revocation.charter_version
    short = lacking(charter, signers)
    return _needs(short, charter, "the stewards in force") if short else None


def enrolment_fault(
    enrolment, certificate, signers, revoked=(), vouching=(), former=None, keeps_short=True
) -> "str | None":
    """Why an enrolment does not count under a certificate that says something, or None.

    `former` is the enrolment that this one replaces, where it is known: a node keeps its short id, also in a fleet that
    it comes to, and it is not taken from its household, whatever the others have signed. `keeps_short` is False where
    that enrolment never counted itself.

    `vouching` are the public keys of laptops whose certificates are in force: what a laptop took in before it was
    revoked stays in only where one of them has signed as well.
    """
    if certificate.laptop != enrolment.laptop or certificate.fleet != enrolment.fleet:
        return "its laptop certificate is somebody else's"
    if enrolment.laptop not in signers:
        return "laptop %s has not signed it" % certificate.name
    if not 1 <= enrolment.serial <= certificate.enrolments:
        return "the certificate of %s allows %d enrolments" % (certificate.name, certificate.enrolments)
    fault = _former_fault(enrolment, certificate, former, signers, keeps_short)
    if fault is not None:
        return fault
    made_under, until = enrolment.charter_version or certificate.charter_version, certificate.until_version
    if until is not None and made_under > until:
        return "the certificate of %s ended with charter %d" % (certificate.name, until)
    if key_id(enrolment.laptop) in revoked and not any(public in signers for public in vouching):
        return "laptop %s was revoked, and nobody else vouches for this node" % certificate.name
    if key_id(enrolment.node) in revoked:
        return "node %s was revoked" % enrolment.name
    return None


def _former_fault(enrolment, certificate, former, signers, keeps_short):
    """What the enrolment before this one forbids, or allows beyond the certificate."""
    is_kept = False
    if former is not None and enrolment.replaces == former.digest:
        if former.custodian not in (None, enrolment.custodian) and former.custodian not in signers:
            return "the household that %s belongs to has not agreed" % former.name
        is_kept = keeps_short and (former.node, former.short) == (enrolment.node, enrolment.short)
    in_block = certificate.first_short <= enrolment.short < certificate.first_short + certificate.short_count
    if in_block or is_kept:
        return None
    return "short id %d is outside the block of %s" % (enrolment.short, certificate.name)


def role_of(public: bytes, charter, certificates, custodian: "bytes | None" = None, revoked=()) -> int:
    """What a key may be here: the highest of its roles. `custodian` is the public key of the node's household."""
    if key_id(public) in revoked:
        return STRANGER
    if public in counting(charter):
        return STEWARD
    for certificate in certificates:
        if certificate.laptop == public and is_in_force(certificate, charter.version, revoked):
            return LAPTOP
    return CUSTODIAN if public == custodian else STRANGER
