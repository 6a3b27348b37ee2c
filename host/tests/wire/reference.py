"""A second implementation of the wire formats, written from docs/reference/wire.md with other means, to compare with.

CRCs bit by bit, COBS as its paper tells it, CBOR by cbor2. Slow on purpose; shares no line with hedgewire.
"""

from typing import Any

import cbor2


def crc(data: bytes, polynomial: int, bits: int) -> int:
    """A reflected CRC with all bits set before and inverted after."""
    mask = (1 << bits) - 1
    remainder = mask
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (polynomial if remainder & 1 else 0)
    return remainder ^ mask


def crc16(data: bytes) -> int:
    return crc(data, 0x8408, 16)


def crc32c(data: bytes) -> int:
    return crc(data, 0x82F63B78, 32)


def cobs(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), byte by byte."""
    out = bytearray([0])
    code_at, code = 0, 1
    for position, byte in enumerate(data):
        if byte:
            out.append(byte)
            code += 1
        if byte == 0 or code == 255:
            out[code_at] = code
            if byte and position == len(data) - 1:
                return bytes(out)
            code_at, code = len(out), 1
            out.append(0)
    out[code_at] = code
    return bytes(out)


def frame(kind: int, payload: bytes) -> bytes:
    body = bytes([kind]) + payload
    return b"\0" + cobs(body + crc16(body).to_bytes(2, "little")) + b"\0"


def dumps(value: Any) -> bytes:
    """CBOR as RFC 8949, 4.2.1 orders it; cbor2's own canonical mode sorts keys by length first (RFC 7049)."""
    if isinstance(value, dict):
        pairs = sorted((cbor2.dumps(key), dumps(item)) for key, item in value.items())
        return _head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(dumps(item) for item in value)
    return cbor2.dumps(value)


def _head(major: int, count: int) -> bytes:
    raw = bytearray(cbor2.dumps(count))
    raw[0] |= major << 5
    return bytes(raw)


def block(fields: list[Any], crc_type: int) -> bytes:
    """One block of a bundle, its CRC behind its fields."""
    if crc_type == 0:
        return dumps(fields)
    size = 2 if crc_type == 1 else 4
    blank = dumps([*fields, bytes(size)])
    value = crc16(blank) if crc_type == 1 else crc32c(blank)
    return blank[:-size] + value.to_bytes(size, "big")


def eid(text: str) -> list[Any]:
    scheme, _, rest = text.partition(":")
    if scheme == "ipn":
        return [2, [int(part) for part in rest.split(".")]]
    return [1, 0 if rest == "none" else rest]


def primary(case: dict[str, Any]) -> bytes:
    """The primary block of a bundle in the form of vectors/bundle.json."""
    fields: list[Any] = [7, case["flags"], case["crc_type"]]
    fields += [eid(case[name]) for name in ("destination", "source", "report_to")]
    fields += [[case["creation_time_ms"], case["sequence"]], case["lifetime_ms"]]
    if case["flags"] & 1:
        fields += [case["fragment_offset"], case["fragment_total"]]
    return block(fields, case["crc_type"])


def bundle(case: dict[str, Any]) -> bytes:
    out = b"\x9f" + primary(case)
    for entry in case["blocks"]:
        fields = [entry["type"], entry["number"], entry["flags"], entry["crc_type"], bytes.fromhex(entry["data"])]
        out += block(fields, entry["crc_type"])
    return out + b"\xff"
