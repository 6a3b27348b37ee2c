"""The console cable: single bytes in without blocking, whole writes out. Knows nothing of frames."""

import select
import sys
import time

import micropython

DEAF_MS = 5000  # so long nothing more is written to a cable that took nothing, unless somebody is heard on it


class Console:
    """While it is open, 0x03 is a byte like any other; closed, it interrupts again as MicroPython means it."""

    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)
        self._deaf_since = None  # ticks of the write that nobody took

    def open(self):
        micropython.kbd_intr(-1)

    def close(self):
        micropython.kbd_intr(3)

    def byte(self) -> "int | None":
        """The next byte, or None when none has come. Reads one at a time: a read of more would block, and what
        follows a Ctrl-C belongs to the prompt."""
        for _ in self._poll.ipoll(0):  # allocates nothing, unlike poll()
            if self._in.readinto(self._byte):
                self._deaf_since = None
                return self._byte[0]
        return None

    def write(self, data):
        """Write all of it, or lose it: an answer that nobody took is asked for again.

        A USB host that has the port open and does not read costs half a second a try (the port's timeout), in which
        the whole node stands still. So after one such try there is none for a while.
        """
        if self._deaf_since is not None and time.ticks_diff(time.ticks_ms(), self._deaf_since) < DEAF_MS:
            return
        self._deaf_since = None
        view = memoryview(data)
        while view:
            written = self._out.write(view)
            if not written or written < len(view):
                self._deaf_since = time.ticks_ms()
                return
            view = view[written:]
