"""Entries, signed heads and counter-signatures of a ledger as bytes. Knows no key but its form, no file and no rule.

A ledger is a chain: every entry holds the SHA-256 of the entry before it, and the first one a digest of the writer's
public key. So the digest of an entry names its writer, its place and everything before it; a signature over it is one
over all of that. Who checks signatures is the caller.
"""

import hashlib
import struct

from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1
MAX_ENTRY_BYTES = 1024
MAX_KIND_BYTES = 24
MAX_SEQ = 0x3FFFFFFF
MAX_PAGE_BYTES = 4 * 1024 * 1024
PUBLIC_BYTES = 32
DIGEST_BYTES = 32
SIGNATURE_BYTES = 64

# What is signed begins with what it is: no signature of one kind passes for another.
HEAD_PREFIX = b"hedgerow ledger head 1"
WITNESS_PREFIX = b"hedgerow ledger witness 1"
_GENESIS_PREFIX = b"hedgerow ledger 1"


class Entry:
    """seq: 1 ..; kind: str; previous: digest; fields: dict with str keys; data: its bytes; digest: their SHA-256."""

    def __init__(self, seq, kind, previous, fields, data):
        self.seq = seq
        self.kind = kind
        self.previous = previous
        self.fields = fields
        self.data = data
        self.digest = digest_of(data)


class Page:
    """Part of one writer's ledger: writer (public key), entries [Entry], heads [(seq, digest, signature)],
    witnesses [(seq, digest, witness, signature)] (witness: the public key of who counter-signed)."""

    def __init__(self, writer, entries, heads, witnesses):
        self.writer = writer
        self.entries = entries
        self.heads = heads
        self.witnesses = witnesses


def genesis(writer: bytes) -> bytes:
    """What the first entry of that writer's ledger has in the place of the digest before it."""
    return digest_of(_GENESIS_PREFIX + writer)


def digest_of(data) -> bytes:
    return hashlib.sha256(data).digest()


def head_statement(seq: int, digest: bytes) -> bytes:
    """What the writer signs: its ledger ends with this entry, and with this one alone."""
    return HEAD_PREFIX + struct.pack(">I", seq) + digest


def witness_statement(writer: bytes, seq: int, digest: bytes) -> bytes:
    """What a neighbour signs: it was shown this head, signed by that writer. No place in it and no time."""
    return WITNESS_PREFIX + writer + struct.pack(">I", seq) + digest


# ---- entries


def encode_entry(seq: int, kind: str, previous: bytes, fields: dict) -> bytes:
    """[1, seq, kind, digest of the entry before, fields]. ValueError where that is no entry."""
    data = cbor.encode((VERSION, seq, kind, previous, fields))
    wrong = decode_entry(data)
    if isinstance(wrong, Damage):
        raise ValueError("no ledger entry: " + wrong.reason)
    return data


def decode_entry(data) -> "Entry | Damage":
    values = _values(data, MAX_ENTRY_BYTES)
    if isinstance(values, Damage):
        return values
    _, seq, kind, previous, fields = values
    wrong = None
    if not _is_seq(seq):
        wrong = "number"
    elif not isinstance(kind, str) or not 0 < len(kind.encode()) <= MAX_KIND_BYTES:
        wrong = "kind"
    elif not _is_long(previous, DIGEST_BYTES):
        wrong = "digest"
    elif not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        wrong = "fields"
    return Damage(wrong, 2) if wrong else Entry(seq, kind, previous, fields, bytes(data))


def _values(data, most_bytes):
    """The five values of a record of our version. The version is read first: a later one may have another shape."""
    if len(data) > most_bytes:
        return Damage("too long", most_bytes)
    values = cbor.decode(data)
    if isinstance(values, Damage):
        return values
    if not isinstance(values, list) or not values or not _is_uint(values[0]):
        return Damage("shape", 0)
    if values[0] != VERSION:
        return Damage("version", 1)
    return values if len(values) == 5 else Damage("shape", 0)


# ---- pages


def encode_page(writer: bytes, entries, heads, witnesses) -> bytes:
    """[1, writer, [entry bytes], [[seq, digest, signature]], [[seq, digest, witness, signature]]], in one order.

    `entries` are bytes. Whatever comes twice is written once, so that a set of records has one page.
    """
    entry_rows = sorted({bytes(entry) for entry in entries})
    head_rows = sorted({tuple(head) for head in heads})
    witness_rows = sorted({tuple(witness) for witness in witnesses})
    return cbor.encode((VERSION, writer, entry_rows, head_rows, witness_rows))


def decode_page(data) -> "Page | Damage":
    values = _values(data, MAX_PAGE_BYTES)
    if isinstance(values, Damage):
        return values
    _, writer, raw, heads, witnesses = values
    lists = isinstance(raw, list) and isinstance(heads, list) and isinstance(witnesses, list)
    if not lists or not _is_long(writer, PUBLIC_BYTES):
        return Damage("shape", 0)
    entries = []
    for item in raw:
        entry = decode_entry(item) if isinstance(item, bytes) else Damage("shape", 0)
        if isinstance(entry, Damage):
            return entry
        entries.append(entry)
    wrong = None
    if not all(is_head(head) for head in heads):
        wrong = "head"
    elif not all(is_witness(witness) for witness in witnesses):
        wrong = "witness"
    else:
        heads = [tuple(head) for head in heads]
        witnesses = [tuple(witness) for witness in witnesses]
        if not (_ascends(raw) and _ascends(heads) and _ascends(witnesses)):
            wrong = "order"
    return Damage(wrong, 0) if wrong else Page(writer, entries, heads, witnesses)


def is_head(value) -> bool:
    """Whether value is (seq, digest, signature) in its form; the signature is not checked."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and _is_seq(value[0])
        and _is_long(value[1], DIGEST_BYTES)
        and _is_long(value[2], SIGNATURE_BYTES)
    )


def is_witness(value) -> bool:
    """Whether value is (seq, digest, public key of the witness, signature) in its form."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 4
        and _is_seq(value[0])
        and _is_long(value[1], DIGEST_BYTES)
        and _is_long(value[2], PUBLIC_BYTES)
        and _is_long(value[3], SIGNATURE_BYTES)
    )


def _ascends(rows):
    for i in range(1, len(rows)):
        if rows[i - 1] >= rows[i]:
            return False
    return True


def _is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_seq(value):
    return _is_uint(value) and 0 < value <= MAX_SEQ


def _is_long(value, size):
    return isinstance(value, bytes) and len(value) == size
