"""One cable for people, mpremote and the tool: who is heard, and that nobody stops a node by accident."""

import asyncio
import time

import pytest

from hedgerow.errors import RemoteError
from hedgerow.transports import ports
from hedgewire import admin, frame

FULL_OF_INTERRUPTS = frame.encode(frame.REQUEST, admin.request(3, "hello", {"ignored": b"\x03" * 60}))


@pytest.mark.parametrize("name", ["oak", "pico"])
def test_mpremote_works_on_a_running_node_which_runs_again_after_its_reset(nodes, name):
    async def story():
        node = await nodes.node(name)
        boots = (await nodes.hello(node))["boots"]
        local = nodes.path / "note.txt"
        local.write_text("written by mpremote\n")
        await nodes.mpremote(node, "fs", "cp", str(local), ":note.txt")
        assert "note.txt" in await nodes.mpremote(node, "fs", "ls")
        assert await nodes.mpremote(node, "fs", "cat", ":note.txt") == "written by mpremote\n"
        assert (await nodes.mpremote(node, "exec", "print(6 * 7)")).strip() == "42"
        await nodes.mpremote(node, "reset")
        assert (await nodes.hello(node))["boots"] == boots + 1

    nodes.run(story())


def test_connecting_resets_nothing(nodes):
    async def story():
        node = await nodes.node()
        boots = (await nodes.hello(node))["boots"]
        for _ in range(3):
            transport = await ports.connect(str(node.port))
            await transport.close()
        assert (await nodes.hello(node))["boots"] == boots
        assert node.resets == []

    nodes.run(story())


def test_a_question_that_comes_while_the_node_starts_does_not_stop_it(nodes):
    async def story():
        node = await nodes.node()
        boots = (await nodes.hello(node))["boots"]
        await node.kill()
        transport = await ports.connect(str(node.port))
        await node.power_on()
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            await transport.send(FULL_OF_INTERRUPTS)
            await asyncio.sleep(0.02)
        await transport.close()
        assert (await nodes.hello(node))["boots"] == boots + 1

    nodes.run(story())


def test_ctrl_c_while_the_node_starts_gives_the_prompt(nodes):
    async def story():
        node = await nodes.node()
        await node.kill()
        transport = await ports.connect(str(node.port))
        await node.power_on()
        await transport.send(b"\r\x03")
        await transport.close()
        await nodes.hear(node, b">>> ", b"\r")

    nodes.run(story())


def test_text_and_frames_go_side_by_side(nodes):
    async def story():
        node = await nodes.node()
        said = bytearray()
        async with nodes.session(node, console=said.extend) as session:
            transport = session._transport
            await transport.send(b"\r")
            first = await session.ask("hello")
            await transport.send(b"\rhello?\r")
            second = await session.ask("hello")
        assert first["boots"] == second["boots"]
        assert said.count(b"Hedgerow node oak is running") >= 2

    nodes.run(story())


def test_a_locked_console_ignores_ctrl_c_and_answers_frames(nodes):
    async def story():
        node = await nodes.node()
        await nodes.ask(node, "configure", {"config": {"console": "locked"}})
        await nodes.ask(node, "restart")
        await nodes.ends(node, "hard")
        boots = (await nodes.hello(node))["boots"]
        await nodes.hear(node, b"locked", b"\x03\x03\r")
        assert (await nodes.hello(node))["boots"] == boots

    nodes.run(story())


def test_the_log_is_followed_and_a_follower_that_went_away_costs_nothing(nodes):
    async def story():
        node = await nodes.node()
        heard = []
        async with nodes.session(node, events=lambda topic, fields: heard.append((topic, fields))) as session:
            await session.ask("follow", {"topics": ["log"], "for_ms": 60000})
            await session.ask("post", {"to": 99, "text": "x"})
            async with asyncio.timeout(5):
                while not [fields for topic, fields in heard if topic == "log" and "posted" in fields[3]]:
                    await asyncio.sleep(0.02)
        for number in range(20):
            await nodes.ask(node, "post", {"to": 99, "text": f"nobody follows {number}"})
        assert node.resets == []

    nodes.run(story())


def test_an_unknown_method_and_wrong_parameters_are_answered(nodes):
    async def story():
        node = await nodes.node()
        async with nodes.session(node) as session:
            for method, params in (
                ("fly", {}),
                ("post", {"to": "everybody", "text": "x"}),
                ("post", {"to": 1}),
                ("post", {"to": 0, "text": "x"}),
                ("post", {"to": 1, "text": b"x"}),
                ("samples", {"after": "x"}),
                ("bundle", {"id": b"short"}),
                ("accept", {"data": "text"}),
                ("follow", {"for_ms": -1}),
                ("compare", {"files": 3}),
                ("files", {"hash": 1}),
            ):
                with pytest.raises(RemoteError):
                    await session.ask(method, params)
            assert (await session.ask("hello"))["name"] == "oak"

    nodes.run(story())
