"""Knows the folder of a fleet on a laptop: proposal, secrets, documents, registry. Knows no port and no node's answer.

fleet.toml  documents/*.cbor  ledger/*.cbor  .gitignore      kept in git; those of two laptops merge as files, too
secrets.toml  registry.sqlite                 stay on this laptop
"""

import getpass
import secrets as random_names
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from hedgerow.errors import RefusedError, StorageError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import documents, inventory, keys, people, proposal, secrets_file
from hedgerow.fleet import ledger as ledgers
from hedgerow.fleet.charter import Charter, LaptopCertificate, Steward
from hedgerow.fleet.documents import Document
from hedgerow.fleet.inventory import Inventory, NodeSpec
from hedgerow.fleet.people import Custodian
from hedgerow.fleet.proposal import Proposal
from hedgerow.fleet.registry import Observation, Registry
from hedgerow.fleet.roster import ENROLMENT, Enrolment, Roster, read_enrolment
from hedgerow.fleet.secrets_file import Secrets
from hedgewire import cbor
from hedgewire.cbor import Damage
from hedgewire.ledger import Entry

DOCUMENTS = "documents"
REGISTRY = "registry.sqlite"
_GITIGNORE = "# Keys and local records stay on this laptop.\nsecrets.toml\nregistry.sqlite*\nreports/\n"


