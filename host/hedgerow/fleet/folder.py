"""Knows the folder of a fleet on a laptop: proposal, secrets, documents, registry. Knows no port and no node's answer.

fleet.toml  documents/*.cbor  ledger/*.cbor  .gitignore      kept in git; those of two laptops merge as files, too
secrets.toml  registry.sqlite  sessions/      stay on this laptop
"""

import secrets as random_names
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from hedgerow.errors import RefusedError, StorageError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import documents, group_work, inventory, keys, passphrase, people, proposal, secrets_file, standing
from hedgerow.fleet import ledger as ledgers
from hedgerow.fleet.charter import Charter, LaptopCertificate
from hedgerow.fleet.documents import Document
from hedgerow.fleet.groups import GroupKey, Groups
from hedgerow.fleet.inventory import Inventory, NodeSpec
from hedgerow.fleet.key_lock import Ask
from hedgerow.fleet.people import Custodian
from hedgerow.fleet.proposal import Proposal
from hedgerow.fleet.registry import Observation, Registry
from hedgerow.fleet.roster import ENROLMENT, Enrolment, Roster, read_enrolment
from hedgerow.fleet.secrets_file import Secrets
from hedgerow.fleet.standing import Standing
from hedgewire import cbor
from hedgewire.cbor import Damage
from hedgewire.ledger import Entry

DOCUMENTS = "documents"
REGISTRY = "registry.sqlite"
SESSIONS = "sessions"
GITIGNORE = (
    "# Keys and local records stay on this laptop.\nsecrets.toml\nregistry.sqlite*\nsessions/\nreports/\ncarry/\n"
)
CHARTERS_ON_A_NODE = 4


