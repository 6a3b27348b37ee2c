"""Knows how to hear esptool's progress per thread; its logger is one for the whole process. Prints nothing.

Installed once, it hands what a thread's esptool says to that thread's `Ear`. Threads without one speak as before.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from esp_pylib.logger import EspLog, EspLogBase
from esptool.logger import log
from esptool.reset import ResetStrategy
from esptool.util import PrintOnce

_LINES_KEPT = 40


class Ear:
    """What one thread's esptool said, and where its progress goes: `moved(done, total)` of the piece at hand."""

    def __init__(self, moved: Callable[[int, int], None]) -> None:
        self.moved = moved
        self.lines: list[str] = []

    def said(self, text: str) -> None:
        self.lines = [*self.lines, text.strip()][-_LINES_KEPT:]


class _ByThread(EspLogBase):
    """The one logger of the process."""

    def __init__(self, others: EspLogBase) -> None:
        self._others = others
        self.ears: dict[int, Ear] = {}

    def _ear(self) -> Ear | None:
        return self.ears.get(threading.get_ident())

    def _say(self, method: str, *args: Any, **kwargs: Any) -> None:
        if (ear := self._ear()) is not None:
            ear.said(" ".join(str(one) for one in args))
        else:
            getattr(self._others, method)(*args, **kwargs)

    def print(self, *args: Any, **kwargs: Any) -> None:
        self._say("print", *args, **kwargs)

    def err(self, *args: Any, suggestion: str | None = None) -> None:
        self._say("err", *args, suggestion=suggestion)

    def warn(self, *args: Any, suggestion: str | None = None) -> None:
        self._say("warn", *args, suggestion=suggestion)

    def warning(self, *args: Any, suggestion: str | None = None) -> None:
        self.warn(*args, suggestion=suggestion)

    def error(self, *args: Any, suggestion: str | None = None) -> None:
        self.err(*args, suggestion=suggestion)

    def note(self, *args: Any) -> None:
        self._say("note", *args)

    def hint(self, *args: Any) -> None:
        self._say("hint", *args)

    def debug(self, *args: Any) -> None:
        self._say("debug", *args)

    def stage(self, finish: bool = False) -> None:
        if self._ear() is None:
            self._others.stage(finish)

    def set_verbosity(self, mode: int | str) -> None:
        self._others.set_verbosity(mode)

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        if (ear := self._ear()) is not None:
            ear.moved(cur_iter, total_iters)
        else:
            self._others.progress_bar(cur_iter, total_iters, prefix, suffix, bar_length)


_install = threading.Lock()


@contextmanager
def listening(ear: Ear) -> Iterator[None]:
    """In this thread, until the end, esptool speaks to `ear`."""
    me = threading.get_ident()
    ears = _installed().ears
    ears[me] = ear
    try:
        yield
    finally:
        ears.pop(me, None)


def _installed() -> _ByThread:
    with _install:
        before = EspLog.instance
        if isinstance(before, _ByThread):
            return before
        here = _ByThread(before or cast(EspLogBase, EspLog()))
        log.set_logger(here)  # pyright: ignore[reportAttributeAccessIssue] - a proxy for the logger in use
        ResetStrategy.print_once = PrintOnce(here.warn)  # it kept hold of the logger before
        return here
