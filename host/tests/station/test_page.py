"""The station's page: in real Chromium as a volunteer uses it, by keyboard alone; closed to everybody else."""

import asyncio
import http.client
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from in_chromium import CHROMIUM, looks_right, needs_chromium
from station_table import SENSORS, at_rest, until

from hedgerow.station import page, words
from hedgerow.station.bench import Station
from hedgerow.station.card import Card, Check, Phase, Stage, Verdict
from hedgerow.station.watch import NamedWatch
from hedgerow.station.web import Page

# At 200 % a laptop of 1280 by 800 pixels has half as many for the page.
SIZES = {"phone": (390, 844), "laptop": (1280, 800), "laptop at 200 %": (640, 400), "small phone": (320, 568)}


# ---- who is let in


def asked(port: int, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": f"127.0.0.1:{port}", **said})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


@asynccontextmanager
async def served(tmp_path: Path):
    """A page without boards: one empty place."""
    station = Station(None, NamedWatch([]))
    station._cards["x"] = Card("x", "left <1>")
    async with Page(station, "Station of fleet orchard", tmp_path, port=0) as web:
        yield web


def test_only_who_has_the_key_and_comes_from_this_very_page_is_let_in(tmp_path):
    async def story():
        async with served(tmp_path) as web:

            async def ask(*arguments, **headers):
                return await asyncio.to_thread(asked, web.port, *arguments, **headers)

            assert (await ask("/"))[0] == 403
            assert (await ask("/?key=wrong"))[0] == 403
            status, _, headers = await ask(f"/?key={web.key}")
            cookie = headers["set-cookie"].partition(";")[0]
            assert (status, headers["location"]) == (303, "/"), "the key does not stay in the address"
            assert "HttpOnly" in headers["set-cookie"]
            assert "samesite=strict" in headers["set-cookie"].lower()
            status, text, headers = await ask("/", Cookie=cookie)
            assert status == 200
            assert "left &lt;1&gt;" in text
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "server" not in headers
            for host in ("evil.example", f"evil.example:{web.port}", "127.0.0.1", ""):
                assert (await ask("/", Cookie=cookie, Host=host))[0] in (400, 421), host
            for path in ("/events", "/page.js", "/labels.pdf", "/label/n1.png", "/nothing"):
                assert (await ask(path))[0] == 403, path

            own = f"http://127.0.0.1:{web.port}"
            form = {"Content_Type": "application/x-www-form-urlencoded"}
            for origin in (None, "null", "http://evil.example", f"http://localhost:{web.port}"):
                others = {"Origin": origin} if origin else {}
                assert (await ask("/retry", "POST", "place=x", Cookie=cookie, **others, **form))[0] == 403
            assert (await ask("/retry", "POST", "place=x", Origin=own, **form))[0] == 403
            assert (await ask("/retry", "POST", "place=x", Cookie=cookie, Origin=own, **form))[0] == 303
            assert (await ask("/retry", "POST", "place=y", Cookie=cookie, Origin=own, **form))[0] == 404
            assert (await ask("/retry", "POST", "a" * 5000, Cookie=cookie, Origin=own, **form))[0] == 413
            assert (await ask("/retry", Cookie=cookie))[0] == 405
            assert (await ask("/", "DELETE", Cookie=cookie))[0] == 405
            assert (await ask("/label/..%2fsecrets.png", Cookie=cookie))[0] == 404

    asyncio.run(story())


def test_it_listens_on_this_machine_alone_and_ends_with_the_station(tmp_path):
    async def story():
        async with served(tmp_path) as web:
            assert web._socket.getsockname()[0] == "127.0.0.1"
            port = web.port
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(asked, port, "/")

    asyncio.run(story())


def test_two_stations_on_one_laptop_get_a_port_each(tmp_path):
    async def story():
        async with served(tmp_path) as one, Page(one._station, "Other", tmp_path, port=one.port) as other:
            assert one.port != other.port
            assert one.key != other.key

    asyncio.run(story())


# ---- what is drawn

FAILED = Card(
    "1-1.4",
    "left 1",
    "/dev/ttyACM0",
    Phase.FAIL,
    1,
    Stage.TEST,
    node="oak",
    board="RPI_PICO",
    problem="Self-test: <b>battery</b>: 0.90 V.",
    remedy="Charge it.",
    exit_code=1,
    checks=(Check("battery", Verdict.BAD, "0.90 V", "Charge it."), Check("radio", Verdict.ABSENT, "none")),
    is_plugged=True,
)


def test_a_failed_card_says_what_happened_what_to_do_and_can_be_tried_again():
    html = page.article(3, FAILED)
    assert "&lt;b&gt;battery" in html, "nothing that a board says is taken for HTML"
    for said in ("FAIL", "✘", "What to do: Charge it.", "Try left 1 again", 'action="/retry"', 'value="1-1.4"'):
        assert said in html
    assert "<button" not in page.article(3, replace(FAILED, is_plugged=False))
    assert "<button" not in page.article(3, replace(FAILED, phase=Phase.WORKING))


def test_a_working_card_says_where_it_is_and_how_long():
    html = page.article(1, replace(FAILED, phase=Phase.WORKING, stage=Stage.FLASH, doing="writing", about_s=23))
    assert 'aria-current="step"><span aria-hidden="true">▶</span> flash' in html
    assert "flash, about 23 s: writing" in html
    assert "<progress" in html


# ---- in Chromium


@asynccontextmanager
async def browser_page(address: str, strangers: list[str]):
    """A page in Chromium; `strangers` gets every address that is not the station's."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            shown = await browser.new_page()
            own = address.partition("/?")[0]
            shown.on(
                "request",
                lambda request: None if request.url.startswith((own, "data:")) else strangers.append(request.url),
            )
            shown.on("pageerror", lambda error: strangers.append(str(error)))
            shown.on("console", lambda said: strangers.append(said.text) if said.type == "error" else None)
            await shown.goto(address)
            yield shown
        finally:
            await browser.close()


async def by_keyboard(shown, name: str) -> None:
    """Go to what is called so on a failed card with the tab key, and press Enter."""
    for _ in range(60):
        await shown.keyboard.press("Tab")
        if name in await shown.evaluate(
            "document.activeElement.closest('.fail') ? document.activeElement.textContent : ''"
        ):
            await shown.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard never comes to {name!r}")


@needs_chromium
@pytest.mark.timeout(120)
def test_a_volunteer_watches_a_board_fail_and_tries_it_again_by_keyboard(table):
    async def story():
        async with table(2) as bench:
            good = (bench.fleet.path / "fleet.toml").read_text()
            bench.write_fleet(good + SENSORS)  # of the last node: that address is empty
            strangers: list[str] = []
            station = bench.station([bench.port(1), bench.port(2), str(bench.folder / "later")])
            async with (
                station,
                Page(station, "Station of fleet orchard", bench.labels.folder, port=0) as web,
                browser_page(web.address, strangers) as shown,
            ):
                await until(station, lambda cards: any(card.stage is Stage.INSTALL for card in cards))
                await shown.get_by_text("install, about").first.wait_for()
                await looks_right(shown, "working", SIZES)
                await until(station, lambda cards: at_rest(2)(cards[:2]))
                bad = next(card for card in station.cards if card.phase is Phase.FAIL)
                await shown.get_by_text("What to do: Check the four wires of the lps22hb").wait_for()
                assert "FAIL" in await shown.title()
                assert "1 passed, 1 failed" in await shown.text_content("#tally")
                await by_keyboard(shown, "Self-test")
                await shown.get_by_text("sensor lps22hb: bad").wait_for()
                await looks_right(shown, "failed", SIZES)

                bench.write_fleet(good + SENSORS.replace("0x5c", "0x5d"))
                await by_keyboard(shown, "Try")
                await until(station, lambda cards: at_rest(2)(cards[:2]))
                await shown.get_by_text("2 passed, 0 failed, 0 at work").wait_for()
                assert f"{words.title(bad)}: PASS" in await shown.text_content("#say"), (
                    "somebody who does not look hears it"
                )
                assert await shown.evaluate("document.activeElement !== document.body"), (
                    "the keyboard stays where it was"
                )
                answer = await shown.request.get(web.address.partition("?")[0] + "label/n2.png")
                assert (await answer.body()).startswith(b"\x89PNG")
                await looks_right(shown, "passed", SIZES)
            assert strangers == []

    asyncio.run(story())


@needs_chromium
def test_a_page_whose_station_has_ended_says_that_it_is_old(tmp_path):
    async def story():
        async with served(tmp_path) as web, browser_page(web.address, []) as shown:
            await shown.get_by_text("left <1>").wait_for()
            assert await shown.locator("#gone").is_hidden()
            await web.__aexit__()
            await shown.get_by_text("this page is old").wait_for(timeout=10_000)

    asyncio.run(story())


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_nothing_is_fetched_from_anywhere(name):
    text = (Path(page.__file__).parent / name).read_text(encoding="utf-8")
    assert "http" not in text.replace('"http-equiv', "")
    assert "@import" not in text
    assert "url(" not in text


@needs_chromium
@pytest.mark.long
@pytest.mark.timeout(400)
def test_eight_boards_in_their_boot_loaders_one_of_which_fails_and_is_tried_again(table):
    """The evening of a repair café as a whole: flashed, installed, tested, labelled, recorded, by page and keyboard."""

    async def story():
        async with table(8) as bench:
            good = (bench.fleet.path / "fleet.toml").read_text()
            bench.write_fleet(good + SENSORS)
            places = [bench.new_board(number) for number in range(1, 9)]
            strangers: list[str] = []
            station = bench.station(places)
            async with (
                station,
                Page(station, "Station of fleet orchard", bench.labels.folder, port=0) as web,
                browser_page(web.address, strangers) as shown,
            ):
                await until(station, at_rest(8), 300)
                await shown.get_by_text("7 passed, 1 failed, 0 at work").wait_for()
                (bad,) = [card for card in station.cards if card.phase is Phase.FAIL]
                assert (bad.node, bad.stage) == ("n8", Stage.TEST), bad
                await looks_right(shown, "eight", SIZES)
                bench.write_fleet(good)
                await by_keyboard(shown, "Try")
                await until(station, lambda cards: all(card.phase is Phase.PASS for card in cards), 60)
                await shown.get_by_text("8 passed, 0 failed, 0 at work").wait_for()
                assert sorted(card.run for card in station.cards) == [1] * 7 + [2]
            assert strangers == []
            flashed = [one for one in bench.tools().records.all if one.micropython == "1.22.0"]
            assert len(flashed) == 8
            assert {one.short for one in flashed if one.result == "PASS"} <= set(range(1, 9))
            assert len(list(bench.labels.folder.glob("*.png"))) == 8

    asyncio.run(story())
