"""The page for phones in real Chromium, as a neighbour uses it: phone-sized, without scripts, every language, at 200 %.

The browser is told that names lead to the virtual board, as for a phone whose only network is the node's.
"""

from contextlib import asynccontextmanager

import pytest
from by_phone import opened, public_texts
from in_chromium import CHROMIUM, looks_right, needs_chromium

# At 200 % a phone of 360 by 640 pixels has half as many for the page.
SIZES = {"phone": (360, 640), "phone at 200 %": (180, 320), "tablet": (800, 1100)}
MAX_BYTES = 20_000
TITLES = {
    "de": "Schwarzes Brett bei oak",
    "en": "Notice board at oak",
    "es": "Tablón de anuncios de oak",
    "fr": "Panneau d'affichage de oak",
}

pytestmark = [
    pytest.mark.timeout(120),
    needs_chromium,
]


@asynccontextmanager
async def phone(board, language: str = "en", scripts: bool = False):
    """A page in a phone's browser; `strangers` of it gets whatever it asked of others, and what went wrong."""
    from playwright.async_api import async_playwright

    port = board.nearby.web_port
    everything = f"--host-resolver-rules=MAP 127.0.0.1 127.0.0.1:{port},MAP *.example 127.0.0.1:{port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", everything])
        try:
            context = await browser.new_context(
                viewport={"width": 360, "height": 640},
                locale=language,
                java_script_enabled=scripts,
                bypass_csp=scripts,  # axe-core is a script; else scripts are off and the page's own policy counts
                is_mobile=True,
                has_touch=True,
            )
            shown = await context.new_page()
            shown.set_default_timeout(15_000)
            yield shown
        finally:
            await browser.close()


def test_a_neighbour_reads_and_leaves_a_message_without_scripts(nodes):
    async def story():
        board = await opened(nodes)
        await nodes.ask(board, "post", {"to": 0xFFFF, "text": "Market on Sunday <b>at ten</b>"})
        async with phone(board, "de-DE") as shown:
            await shown.goto("http://connectivitycheck.example/generate_204")
            assert shown.url == "http://127.0.0.1/", "whatever a phone asks for leads to the page"
            assert await shown.title() == TITLES["de"]
            await shown.get_by_text("Market on Sunday <b>at ten</b>").wait_for()
            await shown.get_by_role("link", name="Nachricht hinterlassen").tap()
            await shown.get_by_label("Deine Nachricht an alle").fill("Die Leiter ist zurück!\n& der Eimer auch")
            await shown.get_by_role("button", name="Hier lassen").tap()
            await shown.get_by_role("status").get_by_text("liegt sicher auf diesem Knoten").wait_for()
            await shown.get_by_text("Die Leiter ist zurück!").wait_for()
            await shown.get_by_role("link", name="Français").tap()
            await shown.get_by_role("heading", name=TITLES["fr"]).wait_for()
            assert await shown.get_by_text("Die Leiter ist zurück!").count() == 1
        assert sorted(await public_texts(nodes, board)) == [
            "Die Leiter ist zurück!\n& der Eimer auch",
            "Market on Sunday <b>at ten</b>",
        ]

    nodes.run(story(), within_s=90)


def test_another_page_cannot_make_a_phone_post(nodes):
    async def story():
        board = await opened(nodes)
        trap = (
            '<form method="post" action="http://127.0.0.1/"><input name="t" value="bought"><input name="k" value="x">'
            "<button>Win</button></form>"
        )
        async with phone(board) as shown:
            await shown.route("http://evil.example/*", lambda route: route.fulfill(body=trap, content_type="text/html"))
            await shown.goto("http://evil.example/page")
            await shown.get_by_role("button", name="Win").tap()
            await shown.get_by_role("alert").get_by_text("came from another web page").wait_for()
        assert await public_texts(nodes, board) == []

    nodes.run(story(), within_s=90)


def test_it_looks_right_in_every_language_and_asks_nobody_else(nodes):
    async def story():
        board = await opened(nodes, world=lambda: {"battery_mv": 3860})
        texts = (
            "Who has a long ladder? It is for the cherry tree.",
            "Long" + "er" * 90,
            "Saft pressen: Samstag um 10\nTore offen",
        )
        for text in texts:
            await nodes.ask(board, "post", {"to": 0xFFFF, "text": text})
        strangers: list[str] = []
        async with phone(board, scripts=True) as shown:
            shown.on(
                "request",
                lambda asked: (
                    None if asked.url.startswith(("http://127.0.0.1/", "data:")) else strangers.append(asked.url)
                ),
            )
            shown.on("pageerror", lambda error: strangers.append(str(error)))
            for tag, title in TITLES.items():
                answer = await shown.goto(f"http://127.0.0.1/?l={tag}")
                assert len(await answer.body()) <= MAX_BYTES
                assert await shown.title() == title
                await looks_right(shown, f"board {tag}", SIZES)
            await shown.goto("http://127.0.0.1/?l=en&done")
            await looks_right(shown, "posted", SIZES)
            await shown.locator("textarea").evaluate("area => area.removeAttribute('maxlength')")
            await shown.locator("textarea").fill("ä" * 601)
            await shown.get_by_role("button", name="Leave it here").tap()
            await shown.get_by_role("alert").get_by_text("That is too long").wait_for()
            assert await shown.locator("textarea").input_value() == "ä" * 601, "nothing that was written is lost"
            await looks_right(shown, "refused", SIZES)
        assert strangers == []

    nodes.run(story(), within_s=110)
