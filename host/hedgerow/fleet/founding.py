"""Knows how a fleet begins: its folder, the keys that are made here, the first charter, this laptop's certificate.

What is made here is signed with the keys that are made here; where that is not enough, the rest is asked of the others.
"""

import getpass
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import keys, passphrase, proposal, secrets_file
from hedgerow.fleet.charter import Charter, LaptopCertificate, Steward
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import GITIGNORE, FleetFolder
from hedgerow.fleet.key_lock import Ask, Lock
from hedgerow.fleet.secrets_file import CUSTODIAN, STEWARD, Secrets


@dataclass(frozen=True)
class Origin:
    """What a fleet begins with that comes out of others: one that it leaves, or two that become one."""

    parents: tuple[Charter, ...] = ()
    taken: tuple[LaptopCertificate, ...] = ()
    """Certificates whose blocks of short ids are taken: a node keeps its short id over its life."""
    stewards: tuple[bytes, ...] = field(default=(), repr=False)
    """Seeds of stewards whose keys are brought along."""
    custodians: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Seeds by name of households whose keys lie here."""
    papers: tuple[Document, ...] = ()
    """Documents of the parents, so that what the others sign can be checked."""
    nodes: str = ""
    """[[node]] tables for fleet.toml."""
    ipn_base: int | None = None
    speaks_under_keys: bool = False
    """Whether the radio of the parents speaks under the fleet's keys."""
    asks_for_keys: bool = True
    """Whether nodes of the parents ask who somebody is: a node goes as it is."""


def found(
    path: Path,
    name: str,
    stewards: Iterable[str] = (),
    threshold: int | None = None,
    *,
    lock: Lock | None = None,
    ask: Ask = passphrase.ask,
    origin: Origin = Origin(),
) -> FleetFolder:
    """Make the folder of a new fleet with keys, first charter and a certificate for this laptop.

    `stewards` are names, or NAME=HEX with a public key; a key is made here for those without one. Nobody named: the one
    who sits here decides alone. With a `lock` the keys are never written in clear. Raises UsageError where a fleet is
    already.
    """
    if (path / proposal.FILE_NAME).exists():
        raise UsageError(f"there is a fleet in {path} already", next_step="Choose another folder with --dir")
    seeds, council = _council(list(stewards) or [_person_here()])
    brought = {keys.public_of(seed): seed for seed in origin.stewards}
    seeds |= {steward.name: brought[steward.public] for steward in council if steward.public in brought}
    threshold = len(council) // 2 + 1 if threshold is None else threshold
    if not 1 <= threshold <= len(council):
        raise UsageError(f"{threshold} of {len(council)} stewards cannot decide anything")
    secrets = new_laptop(Secrets())
    for holder, seed in seeds.items():
        secrets = secrets.with_key(STEWARD, holder, seed)
    for holder, seed in origin.custodians.items():
        secrets = secrets.with_key(CUSTODIAN, holder, seed)
    first = _first(name, council, threshold, origin.parents)
    block = charters.BLOCK_SHORTS
    certificate = LaptopCertificate(
        first.fleet_id,
        first.version,
        secrets.laptop_name,
        secrets.laptop or b"",
        block,
        _first_short(origin.taken),
        block,
    )
    papers = [paper.to_document().signed(*seeds.values()) for paper in (first, certificate)]
    try:
        path.mkdir(parents=True, exist_ok=True)
        secrets_file.write(path / secrets_file.FILE_NAME, replace(secrets, fleet=first.fleet_id, lock=lock))
        (path / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
        folder = FleetFolder(path, ask)
        folder.registry.add([*papers, *origin.papers])
        folder.close()
        # Last, because this file is what makes the folder a fleet: until it is there, the command can be repeated.
        (path / proposal.FILE_NAME).write_text(_first_text(name, origin), encoding="utf-8")
        return FleetFolder(path, ask)
    except OSError as error:
        raise StorageError(f"no fleet can be made in {path}: {error.strerror}") from error


def new_laptop(secrets: Secrets) -> Secrets:
    """The secrets with a key for this laptop, under the name that the machine goes by."""
    return secrets.with_laptop(socket.gethostname() or "laptop", keys.new_seed())


def _first(name: str, council: tuple[Steward, ...], threshold: int, parents: tuple[Charter, ...]) -> Charter:
    version = max((parent.version for parent in parents), default=0) + 1
    named = [parent.digest for parent in parents] + [None, None]
    return Charter(name, version, council, threshold, parent=named[0], joins=named[1])


def _first_text(name: str, origin: Origin) -> str:
    text = proposal.first_text(name)
    if origin.ipn_base not in (None, proposal.default("ipn_base")):
        text = text.replace("\n\n[defaults]", f"\nipn_base = {origin.ipn_base}\n\n[defaults]", 1)
    if origin.speaks_under_keys:
        text = text.replace("[defaults]\n", '[defaults]\nradio_security = "fleet"\n', 1)
    if not origin.asks_for_keys:
        text = text.replace("protected = true", "protected = false", 1)
    return text + origin.nodes


def _first_short(taken: Iterable[LaptopCertificate]) -> int:
    first = charters.next_block(taken)
    if first is None:
        raise StorageError("all short ids are in use in the fleets that this one comes from")
    return first


def steward_from(given: str) -> tuple[str, bytes | None]:
    """Name and public key of `NAME` or `NAME=HEX`. Raises UsageError for anything else."""
    name, has_key, public_hex = (part.strip() for part in given.partition("="))
    if not name:
        raise UsageError(f"every steward needs a name of their own, not {given!r}")
    return name, _public_from(name, public_hex) if has_key else None


def _council(names: list[str]) -> tuple[dict[str, bytes], tuple[Steward, ...]]:
    seeds, council = {}, []
    for given in names:
        name, public = steward_from(given)
        if name in {steward.name for steward in council}:
            raise UsageError(f"every steward needs a name of their own, not {given!r}")
        if public is None:
            seeds[name] = keys.new_seed()
            public = keys.public_of(seeds[name])
        if public in {steward.public for steward in council}:
            raise UsageError(f"steward {name} has the same key as another, and one person would count as two")
        council.append(Steward(name, public))
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
