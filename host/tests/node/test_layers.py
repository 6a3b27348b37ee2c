"""The three layers on virtual boards: who can read what, and what lies in a node's flash and memory."""

import asyncio
import contextlib
import os

import pytest

from hedgerow.errors import FleetError, RefusedError, RemoteError
from hedgerow.fleet import keys, suite
from hedgerow.fleet.suite import finish
from hedgewire import bundle, group, message, sealed

GROUP = bytes.fromhex("6a12b00c5d0e4f71")
SECRET = bytes(range(100, 132))
TEXT = "only bakers may read this: the oven is on from six"
LAYERED = {"layers": True}


def member(epoch: int = 256, secret: bytes = SECRET) -> dict:
    return {"id": GROUP, "name": "bakers", "epoch": epoch, "secret": secret}


async def inbox(nodes, node) -> list:
    return sorted(await nodes.ask(node, "inbox", LAYERED))


async def one_message(nodes, node, layer: int, within_s: float = 25.0) -> list:
    """The message of that layer, as soon as it is there."""
    async with asyncio.timeout(within_s):
        while True:
            found = [row for row in await inbox(nodes, node) if row[4] == layer]
            if found:
                return found[0]
            await asyncio.sleep(0.2)


def held(row: list) -> bundle.Bundle:
    return bundle.read_primary(bundle.cbor.Reader(row[6]["primary"]))[0]


async def signed_place(nodes, node, seed: bytes, text: str) -> dict:
    """What a person's laptop posts: a public message with a signature for a place that the node gave."""
    place = await nodes.ask(node, "reserve", {"to": message.EVERYONE})
    statement = message.statement(message.PUBLIC, bytes(place["primary"]), text)
    author = keys.key_id(keys.public_of(seed))
    payload = message.encode_signed(text, author, keys.sign(seed, statement))
    return {"sequence": place["sequence"], "payload": payload}


async def sealed_place(nodes, node, public: bytes, text: str, to: int = message.EVERYONE) -> dict:
    """The same, sealed to the holder of a key."""
    place = await nodes.ask(node, "reserve", {"to": to})
    where = bundle.read_primary(bundle.cbor.Reader(bytes(place["primary"])))[0]
    agreement = keys.agreement_public(public)
    assert agreement is not None
    body = finish(sealed.seal_steps(suite, public, agreement, os.urandom(32), where, text.encode()))
    assert body is not None
    return {"sequence": place["sequence"], "payload": message.encode_closed(message.SEALED, body)}


def test_a_node_is_a_member_from_one_start_to_the_next(nodes):
    async def story():
        node = await nodes.node("pico")
        [fleet] = await nodes.ask(node, "groups")
        assert await nodes.ask(node, "group_put", member()) == {"id": GROUP, "name": "bakers", "epoch": 256}
        assert await nodes.ask(node, "group_put", member()) == {"id": GROUP, "name": "bakers", "epoch": 256}
        await node.kill()
        await node.power_on()
        await nodes.hello(node)
        assert await nodes.ask(node, "groups") == [fleet, [GROUP, "bakers", 256]]
        await nodes.ask(node, "group_remove", {"id": GROUP})
        assert await nodes.ask(node, "groups") == [fleet]
        assert SECRET not in node.image.read_bytes()

    nodes.run(story())


@pytest.mark.parametrize("name", ["oak", "pico"])
def test_an_old_key_is_gone_from_flash_after_ratchet_and_after_rekey(nodes, name):
    async def story():
        node = await nodes.node(name)
        await nodes.ask(node, "group_put", member())
        assert SECRET in node.image.read_bytes()
        await nodes.ask(node, "group_advance", {"id": GROUP, "epoch": 256 + group.EPOCHS_KEPT})
        image = node.image.read_bytes()
        assert SECRET not in image
        kept = group.Chain(GROUP, 256, 256, SECRET).secret_at(suite, 257)
        assert kept in image
        await nodes.ask(node, "group_put", member(512, b"n" * 32))
        image = node.image.read_bytes()
        assert kept not in image
        assert image.count(b"n" * 32) == 1

    nodes.run(story())


