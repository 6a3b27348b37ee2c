"""Knows releases as folders: build one, read and check it, sign it. Knows no node, and prints nothing.

A release is `release.cbor` and beside it the files that it names, each at its path below the slot. `slots.py`,
`boot.py` and `main.py`, which lie outside the slots, are no part of it: docs/adr/two-slots.md.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hedgenode.rules import releases as rules
from hedgerow.errors import RefusedError, StorageError, UsageError
from hedgerow.fleet import documents
from hedgerow.fleet.boards import Board
from hedgerow.fleet.documents import Document
from hedgerow.fleet.secrets_file import Key
from hedgerow.fleet.standing import Standing, deciding
from hedgerow.plans import firmware
from hedgerow.plans.firmware import FirmwareSet
from hedgewire import release
from hedgewire.cbor import Damage
from hedgewire.release import FILE_NAME, Release

FOLDER = "releases"
BLOCK_BYTES = 4096  # of littlefs on every board


@dataclass(frozen=True)
class Kept:
    """A release as it lies in a folder. Its files may be damaged: `fault` says so."""

    folder: Path
    paper: Document
    says: Release

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size, _ in self.says.files)

    def fault(self) -> str | None:
        """What is missing, changed or too much in the folder."""
        found = {path: (len(data), hashlib.sha256(data).digest()) for path, data in self._found().items()}
        return rules.complete_fault(self.says, found)

    def files(self) -> dict[str, bytes]:
        """Path below the slot -> contents. Raises StorageError where they are not those of the release."""
        if (fault := self.fault()) is not None:
            raise StorageError(f"{self.folder} is not complete: {fault}", next_step="Copy the whole folder again")
        return self._found()

    def _found(self) -> dict[str, bytes]:
        paths = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name != FILE_NAME]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    def lacks(self, judged: Standing) -> str | None:
        """Which signatures of the council in force are missing, with the names of those who can give them."""
        if not judged.charters:
            return "no charter is in force"
        now = judged.charters[-1]
        fault = rules.fleet_fault(self.says, judged.fleet)
        fault = fault or rules.signature_fault(now, self.paper.signers, judged.revoked)
        if fault is None:
            return None
        left = deciding(judged) - self.paper.signers
        names = ", ".join(steward.name for steward in now.stewards if steward.public in left)
        return f"{fault}: {names}" if self.says.fleet == judged.fleet else fault


def build(board: Board, fleet: bytes, sequence: int, into: Path, source: Path | None = None) -> Kept:
    """Compile the firmware of `source` (default: ours) for that board and write it into the new folder `into`."""
    made = firmware.build(board, source)
    files = {file.path.removeprefix(f"{firmware.SLOT}/"): file.data for file in made.files if _in_slot(file.path)}
    body = release.make(_says(board, made, fleet, sequence, files))
    if into.exists() and any(into.iterdir()):
        if (into / FILE_NAME).is_file() and (kept := read(into)).paper.body == body and kept.fault() is None:
            return kept  # asked again: the signatures stay
        raise UsageError(
            f"{into} holds something else", next_step="Name a new folder with --out, or another --sequence"
        )
    for path, data in files.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(data)
    kept = _write(into, Document(body))
    kept.files()  # reads back
    return kept


def next_sequence(folder: Path, board: Board) -> int:
    """One more than the highest number that a release for this board has among the folders in there."""
    found = [read(path.parent).says for path in sorted(folder.glob(f"*/{FILE_NAME}"))]
    return 1 + max((one.sequence for one in found if board.id in one.boards), default=0)


def newest(folder: Path) -> list[Kept]:
    """The releases in there, those with the highest numbers last."""
    found = [read(path.parent) for path in folder.glob(f"*/{FILE_NAME}")]
    return sorted(found, key=lambda kept: kept.says.sequence)


def read(path: Path) -> Kept:
    """The release in a folder, or of a `release.cbor`. Raises UsageError where there is none that can be understood."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", next_step="Name the folder of a release, or its release.cbor"
        ) from error
    if len(data) > release.MAX_BYTES:
        raise UsageError(f"{file} is no release: it has more than {release.MAX_BYTES} bytes")
    paper = documents.decode(data)
    says = paper if isinstance(paper, Damage) else release.read(paper.fields)
    if isinstance(paper, Damage) or isinstance(says, Damage):
        reason = says.reason if isinstance(says, Damage) else "damaged"
        raise UsageError(f"{file} is no release: {reason}", next_step="Copy it again from where it was built")
    return Kept(file.parent, paper, says)


def sign(kept: Kept, held: Iterable[Key], judged: Standing) -> tuple[Kept, list[Key]]:
    """The release with the signatures of those keys that count, written back, and the keys that signed just now.

    Raises RefusedError where the release is another fleet's, or its files are not what the signature would vouch for.
    """
    fault = rules.fleet_fault(kept.says, judged.fleet) or kept.fault()
    if fault is not None:
        raise RefusedError(f"release {kept.says.sequence} in {kept.folder} is not signed: {fault}")
    counting = deciding(judged) - kept.paper.signers
    signing = [key for key in held if key.public in counting]
    if not signing:
        return kept, []
    return _write(kept.folder, kept.paper.signed(*(key.seed for key in signing))), signing


def _says(board: Board, made: FirmwareSet, fleet: bytes, sequence: int, files: dict[str, bytes]) -> dict:
    heads = {tuple(release.mpy_head(data) or (0, 0, 0)) for data in files.values()}
    native = {head for head in heads if head[2] > 0}  # files without native code run under every arch
    if {head[0] for head in heads} != {made.mpy} or len(native) > 1:
        raise UsageError(f"the files for {board.id} are for different MicroPythons")
    mpy = native.pop() if native else (made.mpy, 0, 0)
    return {
        "fleet": fleet,
        "sequence": sequence,
        "version": made.version,
        "boards": [board.id],
        "chip": board.mcu,
        "mpy": list(mpy),
        "files": [[path, len(data), hashlib.sha256(data).digest()] for path, data in sorted(files.items())],
    }


def _in_slot(path: str) -> bool:
    return path.startswith(f"{firmware.SLOT}/")


def _write(folder: Path, paper: Document) -> Kept:
    data = paper.encode()
    if len(data) > release.MAX_BYTES:
        raise UsageError(f"the release has too many files: {len(data)} bytes of {release.MAX_BYTES} would name them")
    temporary = folder / f".{FILE_NAME}.tmp"
    temporary.write_bytes(data)
    temporary.replace(folder / FILE_NAME)
    return read(folder)
