"""The demo's neighbour with a phone: presses a button, reads the page, leaves a message, as a browser would. Knows no
node but the one whose board it is told.

Everything is done by what a browser does: what stands in the form goes back, and what the page then shows counts.
"""

import html
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

MOST_BYTES = 20_000
OPEN_WITHIN_S = 20.0
TEXT = "Juice pressing on Saturday, bring your own bottles & a friend."
_PRESS_S = 0.6
_READ_WITHIN_S = 10.0
_HIDDEN = re.compile(r'name="([kn])" value="([0-9a-f]+)"')

Ask = Callable[..., Any]


def open_page(ask: Ask, board: str) -> tuple[str, str]:
    """(name of the Wi-Fi, address of the page) once it answers; press again while nothing happens, as people do.

    TimeoutError when the node stays shut.
    """
    deadline = time.monotonic() + OPEN_WITHIN_S
    while time.monotonic() < deadline:
        for down in (True, False):
            ask("press", board=board, down=down)
            time.sleep(_PRESS_S if down else 0.2)
        facts = next(fact for fact in ask("list") if fact["name"] == board)
        if facts["wifi"] is not None:
            address = f"http://127.0.0.1:{facts['web_port']}/"
            try:
                read(address)
            except (urllib.error.URLError, ConnectionError):
                continue
            return facts["wifi"], address
    raise TimeoutError(f"{board} opens nothing within {OPEN_WITHIN_S:.0f} s")


def read(address: str, form: dict[str, str] | None = None) -> str:
    """The page there, or what is shown after that form was sent."""
    data = urllib.parse.urlencode(form).encode() if form else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, data, timeout=_READ_WITHIN_S) as answer:
        return answer.read().decode()


def leave(address: str) -> str:
    """The page after a message was left on it."""
    return read(address, {**dict(_HIDDEN.findall(read(address))), "t": TEXT, "l": "en"})


def shows(page: str) -> bool:
    """Whether the message stands there, and that it is safe."""
    return f">{html.escape(TEXT)}<" in page and "is safe on this node" in page