class FleetFolder:
    """One laptop's copy of a fleet. Use as a context manager, or close it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: list[tuple[Path, str]] = []
        """Files in documents/ that are none, with the reason; they are left alone."""
        self._secrets_path = path / secrets_file.FILE_NAME
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
        return secrets_file.read(self._secrets_path)

    @cached_property
    def proposal(self) -> Proposal:
        return proposal.read(self.path / proposal.FILE_NAME)

    @cached_property
    def charter(self) -> Charter:
        """The newest charter of the fleet that this laptop is certified for, or of the only fleet there is."""
        found = _sound(self.registry.documents(charters.CHARTER), charters.read_charter)
        fleets = {certificate.fleet for certificate in self._own_certificates} or {item.fleet_id for item in found}
        mine = [item for item in found if item.fleet_id in fleets]
        if not mine:
            raise StorageError(
                f"{self.path} holds no charter",
                next_step=f"Restore {DOCUMENTS}/ from git or another laptop, or found one with `hedgerow fleet new`",
            )
        return max(mine, key=lambda item: (item.version, item.to_document().digest))

    @property
    def roster(self) -> Roster:
        return Roster.of(self.registry.documents(), self.charter.fleet_id)

    @property
    def custodians(self) -> Mapping[str, Custodian]:
        """By name. Where two households share a name, the lower key holds it here and on every other laptop."""
        return _by_name(self.registry.documents(people.CUSTODIAN))

    @property
    def inventory(self) -> Inventory:
        return inventory.join(self.proposal, self.charter, self.roster, self.custodians)

    @property
    def certificate(self) -> LaptopCertificate:
        """What this laptop may do. Raises RefusedError on a laptop that may only look."""
        mine = [item for item in self._own_certificates if item.fleet == self.charter.fleet_id]
        if not mine:
            raise RefusedError(
                "this laptop has no certificate of this fleet, so it can look but not enrol",
                next_step="Use the laptop that founded the fleet, or restore its secrets.toml",
            )
        return max(mine, key=lambda item: (item.charter_version, item.digest))

    def enrol(self, spec: NodeSpec, node: bytes, *, replaces_lost: bool = False) -> Enrolment:
        """Take the node with this public key in, as the spec says. Asked again, it answers the same."""
        certificate = self.certificate
        custodian = self._custodian(spec.custodian_name) if spec.custodian_name else None
        public = custodian.public if custodian else None
        # Short ids follow the order of fleet.toml where they can, however fast each board is.
        place = next((place for place, node in enumerate(self.proposal.nodes) if node.name == spec.name), 0)

        def rule(known: list[Document]) -> Document:
            roster = Roster.of(known, certificate.fleet)
            enrolment = roster.next_enrolment(
                certificate, node, spec.name, spec.board.id, public, replaces_lost=replaces_lost, place=place
            )
            return enrolment.to_document()

        document = self.registry.decide(rule)
        self._write(document)
        enrolment = read_enrolment(document)
        if isinstance(enrolment, Damage):
            raise StorageError(f"the enrolment of {spec.name} cannot be read back: {enrolment.reason}")
        if enrolment.laptop == self.secrets.laptop:
            self._note_once("enrolled", {"node": enrolment.node_id, "document": document.digest[:8]})
        return enrolment

    def enrol_as(self, name: str, node: bytes, *, replaces_lost: bool = False) -> NodeSpec:
        """Enrol by the name in fleet.toml and return the node as it is to be from now on."""
        spec = self.inventory.named(name)
        if spec is None:
            raise UsageError(f"fleet.toml names no node {name}")
        enrolment = self.enrol(spec, node, replaces_lost=replaces_lost)
        custodian = self.custodians.get(spec.custodian_name) if spec.custodian_name else None
        return replace(spec, enrolment=enrolment, custodian=custodian)

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

    def _note_once(self, kind: str, fields: Mapping[str, object]) -> None:
        """As note(), but not again what this laptop has noted before: whoever repeats a command did it once."""
        mine = self.ledger.copies.entries_of(self.secrets.laptop or b"").values()
        if not any(entry.kind == kind and fields.items() <= entry.fields.items() for entry in mine):
            self.note(kind, fields)

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
        self.__dict__.pop("charter", None)

    @cached_property
    def _own_certificates(self) -> list[LaptopCertificate]:
        laptop = self.secrets.laptop
        found = _sound(self.registry.documents(charters.LAPTOP), charters.read_certificate)
        return [certificate for certificate in found if certificate.laptop == laptop]

    def _custodian(self, name: str) -> Custodian:
        def rule(known: list[Document]) -> Document:
            # Under the registry's lock, so that two processes do not make two keys for one household.
            if name in (custodians := _by_name(known)):
                return custodians[name].to_document()
            seed = keys.new_seed()
            secrets_file.write(self._secrets_path, self.secrets.with_custodian(name, seed))
            return Custodian(name, keys.public_of(seed)).to_document()

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


def found(path: Path, name: str, stewards: Iterable[str] = (), threshold: int | None = None) -> FleetFolder:
    """Make the folder of a new fleet with keys, first charter and a certificate for this laptop.

    `stewards` are names, or NAME=HEX with a public key; a key is made here for those without one. Nobody named: the one
    who sits here decides alone. Raises UsageError where a fleet is already.
    """
    if (path / proposal.FILE_NAME).exists():
        raise UsageError(f"there is a fleet in {path} already", next_step="Choose another folder with --dir")
    seeds, council = _council(list(stewards) or [_person_here()])
    threshold = len(council) // 2 + 1 if threshold is None else threshold
    if not 1 <= threshold <= len(council):
        raise UsageError(f"{threshold} of {len(council)} stewards cannot decide anything")
    secrets = Secrets(socket.gethostname() or "laptop", keys.new_seed(), seeds)
    first = Charter(name, 1, council, threshold)
    laptop = keys.public_of(secrets.laptop_seed)
    block = charters.BLOCK_SHORTS
    certificate = LaptopCertificate(first.fleet_id, 1, secrets.laptop_name, laptop, block, charters.LOWEST_SHORT, block)
    try:
        path.mkdir(parents=True, exist_ok=True)
        secrets_file.write(path / secrets_file.FILE_NAME, secrets)
        (path / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")
        folder = FleetFolder(path)
        folder.registry.add([first.to_document(), certificate.to_document()])
        folder.close()
        # Last, because this file is what makes the folder a fleet: until it is there, the command can be repeated.
        (path / proposal.FILE_NAME).write_text(proposal.first_text(name), encoding="utf-8")
        return FleetFolder(path)
    except OSError as error:
        raise StorageError(f"no fleet can be made in {path}: {error.strerror}") from error


def _by_name(found: Iterable[Document]) -> dict[str, Custodian]:
    custodians = [document for document in found if document.kind == people.CUSTODIAN]
    return {item.name: item for item in sorted(_sound(custodians, people.read_custodian), reverse=True)}


def _council(names: list[str]) -> tuple[dict[str, bytes], tuple[Steward, ...]]:
    seeds, council = {}, []
    for given in names:
        name, has_key, public_hex = (part.strip() for part in given.partition("="))
        if not name or name in {steward.name for steward in council}:
            raise UsageError(f"every steward needs a name of their own, not {given!r}")
        if has_key:
            council.append(Steward(name, _public_from(name, public_hex)))
        else:
            seeds[name] = keys.new_seed()
            council.append(Steward(name, keys.public_of(seeds[name])))
    return seeds, tuple(council)


def _public_from(name: str, public_hex: str) -> bytes:
    try:
        public = bytes.fromhex(public_hex)
    except ValueError:
        public = b""
    if len(public) != keys.PUBLIC_BYTES:
        raise UsageError(f"the key of steward {name} is to be {2 * keys.PUBLIC_BYTES} hexadecimal digits")
    return public


def _person_here() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a user entry, as in some containers
        return "steward"


def _sound(found: Iterable[Document], read) -> list:
    results = (read(document) for document in found)
    return [result for result in results if not isinstance(result, Damage)]
