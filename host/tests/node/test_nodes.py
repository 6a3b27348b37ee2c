"""What nodes keep and give each other, while frames get lost and power fails; and what they need of a small board."""

import asyncio
import hashlib
import os

import pytest

from hedgerow.errors import FleetError, LinkError, RefusedError
from hedgerow.virtual.board import HEAP_SCALE
from hedgewire import message

LOSS = 0.3


async def texts(nodes, node):
    return sorted(row[5] for row in await nodes.ask(node, "inbox"))


async def until_all_have_arrived(nodes, node, wanted, within_s=25.0):
    async with asyncio.timeout(within_s):
        while await texts(nodes, node) != sorted(wanted):
            await asyncio.sleep(0.3)


def test_public_and_personal_messages_cross_a_lossy_radio(nodes):
    async def story():
        ether = await nodes.ether(LOSS)
        oak, elm = await nodes.node("oak", ether), await nodes.node("elm", ether)
        to = (await nodes.hello(elm))["short"]
        wanted = ["for all"] + [f"text {number} " + "x" * number * 200 for number in range(5)]
        await nodes.ask(oak, "post", {"to": message.EVERYONE, "text": "for all"})
        for text in wanted[1:]:
            await nodes.ask(oak, "post", {"to": to, "text": text})
        await until_all_have_arrived(nodes, elm, wanted)
        assert await texts(nodes, oak) == ["for all"]

    nodes.run(story())


def test_a_receiver_that_loses_power_in_the_middle_gets_everything_all_the_same(nodes):
    async def story():
        ether = await nodes.ether(0.1)
        oak, elm = await nodes.node("oak", ether), await nodes.node("elm", ether)
        to = (await nodes.hello(elm))["short"]
        wanted = [f"text {number} " + "x" * 1200 for number in range(6)]
        elm.cut_after_writes(12, half=True)
        for text in wanted:
            await nodes.ask(oak, "post", {"to": to, "text": text, "copies": 1})
        await elm.wait_off(15)
        await elm.power_on()
        await nodes.hello(elm)
        await until_all_have_arrived(nodes, elm, wanted)

    nodes.run(story())


def test_a_file_is_old_or_new_whenever_the_power_fails(nodes):
    async def story():
        node = await nodes.node()
        old, new = os.urandom(5000), os.urandom(7000)
        await nodes.put(node, "/a/data.bin", old)
        for writes in (2, 6, 10):
            node.cut_after_writes(writes, half=True)
            with pytest.raises(LinkError):
                await nodes.put(node, "/a/data.bin", new, patience_s=0.3)
            await node.wait_off(5)
            await node.power_on()
            await nodes.hello(node)
            [sha256] = [row[2] for row in await nodes.ask(node, "files") if row[0] == "/a/data.bin"]
            assert sha256 in (hashlib.sha256(old).digest(), hashlib.sha256(new).digest())
        await nodes.put(node, "/a/data.bin", new)
        [row] = [row for row in await nodes.ask(node, "files") if row[0] == "/a/data.bin"]
        assert (row[1], row[2]) == (7000, hashlib.sha256(new).digest())

    nodes.run(story())


def test_files_are_compared_in_one_answer(nodes):
    async def story():
        node = await nodes.node()
        await nodes.put(node, "/a/stranger.mpy", b"x")
        listed = await nodes.ask(node, "files")
        assert not [row for row in listed if row[0].startswith("/store")]
        there = [[row[0], row[2][:8]] for row in listed if row[0].startswith("/a/")]
        wanted = [pair for pair in there if pair[0] != "/a/stranger.mpy"][:50]  # as many as surely fit in one request
        extra = {pair[0] for pair in there} - {pair[0] for pair in wanted}
        found = await nodes.ask(node, "compare", {"files": wanted})
        assert (found["differ"], found["missing"], set(found["extra"])) == ([], [], extra)
        wanted[0][1] = b"\x00" * 8
        found = await nodes.ask(node, "compare", {"files": [*wanted, ["/a/not.mpy", b""]]})
        assert (found["differ"], found["missing"]) == ([wanted[0][0]], ["/a/not.mpy"])

    nodes.run(story())


def test_a_clock_is_set_read_back_and_kept_over_a_restart(nodes):
    async def story():
        node = await nodes.node()
        tomorrow_s = (await nodes.hello(node))["time_s"] + 86_400
        assert abs((await nodes.ask(node, "set_time", {"time_s": tomorrow_s}))["time_s"] - tomorrow_s) <= 1
        for wrong in (0, 757_382_399, -1, "noon"):
            with pytest.raises(FleetError):
                await nodes.ask(node, "set_time", {"time_s": wrong})
        await nodes.ask(node, "restart")
        await nodes.ends(node, "hard")
        assert tomorrow_s <= (await nodes.hello(node))["time_s"] < tomorrow_s + 120

    nodes.run(story())


def test_no_host_reads_or_replaces_what_is_the_nodes_own(nodes):
    async def story():
        node = await nodes.node()
        for path in ("//identity.cbor", "/a/../identity.cbor", "/config.cbor", "/store/counters.cbor"):
            with pytest.raises(RefusedError):
                await nodes.put(node, path, b"mine now")
            with pytest.raises(RefusedError):
                await nodes.ask(node, "remove", {"path": path})

    nodes.run(story())


def test_a_message_that_is_too_long_is_refused_and_the_longest_arrives(nodes):
    async def story():
        node = await nodes.node()
        me = (await nodes.hello(node))["short"]
        with pytest.raises(FleetError, match="too long"):
            await nodes.ask(node, "post", {"to": me, "text": "x" * 2048})
        posted = await nodes.ask(node, "post", {"to": me, "text": "x" * 1950})
        assert await texts(nodes, node) == ["x" * 1950]
        assert len((await nodes.ask(node, "bundle", {"id": posted["id"]}))["data"]) > 1950

    nodes.run(story())


def test_a_message_that_is_asked_for_again_after_any_power_cut_is_there_once(nodes):
    async def story():
        node = await nodes.node()
        me = (await nodes.hello(node))["short"]
        for writes in range(1, 40):
            wanted = {"to": me, "text": f"cut after {writes:02}", "nonce": bytes([writes]) * 8}
            node.cut_after_writes(writes, half=bool(writes % 2))
            try:
                first = await nodes.ask(node, "post", wanted, timeout_s=0.5)
                break  # it takes fewer writes than that: every one of them has been cut
            except LinkError:
                await node.wait_off(5)
            await node.power_on()
            await nodes.hello(node)
            first = await nodes.ask(node, "post", wanted)
            assert await nodes.ask(node, "post", wanted) == first
        assert writes > 6
        assert await texts(nodes, node) == [f"cut after {number:02}" for number in range(1, writes + 1)]

    nodes.run(story())


def test_many_rows_come_whole(nodes):
    async def story():
        node = await nodes.node()
        me = (await nodes.hello(node))["short"]
        async with nodes.session(node) as session:
            for number in range(40):
                await session.ask("post", {"to": me, "text": f"message {number}"})
            assert len(await session.ask("bundles")) == 40
            assert len(await session.ask("inbox")) == 40
            assert len(await session.ask("log")) >= 40
            seqs = [row[0] for row in await session.ask("inbox", {"after": 35})]
        assert sorted(seqs) == [36, 37, 38, 39, 40]

    nodes.run(story())


def test_the_smallest_board_has_room_left(nodes):
    async def story():
        node = await nodes.node("small")
        status = await nodes.ask(node, "status")
        assert status["heap_free"] / HEAP_SCALE > 20_000

    nodes.run(story())
