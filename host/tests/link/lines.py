"""Transports that spoil what goes through them; each is an ordinary class that implements the seam."""

import random


class NoisyLine:
    """Damages, loses or inserts a byte of what is sent, about once in `every_bytes`. Seeded."""

    def __init__(self, inner, every_bytes: int, seed: int) -> None:
        self._inner = inner
        self._every = every_bytes
        self._random = random.Random(seed)
        self.name = inner.name
        self.noisy = False
        self.spoiled = 0

    async def send(self, data: bytes) -> None:
        await self._inner.send(self._spoil(data) if self.noisy and len(data) > 100 else data)

    def _spoil(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if self._random.randrange(self._every):
                out.append(byte)
                continue
            self.spoiled += 1
            # Never 03: on a cable it would interrupt, and then the copy ends and is run again (another test).
            out += self._random.choice([b"", bytes([byte ^ 0x40 or 1]), bytes([byte, 0x55]), b"\n"])
        return bytes(out).replace(b"\x03", b"\x07")

    async def receive(self) -> bytes:
        return await self._inner.receive()

    async def close(self) -> None:
        await self._inner.close()


class WithoutModule:
    """Code on the other side finds no module `name`: as on an older MicroPython."""

    def __init__(self, inner, name: bytes) -> None:
        self._inner = inner
        self._missing = name
        self.name = inner.name

    async def send(self, data: bytes) -> None:
        await self._inner.send(data.replace(self._missing, b"_" * len(self._missing)))

    async def receive(self) -> bytes:
        return await self._inner.receive()

    async def close(self) -> None:
        await self._inner.close()


class WithoutRawPaste:
    """The other side knows nothing of raw-paste: it takes 05 for noise and 41 01 for a new banner."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.name = inner.name
        self.asked = 0

    async def send(self, data: bytes) -> None:
        if data == b"\x05A\x01":
            self.asked += 1
            data = b"\x01"
        await self._inner.send(data)

    async def receive(self) -> bytes:
        return await self._inner.receive()

    async def close(self) -> None:
        await self._inner.close()
