"""Knows ledgers as sets of records that merge by union, and the folder that they lie in. Judges nothing.

ledger/*.cbor of a fleet's folder are pages (hedgewire.ledger), each named for its writer and its content, and never
changed: two copies of a folder merge as files, in any order, to the same state. What this laptop and its stewards do
is added to chains of their own.
"""

import hashlib
import secrets as random_names
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import keys
from hedgewire import ledger
from hedgewire.cbor import Damage
from hedgewire.ledger import Entry, Page

FOLDER = "ledger"
SUFFIX = ".cbor"

Head = tuple[int, bytes, bytes]  # seq, digest, signature of the writer
Witness = tuple[int, bytes, bytes, bytes]  # seq, digest, public key of the witness, its signature


@dataclass(frozen=True)
class Copies:
    """Records of any number of writers; each begins with its writer's public key. Union is merging."""

    entries: frozenset[tuple[bytes, bytes]] = frozenset()  # writer, bytes
    heads: frozenset[tuple[bytes, Head]] = frozenset()
    witnesses: frozenset[tuple[bytes, Witness]] = frozenset()

    @staticmethod
    def of(pages: Iterable[Page]) -> "Copies":
        pages = list(pages)
        return Copies(
            frozenset((page.writer, entry.data) for page in pages for entry in page.entries),
            frozenset((page.writer, head) for page in pages for head in page.heads),
            frozenset((page.writer, witness) for page in pages for witness in page.witnesses),
        )

    def union(self, other: "Copies") -> "Copies":
        return Copies(self.entries | other.entries, self.heads | other.heads, self.witnesses | other.witnesses)

    def without(self, other: "Copies") -> "Copies":
        return Copies(self.entries - other.entries, self.heads - other.heads, self.witnesses - other.witnesses)

    @property
    def writers(self) -> list[bytes]:
        return sorted({writer for rows in (self.entries, self.heads, self.witnesses) for writer, _ in rows})

    def entries_of(self, writer: bytes) -> dict[bytes, Entry]:
        """By digest. What is no entry was never let in."""
        found = [_decoded_entry(data) for data in self._entries_by_writer.get(writer, ())]
        return {entry.digest: entry for entry in found if not isinstance(entry, Damage)}

    def of_writer(self, writer: bytes) -> "Copies":
        """The records of that one alone."""
        return Copies(
            frozenset((writer, data) for data in self._entries_by_writer.get(writer, ())),
            frozenset(row for row in self.heads if row[0] == writer),
            frozenset(row for row in self.witnesses if row[0] == writer),
        )

    @cached_property
    def _entries_by_writer(self) -> Mapping[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for owner, data in sorted(self.entries):
            found.setdefault(owner, []).append(data)
        return found

    def heads_of(self, writer: bytes) -> list[Head]:
        return sorted(head for owner, head in self.heads if owner == writer)

    def witnesses_of(self, writer: bytes) -> list[Witness]:
        return sorted(witness for owner, witness in self.witnesses if owner == writer)

    def pages(self) -> dict[bytes, bytes]:
        """One page for each writer: writer -> bytes."""
        return {
            writer: ledger.encode_page(
                writer,
                [data for owner, data in self.entries if owner == writer],
                self.heads_of(writer),
                self.witnesses_of(writer),
            )
            for writer in self.writers
        }


# An audit of fifty nodes looks at the same records fifty times, and what bytes mean never changes.
@lru_cache(16384)
def _decoded_entry(data: bytes) -> Entry | Damage:
    return ledger.decode_entry(data)


@lru_cache(512)
def _decoded_page(data: bytes) -> Page | Damage:
    return ledger.decode_page(data)


@dataclass(frozen=True)
class Read:
    """What files held: records, and the files that are damaged, with the reason; they are left alone."""

    copies: Copies
    damaged: tuple[tuple[Path, str], ...] = ()


def read(paths: Iterable[Path]) -> Read:
    """The pages in these files. Raises StorageError for a file that cannot be read at all."""
    pages: list[Page] = []
    damaged: list[tuple[Path, str]] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                page = _decoded_page(file.read(ledger.MAX_PAGE_BYTES + 1))
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error
        if isinstance(page, Damage):
            damaged.append((path, page.reason))
        else:
            pages.append(page)
    return Read(Copies.of(pages), tuple(damaged))


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def write(folder: Path, page: bytes) -> Path:
    """Put a page into the folder and read it back. A file of that content that is there already stays."""
    found = ledger.decode_page(page)
    if isinstance(found, Damage):
        raise StorageError(f"a ledger page is damaged before it is written: {found.reason}")
    path = folder / f"{keys.key_id(found.writer).hex()}-{hashlib.sha256(page).hexdigest()[:16]}{SUFFIX}"
    try:
        folder.mkdir(exist_ok=True)
        if not path.exists() or path.read_bytes() != page:
            temporary = path.with_suffix(f".{random_names.token_hex(4)}.tmp")
            temporary.write_bytes(page)
            temporary.replace(path)
        if path.read_bytes() != page:
            raise StorageError(f"{path} does not read back as it was written", next_step="Check that disk")
    except OSError as error:
        raise StorageError(f"the ledger in {folder} cannot be written: {error.strerror}") from error
    return path


def longest(copies: Copies, writer: bytes) -> tuple[int, bytes]:
    """Number and digest of the newest entry of a writer, whatever is missing before it; (0, genesis) without any.

    Where there are two (a fork), the one with the lower digest: every copy of a laptop goes on behind the same.
    """
    ends = [(-entry.seq, digest) for digest, entry in copies.entries_of(writer).items()]
    ends += [(-seq, digest) for seq, digest, _ in copies.heads_of(writer)]
    if not ends:
        return 0, ledger.genesis(writer)
    seq, digest = min(ends)
    return -seq, digest


def append(folder: Path, alone: AbstractContextManager, seed: bytes, kind: str, fields: Mapping[str, object]) -> Entry:
    """Add an entry to the chain of that key, signed at once, and return it.

    `alone` keeps other processes of this laptop away meanwhile: two of them would fork the chain.
    """
    writer = keys.public_of(seed)
    with alone:
        seq, digest = longest(read(files_in(folder)).copies, writer)
        try:
            data = ledger.encode_entry(seq + 1, kind, digest, {"time_s": int(time.time()), **fields})
        except ValueError as error:
            raise UsageError(
                f"that cannot be noted: {error}", next_step=f"An entry has at most {ledger.MAX_ENTRY_BYTES} bytes"
            ) from error
        signature = keys.sign(seed, ledger.head_statement(seq + 1, ledger.digest_of(data)))
        write(folder, ledger.encode_page(writer, [data], [(seq + 1, ledger.digest_of(data), signature)], []))
    entry = ledger.decode_entry(data)
    assert not isinstance(entry, Damage)  # encode_entry has decoded it
    return entry
