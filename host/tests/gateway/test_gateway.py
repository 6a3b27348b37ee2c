"""A gateway beside an independent implementation, and beside peers that are slow, torn, greedy or mad."""

import asyncio
import random
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow import gateway
from hedgerow.errors import LinkError, UsageError
from hedgerow.fleet.carried import MOST_BUNDLE_BYTES, CarriedFolder, read
from hedgerow.gateway import Gateway, mtcp, way_to
from hedgewire import bundle, cbor, message

BASE = 974848
WITHIN_S = 20


def made(sequence: int, to: int = BASE + 2, size: int = 100) -> bytes:
    ends = (bundle.Eid(BASE + 1, message.TEXT), bundle.Eid(to, message.TEXT))
    return bundle.encode(bundle.make(*ends, bytes(size), sequence, 3_600_000))


def ids(bundles) -> set[bytes]:
    return {bundle.bundle_id(bundle.decode(data)) for data in bundles}


@pytest.fixture
def run():
    def bounded(work):
        async def within():
            async with asyncio.timeout(WITHIN_S):
                return await work

        return asyncio.run(within())

    return bounded


def joined(path, *peers, most_bytes=64_000_000) -> Gateway:
    return Gateway(CarriedFolder(path, most_bytes, BASE + 0xFFFF), BASE, peers)


async def until(what) -> None:
    while not what():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["mtcp", "udp"])
def test_bundles_cross_from_one_fleet_folder_to_another_and_once_only(tmp_path, run, way):
    async def story():
        here = joined(tmp_path / "here")
        async with here.listening([f"{way}://127.0.0.1:0"]) as [address]:
            there = joined(tmp_path / "there", address)
            for sequence in range(50):
                there.take(made(sequence), "a test")
            assert await there.send() == 50
            await until(lambda: here.counts.kept == 50)
            assert ids(one.data for one in here.folder) == ids(made(sequence) for sequence in range(50))
            [hops] = {one.bundle.hop_count for one in here.folder}
            assert hops == (16, 1)
            assert await there.send() == 0
            assert await joined(tmp_path / "there", address).send() == 0, "a gateway that starts again knows"

    run(story())


def test_pyd3tn_sends_to_us_and_takes_from_us(tmp_path, run):
    d3tn = pytest.importorskip("pyd3tn.mtcp", reason="pyD3TN is not installed (it is a development dependency)")

    def send(port):
        with d3tn.MTCPConnection("127.0.0.1", port, timeout=5) as session:
            for sequence in range(3):
                session.send_bundle(made(sequence))

    def receive(server):
        connection, _ = server.accept()
        session = d3tn.MTCPSocket(connection, timeout=5)
        found = [bytes(session.recv_bundle()) for _ in range(3)]
        session.disconnect()
        return found

    async def story():
        here = joined(tmp_path)
        async with here.listening(["mtcp://127.0.0.1:0"]) as [address]:
            await asyncio.to_thread(send, int(address.rpartition(":")[2]))
            await until(lambda: here.counts.kept == 3)
        with socket.create_server(("127.0.0.1", 0)) as server:
            receiving = asyncio.create_task(asyncio.to_thread(receive, server))
            there = joined(tmp_path, f"mtcp://127.0.0.1:{server.getsockname()[1]}")
            assert await there.send() == 3
            assert ids(await receiving) == ids(made(sequence) for sequence in range(3))

    run(story())


def test_only_what_is_for_this_fleet_and_whole_is_kept(tmp_path):
    here = joined(tmp_path)
    here.take(made(1), "a test")
    here.take(made(1), "another")
    here.take(made(2, to=BASE - 1), "a test")
    here.take(made(3, to=BASE + 0x10000), "a test")
    here.take(made(4, to=BASE + 0xFFFF), "a test")
    here.take(made(5)[:-1], "a test")
    here.take(b"", "a test")
    here.take(made(6, size=MOST_BUNDLE_BYTES), "a test")
    counts = here.counts
    assert (counts.received, counts.kept, counts.known, counts.not_ours, counts.damaged) == (8, 2, 1, 2, 3)
    assert len(here.folder) == 2


