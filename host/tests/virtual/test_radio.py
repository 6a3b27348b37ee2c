"""The radio between virtual boards: who hears what, what gets lost, and that it can be had again."""

import asyncio
import json

import pytest

from hedgerow.errors import UsageError
from hedgerow.virtual import ether_messages as messages
from hedgerow.virtual.attacker import Attacker, Chances
from hedgerow.virtual.contacts import Contact, Links, parse_plan
from hedgerow.virtual.radio import Ether, airtime_s

_RADIO_ON = """
import espnow, network, json
network.WLAN(network.STA_IF).active(True)
network.WLAN(network.STA_IF).config(channel=6)
radio = espnow.ESPNow()
radio.active(True)
everyone = b"\\xff" * 6
radio.add_peer(everyone)
"""


async def until(condition, within_s=8.0):
    """A busy computer may take its time: wait for what must come, and not for as long as it usually takes."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.002)


class Radio:
    """A radio without a board: what `runtime/_ether_line.py` does, in a few lines."""

    def __init__(self, number):
        self.mac = bytes([2, 0, 0, 0, 0, number])
        self.heard = []

    async def join(self, ether, address, *, buffer_bytes=10_000, takes=True):
        ether.name(self.mac, str(self.mac[5]))
        self._listen, writer = await asyncio.open_connection(*address)
        self._talk_reader, self._talk = await asyncio.open_connection(*address)
        writer.write(messages.hello(messages.LISTEN, self.mac))
        self._talk.write(messages.hello(messages.TALK, self.mac) + messages.tune(True, 1))
        self._talk.write(messages.pack(messages.BUFFER, buffer_bytes.to_bytes(2, "big")))
        self._writers = [writer, self._talk]
        self._takes = takes
        self._task = asyncio.create_task(self._receive())
        await until(lambda: self._known_to(ether, buffer_bytes))
        return self

    def _known_to(self, ether, buffer_bytes):
        node = ether._nodes.get(self.mac)
        return node is not None and node.active and node.listen is not None and node.buffer_bytes == buffer_bytes

    async def _receive(self):
        while message := await messages.read(self._listen):
            data = message[14:]
            self.heard.append(data)
            if self._takes:
                self._talk.write(messages.pack(messages.TOOK, len(data).to_bytes(2, "big")))

    def broadcast(self, data):
        self._talk.write(messages.transmit(messages.BROADCAST, data))

    async def send(self, other, data):
        self._talk.write(messages.transmit(other.mac, data, wants_result=True))
        return (await messages.read(self._talk_reader)) == bytes([messages.RESULT, 1])

    def leave(self):
        self._task.cancel()
        for writer in self._writers:
            writer.close()


def _story(story, count, within_s=10.0, **settings):
    """Run it with `count` radios in one ether."""

    async def bounded():
        async with asyncio.timeout(within_s):
            ether = Ether(**settings)
            address = await ether.start()
            radios = [await Radio(number).join(ether, address) for number in range(1, count + 1)]
            try:
                return await story(ether, radios)
            finally:
                for radio in radios:
                    radio.leave()
                await ether.close()

    return asyncio.run(bounded())


def test_everyone_in_reach_hears_a_broadcast_and_the_sender_does_not():
    async def story(ether, radios):
        ether.link("1", "3", False)
        radios[0].broadcast(b"hello")
        await until(lambda: radios[1].heard)
        assert [radio.heard for radio in radios] == [[], [b"hello"], []]

    _story(story, 3)


def test_the_same_seed_loses_the_same_frames():
    async def story(ether, radios):
        for number in range(100):
            radios[0].broadcast(bytes([number]))
            await asyncio.sleep(airtime_s(1))
        ends = ("heard", "dropped")  # each frame ends as one of them
        await until(lambda: sum(event.kind in ends for event in ether.trace) == 100)
        await until(lambda: len(radios[1].heard) == sum(event.kind == "heard" for event in ether.trace))
        return radios[1].heard

    first = _story(story, 2, loss=0.3, seed=7)
    assert _story(story, 2, loss=0.3, seed=7) == first
    assert _story(story, 2, loss=0.3, seed=8) != first
    assert 50 <= len(first) <= 85


def test_an_addressed_frame_is_acknowledged_and_repeated_against_loss():
    async def story(ether, radios):
        assert all([await radios[0].send(radios[1], b"x") for _ in range(20)])
        ether.link("1", "2", False)
        assert not await radios[0].send(radios[1], b"y")
        assert ether.trace[-2].kind == "sent"
        assert ether.trace[-1].reason == "no acknowledgement"
        assert radios[1].heard == [b"x"] * 20

    _story(story, 2, loss=0.3)


def test_one_frame_at_a_time_is_in_the_air():
    async def story(ether, radios):
        started = asyncio.get_running_loop().time()
        for radio in radios:
            radio.broadcast(b"x" * 250)
        while len(radios[0].heard) < 3:
            await asyncio.sleep(0.001)
        assert asyncio.get_running_loop().time() - started >= 4 * airtime_s(250)

    _story(story, 4)


def test_two_who_do_not_hear_each_other_collide_at_the_one_between():
    async def story(ether, radios):
        ether.link("1", "3", False)
        radios[0].broadcast(b"a" * 100)
        radios[2].broadcast(b"c" * 100)
        await until(lambda: sum(event.kind == "dropped" for event in ether.trace) == 2)
        assert radios[1].heard == []
        assert [event.reason for event in ether.trace if event.kind == "dropped"] == ["collision", "collision"]

    _story(story, 3, collisions=True)


def test_a_receive_buffer_that_nobody_empties_overflows():
    async def bounded():
        ether = Ether()
        address = await ether.start()
        sender = await Radio(1).join(ether, address)
        lazy = await Radio(2).join(ether, address, buffer_bytes=526, takes=False)
        for _ in range(5):
            sender.broadcast(b"x" * 250)
        await until(lambda: sum(event.kind == "dropped" for event in ether.trace) == 3 and len(lazy.heard) == 2)
        assert [event.reason for event in ether.trace if event.kind == "dropped"] == ["receive buffer full"] * 3
        sender.leave()
        lazy.leave()
        await ether.close()

    asyncio.run(bounded())


def test_a_contact_plan_is_followed():
    plan = parse_plan("0.0 CONN 1 2 up\n1.0 CONN 1 2 down\n1.0 CONN 2 3 up\n")

    async def story(ether, radios):
        playing = asyncio.create_task(ether.play(plan))
        await until(lambda: ether.links.up("1", "2"))
        radios[1].broadcast(b"early")
        await playing
        radios[1].broadcast(b"late")
        await until(lambda: radios[2].heard)
        assert [radio.heard for radio in radios] == [[b"early"], [], [b"late"]]

    _story(story, 3)


def test_a_plan_with_a_fault_names_the_line():
    assert parse_plan("12.5 CONN a b up\n") == [Contact(12.5, "a", "b", True)]
    with pytest.raises(UsageError, match="line 2"):
        parse_plan("1 CONN a b up\n1 CONN a b sideways\n")


def test_links_know_pairs_in_either_order():
    links = Links()
    links.set("a", "b", False)
    assert (links.up("b", "a"), links.up("a", "c"), links.up("a", "a")) == (False, True, False)
    links.reset(everyone=False)
    links.set("c", "a", True)
    assert links.pairs(["c", "b", "a"]) == [("a", "c")]


def test_nonsense_ends_the_connection_and_nothing_else():
    async def story(ether, radios):
        _, writer = await asyncio.open_connection(*ether._server.sockets[0].getsockname()[:2])
        writer.write(b"\x00\x03\xff\xff\xff" + b"\xff" * 50)
        radios[0].broadcast(b"still here")
        await until(lambda: radios[1].heard)
        assert radios[1].heard == [b"still here"]
        writer.close()

    _story(story, 2)


def test_boards_talk_by_espnow(bench):
    async def story(bench):
        ether = Ether(rssi_dbm=lambda a, b: -71)
        address = await ether.start()
        boards = []
        for number in (1, 2):
            board = await bench.board(name=f"b{number}", uid=bytes([2, 0, 0, 0, 0, number]), ether=address)
            boards.append(await bench.at_raw_prompt(board))
        for client in boards:
            assert await client.execute(_RADIO_ON) == ("", "")
        a, b = boards
        out, error = await a.execute(
            "peer = b'\\x02\\0\\0\\0\\0\\x02'\nradio.add_peer(peer)\n"
            "print(radio.send(everyone, b'to all', False), radio.send(peer, b'to one'), radio.stats())"
        )
        assert (out, error) == ("True True (2, 2, 0, 0, 0)\r\n", "")
        out, _ = await b.execute("print(radio.any(), radio.recv(0), bytes(radio.irecv(100)[1]), radio.recv(50))")
        assert out == "True [b'\\x02\\x00\\x00\\x00\\x00\\x01', b'to all'] b'to one' [None, None]\r\n"
        out, _ = await b.execute("print(radio.peers_table[b'\\x02\\0\\0\\0\\0\\x01'][0])")
        assert out == "-71\r\n"
        _, error = await a.execute("radio.send(b'\\x02\\0\\0\\0\\0\\x09', b'x')")
        assert "ESP_ERR_ESPNOW_NOT_FOUND" in error
        await b.execute("network.WLAN(network.STA_IF).config(channel=11)")
        assert await a.execute("print(radio.send(peer, b'other channel'))") == ("False\r\n", "")
        await ether.close()

    bench.run(story)


def test_asyncio_waits_for_a_frame_without_spinning(bench):
    program = """
