"""Ledgers for tests: writers that note, sign, vouch, and go two ways when they are copied."""

import copy

from hedgerow.fleet import keys
from hedgerow.fleet.ledger import Copies
from hedgewire import ledger
from hedgewire.ledger import Page


class Writer:
    """One key and its chain so far."""

    def __init__(self, number: int) -> None:
        self.seed = bytes([number]) * 32
        self.public = keys.public_of(self.seed)
        self.entries: list[ledger.Entry] = []
        self.heads: list = []
        self.witnesses: list = []

    @property
    def id(self) -> bytes:
        return keys.key_id(self.public)

    @property
    def last(self) -> tuple[int, bytes]:
        return (self.entries[-1].seq, self.entries[-1].digest) if self.entries else (0, ledger.genesis(self.public))

    def note(self, kind: str = "audited", at: int | None = None, **fields) -> "Writer":
        last, digest = self.last
        entry = ledger.decode_entry(ledger.encode_entry(at or last + 1, kind, digest, fields))
        assert isinstance(entry, ledger.Entry)
        self.entries.append(entry)
        return self

    def sign(self) -> "Writer":
        seq, digest = self.last
        self.heads.append((seq, digest, keys.sign(self.seed, ledger.head_statement(seq, digest))))
        return self

    def vouch_for(self, other: "Writer") -> "Writer":
        seq, digest, _ = other.heads[-1]
        signature = keys.sign(self.seed, ledger.witness_statement(other.public, seq, digest))
        other.witnesses.append((seq, digest, self.public, signature))
        return self

    def twin(self) -> "Writer":
        """A copy of the key and of all so far: what follows is another story."""
        return copy.deepcopy(self)

    def page(self) -> Page:
        return Page(self.public, list(self.entries), list(self.heads), list(self.witnesses))


def copies(*writers: Writer) -> Copies:
    return Copies.of(writer.page() for writer in writers)
