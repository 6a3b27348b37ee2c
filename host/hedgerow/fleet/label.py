"""Knows what labels of nodes and cards of households say, as values and as the text in their QR codes. Draws nothing.

The text is `HEDGEROW:1:` or the like and base32 (RFC 4648, no padding) of a CBOR map and its CRC-16, so that a QR code
packs it in its alphanumeric mode and a person can type it. docs/reference/label.md has the fields.
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

LABEL_PREFIX, CARD_PREFIX, WAITING_PREFIX = "HEDGEROW:1:", "HEDGEROW-KEY:1:", "HEDGEROW-WAITING:1:"
SECRET_BYTES = 16
FLEET_ID_BYTES = 8
LARGEST_SHORT = 0xFFFE
_NODE, _SHORT, _NAME, _FLEET, _CUSTODIAN = 1, 2, 3, 4, 5
_SECRET, _BOARD = 2, 3
_SEED, _HOLDER = 1, 3

Field = tuple[bool, Callable[[object], bool]]  # whether it must be there, and what it may be


@dataclass(frozen=True)
class Label:
    """What stands on a node's box. `public` is its key, `custodian` that of the household that it belongs to."""

    public: bytes
    short: int
    name: str
    fleet: bytes
    custodian: bytes | None = None

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
        }
        return LABEL_PREFIX + _packed({key: value for key, value in fields.items() if value is not None})


@dataclass(frozen=True)
class WaitingLabel:
    """What stands on the box of a node that belongs to nobody yet.

    `secret` (16 bytes) lets whoever reads it take that node into a fleet, once; `board` is the id of its board.
    """

    public: bytes
    secret: bytes = field(repr=False)
    board: str

    @property
    def node_id(self) -> bytes:
        return key_id(self.public)

    @property
    def fingerprint(self) -> str:
        """Six words, as on every label."""
        return words.fingerprint(self.public)

    def text(self) -> str:
        return WAITING_PREFIX + _packed({_NODE: self.public, _SECRET: self.secret, _BOARD: self.board})


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


def read(text: str) -> Label | Card | WaitingLabel | Damage:
    """What a scanned or typed text says. Case and white space do not count; unknown fields are passed over."""
    plain = "".join(text.split()).upper()
    for prefix, shape, made in _KINDS:
        if plain.startswith(prefix):
            fields = _unpacked(plain[len(prefix) :], shape)
            return fields if isinstance(fields, Damage) else made(fields)
    if plain.startswith(tuple(prefix.partition(":")[0] + ":" for prefix, _, _ in _KINDS)):
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
    return Label(fields[_NODE], fields[_SHORT], fields[_NAME], fields[_FLEET], fields.get(_CUSTODIAN))


def _waiting(fields: dict) -> WaitingLabel:
    return WaitingLabel(fields[_NODE], fields[_SECRET], fields[_BOARD])


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
}
_WAITING_SHAPE: dict[int, Field] = {
    _NODE: (True, _is_bytes(PUBLIC_BYTES)),
    _SECRET: (True, _is_bytes(SECRET_BYTES)),
    _BOARD: (True, _is_name),
}
_CARD_SHAPE: dict[int, Field] = {_SEED: (True, _is_bytes(SEED_BYTES)), _HOLDER: (True, _is_name)}
_KINDS = (
    (CARD_PREFIX, _CARD_SHAPE, _card),
    (LABEL_PREFIX, _LABEL_SHAPE, _label),
    (WAITING_PREFIX, _WAITING_SHAPE, _waiting),
)
