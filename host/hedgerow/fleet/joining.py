"""Knows how a laptop that has nothing makes its copy of a fleet from documents, wherever they came from.

A person compares the words of the charter that all the others hang on: that is the only trust that cannot be computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hedgenode.rules import trust as rules
from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import founding, packs, passphrase, people, proposal, secrets_file, standing, words
from hedgerow.fleet.charter import Charter
from hedgerow.fleet.documents import Document, unite
from hedgerow.fleet.folder import DOCUMENTS, GITIGNORE, FleetFolder
from hedgerow.fleet.key_lock import Ask
from hedgerow.fleet.roster import Roster
from hedgerow.fleet.secrets_file import Secrets
from hedgewire.cbor import Damage


@dataclass(frozen=True)
class Found:
    """What the documents say: the fleet, the charter that a person is to trust, and what is in force by now."""

    papers: tuple[Document, ...]
    fleet: bytes
    anchor: Charter
    now: Charter
    roster: Roster

    @property
    def words(self) -> str:
        return words.fingerprint(self.anchor.digest)


def read_place(place: Path) -> list[Document]:
    """All documents in a file, in a folder of files, or in the folder of a fleet."""
    if place.is_file():
        found = packs.unpack(place.read_bytes())
        if isinstance(found, Damage):
            raise UsageError(f"{place} holds no documents: {found.reason}")
        return found
    papers: list[Document] = []
    for path in sorted([*place.glob("*.cbor"), *(place / DOCUMENTS).glob("*.cbor")]):
        one = packs.unpack(path.read_bytes())
        papers += [] if isinstance(one, Damage) else one
    if not papers:
        raise UsageError(f"there are no documents of a fleet in {place}")
    return unite(papers)


def understand(papers: Iterable[Document], fleet: bytes | None = None) -> Found:
    """The fleet in these documents. Raises UsageError where there is none, or more than one."""
    united = unite(papers)
    known = [one for one in map(charters.read_charter, _of_kind(united, charters.CHARTER)) if isinstance(one, Charter)]
    fleets = sorted({one.fleet_id for one in known})
    if fleet is None and len(fleets) > 1:
        names = ", ".join(f"{one.name} ({one.fleet_id.hex()})" for one in known if one.fleet_id in fleets)
        raise UsageError("these documents are of more than one fleet", state=names, next_step="Name one with --id")
    if not fleets or (fleet is not None and fleet not in fleets):
        raise UsageError("there is no charter of such a fleet in these documents")
    chosen = fleet or fleets[0]
    judged = standing.judge(united, chosen)
    anchor = judged.charters[0] if judged.charters else _oldest(united, known, chosen)
    judged = judged if judged.charters else standing.judge(united, chosen, anchor=anchor.digest)
    return Found(tuple(united), chosen, anchor, judged.charters[-1], Roster.of(united, judged))


def join(path: Path, found: Found, fleet_toml: str | None = None, ask: Ask = passphrase.ask) -> FleetFolder:
    """Make the folder of this laptop's copy. It may look; to enrol, it asks the stewards for a certificate."""
    if (path / proposal.FILE_NAME).exists():
        raise UsageError(f"there is a fleet in {path} already", next_step="Choose another folder with --dir")
    try:
        path.mkdir(parents=True, exist_ok=True)
        kept = secrets_file.read(path / secrets_file.FILE_NAME, ask)  # who restored keys first keeps them
        secrets_file.write(path / secrets_file.FILE_NAME, _secrets(kept, found))
        (path / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
        with FleetFolder(path, ask) as folder:
            folder.add(found.papers)
        (path / proposal.FILE_NAME).write_text(fleet_toml or _proposed(found), encoding="utf-8")
        return FleetFolder(path, ask)
    except OSError as error:
        raise StorageError(f"no fleet can be made in {path}: {error.strerror}") from error


def _secrets(kept: Secrets, found: Found) -> Secrets:
    if kept.laptop_key is None:
        kept = founding.new_laptop(kept)
    return replace(kept, fleet=found.fleet, anchor=None if found.anchor.fleet is None else found.anchor.digest)


def _oldest(papers: list[Document], known: list[Charter], fleet: bytes) -> Charter:
    """Where the founding charter is not at hand: the oldest that enough of its own stewards have signed."""
    signers = {paper.digest: paper.signers for paper in papers}
    able = [one for one in known if one.fleet_id == fleet and not rules.lacking(one, signers[one.digest])]
    if not able:
        raise UsageError("no charter in these documents is signed by enough stewards")
    return min(able, key=lambda one: (one.version, one.digest))


def _proposed(found: Found) -> str:
    """A fleet.toml that names what is enrolled. Settings and sensors are not in documents: people add them."""
    text = proposal.first_text(found.now.name)
    households = {one.public: one.name for one in people.custodians_in(found.papers).values()}
    for node in sorted(found.roster.nodes, key=lambda one: one.short):
        text += proposal.node_text(node.name, node.board, {}, households.get(node.custodian or b""))
    return text


def _of_kind(papers: Iterable[Document], kind: str) -> list[Document]:
    return [paper for paper in papers if paper.kind == kind]
