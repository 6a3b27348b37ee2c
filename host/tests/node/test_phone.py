"""A neighbour with a phone: the button opens the node, the page takes a message, everything hostile gets a sentence."""

import asyncio
import contextlib
import socket
import time
import urllib.parse

import pytest
from by_phone import OPEN_WITHIN_S, listens, opened, press, public_texts, until_listening

from hedgerow.virtual.board import HEAP_SCALE

MAX_PAGE_BYTES = 20_000


async def raw(board, data: bytes, within_s: float = 12.0) -> bytes:
    """What comes back for those bytes, to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", board.nearby.web_port)
    try:
        writer.write(data)
        async with asyncio.timeout(within_s):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def get(board, path="/", **headers) -> tuple[int, dict[str, str], str]:
    said = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return parsed(await raw(board, ("\r\n".join(lines) + "\r\n\r\n").encode()))


async def post(board, form: dict[str, object] | bytes, **headers) -> tuple[int, dict[str, str], str]:
    body = form if isinstance(form, bytes) else urllib.parse.urlencode(form).encode()
    said = {
        "Host": "127.0.0.1",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return parsed(await raw(board, ("\r\n".join(lines) + "\r\n\r\n").encode() + body))


def parsed(answer: bytes) -> tuple[int, dict[str, str], str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert len(body) <= MAX_PAGE_BYTES
    return int(first.split()[1]), headers, body.decode()


def hidden(page: str, name: str) -> str:
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


def test_a_message_left_by_phone_is_in_the_public_layer_once(nodes):
    async def story():
        board = await opened(nodes)
        assert board.nearby.access_point == "Hedgerow oak"
        status, headers, page = await get(board)
        assert status == 200
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "Nothing here yet" in page
        form = {"t": "Ladder <b>free</b>\r\n& good", "k": hidden(page, "k"), "n": hidden(page, "n"), "l": "en"}
        status, headers, _ = await post(board, form, Origin="http://127.0.0.1")
        assert (status, headers["location"]) == (303, "/?l=en&done")
        await asyncio.sleep(2.1)
        assert (await post(board, form))[0] == 303, "a form that is sent twice"
        assert await public_texts(nodes, board) == ["Ladder <b>free</b>\n& good"]
        _, _, page = await get(board, "/?l=en&done")
        assert "Ladder &lt;b&gt;free&lt;/b&gt;\n&amp; good" in page
        assert "left at this node" in page
        assert "Your message is safe" in page
        await board.kill()
        await board.power_on()
        await nodes.hello(board)
        assert len(await public_texts(nodes, board)) == 1

    nodes.run(story())


def test_the_page_speaks_the_readers_language_and_other_names_lead_to_it(nodes):
    async def story():
        board = await opened(nodes)
        for said, lang, text in (
            ("de-AT,de;q=0.9,en;q=0.5", "de", "Schwarzes Brett bei oak"),
            ("xx,fr;q=0.2", "fr", "Panneau d&#39;affichage de oak"),
            ("es", "es", "Tablón de anuncios de oak"),
            ("..,en/../..", "en", "Notice board at oak"),
        ):
            page = (await get(board, Accept_Language=said))[2]
            assert f'<html lang="{lang}">' in page
            assert text in page
            for name in ("Deutsch", "English", "Español", "Français"):
                assert name in page
        assert '<html lang="fr">' in (await get(board, "/?l=fr", Accept_Language="de"))[2]
        status, headers, _ = await get(board, "/generate_204", Host="connectivitycheck.example")
        assert (status, headers["location"]) == (302, "http://127.0.0.1/")
        assert (await get(board, "/nothing"))[0] == 404

    nodes.run(story())


def test_who_means_harm_gets_a_sentence_and_the_node_goes_on(nodes):
    async def story():
        board = await opened(nodes)
        page = (await get(board))[2]
        good = {"t": "x", "k": hidden(page, "k"), "n": hidden(page, "n")}
        for fault, status, form, headers in (
            ("another web page", 403, good, {"Origin": "http://evil.example"}),
            ("another web page", 403, good, {"Origin": "null"}),
            ("another web page", 403, good, {"Sec_Fetch_Site": "cross-site"}),
            ("another web page", 403, good, {"Host": "evil.example"}),
            ("earlier visit", 400, {**good, "k": "0" * 16}, {}),
            ("no text", 400, {**good, "t": " \n"}, {}),
            ("too long", 413, {**good, "t": "ä" * 601}, {}),
            ("more than the node can take", 413, {**good, "t": "x" * 5000}, {}),
            ("read as text", 400, b"t=%ff%fe&k=" + good["k"].encode(), {}),
            ("did not understand", 415, good, {"Content_Type": "text/plain"}),
            ("did not understand", 400, good, {"Transfer_Encoding": "chunked"}),
            ("did not understand", 400, b"&".join(b"a%d=b" % n for n in range(40)), {}),
        ):
            answer = await post(board, form, **headers)
            assert (answer[0], fault in answer[2]) == (status, True), (fault, answer)
        for data, status in (
            (b"GET / HTTP/1.1\r\nHost: " + b"x" * 4000, 431),
            (b"BREW / HTTP/1.1\r\n\r\n", 405),
            (b"\xff\xfe\x00 / \r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ):
            assert parsed(await raw(board, data))[0] == status, data[:30]
        assert (await post(board, good))[0] == 303
        assert "just left a message" in (await post(board, {**good, "t": "me too"}))[2]
        assert await public_texts(nodes, board) == ["x"]

    nodes.run(story())


def test_a_crowd_and_slow_ones_hold_up_nobody_for_long(nodes):
    async def story():
        board = await opened(nodes)
        lines = [socket.create_connection(("127.0.0.1", board.nearby.web_port), 5) for _ in range(12)]
        try:
            for line in lines:
                with contextlib.suppress(OSError):
                    line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            assert await nodes.ask(board, "hello"), "the cable answers meanwhile"
            began = time.monotonic()
            while True:
                with contextlib.suppress(ConnectionError, IndexError):
                    if (await get(board))[0] == 200:
                        break
                assert time.monotonic() - began < 12
                await asyncio.sleep(0.2)
        finally:
            for line in lines:
                line.close()

    nodes.run(story())


def test_least_heard_first_and_further_pages_hold_everything(nodes):
    async def story():
        board = await opened(nodes)
        texts = [f"number {index} " + "<&>" * 100 for index in range(25)]
        for text in texts:
            await nodes.ask(board, "post", {"to": 0xFFFF, "text": text})
        seen, path = [], "/"
        while path:
            page = (await get(board, path))[2]
            seen += [int(part.partition(" ")[0]) for part in page.split("number ")[1:]]
            path = page.partition("Further messages")[0].rpartition('href="')[2].partition('"')[0]
            path = path.replace("&amp;", "&") if "Further messages" in page else ""
        assert seen == list(range(25))

    nodes.run(story())


def test_it_shuts_and_its_code_leaves_the_memory(nodes):
    async def story():
        board = await nodes.node()
        await nodes.configure(board, phone=True)
        short = "    from hedgenode.tasks import phone\n    phone.PhoneTask._allowed = lambda task: (5000, None)\n"
        await nodes.change_once(board, short)
        await nodes.ask(board, "restart")
        await nodes.ends(board, "hard", board.resets.count("hard") + 1)
        await nodes.hello(board)
        await until_listening(nodes, board)
        assert (await get(board))[0] == 200
        held = (await nodes.ask(board, "status"))["heap_free"]
        end = time.monotonic() + 10
        while board.nearby.access_point is not None:
            assert time.monotonic() < end, "it stays open"
            await asyncio.sleep(0.1)
        assert not await listens(board)
        freed = (await nodes.ask(board, "status"))["heap_free"] - held
        print(f"the page takes {freed / HEAP_SCALE / 1000:.1f} kB of a board's heap while it is open")
        assert freed / HEAP_SCALE > 8_000

    nodes.run(story())


def test_an_empty_battery_keeps_it_shut(nodes):
    async def story():
        board = await nodes.node(world=lambda: {"battery_mv": 3450})
        await nodes.configure(board, phone=True)
        end = time.monotonic() + OPEN_WITHIN_S
        while not any("too little battery" in str(row) for row in await nodes.ask(board, "log")):
            assert time.monotonic() < end
            await press(board)
        assert board.nearby.access_point is None

    nodes.run(story())


@pytest.mark.parametrize("name", ["pico", "oak"])
def test_without_the_setting_or_without_wifi_the_button_does_nothing(nodes, name):
    async def story():
        board = await nodes.node(name)
        if name == "pico":
            await nodes.configure(board, phone=True)
            assert any("no button and Wi-Fi" in str(row) for row in await nodes.ask(board, "log"))
        else:
            await press(board)
        assert board.nearby.access_point is None

    nodes.run(story())


def test_a_plain_esp32_restarts_without_its_radio_to_have_the_memory_and_comes_back(nodes):
    async def story():
        board = await opened(nodes, "small")
        starts = board.resets.count("hard")
        log = str(await nodes.ask(board, "log"))
        assert "open to phones for 10 min" in log
        for _ in range(3):
            page = (await get(board))[2]
            assert "Notice board at small" in page
            answer = await post(board, {"t": "ä" * 400, "k": hidden(page, "k"), "n": hidden(page, "n")})
            assert answer[0] == 303, answer
            await asyncio.sleep(2.1)
        print("heap free while open:", (await nodes.ask(board, "status"))["heap_free"] / HEAP_SCALE)
        assert len(await public_texts(nodes, board)) == 3
        assert board.resets.count("hard") == starts
        await nodes.ask(board, "restart")
        await nodes.ends(board, "hard", starts + 1)
        await nodes.hello(board)
        assert board.nearby.access_point is None
        assert len(await public_texts(nodes, board)) == 3

    nodes.run(story())
