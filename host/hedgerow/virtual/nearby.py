"""What a person beside a virtual board can do: hold its button down, and reach its Wi-Fi with a phone.

The Wi-Fi is the computer's loopback: for each port that a board may listen on, one is kept here that nobody else gets.
"""

import socket
from collections.abc import Callable, Mapping

from hedgerow.errors import LocalError

_HTTP = 80


class Nearby:
    """`pins` are the constants of board.py; `say` tells the board's process what happens to a pin."""

    def __init__(self, name: str, pins: Mapping[str, object], has_wifi: bool, say: Callable[..., None]) -> None:
        self.access_point: str | None = None
        """The name of the Wi-Fi that the board opens, None while it opens none."""
        self._name = name
        self._button = pins.get("BUTTON_PIN")
        self._has_wifi = has_wifi
        self._say = say
        self._levels: dict[str, int] = {}
        self._kept: dict[int, socket.socket] = {}

    def press(self, is_down: bool) -> None:
        """Hold the button down, or let go of it. Raises LocalError for a board without one."""
        if self._button is None:
            raise LocalError(f"{self._name} has no button")
        level = self._levels[str(self._button)] = 0 if is_down else 1
        self._say("level", str(self._button), level)

    @property
    def web_port(self) -> int | None:
        """Where on 127.0.0.1 the board's port 80 is, while something listens there; None without Wi-Fi."""
        kept = self._kept.get(_HTTP)
        return kept.getsockname()[1] if kept else None

    def facts(self) -> dict[str, object]:
        """What the board's process has to know of it."""
        ports = {str(number): kept.getsockname()[1] for number, kept in self._kept.items()}
        return {"levels": self._levels, "ports": ports}

    def open(self) -> None:
        """Keep the ports: bound and never listened on, so that nobody else gets them and the board does."""
        if self._has_wifi and not self._kept:
            kept = self._kept[_HTTP] = socket.socket()
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(("127.0.0.1", 0))

    def close(self) -> None:
        for kept in self._kept.values():
            kept.close()
        self._kept.clear()
