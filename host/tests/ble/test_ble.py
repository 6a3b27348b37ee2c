"""A laptop reaches a node over Bluetooth with the verbs and the keys that it uses on a cable; a stranger does not."""

import asyncio
import contextlib
import json
import os

import pytest
from bleak import BleakClient, BleakScanner

from hedgerow.errors import LinkError
from hedgerow.fleet import founding
from hedgerow.plans import credentials, reach
from hedgerow.session import Session
from hedgerow.transports import ble, ports
from hedgewire import beacon


def test_a_node_is_found_by_those_who_have_the_roster(place):
    async def story(place):
        await place.node()
        heard = await ble.listen(place.keys.known(), enough=1)
        assert [one.node.name for one in heard] == ["oak"]
        async with reach.one_node("oak", ["ble:"], credentials=place.keys) as node:
            assert (await node.session.ask("status"))["bundles"] == 0
            assert await node.session.is_protected()

    place.run(story)


def test_the_commands_of_the_cable_work_over_the_air(place):
    async def story(place):
        board = await place.node()
        board.pull_cable()
        code, out, err = await place.cli("send", "--public", "seen from the ladder", "-p", "ble:oak")
        assert code == 0, err
        code, out, err = await place.cli("inbox", "-p", "ble:", "--json")
        assert code == 0, err
        assert "seen from the ladder" in json.dumps(json.loads(out))

    place.run(story)


def test_every_node_in_reach_is_asked_at_once(place):
    async def story(place):
        await place.node("oak")
        await place.node("elm")
        async with reach.all_nodes(["ble:"], credentials=place.keys) as (reached, errors):
            assert (sorted(node.name for node in reached), errors) == (["elm", "oak"], {})
        with pytest.raises(LinkError, match=r"several nodes are in reach.*ble:elm .*ble:oak|ble:oak .*ble:elm"):
            await ble.connect("ble:", place.keys.known())

    place.run(story)


async def overheard():
    """What anybody in reach sees of one node: (device, what stands in its advertisement)."""
    found = asyncio.get_running_loop().create_future()

    def heard(device, advertisement):
        if not found.done() and beacon.COMPANY in advertisement.manufacturer_data:
            found.set_result((device, advertisement.manufacturer_data[beacon.COMPANY]))

    async with BleakScanner(heard):
        return await asyncio.wait_for(found, 5)


async def knock(device, word):
    """Whether the door opens to that."""
    opened = asyncio.Event()
    async with BleakClient(device) as client:
        await client.start_notify(beacon.TAKEN, lambda *_: opened.set())
        with contextlib.suppress(Exception):  # shown out while it writes
            await client.write_gatt_char(beacon.TO_NODE, word, response=True)
            await asyncio.wait_for(opened.wait(), 1)
        return opened.is_set()


def test_who_does_not_know_the_node_is_shown_out_and_learns_nothing(place):
    async def story(place):
        await place.node()
        [known] = [one for one in place.keys.known() if one.name == "oak"]
        device, said = await overheard()
        nonce, hint = beacon.parse(said)
        assert known.public not in said
        assert not await knock(device, bytes(8))
        device, said_next = await overheard()
        assert beacon.parse(said_next)[0] != nonce
        assert beacon.parse(said_next)[1] != hint

    place.run(story)


def test_a_knock_that_was_overheard_opens_nothing_later(place):
    async def story(place):
        await place.node()
        [known] = [one for one in place.keys.known() if one.name == "oak"]
        device, said = await overheard()
        word = beacon.knock(known.fleet, known.public, beacon.parse(said)[0])
        assert await knock(device, word)
        device, _ = await overheard()
        assert not await knock(device, word)

    place.run(story)


def test_a_node_changes_its_address_with_every_visit(place):
    async def story(place):
        await place.node()
        addresses = set()
        for _ in range(3):
            device, _ = await overheard()
            addresses.add(device.address)
            await knock(device, bytes(8))
        assert len(addresses) == 3

    place.run(story)


def test_a_fallen_connection_is_taken_up_again_and_the_session_goes_on(place):
    async def story(place):
        await place.node()
        transport = await ble.connect("ble:oak", place.keys.known())
        async with Session(transport, credentials=place.keys) as session:
            hello = await session.ask("hello")
            assert await session.is_protected()
            for _ in range(3):
                place.air.break_links()
                assert (await session.ask("hello"))["boots"] == hello["boots"]
                assert "battery_mv" in await session.ask("status")
            assert transport.fallen == 3

    place.run(story)


def test_a_file_crosses_a_connection_that_falls_all_the_time(place):
    async def story(place):
        board = await place.node()
        data = os.urandom(40000)
        transport = await ble.connect("ble:oak", place.keys.known())
        async with Session(transport, credentials=place.keys) as session:
            falling = asyncio.create_task(fall_every(place, 0.2))
            at = (await session.ask("put_begin", put(data)))["have"]
            while at < len(data):
                at = (await session.ask("put_data", {"offset": at, "data": data[at : at + 1024]}))["next"]
            falling.cancel()
            assert (await session.ask("put_end"))["sha256"] == put(data)["sha256"]
            assert transport.fallen > 0
        async with Session(await ports.connect(str(board.port)), credentials=place.keys) as session:
            files = {path: sha256 for path, _, sha256 in await session.ask("files", {"hash": True})}
            assert files["/note.txt"] == put(data)["sha256"]

    place.run(story)


async def fall_every(place, seconds):
    for _ in range(3):
        await asyncio.sleep(seconds)
        place.air.break_links()


def put(data):
    import hashlib

    return {"path": "/note.txt", "size": len(data), "sha256": hashlib.sha256(data).digest()}


def test_cable_and_air_are_answered_at_the_same_time(place):
    async def story(place):
        board = await place.node()
        async with (
            Session(await ports.connect(str(board.port)), credentials=place.keys) as by_cable,
            Session(await ble.connect("ble:oak", place.keys.known()), credentials=place.keys) as by_air,
        ):

            async def ask_on(session):
                return [await session.ask(method) for _ in range(6) for method in ("config", "log")]

            answers = await asyncio.gather(ask_on(by_cable), ask_on(by_air))
            assert answers[0][0] == answers[1][0]

    place.run(story)


def test_the_power_may_fail_in_the_middle(place):
    async def story(place):
        board = await place.node()
        transport = await ble.connect("ble:oak", place.keys.known())
        async with Session(transport, credentials=place.keys) as session:
            first = (await session.ask("hello"))["boots"]
            await board.kill()
            await board.power_on()
            assert (await session.ask("hello", timeout_s=8.0))["boots"] > first
            assert "battery_mv" in await session.ask("status")  # in a session that was begun anew

    place.run(story)


def test_a_guest_of_the_air_is_told_what_is_missing(place, tmp_path):
    async def story(place):
        await place.node()
        with pytest.raises(LinkError, match=r"those who have its roster.*--fleet"):
            await ble.connect("ble:", ())
        with founding.found(tmp_path / "others", "others"):
            pass
        with pytest.raises(LinkError, match="no node of this fleet is called so"):
            await ble.connect("ble:oak", credentials.at(tmp_path / "others").known())

    place.run(story)


def test_a_laptop_without_bluetooth_says_so(place):
    async def story(place):
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={place.path}/nobody"
        code, _, err = await place.cli("inbox", "-p", "ble:")
        assert code == 6, err
        assert "Bluetooth cannot be used here" in err

    place.run(story)


def test_what_needs_a_cable_says_so(place):
    async def story(place):
        with pytest.raises(LinkError, match="needs a cable"):
            await ports.connect("ble:oak")

    place.run(story)
