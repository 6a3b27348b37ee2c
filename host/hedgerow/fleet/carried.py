"""Knows bundles as files, in a folder or in one ZIP file, that a person carries from node to node. Opens no message.

Each bundle is a file of its own, BPv7 (RFC 9171) as any node takes it, called by its id: 16 hexadecimal digits and
`.bundle`, a name that FAT and telephones bear. Its age block tells how old it was at the time that the file is of, so
it ages on a stick as it would in a node. Names are not believed: what is inside says which bundle it is.

Beside them `carried.jsonl` remembers who has got which, one line each, so that nothing is handed over twice, and what
has reached its reader is not taken again.
"""

import json
import os
import re
import time
import zipfile
from calendar import timegm
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hedgenode.rules import quota
from hedgerow.errors import StorageError, UsageError
from hedgewire import bundle
from hedgewire.cbor import Damage

ENDING = ".bundle"
LOG = "carried.jsonl"
MOST_BUNDLE_BYTES = 64 * 1024
MOST_BYTES = 64_000_000
MOST_FILES = 100_000
MOST_LINES = 50_000  # of the log; then it forgets what it says of bundles that are gone, the oldest half first
_FIRST_ZIP_YEAR = 1980


@dataclass(frozen=True)
class Carried:
    """One bundle and when it was as old as its age block says (seconds since 1970)."""

    id: bytes
    bundle: bundle.Bundle
    data: bytes
    at_s: float

    @property
    def source(self) -> int:
        return self.bundle.source.node

    @property
    def destination(self) -> int:
        return self.bundle.destination.node

    def age_ms(self, now_s: float) -> int:
        """A clock that was set back makes nothing younger."""
        return (self.bundle.age_ms or 0) + max(0, int((now_s - self.at_s) * 1000))

    def is_over(self, now_s: float) -> bool:
        return self.age_ms(now_s) > self.bundle.lifetime_ms


def read(data: bytes, at_s: float) -> "Carried | Damage":
    """The bundle in a file's bytes. Never raises: files come from strangers."""
    if len(data) > MOST_BUNDLE_BYTES:
        return Damage("too long for a bundle", MOST_BUNDLE_BYTES)
    found = bundle.decode(data)
    if isinstance(found, Damage):
        return found
    made_id = bundle.bundle_id(found)
    return made_id if isinstance(made_id, Damage) else Carried(made_id, found, data, at_s)


def forwarded(held: bundle.Bundle, age_ms: int) -> bytes:
    """The bundle as it leaves a hand: older, one hop further. A mule has no number, so none stands as the last node."""
    moved = bundle.with_forwarding(held, age_ms, bundle.NONE)
    moved.blocks = [block for block in moved.blocks if block.type != bundle.PREVIOUS_NODE]
    return bundle.encode(moved)


def hops_left(held: bundle.Bundle) -> bool:
    """Whether it may go one hop further."""
    return held.hop_count is None or held.hop_count[1] < held.hop_count[0]


