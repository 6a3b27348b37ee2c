"""Whom a node trusts, kept in flash: the latest charters, laptops' certificates, revocations, its own enrolment.

Takes in only what verifies, and what was verified once is not verified again. Each document is one small file named by
its digest, written whole or not at all; provisioning writes the first ones there. Knows no request and no radio.
"""

import hashlib

from hedgenode.rules import trust as rules
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.trust_table import ENDING, path_of
from hedgewire import document, trust
from hedgewire.cbor import Damage

MAX_CHARTERS = 4  # the one in force, and those before it under which certificates may still hold
MAX_CERTIFICATES = 16
MAX_REVOCATIONS = 8
_KEPT = (trust.CHARTER, trust.LAPTOP, trust.REVOCATION, trust.ENROLMENT, trust.CUSTODIAN)


class TrustStore:
    """One fleet's documents. `fleet` is the node's fleet id, `public` its own key. Use from one task at a time.

    `begins(charter, signers)` judges the first charter, where that is not to be the one that founds the fleet; `former`
    is the enrolment by which the node belongs to the fleet that it comes from.
    """

    def __init__(
        self,
        files,
        folder: str,
        fleet: bytes,
        public: "bytes | None",
        verify_steps=None,
        before_change=None,
        begins=None,
        former=None,
    ):
        self._files = files
        self._folder = folder
        self._fleet = fleet
        self._public = public
        self._verify_steps = verify_steps
        self.damaged = 0
        self._before_change = before_change
        self._begins = begins
        self._former = former
        self.changes = []  # kinds of the documents that came in since this was opened
        self.charters = []  # Statements, oldest first
        self.certificates = {}  # digest: Statement
        self.revocations = {}
        self.enrolment = None
        self.custodian = None
        self._load()
        self._settle()

    # ---- what others ask

    @property
    def version(self) -> int:
        """Of the charter in force; 0 where none is known."""
        return self.charters[-1].version if self.charters else 0

    def role(self, public: bytes) -> int:
        """The role of a key, one of rules.trust."""
        if not self.charters:
            return rules.STRANGER
        household = None if self.enrolment is None else self.enrolment.custodian
        return rules.role_of(public, self.charters[-1], self.certificates.values(), household, self.revoked)

    def key_with_id(self, kid: bytes) -> "bytes | None":
        """The public key of a steward, a laptop or the custodian by its id; what it may do, `role` says."""
        for public in self.keys():
            if rules.key_id(public) == kid:
                return public
        return None

    def keys(self) -> list:
        """The public keys of everybody who may have a role here."""
        known = [] if not self.charters else [s.public for s in self.charters[-1].stewards]
        known += [certificate.laptop for certificate in self.certificates.values()]
        if self.enrolment is not None and self.enrolment.custodian is not None:
            known.append(self.enrolment.custodian)
        return known

    def documents(self) -> list:
        """(digest, kind) of every document held, charters first and oldest first."""
        found = [(charter.digest, trust.CHARTER) for charter in self.charters]
        found += [(digest, trust.LAPTOP) for digest in sorted(self.certificates)]
        found += [(digest, trust.REVOCATION) for digest in sorted(self.revocations)]
        for kind, one in ((trust.ENROLMENT, self.enrolment), (trust.CUSTODIAN, self.custodian)):
            if one is not None:
                found.append((one.digest, kind))
        return found

    def get(self, digest: bytes) -> "bytes | None":
        """The document of that digest as it came, or None."""
        for held, kind in self.documents():
            if held == digest:
                return read_whole(self._files, path_of(self._folder, kind, digest))
        return None

    # ---- what comes in

    def put_steps(self, data: bytes):
        """Take a document in if it verifies; return None, or the sentence that refuses it. A generator (crypto.steps).

        At most as many signatures are checked as the rule asks for, after everything else has been. OSError when flash
        refuses.
        """
        found = _document_in(data)
        if isinstance(found, Damage):
            return found.reason
        kind, said = found.kind, trust.read(found.fields, found.kind, _digest(found.body))
        if isinstance(said, Damage):
            return "the document makes no sense: %s" % said.reason
        if (said.digest, kind) in self.documents():
            return None
        claimed = {signer for signer, _ in found.signatures}
        fault = self._fault(kind, said, claimed) or self._no_room_for(kind, said)
        if fault is not None:
            return fault
        verified = set()
        for signer, signature in self._relevant(found, said):
            good = yield from self._verifier()(signer, found.body, signature)
            if not good:
                claimed.discard(signer)
                fault = self._fault(kind, said, claimed)
                if fault is not None:
                    return "a signature is wrong, and without it %s" % fault
                continue
            verified.add(signer)
            if self._fault(kind, said, verified) is None:
                self._keep(kind, said, data)
                return None
        return self._fault(kind, said, verified)

    def _verifier(self):
        if self._verify_steps is None:
            from hedgenode.crypto.ed25519 import verify_steps  # large, and seldom needed

            return verify_steps
        return self._verify_steps

    def _relevant(self, found, said):
        """The signatures that the rule may count, so that nobody makes a node verify what nobody asks for."""
        signers = set()
        if found.kind == trust.CUSTODIAN:
            signers.add(said.public)
        elif found.kind == trust.ENROLMENT:
            signers.add(said.laptop)
            if self._own_former is not None:
                signers.add(self._own_former.custodian)
        else:
            for charter in self.charters + ([said] if found.kind == trust.CHARTER else []):
                signers |= rules.counting(charter)
        return [pair for pair in found.signatures if pair[0] in signers]

    def _fault(self, kind, said, signers):
        if kind == trust.CHARTER:
            return self._charter_fault(said, signers)
        if not self.charters:
            return "this node knows no charter of its fleet yet; that comes first"
        if kind == trust.LAPTOP:
            if not rules.is_in_force(said, self.version, self.revoked):
                return "laptop %s was revoked, or its term has ended" % said.name
            return rules.certificate_fault(said, self.charters, self._fleet, signers, self.revoked)
        if kind == trust.REVOCATION:
            return rules.revocation_fault(said, self.charters, self._fleet, signers)
        if kind == trust.ENROLMENT:
            return self._enrolment_fault(said, signers)
        household = None if self.enrolment is None else self.enrolment.custodian
        if said.public != household:
            return "it is not the custodian of this node"
        return None if household in signers else "custodian %s has not signed it" % said.name

    def _charter_fault(self, said, signers):
        if self.charters:
            return rules.following_fault(said, self.charters[-1], self.charters[-1].digest, self._fleet, signers)
        if self._begins is not None:
            return self._begins(said, signers)
        if said.digest[: len(self._fleet)] != self._fleet:
            return "it is the charter of another fleet, or not its first one"
        return rules.beginning_fault(said, signers)

    def _enrolment_fault(self, said, signers):
        if said.fleet != self._fleet:
            return "it is an enrolment of another fleet"
        if said.node != self._public:
            return "it is the enrolment of another node"
        certificate = self.certificates.get(said.certificate)
        if certificate is None:
            return "its laptop certificate is not known here"
        if self.enrolment is not None and said.replaces != self.enrolment.digest:
            return "this node is enrolled already, and it does not replace that enrolment"
        return rules.enrolment_fault(said, certificate, signers, self.revoked, former=self._own_former)

    @property
    def _own_former(self):
        """What an enrolment that comes now would replace: a node is not taken from its household."""
        return self._former if self.enrolment is None else self.enrolment

    def _no_room_for(self, kind, said):
        if kind == trust.LAPTOP:
            others = [one for one in self.certificates.values() if one.laptop != said.laptop]
            return "this node holds %d certificates already" % len(others) if len(others) >= MAX_CERTIFICATES else None
        if kind == trust.REVOCATION and len(self.revocations) >= MAX_REVOCATIONS:
            others = [one for one in self.revocations.values() if not set(one.keys) <= set(said.keys)]
            if len(others) >= MAX_REVOCATIONS:
                return "this node holds %d revocations already; a new charter can say them all" % len(others)
        return None

    # ---- flash and memory

    def _keep(self, kind, said, data):
        self._about_to_change()
        write_atomic(self._files, path_of(self._folder, kind, said.digest), data)
        self._take(kind, said)
        self.changes.append(kind)
        self._settle()

    def _take(self, kind, said):
        if kind == trust.CHARTER:
            self.charters.append(said)
            self.charters.sort(key=lambda charter: (charter.version, charter.digest))
        elif kind == trust.LAPTOP:
            self.certificates[said.digest] = said
        elif kind == trust.REVOCATION:
            self.revocations[said.digest] = said
        elif kind == trust.CUSTODIAN:
            self.custodian = said
        else:
            self.enrolment = said

    def _settle(self):
        """Work out who is revoked, and let go of what says nothing any more."""
        while len(self.charters) > MAX_CHARTERS:
            self._drop(trust.CHARTER, self.charters.pop(0).digest)
        named = set(self.charters[-1].revoked) if self.charters else set()
        self.revoked = set(named)
        for one in self.revocations.values():
            self.revoked.update(one.keys)
        for one in list(self.revocations.values()):
            keys = set(one.keys)
            if keys <= named or any(_says_more(other, one) for other in self.revocations.values()):
                self._drop(trust.REVOCATION, self.revocations.pop(one.digest).digest)
        needed = None if self.enrolment is None else self.enrolment.certificate
        for one in list(self.certificates.values()):
            newer = [o for o in self.certificates.values() if o.laptop == one.laptop and _order(o) > _order(one)]
            if one.digest != needed and (newer or not rules.is_in_force(one, self.version, self.revoked)):
                self._drop(trust.LAPTOP, self.certificates.pop(one.digest).digest)

    def _about_to_change(self):
        if self._before_change is not None:
            self._before_change()

    def _drop(self, kind, digest):
        self._about_to_change()
        try:
            self._files.remove(path_of(self._folder, kind, digest))
        except OSError:
            pass  # a power cut has left less than we remember; gone is gone

    def _load(self):
        try:
            names = self._files.listdir(self._folder)
        except OSError:
            return
        for name in sorted(names):
            if not name.endswith(ENDING):
                continue
            found = document.decode(read_whole(self._files, self._folder + "/" + name) or b"")
            if isinstance(found, Damage) or found.kind not in _KEPT:
                self.damaged += 1
                continue
            said = trust.read(found.fields, found.kind, _digest(found.body))
            if isinstance(said, Damage):
                self.damaged += 1
            elif self._is_ours(found.kind, said):
                self._take(found.kind, said)
            else:
                self._drop(found.kind, said.digest)  # the node has moved to another fleet

    def _is_ours(self, kind, said):
        if kind == trust.CUSTODIAN:
            return True
        if kind == trust.ENROLMENT and said.node != self._public:
            return False
        fleet = said.digest[: len(self._fleet)] if kind == trust.CHARTER and said.fleet is None else said.fleet
        return fleet == self._fleet


def _document_in(data):
    """The document, of a kind that a node keeps; or Damage whose reason is a sentence."""
    if len(data) > document.MAX_BYTES:
        return Damage("the document has %d bytes, %d are kept" % (len(data), document.MAX_BYTES), 0)
    found = document.decode(data)
    if isinstance(found, Damage):
        return Damage("this is no document: %s" % found.reason, found.offset)
    if found.kind not in _KEPT:
        return Damage("a node keeps no document of the kind %s" % found.kind[:20], 0)
    return found


def _says_more(other, one):
    """Whether one need not be kept beside the other; of two that say the same, the lower digest stays."""
    theirs, ours = set(other.keys), set(one.keys)
    return (ours <= theirs and ours != theirs) or (ours == theirs and one.digest > other.digest)


def _order(certificate):
    return certificate.charter_version, certificate.digest


def _digest(body):
    return hashlib.sha256(body).digest()
