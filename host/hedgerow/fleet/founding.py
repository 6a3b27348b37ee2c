"""Knows how a fleet begins: its folder, the keys that are made here, the first charter, this laptop's certificate.

What is made here is signed with the keys that are made here; where that is not enough, the rest is asked of the others.
"""

import getpass
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import keys, passphrase, proposal, secrets_file
from hedgerow.fleet.charter import Charter, LaptopCertificate, Steward
from hedgerow.fleet.folder import GITIGNORE, FleetFolder
from hedgerow.fleet.key_lock import Ask, Lock
from hedgerow.fleet.secrets_file import STEWARD, Secrets


def found(
    path: Path,
    name: str,
    stewards: Iterable[str] = (),
    threshold: int | None = None,
    *,
    lock: Lock | None = None,
    ask: Ask = passphrase.ask,
) -> FleetFolder:
    """Make the folder of a new fleet with keys, first charter and a certificate for this laptop.

    `stewards` are names, or NAME=HEX with a public key; a key is made here for those without one. Nobody named: the one
    who sits here decides alone. With a `lock` the keys are never written in clear. Raises UsageError where a fleet is
    already.
    """
    if (path / proposal.FILE_NAME).exists():
        raise UsageError(f"there is a fleet in {path} already", next_step="Choose another folder with --dir")
    seeds, council = _council(list(stewards) or [_person_here()])
    threshold = len(council) // 2 + 1 if threshold is None else threshold
    if not 1 <= threshold <= len(council):
        raise UsageError(f"{threshold} of {len(council)} stewards cannot decide anything")
    secrets = new_laptop(Secrets())
    for holder, seed in seeds.items():
        secrets = secrets.with_key(STEWARD, holder, seed)
    first = Charter(name, 1, council, threshold)
    block = charters.BLOCK_SHORTS
    certificate = LaptopCertificate(
        first.fleet_id, 1, secrets.laptop_name, secrets.laptop or b"", block, charters.LOWEST_SHORT, block
    )
    papers = [paper.to_document().signed(*seeds.values()) for paper in (first, certificate)]
    try:
        path.mkdir(parents=True, exist_ok=True)
        secrets_file.write(path / secrets_file.FILE_NAME, replace(secrets, fleet=first.fleet_id, lock=lock))
        (path / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
        folder = FleetFolder(path, ask)
        folder.registry.add(papers)
        folder.close()
        # Last, because this file is what makes the folder a fleet: until it is there, the command can be repeated.
        (path / proposal.FILE_NAME).write_text(proposal.first_text(name), encoding="utf-8")
        return FleetFolder(path, ask)
    except OSError as error:
        raise StorageError(f"no fleet can be made in {path}: {error.strerror}") from error


def new_laptop(secrets: Secrets) -> Secrets:
    """The secrets with a key for this laptop, under the name that the machine goes by."""
    return secrets.with_laptop(socket.gethostname() or "laptop", keys.new_seed())


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
