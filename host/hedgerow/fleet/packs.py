"""Knows how documents travel together: as one file, or as text that fits codes and letters. Refuses to judge them.

A pack is a CBOR list of envelopes. Its text form is lines of capitals and digits, which a QR code holds densely:
HEDGEROW1/SET/NUMBER/COUNT/BASE32, where SET names the pack by its hash, so that lines of two packs do not mix.
"""

import base64
import hashlib
import re
from collections.abc import Iterable

from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document, unite
from hedgewire import bundle, cbor
from hedgewire.cbor import Damage

DIGITS_A_LINE = 320  # with error correction M a code of 65 modules: it fits a terminal and an old telephone reads it
MOST_LINES = 99
_SET_BYTES = 5
_LINE = re.compile(r"HEDGEROW1/([A-Z2-7]{8})/(\d{1,2})/(\d{1,2})/([A-Z2-7]+)")


def pack(found: Iterable[Document]) -> bytes:
    """One file's content. The same documents give the same bytes."""
    return cbor.encode([document.encode() for document in unite(found)])


def unpack(data: bytes) -> "list[Document] | Damage":
    """The documents in a pack, in a single document's file, in a bundle that carries one, or in the text form."""
    if b"HEDGEROW1/" in data.upper():
        return from_text(data.decode("utf-8", errors="replace"))
    value = cbor.decode(data)
    if isinstance(value, list):
        found = [documents.decode(item) if isinstance(item, bytes) else Damage("no document", 0) for item in value]
        wrong = next((one for one in found if isinstance(one, Damage)), None)
        return wrong or unite(one for one in found if isinstance(one, Document))
    carried = bundle.decode(data) if isinstance(value, Damage) else value
    one = documents.decode(carried.payload if isinstance(carried, bundle.Bundle) else data)
    return one if isinstance(one, Damage) else [one]


def to_text(found: Iterable[Document]) -> list[str]:
    """The lines of the text form, each for a code of its own."""
    data = pack(found)
    name = _base32(hashlib.sha256(data).digest()[:_SET_BYTES])
    digits = _base32(data)
    parts = [digits[start : start + DIGITS_A_LINE] for start in range(0, len(digits), DIGITS_A_LINE)]
    return [f"HEDGEROW1/{name}/{number}/{len(parts)}/{part}" for number, part in enumerate(parts, 1)]


def from_text(text: str) -> "list[Document] | Damage":
    """The documents in any text that holds all lines of one pack, in any order, with anything in between."""
    lines = _LINE.findall(text.upper())
    if not lines:
        return Damage("no line of a pack", 0)
    name, count = lines[0][0], int(lines[0][2])
    if any((other, int(total)) != (name, count) for other, _, total, _ in lines):
        return Damage("lines of two packs", 0)
    parts = {int(number): part for _, number, _, part in lines}
    missing = [str(number) for number in range(1, count + 1) if number not in parts]
    if missing:
        return Damage(f"line {', '.join(missing)} of {count} is missing", 0)
    digits = "".join(parts[number] for number in range(1, count + 1))
    try:
        data = base64.b32decode(digits + "=" * (-len(digits) % 8))
    except ValueError:
        return Damage("a line is cut short", 0)
    if _base32(hashlib.sha256(data).digest()[:_SET_BYTES]) != name:
        return Damage("a line was not read as it was written", 0)
    return unpack(data)


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
