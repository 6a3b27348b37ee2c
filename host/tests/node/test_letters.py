"""From one laptop to another in all three layers: commands at virtual boards, relays that read nothing in between."""

import asyncio
import json

import pytest

from hedgerow.cli import main, options
from hedgerow.fleet import group_work
from hedgerow.fleet.folder import FleetFolder

TEXT = "the oven is on from six, and nobody else may know"


@pytest.fixture
def say(capsys, monkeypatch, provisioned):
    """Run `hedgerow WORDS` in the fleet's folder, off the event loop; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(provisioned.path)
    monkeypatch.setattr(options.console, "_width", 200)

    async def command(*words: str, expect: int = 0) -> str:
        code = await asyncio.to_thread(main.main, list(words))
        out, err = capsys.readouterr()
        assert code == expect, (out, err)
        return out if code == 0 else err

    return command


async def until(command, *words: str, within_s: float = 20.0, wanted: str) -> str:
    async with asyncio.timeout(within_s):
        while wanted not in (out := await command(*words)):
            await asyncio.sleep(0.3)
    return out


def test_a_node_gets_the_fleets_own_key_when_it_is_provisioned(nodes, provisioned):
    async def story():
        node = await nodes.node("oak")
        with FleetFolder(provisioned.path) as fleet:
            [key] = group_work.keys_for(fleet, fleet.inventory.named("oak"))
        assert (key.id, key.name) == (fleet.fleet_id, "fleet")
        assert await nodes.ask(node, "groups") == [[key.id, "fleet", key.epoch]]
        assert key.secret in node.image.read_bytes()

    nodes.run(story())


def test_letters_in_three_layers_over_a_relay_that_reads_only_the_public_one(nodes, provisioned, say):
    async def story():
        ether = await nodes.ether(0.1)
        oak, relay = await nodes.node("oak", ether), await nodes.node("elm", ether)
        await say("person", "new", "Ana")
        await say("group", "new", "bakers")
        await say("group", "add", "bakers", "oak")
        assert "keys of its groups" in await say("plan", "oak", "-p", str(oak.port))
        await say("provision", "oak", "-p", str(oak.port))

        sent = await say("send", "--public", "Market on Sunday", "-p", str(oak.port))
        assert "in clear, signed by Ana" in sent
        sent = await say("send", "--group", "bakers", TEXT, "-p", str(oak.port))
        assert "for members of bakers only" in sent
        sent = await say("send", "Ana", TEXT, "-p", str(oak.port))
        assert "sealed, signed by Ana: only Ana can read it" in sent
        sent = await say("send", "elm", "to the node itself", "-p", str(oak.port))
        assert "only node elm can read it" in sent

        for wanted in ("to the node itself", "group bakers"):
            await until(say, "inbox", "-p", str(relay.port), wanted=wanted)
        found = await until(say, "inbox", "-p", str(relay.port), wanted="sealed to Ana")
        assert "public, signed by Ana:\n  Market on Sunday" in found
        assert f"group bakers, signed by Ana:\n  {TEXT}" in found  # opened by this laptop, whose key is a member's
        assert f"sealed to Ana, signed by Ana:\n  {TEXT}" in found
        assert "sealed to node elm, signed by Ana:\n  to the node itself" in found
        rows = {row["text"]: row for row in json.loads(await say("inbox", "-p", str(relay.port), "--json"))}
        assert rows["to the node itself"]["opened_by"] == "node"
        assert rows[TEXT]["opened_by"] == "laptop"
        for searched, control in (
            (relay.image.read_bytes(), b"Market on Sunday"),
            (nodes.memory(relay), b"is up, boot"),
        ):
            assert TEXT.encode() not in searched
            assert control in searched

    nodes.run(story())
