"""Nodes of a fleet that speaks under its own key: what they say is for nobody else, whatever stands between them."""

import asyncio

from hedgerow.virtual.attacker import Attacker, Chances
from hedgewire import link, message

CHANCES = Chances(longest_delay_s=2.0)


async def keyed(nodes, name, ether):
    node = await nodes.node(name, ether)
    await nodes.configure(node, radio_security="fleet")
    return node


async def texts(nodes, node):
    return sorted(row[5] for row in await nodes.ask(node, "inbox"))


async def arrive(nodes, node, wanted, within_s=25.0):
    async with asyncio.timeout(within_s):
        while await texts(nodes, node) != wanted:
            await asyncio.sleep(0.3)


def test_messages_cross_an_attacked_radio_and_nothing_of_them_is_in_the_clear(nodes):
    attacker = Attacker(7, CHANCES)

    async def story():
        ether = await nodes.ether(0.0, attacker)
        oak, elm = await keyed(nodes, "oak", ether), await keyed(nodes, "elm", ether)
        attacker.overheard.clear()  # what was said before the nodes were told to keep it to themselves
        to = (await nodes.hello(elm))["short"]
        wanted = [f"for all of us, {number}" for number in range(4)]
        for text in wanted:
            await nodes.ask(oak, "post", {"to": message.EVERYONE, "text": text})
        await nodes.ask(oak, "post", {"to": to, "text": "for the elm alone"})
        await arrive(nodes, elm, [*wanted, "for the elm alone"])
        assert sum(attacker.did.values()) > 10
        assert attacker.overheard
        for _, frame in attacker.overheard:
            assert isinstance(link.decode(frame), link.Damage)
            assert b"of us" not in frame
            assert b"the elm" not in frame
        for node in (oak, elm):
            near = {row[0] for row in await nodes.ask(node, "neighbours")}
            assert len(near) == 1, near

    nodes.run(story())


def test_who_keeps_the_air_open_hears_nothing_of_a_fleet_that_does_not(nodes):
    async def story():
        ether = await nodes.ether(0.0)
        oak, elm = await keyed(nodes, "oak", ether), await nodes.node("elm", ether)
        await nodes.ask(oak, "post", {"to": message.EVERYONE, "text": "for all of us"})
        await asyncio.sleep(3)
        assert await texts(nodes, elm) == []
        await nodes.configure(elm, radio_security="fleet")
        await arrive(nodes, elm, ["for all of us"])

    nodes.run(story())


def test_counters_go_on_after_a_power_cut_so_that_neighbours_go_on_listening(nodes):
    async def story():
        ether = await nodes.ether(0.0)
        oak, elm = await keyed(nodes, "oak", ether), await keyed(nodes, "elm", ether)
        for number in range(3):
            await nodes.ask(oak, "post", {"to": message.EVERYONE, "text": f"text {number}"})
            await arrive(nodes, elm, [f"text {count}" for count in range(number + 1)])
            await oak.kill()
            await oak.power_on()
            await nodes.hello(oak)

    nodes.run(story())
