"""Knows who writes to whom, when and how much; the same seed gives the same messages to every router. No router."""

from collections.abc import Iterator
from dataclasses import dataclass

_SPREAD = 0x9E3779B97F4A7C15  # odd, so that no two serials share an id
_SEED_OF_PREFIX_M = 77  # "M".hashCode() in Java


@dataclass(frozen=True)
class Traffic:
    """Sizes in bytes and gaps in seconds, both evenly spread between two bounds; one message at a time."""

    size_low_bytes: int = 200
    size_high_bytes: int = 1000
    gap_low_s: float = 25
    gap_high_s: float = 35


class Message:
    """One message: made once, carried as copies. `fate` is set by the simulation."""

    __slots__ = (
        "copies_out",
        "created_s",
        "delivered_s",
        "destination",
        "end_s",
        "id",
        "serial",
        "size_bytes",
        "source",
    )

    def __init__(
        self, serial: int, source: int, destination: int, size_bytes: int, created_s: float, end_s: float
    ) -> None:
        self.serial = serial
        self.id = (serial * _SPREAD & (1 << 64) - 1).to_bytes(8, "big")  # like a hash: the store looks at single bytes
        self.source = source
        self.destination = destination
        self.size_bytes = size_bytes
        self.created_s = created_s
        self.end_s = end_s
        self.delivered_s: float | None = None


def messages(traffic: Traffic, node_count: int, ttl_s: float, until_s: float, seed: int) -> Iterator[Message]:
    """Yield messages in order of time, between two different nodes each."""
    draw = JavaRandom(_SEED_OF_PREFIX_M - 1 + seed).below
    gap_s = int(traffic.gap_high_s - traffic.gap_low_s)
    at_s = traffic.gap_low_s + draw(gap_s)
    serial = 0
    while at_s <= until_s:
        serial += 1
        source = draw(node_count)
        destination = source
        while destination == source:
            destination = draw(node_count)
        size = traffic.size_low_bytes + draw(traffic.size_high_bytes - traffic.size_low_bytes)
        yield Message(serial, source, destination, size, at_s, at_s + ttl_s)
        at_s += traffic.gap_low_s + draw(gap_s)


class JavaRandom:
    """The generator of java.util.Random, as its documentation states it."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ 0x5DEECE66D) & (1 << 48) - 1

    def _bits(self, count: int) -> int:
        self._state = (self._state * 0x5DEECE66D + 0xB) & (1 << 48) - 1
        return self._state >> 48 - count

    def below(self, bound: int) -> int:
        """A number from 0 to bound - 1; 0 without drawing where there is no choice."""
        if bound <= 1 and bound != 1:
            return 0
        if bound & bound - 1 == 0:
            return bound * self._bits(31) >> 31
        while True:
            bits = self._bits(31)
            value = bits % bound
            if bits - value + bound - 1 < 1 << 31:
                return value
