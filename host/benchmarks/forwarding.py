"""Measures how fast one node hands bundles on to another over a serial cable, beside a bare stream over the same cable.

    python host/benchmarks/forwarding.py

Two virtual boards on a wire of 115,200 baud (11,520 bytes a second), which carries nothing faster. A bundle of 10 kB
goes as fragments that a host made, for a node takes 2,048 bytes at a time; all are in the first node's flash before the
second comes in reach. The processor and the flash are this computer's, not a board's; frames travel without a key.
The time is that from the second node's first WANT to its last acknowledgement, each of which it says only when the
bundle is in its flash; what counts is payload. The bare stream is what pyD3TN and MTCP do on a line: one bundle behind
the other, not acknowledged, not stored; what is lost is lost. kB are 1,000 bytes.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from hedgerow.fleet import boards, folder, founding, proposal
from hedgerow.plans.parallel import Bench
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.wire import Wire
from hedgewire import bundle, cbor, fragments, frame, link, message

BOARD = "ESP32_GENERIC_S3"
BAUD = 115_200
LINE_BYTES_PER_S = BAUD / 10
BUNDLE_BYTES = 10_000
BUNDLES = 6
PART_BYTES = 1_790  # of payload: with the blocks around it nine segments, all of them full
AT_LEAST = 0.8
WITHIN_S = 60.0
SETTINGS = {"sample_ms": 3_600_000, "hello_ms": 3_000, "radio": "serial"}
DONE = (link.ACCEPTED, link.HAVE, link.DELIVERED)


class Overheard:
    """What the two said on the wire: when the first bundle was wanted, and when each was there."""

    def __init__(self) -> None:
        self.wanted_at = 0.0
        self.done_at = 0.0
        self.done: set[bytes] = set()
        self.frames: dict[str, int] = {}
        self._decoders: dict[int, frame.Decoder] = {}

    def hear(self, place: int, data: bytes) -> None:
        decoder = self._decoders.setdefault(place, frame.Decoder())
        for _, payload in decoder.feed(data):
            said = link.decode(payload)
            name = type(said).__name__
            self.frames[name] = self.frames.get(name, 0) + 1
            if isinstance(said, link.Want) and not self.wanted_at:
                self.wanted_at = time.monotonic()
            if isinstance(said, link.Ack) and said.state in DONE:
                self.done.add(said.id)
                self.done_at = time.monotonic()


async def ask(board: VirtualBoard, method: str, **params):
    async with Session(await ports.connect(str(board.port))) as session:
        return await session.ask(method, params)


async def forwarded(where: Path) -> tuple[float, int, Overheard]:
    """(seconds, fragments) of BUNDLES bundles, and what was overheard."""
    wire, heard = Wire(BAUD), Overheard()
    wire.on_bytes = heard.hear
    address = await wire.start()
    with founding.found(where / "fleet", "wired"):
        pass
    proposed = where / "fleet" / proposal.FILE_NAME
    text = proposed.read_text().replace("protected = true", "protected = false")
    text = text.replace('radio_security = "fleet"', 'radio_security = "open"')
    proposed.write_text(text + "".join(proposal.node_text(name, BOARD, SETTINGS) for name in ("oak", "elm")))
    pair = []
    for number, name in enumerate(("oak", "elm")):
        uid = bytes([2, 0, 0, 0, 0, number, 0, 0])
        board = VirtualBoard(boards.load(BOARD), where / name, interpreter.ensure(), uid=uid, wire=address)
        await board.start()
        pair.append(board)
        with folder.FleetFolder(where / "fleet") as fleet:
            [result] = await Bench(fleet).provision([str(board.port)], [name])
        assert result.error is None, result.error
    oak, elm = pair
    try:
        to = (await ask(elm, "hello"))["short"]
        await elm.kill()
        base = (await ask(oak, "config"))["ipn_base"]
        ends = bundle.Eid(base + 999, message.DOCUMENT), bundle.Eid(base + to, message.DOCUMENT)
        sent = 0
        for sequence in range(BUNDLES):
            whole = bundle.make(*ends, bytes(range(250)) * (BUNDLE_BYTES // 250), sequence, 3_600_000)
            for part in fragments.split(whole, PART_BYTES):
                await ask(oak, "accept", data=bundle.encode(part))
                sent += 1
        await elm.power_on()
        async with asyncio.timeout(WITHIN_S):
            while len(heard.done) < sent:
                await asyncio.sleep(0.05)
        return heard.done_at - heard.wanted_at, sent, heard
    finally:
        for board in pair:
            await board.close()
        await wire.close()


async def bare() -> float:
    """Seconds of the same bundles as MTCP writes them, one behind the other, straight onto the wire."""
    wire = Wire(BAUD)
    host, port = await wire.start()
    reader, other = await asyncio.open_connection(host, port)
    while not wire.carried:
        await asyncio.sleep(0.01)
    _, writer = await asyncio.open_connection(host, port)
    made = bundle.make(bundle.Eid(1, 2), bundle.Eid(2, 2), bytes(BUNDLE_BYTES), 1, 3_600_000)
    data = cbor.encode(bundle.encode(made)) * BUNDLES
    began = time.monotonic()
    writer.write(data)
    async with asyncio.timeout(WITHIN_S):
        await reader.readexactly(len(data))
    took_s = time.monotonic() - began
    for end in (writer, other):
        end.close()
    await wire.close()
    return took_s


async def main() -> int:
    with tempfile.TemporaryDirectory() as where:
        took_s, sent, heard = await forwarded(Path(where))
    bare_s = await bare()
    payload = BUNDLES * BUNDLE_BYTES
    line = f"{BAUD:,} baud ({LINE_BYTES_PER_S / 1000:.2f} kB/s on the line)"
    print(f"{BUNDLES} bundles of {BUNDLE_BYTES / 1000:.0f} kB over {line}")
    print(f"{'':34}{'kB/s':>8}{'of the line':>14}")
    for name, seconds in (("bare stream, nothing acknowledged", bare_s), ("hedgerow, node to node", took_s)):
        rate = payload / seconds
        print(f"{name:34}{rate / 1000:8.2f}{rate / LINE_BYTES_PER_S:13.1%}")
    said = ", ".join(f"{count} {name}" for name, count in sorted(heard.frames.items()))
    print(f"{sent} fragments; on the wire: {said}")
    good = payload / took_s >= AT_LEAST * LINE_BYTES_PER_S
    print(f"At least {AT_LEAST:.0%} of the line is asked for: {'reached' if good else 'NOT reached'}.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
