"""Knows every frame in the air and how Hedgerow frames look; holds none of the keys. Decides what each listener hears.

An active attacker who sits between all radios: frames get lost, late, doubled, swapped, damaged, and forged ones appear
beside them, made of what was overheard, of both fleets. Everything is drawn from one seeded generator. The ether
(`radio.py`) asks it for each delivery; a discrete-event test may ask it in the same way.
"""

import random
from collections import Counter, deque
from dataclasses import dataclass

from hedgewire import link

_REMEMBERED_FRAMES = 2000


@dataclass(frozen=True)
class Heard:
    """What a listener hears in place of a frame, or beside it: `delay_s` late, and as if `source` had sent it."""

    delay_s: float
    source: bytes
    data: bytes


@dataclass(frozen=True)
class Chances:
    """How often each thing is done to a frame, 0 .. 1. `longest_delay_s` bounds how late a delayed frame comes."""

    drop: float = 0.1
    delay: float = 0.1
    double: float = 0.1
    damage: float = 0.1
    replay: float = 0.1
    forge: float = 0.1
    longest_delay_s: float = 5.0


class Attacker:
    """`did` counts what it has done, by name, so that a test can say that it was at work."""

    def __init__(self, seed: int = 1, chances: Chances | None = None) -> None:
        self.did: Counter[str] = Counter()
        self.overheard: deque[tuple[bytes, bytes]] = deque(maxlen=_REMEMBERED_FRAMES)
        self._chances = chances or Chances()
        self._random = random.Random(seed)

    def meddle(self, source: bytes, data: bytes) -> list[Heard]:
        """What one listener hears when `source` (6 bytes, its MAC) sends `data`: nothing, this, other things, more."""
        self.overheard.append((source, data))
        heard = self._fate_of(source, data)
        if self._happens("double", self._chances.double):
            heard.append(Heard(self._late(), source, data))
        if self._happens("damage", self._chances.damage):
            heard.append(Heard(0.0, source, self._damaged(data)))
        if self._happens("replay", self._chances.replay):
            old_source, old = self._random.choice(self.overheard)
            heard.append(Heard(self._late(), old_source, old))
        if self._happens("forge", self._chances.forge):
            heard.append(Heard(0.0, source, self._forged(data)))
        self._random.shuffle(heard)
        return heard

    def _fate_of(self, source: bytes, data: bytes) -> list[Heard]:
        if self._happens("drop", self._chances.drop):
            return []
        late_s = self._late() if self._happens("delay", self._chances.delay) else 0.0
        return [Heard(late_s, source, data)]

    def _happens(self, name: str, chance: float) -> bool:
        if self._random.random() >= chance:
            return False
        self.did[name] += 1
        return True

    def _late(self) -> float:
        return self._random.random() * self._chances.longest_delay_s

    def _damaged(self, data: bytes) -> bytes:
        """The frame with a bit turned, a piece cut out, a tail, or the tail of another one."""
        at = self._random.randrange(len(data))
        other = self._random.choice(self.overheard)[1]
        turned = data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]
        shapes = (turned, data[:at], data[at:], data + self._random.randbytes(3), data[:at] + other[at:])
        return self._random.choice([shape for shape in shapes if shape != data] or [turned])

    def _forged(self, data: bytes) -> bytes:
        """One of its own making: an open link message, noise behind a good first byte, an old head on new bytes."""
        open_message = self._open_message(self._random.choice(self.overheard)[1])
        shapes = (
            open_message,
            data[:1] + self._random.randbytes(len(data) - 1),
            data[:7] + open_message[5:] + data[-8:],
        )
        return self._random.choice(shapes)[: link.MAX_BYTES]

    def _open_message(self, overheard: bytes) -> bytes:
        """What would do harm if frames were taken without a key: a false neighbour, a false acknowledgement.

        Where frames are open, what was overheard names the fleet, and an OFFER names bundles and their readers.
        """
        said = link.decode(overheard)
        tag = self._random.randrange(1 << 16) if isinstance(said, link.Damage) else said.fleet_tag
        source, to = self._random.randrange(1, 20), self._random.randrange(1, 20)
        if isinstance(said, link.Offer) and said.items:
            bundle_id, reader, _copies, _size = self._random.choice(said.items)
            return link.encode_ack(tag, reader, said.source, bundle_id, link.DELIVERED, 0)
        return link.encode_hello(tag, source, self._random.randrange(1 << 32), [(to, 255)])