class FleetFolder:
    """One laptop's copy of a fleet. Use as a context manager, or close it."""

    def __init__(self, path: Path, ask: Ask = passphrase.ask) -> None:
        self.path = path
        self.damaged: list[tuple[Path, str]] = []
        """Files in documents/ that are none, with the reason; they are left alone."""
        self._secrets_path = path / secrets_file.FILE_NAME
        self._ask = ask
        self._secrets = Secrets()
        self._secrets_state: tuple[int, int] | None = None
        self._judged: tuple[object, Standing] | None = None
        self._inventory: tuple[object, Inventory] | None = None
        self.registry = Registry(self.secrets.registry_url or f"sqlite:///{path / REGISTRY}")
        self._exchange_with_files()

    def __enter__(self) -> "FleetFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.registry.close()

    @property
    def secrets(self) -> Secrets:
        """What lies in secrets.toml now: another process may have written it. A lock that was opened stays open."""
        state = secrets_file.state(self._secrets_path)
        if state != self._secrets_state or state is None:
            read, opened = secrets_file.read(self._secrets_path, self._ask), self._secrets.lock
            same_lock = opened is not None and opened == read.lock
            self._secrets = read.under(opened) if same_lock and opened is not None else read
            self._secrets_state = state
        return self._secrets

    def keep_secrets(self, changed: Secrets) -> None:
        """Write secrets.toml anew, and read back what was written."""
        secrets_file.write(self._secrets_path, changed)
        if self.secrets.publics != changed.publics:
            raise StorageError(f"{self._secrets_path} did not read back as written")

    @cached_property
    def proposal(self) -> Proposal:
        return proposal.read(self.path / proposal.FILE_NAME)

    def reread(self) -> None:
        """What people have written into fleet.toml since counts from now on; for a program that runs for an evening."""
        self.__dict__.pop("proposal", None)

    @property
    def fleet_id(self) -> bytes:
        """The fleet that this folder is for: the one noted here, that of this laptop's certificate, or the only one."""
        if self.secrets.fleet is not None:
            return self.secrets.fleet
        found = _sound(self.registry.documents(charters.CHARTER), charters.read_charter)
        certified = {item.fleet for item in self._own_certificates}
        known = certified or {item.fleet_id for item in found}
        if not known:
            raise StorageError(
                f"{self.path} holds no charter",
                next_step=f"Restore {DOCUMENTS}/ from git or another laptop, or found one with `hedgerow fleet new`",
            )
        newest = [item for item in found if item.fleet_id in known] or [None]
        best = max(newest, key=lambda item: (item.version, item.digest) if item else (0, b""))
        return best.fleet_id if best else min(known)

    @property
    def standing(self) -> Standing:
        """What the documents here amount to, and what of them does not count."""
        return self._judge(self.registry.documents())

    def _judge(self, found: Iterable[Document]) -> Standing:
        """The last judgement is remembered: one command asks for it many times over the same papers."""
        papers = tuple(found)
        asked = (papers, self.fleet_id, self.secrets.anchor, self.secrets.publics)
        if self._judged is None or self._judged[0] != asked:
            made = standing.judge(papers, self.fleet_id, anchor=self.secrets.anchor, mine=self.secrets.publics)
            self._judged = asked, made
        return self._judged[1]

    @property
    def charter(self) -> Charter:
        """The charter in force. Raises RefusedError where too few stewards have signed the first one."""
        judged = self.standing
        if judged.charters:
            return judged.charters[-1]
        if not judged.pending:
            raise StorageError(
                f"{self.path} holds no charter that counts",
                state=" ".join(f"{one}." for one in judged.uncounted) or None,
                next_step=f"Restore {DOCUMENTS}/ from git or another laptop, or found one with `hedgerow fleet new`",
            )
        raise RefusedError(
            f"the charter of this fleet is not signed yet: it needs {standing.lacks(judged.pending[0], judged)}",
            next_step="`hedgerow charter sign` signs with the keys here and writes a file for the others",
        )

    @property
    def charter_at_hand(self) -> Charter:
        """The charter in force or, in a fleet that is not signed yet, the one that waits: to show, not to act on."""
        waiting = [paper for paper in self.standing.pending if paper.kind == charters.CHARTER]
        if self.standing.charters or not waiting:
            return self.charter
        found = charters.read_charter(waiting[0])
        assert isinstance(found, Charter)  # what waits has been understood
        return found

    @property
    def roster(self) -> Roster:
        found = self.registry.documents()
        return Roster.of(found, self._judge(found))

    @property
    def custodians(self) -> Mapping[str, Custodian]:
        """By name. Where two households share a name, the lower key holds it here and on every other laptop."""
        return people.custodians_in(self.registry.documents(people.CUSTODIAN))

    @property
    def inventory(self) -> Inventory:
        found = self.registry.documents()
        asked = (tuple(found), self.proposal, self.secrets.anchor, self.secrets.publics)
        if self._inventory is None or self._inventory[0] != asked:  # a station asks several times a board
            made = inventory.join(self.proposal, self.charter_at_hand, self.roster, self.custodians)
            self._inventory = asked, replace(made, nodes=tuple(self._with_documents(made.nodes, found)))
        return self._inventory[1]

    @property
    def certificate(self) -> LaptopCertificate:
        """What this laptop may do. Raises RefusedError on a laptop that may only look."""
        judged, mine = self.standing, self._own_certificates
        in_force = self._in_force(judged)
        if in_force is not None:
            return in_force
        counting = [item for item in mine if item.digest in judged.certificates]
        ask_again = "Make a request with `hedgerow laptop request`, and have it answered with `hedgerow laptop certify`"
        if self.secrets.laptop is not None and keys.key_id(self.secrets.laptop) in judged.revoked:
            what = "this laptop was revoked, so it can look but not enrol"
        elif counting:
            what = f"the certificate of this laptop ended with charter {counting[0].until_version}"
        elif any(item.fleet == judged.fleet for item in mine):
            what = "too few stewards have signed the certificate of this laptop, so it can look but not enrol"
            ask_again = "`hedgerow charter sign` signs with the keys here and writes a file for the others"
        else:
            what = "this laptop has no certificate of this fleet, so it can look but not enrol"
        raise RefusedError(what, next_step=ask_again)

    def _in_force(self, judged: Standing) -> LaptopCertificate | None:
        """The newest certificate under which this laptop may act: the one that nodes keep of it, too."""
        mine = [item for item in self._own_certificates if item.digest in judged.certificates and judged.may_act(item)]
        return max(mine, key=lambda item: (item.charter_version, item.digest), default=None)

    def add(self, found: Iterable[Document]) -> None:
        """Take documents in, in the registry and as files. Whether they count is another question."""
        self.registry.add(found)
        self._exchange_with_files()

    def sign(self, document: Document, *seeds: bytes) -> Document:
        """Add signatures to a document and keep it. What a steward signs stands in that steward's ledger, once."""
        signed = document.signed(*seeds)
        self.add([signed])
        stewards = {key.public for key in self.secrets.stewards.values()}
        self.note_signed(signed, [seed for seed in seeds if keys.public_of(seed) in stewards])
        return signed

    def note_signed(self, document: Document, seeds: Iterable[bytes]) -> None:
        """Note in the ledgers of these stewards that they have signed: a certificate, a revocation, another paper."""
        fields: dict[str, object] = {"document": document.digest[:8]}
        kind = {charters.LAPTOP: "certified", charters.REVOCATION: "revoked"}.get(document.kind, "signed")
        if kind == "certified":
            fields["laptop"] = keys.key_id(document.fields["laptop"])
        elif kind == "signed":
            fields["what"] = document.kind
        for seed in seeds:
            self.note_once(kind, fields, seed=seed)

    def enrol(self, spec: NodeSpec, node: bytes, *, replaces_lost: bool = False) -> Enrolment:
        """Take the node with this public key in, as the spec says. Asked again, it answers the same."""
        certificate = self.certificate
        custodian = self._custodian(spec.custodian_name) if spec.custodian_name else None
        public = custodian.public if custodian else None
        # Short ids follow the order of fleet.toml where they can, however fast each board is.
        place = next((place for place, node in enumerate(self.proposal.nodes) if node.name == spec.name), 0)

        def rule(known: list[Document]) -> Document:
            judged = self._judge(known)
            roster = Roster.of(known, judged)
            enrolment = roster.next_enrolment(
                certificate,
                node,
                spec.name,
                spec.board.id,
                public,
                replaces_lost=replaces_lost,
                place=place,
                charter_version=judged.version,
            )
            held = next((document for document in known if document.digest == enrolment.digest), None)
            return held or self._signed_enrolment(enrolment, roster)

        document = self.registry.decide(rule)
        self._write(document)
        enrolment = read_enrolment(document)
        if isinstance(enrolment, Damage):
            raise StorageError(f"the enrolment of {spec.name} cannot be read back: {enrolment.reason}")
        if enrolment.laptop == self.secrets.laptop:
            self.note_once("enrolled", {"node": enrolment.node_id, "document": document.digest[:8]})
        return enrolment

    def enrol_as(self, name: str, node: bytes, *, replaces_lost: bool = False) -> NodeSpec:
        """Enrol by the name in fleet.toml and return the node as it is to be from now on."""
        spec = self.inventory.named(name)
        if spec is None:
            raise UsageError(f"fleet.toml names no node {name}")
        enrolment = self.enrol(spec, node, replaces_lost=replaces_lost)
        custodian = self.custodians.get(spec.custodian_name) if spec.custodian_name else None
        (made,) = self._with_documents([replace(spec, enrolment=enrolment, custodian=custodian)])
        return made

    def group_keys(self, spec: NodeSpec) -> list[GroupKey]:
        """What a node is to have of its groups, each at the furthest epoch that was seen of it."""
        return group_work.keys_for(self, spec)

    def note_epochs(self, node: bytes, epochs: Mapping[bytes, int]) -> None:
        """Remember how far a node's groups have gone, so that the next one begins there."""
        self.observe(node, group_work.EPOCHS, {group.hex(): epoch for group, epoch in epochs.items()})

    def _signed_enrolment(self, enrolment: Enrolment, roster: Roster) -> Document:
        """By this laptop, and by the household where its key lies here and its node is concerned."""
        seeds = [self.secrets.laptop_seed]
        former = next((claim for claim in roster.claims if claim.digest == enrolment.replaces), None)
        households = {enrolment.custodian, former.custodian if former else None}
        seeds += [key.seed for key in self.secrets.custodians.values() if key.public in households]
        document = enrolment.to_document().signed(*seeds)
        after = replace(
            roster,
            claims=roster.claims | {enrolment},
            signed=roster.signed | {(enrolment.digest, signer) for signer in document.signers},
        )
        if (why := after.refusal(enrolment)) is not None:
            raise RefusedError(
                f"{enrolment.name} cannot be enrolled: {why}",
                node=enrolment.name,
                next_step="Ask the household for its key, or the stewards for what is missing",
            )
        return document

    def _with_documents(self, specs: Iterable[NodeSpec], known: list[Document] | None = None) -> Iterator[NodeSpec]:
        """The nodes with the documents that each is to hold: whom it trusts, and by what it belongs to the fleet."""
        known = self.registry.documents() if known is None else known
        found = {document.digest: document for document in known}
        judged = self._judge(known)
        groups = Groups.of(known, judged)
        own = self._in_force(judged)
        for spec in specs:
            wanted = [charter.digest for charter in judged.charters[-CHARTERS_ON_A_NODE:]]
            wanted += [] if own is None else [own.digest]
            if spec.enrolment is not None:
                wanted += [spec.enrolment.certificate, spec.enrolment.digest]
            if spec.custodian is not None:
                wanted.append(spec.custodian.to_document().digest)
            wanted += judged.revocations
            papers = tuple(found[digest] for digest in dict.fromkeys(wanted) if digest in found)
            member_of = group_work.wanted_of(groups, self.secrets.laptop, spec)
            yield replace(spec, documents=papers, groups=member_of)

    def observe(self, node: bytes, kind: str, data: Mapping[str, object], time_s: int | None = None) -> None:
        """Note what was seen of a node; nothing observed is ever changed or removed."""
        laptop = keys.key_id(self.secrets.laptop or b"")
        seen = Observation(node, kind, int(time.time()) if time_s is None else time_s, laptop, cbor.encode(dict(data)))
        self.registry.observe([seen])

    @property
    def ledger_path(self) -> Path:
        return self.path / ledgers.FOLDER

    @property
    def ledger(self) -> ledgers.Read:
        """What is known of the ledgers of nodes, laptops and stewards."""
        return ledgers.read(ledgers.files_in(self.ledger_path))

    def note(self, kind: str, fields: Mapping[str, object], *, seed: bytes | None = None) -> Entry | None:
        """Add an entry to the ledger of this laptop, or of the key of `seed`; None on a laptop that has no key."""
        seed = seed or self.secrets.laptop_seed
        return ledgers.append(self.ledger_path, self.registry.alone(), seed, kind, fields) if seed else None

    def note_once(self, kind: str, fields: Mapping[str, object], *, seed: bytes | None = None) -> None:
        """As note(), but not again what that key has noted before: whoever repeats a command did it once."""
        writer = keys.public_of(seed) if seed else self.secrets.laptop or b""
        mine = self.ledger.copies.entries_of(writer).values()
        if not any(entry.kind == kind and fields.items() <= entry.fields.items() for entry in mine):
            self.note(kind, fields, seed=seed)

    @property
    def known_keys(self) -> dict[bytes, str]:
        """Who a ledger may be of: every steward, laptop and node that any document here names, also former ones."""
        found: dict[bytes, str] = {}
        for charter in _sound(self.registry.documents(charters.CHARTER), charters.read_charter):
            found |= {steward.public: steward.name for steward in charter.stewards}
        for certificate in _sound(self.registry.documents(charters.LAPTOP), charters.read_certificate):
            found[certificate.laptop] = certificate.name
        for enrolment in _sound(self.registry.documents(ENROLMENT), read_enrolment):
            found[enrolment.node] = enrolment.name
        return found

    def merge(self, other: Registry) -> None:
        self.registry.merge(other)
        self._exchange_with_files()

    @property
    def _own_certificates(self) -> list[LaptopCertificate]:
        laptop = self.secrets.laptop
        found = _sound(self.registry.documents(charters.LAPTOP), charters.read_certificate)
        return [certificate for certificate in found if certificate.laptop == laptop]

    def _custodian(self, name: str) -> Custodian:
        def rule(known: list[Document]) -> Document:
            # Under the registry's lock, so that two processes do not make two keys for one household.
            if name in (custodians := people.custodians_in(known)):
                wanted = custodians[name].to_document().digest
                return next(document for document in known if document.digest == wanted)
            seed = keys.new_seed()
            self.keep_secrets(self.secrets.with_custodian(name, seed))
            return Custodian(name, keys.public_of(seed)).to_document().signed(seed)

        self._write(self.registry.decide(rule))
        return self.custodians[name]

    def _exchange_with_files(self) -> None:
        """Registry and documents/ take from each other what they lack: a git pull and a merge meet here."""
        folder = self.path / DOCUMENTS
        folder.mkdir(exist_ok=True)
        in_files: dict[bytes, Document] = {}
        self.damaged = []
        for path in sorted(folder.glob("*.cbor")):
            found = documents.decode(path.read_bytes())
            if isinstance(found, Damage):
                self.damaged.append((path, found.reason))
            else:
                in_files[found.digest] = found
        self.registry.add(in_files.values())
        for document in self.registry.documents():
            if in_files.get(document.digest) != document:
                self._write(document)

    def _write(self, document: Document) -> None:
        path = self.path / DOCUMENTS / f"{document.kind}-{document.digest[:8].hex()}.cbor"
        temporary = path.with_suffix(f".{random_names.token_hex(4)}.tmp")
        temporary.write_bytes(document.encode())
        temporary.replace(path)


def _sound(found: Iterable[Document], read) -> list:
    results = (read(document) for document in found)
    return [result for result in results if not isinstance(result, Damage)]
