"""A node that is an ordinary object: it implements the Transport seam and speaks the administration protocol."""

import asyncio
from collections.abc import Callable
from typing import Any

from hedgewire import admin, frame

PARTS = 2  # rows in one PART answer
FLEET = bytes.fromhex("f1ee7f1ee7f1ee70")


class FakeNode:
    """`methods` maps a name to a function (params) -> result; a list is sent in parts. `asked` is what came in."""

    def __init__(self, short: int = 7, name: str = "beech") -> None:
        self.name = f"fake:{name}"
        self.short = short
        self.node_name = name
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.posted: dict[bytes, bytes] = {}  # nonce -> id
        self.lose_answers = 0  # how many whole answers get lost from now on
        self.lose_part: int | None = None  # number of the answer frame, from now on, that vanishes
        self.damage_answer: int | None = None  # number of the answer frame, from now on, that gets damaged
        self.says: bytes = b""  # text on the console, before each answer
        self.runs = True  # False: nothing reads the cable
        self.closed = False
        self.restarts: list[str] = []
        self.log = [[n, 1_700_000_000 + n, "info", f"line {n}"] for n in range(1, 6)]
        self.samples = [[n, 1_700_000_000 + 60 * n, 60_000 * n, 1, {"battery_mv": 3900 + n}] for n in range(1, 6)]
        self.messages: list[list[Any]] = []
        self.methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "hello": self._hello,
            "status": lambda params: {"battery_mv": 3912, "samples": len(self.samples)},
            "samples": self._samples,
            "log": lambda params: [line for line in self.log if line[0] > params.get("after", 0)],
            "inbox": lambda params: [row for row in self.messages if row[0] > params.get("after", 0)],
            "post": self._post,
            "follow": self._follow,
            "dev": lambda params: self.restarts.append("dev") or {},
            "restart": lambda params: self.restarts.append("restart") or {},
        }
        self._decoder = frame.Decoder()
        self._out: asyncio.Queue[bytes] = asyncio.Queue()

    # the seam

    async def send(self, data: bytes) -> None:
        if not self.runs:
            return
        for kind, payload in self._decoder.feed(data):
            if kind == frame.REQUEST:
                self._answer(payload)
            elif kind == frame.TEXT:
                self._on_text(payload)

    async def receive(self) -> bytes:
        data = await self._out.get()
        if isinstance(data, Exception):
            raise data
        return data

    async def close(self) -> None:
        self.closed = True

    # what a test does to it

    def say(self, text: bytes) -> None:
        self._out.put_nowait(text)

    def tell(self, topic: str, fields: Any) -> None:
        """An event, now."""
        self._out.put_nowait(frame.encode(frame.EVENT, admin.event(topic, fields)))

    def pull(self, error: Exception) -> None:
        """The cable is pulled: whoever receives gets `error`."""
        self._out.put_nowait(error)

    # the protocol

    def _answer(self, payload: bytes) -> None:
        request = admin.parse_request(payload)
        assert not isinstance(request, admin.Damage), "the host sent nonsense"
        self.asked.append((request.method, request.params))
        method = self.methods.get(request.method)
        if method is None:
            self._send(request.seq, admin.UNKNOWN_METHOD, f"this node does not know the method {request.method}")
            return
        result = method(request.params)
        if isinstance(result, Refusal):
            self._send(request.seq, result.code, result.sentence)
        elif isinstance(result, list):
            for at in range(0, len(result), PARTS):
                self._send(request.seq, admin.PART, result[at : at + PARTS])
            self._send(request.seq, admin.DONE, len(result) or [])
        else:
            self._send(request.seq, admin.DONE, result)

    def _send(self, seq: int, code: int, result: Any) -> None:
        if self.lose_answers:
            self.lose_answers -= code != admin.PART
            return
        if self.lose_part is not None:
            self.lose_part -= 1
            if self.lose_part < 0:
                self.lose_part = None
                return
        data = frame.encode(frame.ANSWER, admin.answer(seq, code, result))
        if self.damage_answer is not None:
            if self.damage_answer == 0:
                data = data[:3] + bytes([data[3] ^ 0xFF or 1]) + data[4:]
                self.damage_answer = None
            else:
                self.damage_answer -= 1
        self._out.put_nowait(self.says + data)

    def _on_text(self, text: bytes) -> None:
        if b"\r" in text:
            self.say(b"Hedgerow node %s is running.\r\n" % self.node_name.encode())

    def _hello(self, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": bytes([self.short]) * 8,
            "short": self.short,
            "name": self.node_name,
            "fleet": FLEET,
            "charter": 1,
            "board": "RPI_PICO",
            "app": "0.1.0",
            "mp": "1.25.0",
            "mpy": 6,
            "uptime_ms": 5000,
            "boots": 3,
            "versions": [1],
        }

    def _samples(self, params: dict[str, Any]) -> list[Any]:
        found = [row for row in self.samples if row[0] > params.get("after", 0)]
        return found[: params.get("limit", 1000)]

    def _post(self, params: dict[str, Any]) -> Any:
        if len(params["text"]) > 200:
            return Refusal(admin.REFUSED, "the message has 300 bytes, 200 are allowed")
        return {"id": self.posted.setdefault(params["nonce"], bytes([len(self.posted) + 1]) * 8)}

    def _follow(self, params: dict[str, Any]) -> dict[str, Any]:
        self.tell("log", [6, 1_700_000_006, "warning", "battery low"])
        return {}


class Refusal:
    """A method's way to say no."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
