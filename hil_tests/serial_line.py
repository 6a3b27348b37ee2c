"""Knows a port as a terminal and a program see it at once: bytes out, text and frames in. Knows no node.

The session of the project hides what these tests are about: what is on the cable between and inside the frames.
"""

import time
from types import TracebackType
from typing import Self

import serial

from hedgewire import admin, frame


class SerialLine:
    """An open port. `patience` stretches every wait for boards that are slower than they say."""

    def __init__(self, port: str, patience: float) -> None:
        self._serial = serial.Serial(port, timeout=0.02, write_timeout=5, exclusive=True)
        self._patience = patience
        self._decoder = frame.Decoder(4096)
        self.text = b""
        self.answers: list[admin.Answer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._serial.close()

    def write(self, data: bytes) -> None:
        self._serial.write(data)

    def listen(self, seconds: float) -> None:
        """Collect what comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._take()

    def hear_answer(self, seq: int, seconds: float = 3.0) -> "admin.Answer | None":
        """The answer to that request, or None when it does not come in time."""
        end = time.monotonic() + seconds * self._patience
        while time.monotonic() < end:
            self._take()
            for answer in self.answers:
                if answer.seq == seq:
                    return answer
        return None

    def hear_text(self, wanted: bytes, seconds: float = 5.0) -> bool:
        """Whether the text comes in time."""
        end = time.monotonic() + seconds * self._patience
        while wanted not in self.text:
            if time.monotonic() > end:
                return False
            self._take()
        return True

    def _take(self) -> None:
        data = self._serial.read(4096)
        found = self._decoder.feed(data) if data else self._decoder.idle()
        for kind, payload in found:
            if kind == frame.TEXT:
                self.text += payload
            elif kind == frame.ANSWER:
                answer = admin.parse_answer(payload)
                assert not isinstance(answer, admin.Damage)
                self.answers.append(answer)


def request(seq: int, method: str, params: dict | None = None) -> bytes:
    """A request as it goes over the cable."""
    return frame.encode(frame.REQUEST, admin.request(seq, method, params or {}))
