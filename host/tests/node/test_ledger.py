"""What a whole node notes of itself, and what two nodes in reach vouch for: on virtual boards, over their radio."""

import asyncio
import contextlib
import hashlib
import itertools

import pytest

from hedgerow.errors import FleetError
from hedgerow.fleet.keys import key_id, verify
from hedgewire import ledger


async def kinds(nodes, node):
    return [ledger.decode_entry(data).kind for data in await nodes.ask(node, "ledger")]


def test_a_node_notes_what_it_is_and_what_changes_and_signs_it(nodes):
    async def story():
        node = await nodes.node()
        hello = await nodes.hello(node)
        found = await nodes.ask(node, "ledger_head", timeout_s=10)
        seq, digest, signature = found["head"]
        assert key_id(found["writer"]) == hello["id"]
        assert verify(found["writer"], signature, ledger.head_statement(seq, digest))
        began = await kinds(nodes, node)
        assert began[:4] == ["enrolled", "updated", "configured", "charter"]
        await nodes.ask(node, "configure", {"config": {"copies": 9}})
        await nodes.put(node, "/a/stranger.mpy", b"x")
        await nodes.ask(node, "restart")
        await nodes.ends(node, "hard")
        await nodes.hello(node)
        again = await nodes.ask(node, "ledger_head", timeout_s=10)
        assert (await kinds(nodes, node))[len(began) :] == ["updated", "configured"]
        assert again["head"][0] == again["seq"] == seq + 2

    nodes.run(story())


def test_what_was_signed_and_shown_survives_a_power_cut_at_any_write(nodes):
    async def story():
        node = await nodes.node()
        seq, digest, _ = (await nodes.ask(node, "ledger_head", timeout_s=10))["head"]
        for writes in (1, 4):
            node.cut_after_writes(writes, half=True)
            with contextlib.suppress(FleetError):  # the power goes in one of these
                for method in ("audited", "ledger_head", "restart", "audited"):
                    answer = await nodes.ask(node, method, timeout_s=1)
                    if method == "ledger_head":
                        seq, digest, _ = answer["head"]
            await node.kill()
            node.cut_no_more()  # a start is another test's
            await node.power_on()
            await nodes.hello(node)
            entries = [ledger.decode_entry(data) for data in await nodes.ask(node, "ledger")]
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            for before, after in itertools.pairwise(entries):
                assert after.previous == before.digest
            assert entries[seq - 1].digest == digest

    nodes.run(story())


def test_two_nodes_in_reach_vouch_for_each_others_heads(nodes):
    async def story():
        ether = await nodes.ether(0)  # what gets lost is said again after five minutes
        oak, elm = await nodes.node("oak", ether), await nodes.node("elm", ether)
        heads = {}
        for node in (oak, elm):
            heads[node] = await nodes.ask(node, "ledger_head", timeout_s=10)
        async with asyncio.timeout(25):
            while not all([(await nodes.ask(node, "ledger_head", timeout_s=10))["witnesses"] for node in (oak, elm)]):
                await asyncio.sleep(0.5)
        for node, other in ((oak, elm), (elm, oak)):
            found = await nodes.ask(node, "ledger_head", timeout_s=10)
            [(seq, digest, by, signature)] = found["witnesses"]
            assert by == heads[other]["writer"]
            assert verify(by, signature, ledger.witness_statement(found["writer"], seq, digest))
            assert found["seen"][0][0] == heads[other]["writer"]

    nodes.run(story())


def test_new_keys_of_a_group_are_noted_once_without_naming_the_group(nodes):
    async def story():
        node = await nodes.node("pico")
        group_id = bytes(range(8))
        put = {"id": group_id, "name": "bakers", "epoch": 256, "secret": b"s" * 32}
        for _ in range(2):
            await nodes.ask(node, "group_put", put)
            await nodes.ask(node, "group_advance", {"id": group_id, "epoch": 258})
        await nodes.ask(node, "ledger_head", timeout_s=10)
        entries = [ledger.decode_entry(data) for data in await nodes.ask(node, "ledger")]
        noted = [entry.fields for entry in entries if entry.kind == "rekeyed"]
        assert noted == [{"group": hashlib.sha256(group_id).digest()[:8], "epoch": epoch} for epoch in (256, 258)]

    nodes.run(story())


def test_a_board_without_room_for_a_ledger_says_so_and_works_without(nodes):
    async def story():
        node = await nodes.node("small")
        me = (await nodes.hello(node))["short"]
        with pytest.raises(FleetError, match="keeps no ledger"):
            await nodes.ask(node, "ledger_head")
        assert await nodes.ask(node, "post", {"to": me, "text": "all the same"})

    nodes.run(story())
