"""Knows what a node's label and a household's card say, as values and as the text in their QR codes. Draws nothing.

The text is `HEDGEROW:1:` and base32 (RFC 4648, no padding) of a CBOR map and its CRC-16, so that a QR code packs it in
its alphanumeric mode and a person can type it. docs/reference/label.md has the fields.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field

from hedgerow.fleet import words
from hedgerow.fleet.keys import PUBLIC_BYTES, SEED_BYTES, key_id, public_of
from hedgewire import cbor
from hedgewire.cbor import Damage
from hedgewire.crc import crc16

LABEL_PREFIX, CARD_PREFIX = "HEDGEROW:1:", "HEDGEROW-KEY:1:"
SECRET_BYTES = 16
FLEET_ID_BYTES = 8
LARGEST_SHORT = 0xFFFE
_NODE, _SHORT, _NAME, _FLEET, _CUSTODIAN, _SECRET = 1, 2, 3, 4, 5, 6
_SEED, _HOLDER = 1, 3

Field = tuple[bool, Callable[[object], bool]]  # whether it must be there, and what it may be


@dataclass(frozen=True)
class Label:
    """What stands on a node's box. `public` is its key, `custodian` that of the household that it belongs to.

    `secret` lets whoever reads it give an unprovisioned node its first charter, once; it is not shown in words.
    """

    public: bytes
    short: int
    name: str
    fleet: bytes
    custodian: bytes | None = None
    secret: bytes | None = field(default=None, repr=False)

    @property
    def node_id(self) -> bytes:
        return key_id(self.public)

    @property
    def fingerprint(self) -> str:
        """Six words for two people to compare: on the box, and on the screen of whoever asks the node."""
        return words.fingerprint(self.public)

    def text(self) -> str:
        """What the QR code holds."""
        fields: dict[int, object] = {
            _NODE: self.public,
            _SHORT: self.short,
            _NAME: self.name,
            _FLEET: self.fleet,
            _CUSTODIAN: self.custodian,
            _SECRET: self.secret,
        }
        return LABEL_PREFIX + _packed({key: value for key, value in fields.items() if value is not None})


@dataclass(frozen=True)
class Card:
    """A household's own key, for paper that stays at home. Whoever holds it may move its node."""

    holder: str
    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        return public_of(self.seed)

    @property
    def words(self) -> list[str]:
        """The key in 24 words; `words.bytes_of` takes them back."""
        return words.words_of(self.seed)

    def text(self) -> str:
        return CARD_PREFIX + _packed({_SEED: self.seed, _HOLDER: self.holder})


def read(text: str) -> Label | Card | Damage:
    """What a scanned or typed text says. Case and white space do not count; unknown fields are passed over."""
    plain = "".join(text.split()).upper()
    for prefix, shape in ((CARD_PREFIX, _CARD_SHAPE), (LABEL_PREFIX, _LABEL_SHAPE)):
        if plain.startswith(prefix):
            fields = _unpacked(plain[len(prefix) :], shape)
            if isinstance(fields, Damage):
                return fields
            return _card(fields) if prefix == CARD_PREFIX else _label(fields)
    if plain.startswith(("HEDGEROW:", "HEDGEROW-KEY:")):
        return Damage("it is of a version that this Hedgerow does not know", 0)
    return Damage("it is no Hedgerow label", 0)


def _packed(fields: dict[int, object]) -> str:
    body = cbor.encode(fields)
    return base64.b32encode(body + crc16(body).to_bytes(2, "big")).decode().rstrip("=")


def _unpacked(text: str, shape: dict[int, Field]) -> dict | Damage:
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return Damage("a character is missing, or one is wrong", len(text))
    if len(data) < 3 or crc16(data[:-2]) != int.from_bytes(data[-2:], "big"):
        return Damage("a character is missing, or one is wrong", len(text))
    fields = cbor.decode(data[:-2])
    if isinstance(fields, Damage):
        return fields
    if not isinstance(fields, dict):
        return Damage("its contents are no map", 0)
    for key, (must, may_be) in shape.items():
        if (key in fields or must) and not may_be(fields.get(key)):
            return Damage(f"its field {key} is missing or wrong", 0)
    return fields


def _label(fields: dict) -> Label:
    return Label(
        fields[_NODE], fields[_SHORT], fields[_NAME], fields[_FLEET], fields.get(_CUSTODIAN), fields.get(_SECRET)
    )


def _card(fields: dict) -> Card:
    return Card(fields[_HOLDER], fields[_SEED])


def _is_bytes(length: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, bytes) and len(value) == length


def _is_short(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_SHORT


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100


_LABEL_SHAPE: dict[int, Field] = {
    _NODE: (True, _is_bytes(PUBLIC_BYTES)),
    _SHORT: (True, _is_short),
    _NAME: (True, _is_name),
    _FLEET: (True, _is_bytes(FLEET_ID_BYTES)),
    _CUSTODIAN: (False, _is_bytes(PUBLIC_BYTES)),
    _SECRET: (False, _is_bytes(SECRET_BYTES)),
}
_CARD_SHAPE: dict[int, Field] = {_SEED: (True, _is_bytes(SEED_BYTES)), _HOLDER: (True, _is_name)}
