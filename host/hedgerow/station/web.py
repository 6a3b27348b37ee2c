"""The station's face in a browser: serves page.py, on this machine alone. Knows no board.

Other pages in the same browser must not reach it: the Host header has to name this machine (no DNS rebinding), a key
that the terminal shows becomes a cookie that no other site sends along, and a wish has to come from this very page.
Nothing is fetched from anywhere; the Content-Security-Policy says so to the browser, too.
"""

import asyncio
import contextlib
import hmac
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hedgerow.errors import EnvironmentProblem
from hedgerow.station import page
from hedgerow.station.bench import Station
from hedgerow.station.card import Card, Phase

PORT = 8740  # where it is free; else any
KEEP_ALIVE_S = 15.0
PACE_S = 0.2  # a browser gets what changed at most so often
READY_WITHIN_S = 10.0
LONGEST_WISH_BYTES = 2000
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STRANGER = "This page belongs to a station that runs on this computer. Open the address that its terminal shows."


class Page:
    """`async with` it: the page is there, at `address`, while it is entered."""

    def __init__(self, station: Station, heading: str, labels: Path, *, port: int = PORT) -> None:
        self._station, self._heading, self._labels = station, heading, labels
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.key = secrets.token_urlsafe(16)
        app = Starlette(
            routes=[
                Route("/", self._whole),
                Route("/events", self._events),
                Route("/retry", self._retry, methods=["POST"]),
                Route("/label/{name}.png", self._label),
                Route("/labels.pdf", self._sheet),
                Route("/page.css", lambda _: _resource("page.css", "text/css")),
                Route("/page.js", lambda _: _resource("page.js", "text/javascript")),
            ]
        )
        config = uvicorn.Config(
            _Guarded(app, self.port, self.key),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """What a person opens. It holds the key."""
        return f"http://127.0.0.1:{self.port}/?key={self.key}"

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        async with asyncio.timeout(READY_WITHIN_S):
            while not self._server.started:
                if self._serving.done():
                    self._serving.result()
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        self._socket.close()

    # ---- what it answers

    async def _whole(self, _: Request) -> Response:
        return HTMLResponse(page.whole(self._heading, self._station.cards))

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[str]:
        """Every card at first, then each that is other than it was when this browser last heard of it."""
        told: dict[str, Card] = {}
        version = -1
        while not self._server.should_exit:
            cards = self._station.cards
            for number, card in enumerate(cards, 1):
                before = told.get(card.place)
                if card != before:
                    told[card.place] = card
                    ended = before is not None and before.phase is Phase.WORKING and card.phase is not Phase.WORKING
                    yield f"event: card\ndata: {page.change(number, card, cards, is_told=ended)}\n\n"
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    version = await self._station.changed(version)
            except TimeoutError:
                yield ": still here\n\n"
            await asyncio.sleep(PACE_S)

    async def _retry(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_WISH_BYTES:
                return PlainTextResponse("That is too long.", 413)
        places = parse_qs(body.decode(errors="replace")).get("place", [])
        if len(places) != 1 or self._station.card(places[0]) is None:
            return PlainTextResponse("There is no such place.", 404)
        self._station.retry(places[0])
        return RedirectResponse("/", 303)

    async def _label(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not any(card.node == name for card in self._station.cards):
            return PlainTextResponse("There is no such node.", 404)
        return _file(self._labels / f"{name}.png")

    async def _sheet(self, _: Request) -> Response:
        return _file(self._labels / "labels.pdf")


class _Guarded:
    """Lets through whoever shows the key and names this machine; puts the headers on every answer."""

    def __init__(self, app: ASGIApp, port: int, key: str) -> None:
        self._app, self._key = app, key
        self._cookie = f"hedgerow_station_{port}"  # browsers do not part cookies by port
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((k.lower().encode(), v.encode()) for k, v in _HEADERS.items()),
                ]
            await send(message)

        if scope["type"] == "http":
            answer = self._refusal(Request(scope))
            await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """None lets it through."""
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse(_STRANGER, 421)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("That is not done here.", 405)
        if self._is(request.query_params.get("key")) and request.method == "GET":
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="strict", path="/")
            return answer
        if not self._is(request.cookies.get(self._cookie)):
            return PlainTextResponse(_STRANGER, 403)
        if request.method == "POST" and request.headers.get("origin") != f"http://{host}":
            return PlainTextResponse(_STRANGER, 403)
        return None

    def _is(self, said: str | None) -> bool:
        return said is not None and hmac.compare_digest(said.encode(), self._key.encode())


class _Server(uvicorn.Server):
    """Leaves Ctrl-C to whoever runs the station."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(port: int) -> socket.socket:
    """A socket of this machine alone: at that port, or at any where it is taken."""
    for wanted in (port, 0):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            made.bind(("127.0.0.1", wanted))
            made.setblocking(False)
        except OSError:
            made.close()
            continue
        return made
    raise EnvironmentProblem(
        "no port of this computer is free for the page", next_step="Use the station without it: --no-page"
    )


def _resource(name: str, media_type: str) -> Response:
    return Response(files("hedgerow.station").joinpath(name).read_bytes(), media_type=media_type)


def _file(path: Path) -> Response:
    if not path.is_file():
        return PlainTextResponse("It is not there yet: labels are written when a board has passed.", 404)
    return FileResponse(path)
