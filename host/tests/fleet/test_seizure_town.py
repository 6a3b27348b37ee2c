"""A captured node that goes on transmitting reads nothing new; one that was out of reach comes after by mule."""

import asyncio

import pytest
from test_parting import ask, asked, hello, until
from test_parting_town import MULE_WITHIN_S, TOWN_WITHIN_S, Town, town

GROUP_LAYER = 1


def radio(number: int) -> str:
    return f"n{number}"


async def read(place: Town, number: int) -> list[str]:
    """Texts of groups that this node can read."""
    rows = await ask(place.port(number), "inbox", {"layers": True})
    return [row[5] for row in rows if row[4] == GROUP_LAYER and isinstance(row[5], str)]


async def held(place: Town, number: int) -> list[bytes]:
    return [bytes(row[0]) for row in await ask(place.port(number), "bundles")]


async def epoch(place: Town, number: int) -> int:
    [found] = [row[2] for row in await ask(place.port(number), "groups") if row[0] == place.fleet.fleet_id]
    return found


async def capture(place: Town, captured: int, alone: int, others: list[int]) -> None:
    """`others[0]` is the one with a cable, and the mule: it goes to the node that was alone."""
    at = ("--fleet", str(place.path))
    group = {"group": place.fleet.fleet_id}
    everybody = range(1, len(place.boards) + 1)
    cable = others[0]
    for number in everybody:
        if number != alone:
            place.air.link(radio(alone), radio(number), False)
    done = await asked("revoke", f"n{captured}", "-p", place.port(cable), *at)
    assert done["in_force"]
    assert all(count <= 2048 for one in done["groups"] for count in one["documents"])
    assert f"n{cable}" in done["confirmed"]
    assert f"n{alone}" in done["waiting"]

    async def all_others():
        return all([await epoch(place, number) >= 512 for number in others])

    await until(all_others, MULE_WITHIN_S)
    # The captured one is still on the air, and hears the same papers.
    forged = await ask(place.port(captured), "post", group | {"text": "forged"})
    brought = await ask(place.port(captured), "bundle", {"id": forged["id"]})
    await ask(place.port(cable), "accept", {"data": brought["data"]})  # a hostile mule carries it past the radio
    new = await ask(place.port(cable), "post", group | {"text": "among us"})
    for number in others:
        await until(lambda number=number: arrived(place, number, new["id"]), MULE_WITHIN_S)
        assert "among us" in await read(place, number)
    # The mule leaves everybody, and meets the one that was out of reach.
    for number in everybody:
        if number not in (cable, alone):
            place.air.link(radio(cable), radio(number), False)
    place.air.link(radio(cable), radio(alone), True)
    assert await epoch(place, alone) < 512

    async def came_after():
        return await epoch(place, alone) >= 512 and "among us" in await read(place, alone)

    await until(came_after, MULE_WITHIN_S)
    assert await epoch(place, captured) < 512
    assert "among us" not in await read(place, captured)
    assert await arrived(place, cable, forged["id"])
    for number in (*others, alone):
        assert "forged" not in await read(place, number)
    ports = [word for number in (*others, alone) for word in ("-p", place.port(number))]
    done = await asked("revoke", f"n{captured}", "--status", *ports, *at)
    assert done["waiting"] == [], done["nodes"]
    assert (await hello(place.port(captured)))["fleet"] == place.fleet.fleet_id


async def arrived(place: Town, number: int, bundle_id: bytes) -> bool:
    return bytes(bundle_id) in await held(place, number)


@pytest.mark.timeout(TOWN_WITHIN_S)
def test_a_captured_node_reads_nothing_new_and_one_out_of_reach_gets_the_key_by_a_mule(tmp_path, micropython):
    async def story():
        async with town(tmp_path, micropython, 3, keys=True) as place:
            await capture(place, captured=2, alone=3, others=[1])

    asyncio.run(asyncio.wait_for(story(), TOWN_WITHIN_S - 10))


@pytest.mark.long
@pytest.mark.timeout(TOWN_WITHIN_S)
def test_in_a_town_of_twelve_all_but_the_captured_one_come_to_the_new_key(tmp_path, micropython):
    async def story():
        async with town(tmp_path, micropython, 12, keys=True) as place:
            await capture(place, captured=2, alone=3, others=[1, 4, 5, 6, 7, 8, 9, 10, 11, 12])

    asyncio.run(asyncio.wait_for(story(), TOWN_WITHIN_S - 10))
