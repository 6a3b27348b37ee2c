"""Knows the bytes between a virtual board and the ether; knows nothing of radio.

Each message is its length (2 bytes, high byte first, the rest counted), a kind, and a body. A board opens two
connections: on TALK it sends and gets results, on LISTEN it gets frames and nothing else.
`runtime/_ether_line.py` is the other side.
"""

import asyncio
from dataclasses import dataclass

HELLO, TUNE, TRANSMIT, TOOK, BUFFER = 1, 2, 3, 4, 5
FRAME, RESULT = 16, 17
TALK, LISTEN = 0, 1
MAC_BYTES = 6
BROADCAST = b"\xff" * MAC_BYTES
MAX_MESSAGE_BYTES = 1024


@dataclass(frozen=True)
class Hello:
    role: int
    mac: bytes


@dataclass(frozen=True)
class Tune:
    """The radio is on or off, and on which channel."""

    active: bool
    channel: int


@dataclass(frozen=True)
class Transmit:
    wants_result: bool
    destination: bytes
    data: bytes


@dataclass(frozen=True)
class Took:
    """The board has taken a frame of that many bytes out of its receive buffer."""

    size: int


@dataclass(frozen=True)
class Buffer:
    """How many bytes the board's receive buffer holds."""

    size: int


FromBoard = Hello | Tune | Transmit | Took | Buffer


def pack(kind: int, body: bytes) -> bytes:
    return (len(body) + 1).to_bytes(2, "big") + bytes([kind]) + body


def frame(source: bytes, destination: bytes, rssi_dbm: int, data: bytes) -> bytes:
    return pack(FRAME, source + destination + bytes([rssi_dbm & 0xFF]) + data)


def result(good: bool) -> bytes:
    return pack(RESULT, bytes([int(good)]))


def hello(role: int, mac: bytes) -> bytes:
    return pack(HELLO, bytes([role]) + mac)


def tune(active: bool, channel: int) -> bytes:
    return pack(TUNE, bytes([int(active), channel]))


def transmit(destination: bytes, data: bytes, *, wants_result: bool = False) -> bytes:
    return pack(TRANSMIT, bytes([int(wants_result)]) + destination + data)


def parse(message: bytes) -> FromBoard | None:
    """What a board says, or None for anything else."""
    kind, body = message[0], message[1:]
    if kind == HELLO and len(body) == 1 + MAC_BYTES and body[0] in (TALK, LISTEN):
        return Hello(body[0], body[1:])
    if kind == TUNE and len(body) == 2:
        return Tune(bool(body[0]), body[1])
    if kind == TRANSMIT and len(body) > 1 + MAC_BYTES:
        return Transmit(bool(body[0]), body[1 : 1 + MAC_BYTES], body[1 + MAC_BYTES :])
    if kind == TOOK and len(body) == 2:
        return Took(int.from_bytes(body, "big"))
    if kind == BUFFER and len(body) == 2:
        return Buffer(int.from_bytes(body, "big"))
    return None


async def read(reader: asyncio.StreamReader) -> bytes | None:
    """The next message without its length; None when the other side is gone or sends nonsense."""
    try:
        size = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(size) if 0 < size <= MAX_MESSAGE_BYTES else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