def test_power_may_go_at_every_write_of_a_rekey(nodes):
    async def story():
        node = await nodes.node("pico")
        await nodes.ask(node, "group_put", member())
        for writes in range(1, 4):
            epoch = 256 * (writes + 1)
            node.cut_after_writes(writes, half=writes % 2 == 1)
            with contextlib.suppress(FleetError):
                await nodes.ask(node, "group_put", member(epoch, bytes([writes]) * 32), timeout_s=0.5)
                # Everything was written before the cut came: then the next write is its time.
                await nodes.ask(node, "post", {"to": message.EVERYONE, "text": "x"}, timeout_s=0.5)
            await node.wait_off(5)
            await node.power_on()
            await nodes.hello(node)
            [_, [_, _, now]] = await nodes.ask(node, "groups")
            image = node.image.read_bytes()
            known = [SECRET] + [bytes([number]) * 32 for number in range(1, writes + 1)]
            assert sum(secret in image for secret in known) == 1
            await nodes.ask(node, "group_put", member(epoch, bytes([writes]) * 32))
            assert (now in range(256, epoch + 1)) and bytes([writes]) * 32 in node.image.read_bytes()

    nodes.run(story())


def test_a_member_goes_along_and_never_back(nodes):
    async def story():
        node = await nodes.node()
        await nodes.ask(node, "group_put", member())
        await nodes.ask(node, "group_advance", {"id": GROUP, "epoch": 258})
        assert (await nodes.ask(node, "group_put", member()))["epoch"] == 258
        later = group.Chain(GROUP, 256, 256, SECRET).secret_at(suite, 260)
        assert (await nodes.ask(node, "group_put", member(260, later)))["epoch"] == 260
        for epoch in (260 + group.MAX_AHEAD + 1, 512):
            with pytest.raises(RefusedError):
                await nodes.ask(node, "group_advance", {"id": GROUP, "epoch": epoch})
        with pytest.raises(RemoteError):
            await nodes.ask(node, "group_advance", {"id": bytes(8), "epoch": 257})
        with pytest.raises(RemoteError):
            await nodes.ask(node, "post", {"group": bytes(8), "text": "x"})

    nodes.run(story())


def test_a_place_is_used_once(nodes):
    async def story():
        node = await nodes.node()
        place = await signed_place(nodes, node, b"a" * 32, "hello")
        await nodes.ask(node, "post", place)
        with pytest.raises(RemoteError, match="not reserved"):
            await nodes.ask(node, "post", place)
        other = await signed_place(nodes, node, b"a" * 32, "hello")
        with pytest.raises(RemoteError, match="whole message"):
            await nodes.ask(node, "post", {**other, "payload": message.encode_closed(message.GROUP, b"x")})

    nodes.run(story())