class CarriedFolder:
    """The bundles in one folder, at most `most_bytes` of them; made when the first one is kept.

    `everyone` is the node number that the fleet's public messages go to: like a node, a full folder keeps a share for
    them. What is over is let go at opening. Files that are no bundles are named in `damaged` and left alone.
    """

    def __init__(
        self, path: Path, most_bytes: int = MOST_BYTES, everyone: int | None = None, now_s: float | None = None
    ) -> None:
        self.path = path
        self._everyone = everyone
        self._most_bytes = most_bytes
        self._held: dict[bytes, Carried] = {}
        self._arrival: dict[bytes, int] = {}
        self._paths: dict[bytes, Path] = {}
        self._has_got: dict[bytes, set[str]] = {}
        self.arrived: set[bytes] = set()
        """Ids of bundles that reached their reader."""
        self.damaged: list[tuple[Path, str]] = []
        self._used_bytes = 0
        self._read_files(time.time() if now_s is None else now_s)
        self._read_log()

    # ---- asking

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Carried]:
        return iter(list(self._held.values()))

    def __contains__(self, bundle_id: object) -> bool:
        return bundle_id in self._held

    @property
    def used_bytes(self) -> int:
        return self._used_bytes

    def has_got(self, bundle_id: bytes) -> set[str]:
        """Ids of the nodes that this bundle was taken from or handed to, in hexadecimal digits."""
        return self._has_got.get(bundle_id, set())

    # ---- changing

    def keep(self, one: Carried) -> bool:
        """Keep a bundle; True once it is in its file.

        False: its time is over, it has arrived, or what is here has more right to the room.
        Raises StorageError where the folder refuses.
        """
        if one.id in self._held:
            return True
        if one.id in self.arrived or one.is_over(time.time()) or not self._make_room(one):
            return False
        path = self.path / (one.id.hex() + ENDING)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _write(path, one.data, one.at_s)
        except OSError as refused:
            raise StorageError(f"{self.path} takes no bundle: {refused.strerror}") from refused
        self._add(one, path)
        return True

    def drop(self, bundle_id: bytes) -> None:
        """Let go of one; its line in the log stays."""
        one = self._held.pop(bundle_id)
        self._used_bytes -= len(one.data)
        self._paths.pop(bundle_id).unlink(missing_ok=True)

    def note(self, bundle_id: bytes, node_id: str) -> None:
        """Remember that a node has it. Raises StorageError where the folder refuses."""
        if node_id not in self.has_got(bundle_id):
            self._has_got.setdefault(bundle_id, set()).add(node_id)
            self._log({"bundle": bundle_id.hex(), "node": node_id})

    def note_arrival(self, bundle_id: bytes) -> None:
        """It has reached its reader: let go of it, and do not take it again."""
        if bundle_id not in self.arrived:
            self.arrived.add(bundle_id)
            self._log({"bundle": bundle_id.hex(), "arrived": True})
        if bundle_id in self._held:
            self.drop(bundle_id)

    # ---- inside

    def _read_files(self, now_s: float) -> None:
        for path in sorted(self.path.glob(f"*{ENDING}"))[:MOST_FILES] if self.path.is_dir() else ():
            if path.is_symlink() or not path.is_file():
                continue
            try:
                facts = path.stat()
                found = read(path.read_bytes()[: MOST_BUNDLE_BYTES + 1], facts.st_mtime)
            except OSError as refused:
                self.damaged.append((path, str(refused.strerror)))
                continue
            if isinstance(found, Damage):
                self.damaged.append((path, found.reason))
            elif found.id in self._held or found.is_over(now_s):
                path.unlink(missing_ok=True)
            else:
                self._add(found, path)

    def _read_log(self) -> None:
        try:
            lines = (self.path / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return  # none yet
        for line in lines:
            try:
                said = json.loads(line)
                bundle_id = bytes.fromhex(said["bundle"])
                if said.get("arrived"):
                    self.arrived.add(bundle_id)
                else:
                    self._has_got.setdefault(bundle_id, set()).add(str(said["node"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a torn line costs one repetition
        if len(lines) > MOST_LINES:
            held = {one.hex() for one in self._held}
            kept = [line for line in lines[: MOST_LINES // 2] if _ids_in(line) & held]
            _write(self.path / LOG, ("\n".join(kept + lines[MOST_LINES // 2 :]) + "\n").encode(), time.time())
        for bundle_id in self.arrived & self._held.keys():
            self.drop(bundle_id)  # a copy came back on another stick

    def _log(self, said: dict[str, object]) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with (self.path / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(said) + "\n")
        except OSError as refused:
            raise StorageError(f"{self.path / LOG} takes no line: {refused.strerror}") from refused

    def _add(self, one: Carried, path: Path) -> None:
        self._held[one.id] = one
        self._paths[one.id] = path
        self._arrival[one.id] = len(self._arrival)
        self._used_bytes += len(one.data)

    def _rows(self) -> Iterator[tuple[bytes, int, int, int, int]]:
        for one in self._held.values():
            yield one.id, self._kind(one), one.source, len(one.data), self._arrival[one.id]

    def _kind(self, one: Carried) -> int:
        """What a node's own rule of quotas takes it for."""
        return quota.PUBLIC if one.destination == self._everyone else quota.RELAYED

    def _make_room(self, new: Carried) -> bool:
        size = len(new.data)
        if not quota.admits(size, self._kind(new), self._most_bytes):
            return False
        while self._used_bytes + size > self._most_bytes:
            victim = quota.victim(self._rows, size, self._kind(new), new.source, self._most_bytes)
            if victim is None:
                return False
            self.drop(victim)
        return True


def _ids_in(line: str) -> set[str]:
    return set(re.findall(r"[0-9a-f]{16}", line))


def _write(path: Path, data: bytes, at_s: float) -> None:
    """Whole or not at all, with the time that its age belongs to."""
    begun = path.with_suffix(".part")
    with begun.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.utime(begun, (at_s, at_s))
    begun.replace(path)


# ---- one file


def to_zip(path: Path, all_carried: Iterable[Carried]) -> int:
    """Write bundles into one ZIP file, for a telephone or a letter; how many. Raises StorageError where that fails."""
    begun = path.with_name(path.name + ".part")
    count = 0
    try:
        with zipfile.ZipFile(begun, "w") as made:
            for one in all_carried:
                made.writestr(zipfile.ZipInfo(one.id.hex() + ENDING, time.gmtime(one.at_s)[:6]), one.data)
                count += 1
        begun.replace(path)
    except (OSError, ValueError) as refused:
        raise StorageError(f"cannot write {path}: {refused}") from refused
    return count


def from_zip(path: Path) -> tuple[list[Carried], list[tuple[str, str]]]:
    """The bundles in a ZIP file, and (name, reason) of what is none. Raises UsageError where it is no ZIP file."""
    found: list[Carried] = []
    damaged: list[tuple[str, str]] = []
    try:
        with zipfile.ZipFile(path) as packed:
            for entry in packed.infolist()[:MOST_FILES]:
                if not entry.filename.endswith(ENDING):
                    continue
                with packed.open(entry) as file:
                    data = file.read(MOST_BUNDLE_BYTES + 1)
                one = read(data, timegm((*entry.date_time, 0, 0, 0)))
                if isinstance(one, Damage):
                    damaged.append((entry.filename, one.reason))
                else:
                    found.append(one)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as wrong:
        raise UsageError(f"{path} is no folder and no ZIP file that can be read: {wrong}") from wrong
    return found, damaged
