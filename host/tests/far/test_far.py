"""A node beyond the next one is asked through the mesh, under the keys and roles that it asks for on its cable."""

import asyncio
import hashlib
import json
import sys

import pytest

from hedgerow.errors import LinkError, NotAllowedError
from hedgerow.fleet import folder
from hedgerow.plans import reach, ways
from hedgerow.plans.update import put_file
from hedgerow.session import Session, far
from hedgerow.transports import ports
from hedgewire import bundle, frame, message

COMMAND_WITHIN_S = 40.0


def through(valley, name="far"):
    return f"mesh:{name}@{valley.port()}"


async def cli(valley, *words):
    """(exit code, stdout, stderr) of a command, as a person runs it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hedgerow", *words, "--fleet", str(valley.fleet_path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN_S)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, out.decode(), err.decode()


def test_a_node_two_hops_away_answers_in_a_protected_session(valley):
    async def story(valley):
        await valley.start("near", "middle", "far")
        async with reach.one_node("far", [through(valley)], credentials=valley.keys) as node:
            assert node.name == "far"
            assert await node.session.is_protected()
            assert (await node.session.ask("config"))["name"] == "far"
            files = await node.session.ask("files")  # an answer of many parts
            assert len(files) > 60

    valley.run(story)


def test_the_commands_of_the_cable_work_through_the_mesh(valley):
    async def story(valley):
        await valley.start("near", "far")
        code, _, err = await cli(valley, "send", "--public", "from afar", "-p", through(valley))
        assert code == 0, err
        code, out, err = await cli(valley, "inbox", "far", "-p", through(valley), "--json")
        assert code == 0, err
        assert "from afar" in json.dumps(json.loads(out))

    valley.run(story)


def test_what_the_air_loses_is_asked_again(valley):
    async def story(valley):
        await valley.start("near", "far", loss=0.2)
        data = bytes(range(256)) * 6
        async with reach.one_node("far", [through(valley)], credentials=valley.keys) as node:
            await put_file(node.session, "/note.txt", data)
        async with Session(await ports.connect(valley.port("far")), credentials=valley.keys) as session:
            held = {path: sha256 for path, _, sha256 in await session.ask("files", {"hash": True})}
        assert held["/note.txt"] == hashlib.sha256(data).digest()

    valley.run(story)


def test_a_node_that_was_restarted_meanwhile_begins_a_new_session(valley):
    async def story(valley):
        await valley.start("near", "far")
        async with reach.one_node("far", [through(valley)], credentials=valley.keys) as node:
            assert await node.session.is_protected()
            await valley.boards["far"].kill()
            await valley.boards["far"].power_on()
            assert (await node.session.ask("config"))["name"] == "far"

    valley.run(story)


def test_a_stranger_in_the_mesh_is_a_stranger_at_the_node(valley):
    async def story(valley):
        await valley.start("near", "far")
        entry = Session(await ports.connect(valley.port()), credentials=valley.keys)
        short = next(node.short for node in valley.keys.known() if node.name == "far")
        async with Session(far.FarTransport(entry, short, "far")) as session:
            with pytest.raises(NotAllowedError, match="not for everybody"):
                await session.ask("config")

    valley.run(story)


def test_nobody_without_a_key_sends_frames_through_a_node(valley):
    async def story(valley):
        await valley.start("near")
        async with Session(await ports.connect(valley.port())) as session:
            for method, params in (("far_send", {"to": 2, "data": b"x"}), ("far_read", {"from": 2})):
                with pytest.raises(NotAllowedError, match="not for everybody"):
                    await session.ask(method, params)

    valley.run(story)


def test_frames_that_were_recorded_do_nothing_a_second_time(valley):
    async def story(valley):
        await valley.start("near", "far")
        short = next(node.short for node in valley.keys.known() if node.name == "far")
        async with reach.one_node("far", [through(valley)], credentials=valley.keys) as node:
            assert await node.session.is_protected()
            sent = []
            carry = node.session._transport.send

            async def recorded(data):
                sent.append(data)
                await carry(data)

            node.session._transport.send = recorded
            await node.session.ask("set_time", {"time_s": 860000000})
            async with Session(await ports.connect(valley.port("far")), credentials=valley.keys) as by_cable:
                await by_cable.ask("set_time", {"time_s": 870000000})
                await node.session._transport._entry.ask("far_send", {"to": short, "data": sent[0]})
                await asyncio.sleep(3)
                assert (await by_cable.ask("hello"))["time_s"] >= 870000000

    valley.run(story)


def test_out_of_reach_is_said_after_a_while(valley, monkeypatch):
    monkeypatch.setattr(far.FarTransport, "patience_s", 1.0)

    async def story(valley):
        await valley.start("near", "far")
        valley.air.link("near", "far", False)
        with pytest.raises(LinkError, match="it did not answer|nothing answers|does not answer"):
            async with reach.one_node("far", [through(valley)], credentials=valley.keys):
                pass

    valley.run(story)


def test_answers_to_an_earlier_command_are_not_taken_for_this_one_s(valley):
    async def story(valley):
        await valley.start("near")
        known = {node.name: node for node in valley.keys.known()}
        async with Session(await ports.connect(valley.port()), credentials=valley.keys) as session:
            base = (await session.ask("config"))["ipn_base"]
            old = bundle.make(
                bundle.Eid(base + known["far"].short, message.TO_HOST),
                bundle.Eid(base + known["near"].short, message.TO_HOST),
                frame.encode(frame.ANSWER, b"stale"),
                1,
                3600000,
            )
            await session.ask("accept", {"data": bundle.encode(old)})
            assert len(await session.ask("far_read", {"from": known["far"].short})) == 1
        transport = await ways.open_way(through(valley), ports.connect, valley.keys)
        await transport.send(frame.encode(frame.REQUEST, b"question"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(transport.receive(), 1.5)
        await transport.close()

    valley.run(story)


def test_a_node_that_the_fleet_does_not_have_is_told_at_once(valley):
    async def story(valley):
        await valley.start("near")
        with pytest.raises(LinkError, match=r"no node of this fleet is called so.*mesh:NAME@PORT"):
            await ways.open_way(f"mesh:nowhere@{valley.port()}", ports.connect, valley.keys)

    valley.run(story)


def test_one_screen_comes_through_the_mesh(valley):
    async def story(valley):
        await valley.start("near", "far")
        code, out, err = await cli(valley, "status", "far", "-p", through(valley), "--json")
        assert code == 0, err
        said = json.loads(out)
        assert said["name"] == "far"
        assert [row["name"] for row in said["neighbours"]] == ["near"]
        assert said["not_answered"] == []

    valley.run(story)


def test_a_visit_ends_with_go_or_with_stay_and_why_and_is_noted(valley):
    async def story(valley):
        await valley.start("near", "far")
        at_near = ("near", "-p", valley.port())
        assert (await cli(valley, "send", "--public", "the gate is open", "-p", valley.port()))[0] == 0
        code, out, err = await cli(valley, "leave", *at_near, "--json")
        assert code == 1, err
        assert [one["check"] for one in json.loads(out)["checks"] if not one["good"]] == ["messages"]
        assert (await cli(valley, "inbox", *at_near))[0] == 0
        code, out, err = await cli(valley, "leave", *at_near)
        assert code == 0, out + err
        assert "GO: near is well." in out
        assert "takes about" in err
        valley.air.link("near", "far", False)
        await valley.boards["near"].kill()
        await valley.boards["near"].power_on()
        await valley._ready(valley.boards["near"])
        code, out, _ = await cli(valley, "leave", *at_near)
        assert code == 1
        assert "STAY at near:" in out
        assert "radio: no other node is in reach. Turn its antenna" in out
        with folder.FleetFolder(valley.fleet_path) as fleet:
            visits = [one.fields["go"] for one in fleet.registry.observations(kind="visit")]
        assert visits == [False, True, False]

    valley.run(story)