def test_public_group_and_sealed_cross_a_relay_that_reads_only_the_public_one(nodes):
    async def story():
        ether = await nodes.ether(0.1)
        oak = await nodes.node("oak", ether)
        relay = await nodes.node("small", ether)
        person = b"p" * 32
        await nodes.ask(oak, "group_put", member())
        await nodes.ask(oak, "post", await signed_place(nodes, oak, person, "Market on Sunday"))
        await nodes.ask(oak, "post", {"group": GROUP, "text": TEXT})
        await nodes.ask(oak, "post", await sealed_place(nodes, oak, keys.public_of(person), TEXT))
        for layer in (message.PUBLIC, message.GROUP, message.SEALED):
            await one_message(nodes, relay, layer)
        await oak.kill()  # from now on only the relay can hand them on

        public, closed, for_person = [await one_message(nodes, relay, layer) for layer in range(3)]
        assert public[5] == "Market on Sunday"
        statement = message.statement(message.PUBLIC, public[6]["primary"], public[5])
        assert keys.verify(keys.public_of(person), public[6]["signature"], statement)
        assert (len(closed[5]), len(for_person[5])) == (3, 4)
        # The journal is in memory for certain; what was answered a while ago may have been overwritten.
        images = ((relay.image.read_bytes(), b"Market on Sunday"), (nodes.memory(relay), b"is up, boot"))
        for searched, control in images:
            assert control in searched
            assert TEXT.encode() not in searched
            assert SECRET not in searched

        elm = await nodes.node("elm", ether)
        await nodes.ask(elm, "group_put", member())
        rows = [await one_message(nodes, elm, layer) for layer in range(3)]
        assert [row[5] for row in rows[:2]] == ["Market on Sunday", TEXT]
        assert (rows[1][6]["group"], rows[1][6]["epoch"]) == (GROUP, 256)
        where = held(rows[2])
        assert rows[2][5] == sealed.hint(keys.public_of(person), rows[2][6]["primary"])
        data = (await nodes.ask(elm, "bundle", {"id": rows[2][1]}))["data"]
        said = message.decode(bundle.decode(data).payload)
        agreement = (keys.agreement_secret(person), keys.agreement_public(keys.public_of(person)))
        opened = finish(sealed.open_steps(suite, keys.public_of(person), agreement, where, said.body))
        assert opened == TEXT.encode()
        assert TEXT.encode() not in elm.image.read_bytes()

    nodes.run(story())


def test_what_is_sealed_to_the_node_is_opened_by_it(nodes):
    async def story():
        node = await nodes.node("pico")
        hello = await nodes.hello(node)
        public = await public_of(nodes, node)
        assert keys.key_id(public) == hello["id"]
        await nodes.ask(node, "post", await sealed_place(nodes, node, public, TEXT, hello["short"]))
        row = await one_message(nodes, node, message.SEALED)
        assert (row[5], row[6]["to"]) == (TEXT, hello["id"])
        assert TEXT.encode() not in node.image.read_bytes()
        assert [row[5] for row in await nodes.ask(node, "inbox")] == [TEXT]

    nodes.run(story())


async def public_of(nodes, node) -> bytes:
    """Its public key, read at the prompt; then it runs again."""
    async with nodes.prompt(node) as repl:
        code = "import sys\nsys.path.insert(0, '/a')\nfrom hedgenode import identity\nprint(identity.public().hex())"
        public = bytes.fromhex((await repl.exec(code)).decode().strip())
    await nodes.reset(node, b"is up")
    return public


def test_a_tool_of_the_first_release_sees_what_has_a_text(nodes):
    async def story():
        node = await nodes.node()
        await nodes.ask(node, "group_put", member())
        await nodes.ask(node, "post", {"to": message.EVERYONE, "text": "in clear"})
        await nodes.ask(node, "post", {"to": message.EVERYONE, "text": "signed by the node", "sign": True})
        await nodes.ask(node, "post", {"group": GROUP, "text": TEXT})
        await nodes.ask(node, "post", await sealed_place(nodes, node, keys.public_of(b"q" * 32), "not for you"))
        rows = sorted(await nodes.ask(node, "inbox"))
        assert [(len(row), row[4], row[5]) for row in rows] == [
            (6, 0, "in clear"),
            (6, 0, "signed by the node"),
            (6, 1, TEXT),
        ]
        layered = await inbox(nodes, node)
        assert [row[6]["v"] for row in layered] == [1, 2, 2, 2]
        public = await public_of(nodes, node)
        facts = layered[1][6]
        statement = message.statement(message.PUBLIC, facts["primary"], "signed by the node")
        assert facts["author"] == keys.key_id(public)
        assert keys.verify(public, facts["signature"], statement)

    nodes.run(story())


def test_lost_counters_let_no_number_serve_twice_under_one_key(nodes):
    async def story():
        node = await nodes.node("pico")
        await nodes.ask(node, "group_put", member())
        async with nodes.prompt(node) as repl:
            await repl.exec("import os\nos.remove('/store/counters.cbor')")
        await nodes.reset(node, b"is up")
        assert [row[2] for row in await nodes.ask(node, "groups")] == [257, 257]

    nodes.run(story())
