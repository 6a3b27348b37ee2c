"""The console cable: single bytes in without blocking, whole writes out. Knows nothing of frames."""

import select
import sys

import micropython


class Console:
    """While it is open, 0x03 is a byte like any other; closed, it interrupts again as MicroPython means it."""

    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)

    def open(self):
        micropython.kbd_intr(-1)

    def close(self):
        micropython.kbd_intr(3)

    def byte(self):
        """The next byte as an int, or None when none has come. Reads one at a time: a read of more would block, and
        what follows a Ctrl-C belongs to the prompt."""
        if not self._poll.poll(0):
            return None
        if not self._in.readinto(self._byte):
            return None
        return self._byte[0]

    def write(self, data):
        view = memoryview(data)
        while view:
            n = self._out.write(view)
            if not n:
                return  # nobody reads: a lost answer is asked for again
            view = view[n:]