import asyncio, aioespnow
radio = aioespnow.AIOESPNow()
async def main():
    async for mac, message in radio:
        print(json.dumps([mac.hex(), bytes(message).decode()]))
        if bytes(message) == b"end":
            break
asyncio.run(main())
"""

    async def story(bench):
        ether = Ether()
        address = await ether.start()
        client = await bench.at_raw_prompt(await bench.board(ether=address))
        await client.execute(_RADIO_ON.replace("channel=6", "channel=1"))
        await client.ask(program.encode() + b"\x04", b"OK")
        other = await Radio(9).join(ether, address)
        await asyncio.sleep(0.1)
        other.broadcast(b"one")
        other.broadcast(b"end")
        lines = (await client.until(b"\x04>")).split(b"\r\n")
        assert [json.loads(line) for line in lines[:2]] == [["020000000009", "one"], ["020000000009", "end"]]
        other.leave()
        await ether.close()

    bench.run(story)


def test_an_attacker_stands_between_all_radios():
    frames = [bytes([0x21]) + bytes([number]) * 30 for number in range(40)]

    async def story(ether, radios):
        for data in frames:
            radios[0].broadcast(data)
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.2)
        return radios[1].heard

    heard = _story(story, 2, attacker=Attacker(3, Chances(longest_delay_s=0.05)))
    assert set(heard) - set(frames)  # forged or damaged
    assert len(set(frames) - set(heard)) > 0  # dropped
    assert len(heard) > len(set(heard))  # doubled or played again
    in_order = [data for data in heard if data in frames]
    assert in_order != sorted(in_order)


def test_a_late_frame_finds_its_listener_gone():
    async def story(ether, radios):
        radios[0].broadcast(b"x" * 30)
        await asyncio.sleep(0.01)
        radios[1].leave()
        await asyncio.sleep(0.3)
        return radios[1].heard

    late = Attacker(1, Chances(drop=0, delay=1, double=0, damage=0, replay=0, forge=0, longest_delay_s=0.2))
    assert _story(story, 2, attacker=late) == []