@given(st.binary(max_size=200), st.integers(0, 400))
@settings(max_examples=200)
def test_whatever_a_peer_sends_is_taken_or_ends_its_connection(noise, cut):
    """Whole bundles before the noise arrive; nothing after it does."""
    stream = cbor.encode(made(1)) + cbor.encode(made(2)) + noise
    stream = stream[:cut] if cut < 200 else stream
    taken = []

    async def story():
        reader = asyncio.StreamReader()
        reader.feed_data(stream)
        reader.feed_eof()
        await mtcp._receive(reader, lambda data, came_from: taken.append(data), "a test")

    asyncio.run(story())
    whole = len(cbor.encode(made(1)))
    assert taken[:2] == [made(1), made(2)][: min(2, len(stream) // whole)]


def test_a_length_that_lies_costs_the_liar_its_connection(tmp_path, run):
    async def story():
        here = joined(tmp_path)
        async with here.listening(["mtcp://127.0.0.1:0"]) as [address]:
            port = int(address.rpartition(":")[2])
            for lie in (b"\x5b" + b"\xff" * 8, b"\x5f", b"\x5a\x00\x02\x00\x00", b"\x9f", b"\x00", b"\x5c"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(cbor.encode(made(1)) + lie)
                assert await reader.read(1) == b""
                writer.close()
            assert here.counts.received == 6
            assert len(here.folder) == 1

    run(story())


def test_slow_and_silent_peers_are_let_go_and_others_are_served_meanwhile(tmp_path, run, monkeypatch):
    monkeypatch.setattr(mtcp, "IDLE_S", 0.5)
    monkeypatch.setattr(mtcp, "FRAME_S", 0.5)

    async def story():
        here = joined(tmp_path)
        async with here.listening(["mtcp://127.0.0.1:0"]) as [address]:
            port = int(address.rpartition(":")[2])
            slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(mtcp.MOST_CONNECTIONS)]
            for _, writer in slow[1:]:
                writer.write(cbor.encode(made(1))[:20])
            crowd, _ = await asyncio.open_connection("127.0.0.1", port)
            assert await crowd.read(1) == b"", "one more than are served is sent away"
            for reader, writer in slow:
                assert await reader.read(1) == b""
                writer.close()
            there = joined(tmp_path / "there", address)
            there.take(made(7), "a test")
            assert await there.send() == 1
            await until(lambda: here.counts.kept == 1)
            assert here.counts.received == 1

    run(story())


def test_a_flood_displaces_itself_and_not_what_was_there(tmp_path):
    here = joined(tmp_path, most_bytes=40_000)
    mine = [made(number, to=BASE + 0xFFFF) for number in range(20)]
    for data in mine:
        here.take(data, "a neighbour")
    for number in range(1000, 1600):
        ends = (bundle.Eid(BASE + 9, message.TEXT), bundle.Eid(BASE + 2, message.TEXT))
        here.take(bundle.encode(bundle.make(*ends, bytes(200), number, 3_600_000)), "a flooder")
    assert here.folder.used_bytes <= 40_000
    assert ids(mine) <= {one.id for one in here.folder}


def test_a_peer_that_is_away_gets_everything_once_it_is_back(tmp_path, run):
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        there = joined(tmp_path / "there", f"mtcp://127.0.0.1:{port}")
        there.take(made(1), "a test")
        assert await there.send() == 0
        assert "takes no connection" in there.counts.refused_by[f"mtcp://127.0.0.1:{port}"]
        here = joined(tmp_path / "here")
        async with here.listening([f"mtcp://127.0.0.1:{port}"]):
            assert await there.send() == 1
            await until(lambda: here.counts.kept == 1)
        assert there.counts.refused_by == {}

    run(story())


def test_a_port_in_use_and_an_address_that_is_none_are_said(tmp_path, run):
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(LinkError, match="cannot listen"):
            async with joined(tmp_path).listening([f"mtcp://127.0.0.1:{taken.getsockname()[1]}"]):
                pass

    run(story())
    for wrong in ("", "mtcp", "mtcp://", "http://127.0.0.1:1", "mtcp://127.0.0.1", "mtcp://h:70000", "udp://h:x"):
        with pytest.raises(UsageError, match="is no address"):
            way_to(wrong)


def test_a_bundle_that_waited_is_older_when_it_goes_on(tmp_path, run):
    async def story():
        here = joined(tmp_path / "here")
        async with here.listening(["udp://127.0.0.1:0"]) as [address]:
            there = joined(tmp_path / "there", address)
            assert there.folder.keep(read(made(1), time.time() - 60))
            await there.send()
            await until(lambda: here.counts.kept == 1)
        [one] = here.folder
        assert 60_000 <= one.bundle.age_ms < 70_000

    run(story())


def test_ten_thousand_mutations_of_a_stream_leave_a_gateway_standing(tmp_path):
    here = joined(tmp_path)
    chance = random.Random(5)
    whole = made(1)
    for _ in range(10_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        here.take(bytes(data), "a mutant")
    counts = here.counts
    assert counts.received == 10_000
    assert counts.kept + counts.known + counts.not_ours + counts.no_room + counts.damaged == 10_000
    assert gateway.WAYS.keys() == {"mtcp", "udp"}
