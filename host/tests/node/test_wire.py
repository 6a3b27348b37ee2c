"""Two nodes joined by a serial cable and by nothing else: messages cross, and what is larger than a bundle may be."""

import asyncio

from hedgerow.virtual.pump import Disturbance
from hedgerow.virtual.wire import Wire
from hedgewire import bundle, fragments

WIRED = {"radio": "serial", "radio_security": "open", "hello_ms": 200}
PART_BYTES = 1790  # of payload: with what a relay adds, nine segments
WITHIN_S = 20


async def wired(nodes, disturbance=None):
    """Two nodes on a cable, and the cable."""
    wire = Wire(disturbance=disturbance)
    address = await wire.start()
    nodes.on_leaving(wire.close)
    pair = []
    for name in ("oak", "elm"):
        board = await nodes.node(name)
        board.wire = address
        await nodes.configure(board, **WIRED)
        pair.append(board)
    return *pair, wire


async def until(what):
    async with asyncio.timeout(WITHIN_S):
        while not (found := await what()):
            await asyncio.sleep(0.2)
    return found


def test_messages_cross_a_cable_both_ways(nodes):
    async def story():
        oak, elm, wire = await wired(nodes)
        for one, other, text in ((oak, elm, "over the wire"), (elm, oak, "and back")):
            await nodes.ask(one, "post", {"to": (await nodes.hello(other))["short"], "text": text})

            async def has_it(other=other, text=text):
                return text in [row[5] for row in await nodes.ask(other, "inbox")]

            await until(has_it)
        assert min(wire.carried[-2:]) > 100

    nodes.run(story())


def test_ten_kilobytes_cross_a_bad_cable_in_fragments_and_are_whole_again(nodes):
    payload = bytes(range(250)) * 40

    async def story():
        cable = Disturbance(loss=0.0005, noise=0.0005)  # of the bytes: some of the sixty segments do not arrive
        oak, elm, _ = await wired(nodes, cable)
        base = (await nodes.ask(elm, "config"))["ipn_base"]
        ends = [bundle.Eid(base + (await nodes.hello(node))["short"], 2) for node in (oak, elm)]
        whole = bundle.make(ends[0], ends[1], payload, 1_000_000, 3_600_000)
        for part in fragments.split(whole, PART_BYTES):
            await nodes.ask(oak, "accept", {"data": bundle.encode(part)})
        pile = fragments.Reassembler(40_000, 60)
        taken: set[bytes] = set()
        found: list[bundle.Bundle] = []

        async def is_whole():
            for row in await nodes.ask(elm, "bundles"):
                if bytes(row[0]) not in taken:
                    taken.add(bytes(row[0]))
                    part = bundle.decode((await nodes.ask(elm, "bundle", {"id": row[0]}))["data"])
                    assert isinstance(part, bundle.Bundle)
                    one = pile.add(part, 0)
                    found.extend([] if one is None else [one])
            return found

        [one] = await until(is_whole)
        assert one.payload == payload
        assert (one.source, one.destination) == tuple(ends)

    nodes.run(story())
