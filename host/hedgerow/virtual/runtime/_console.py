"""Knows how a terminal on this side becomes a board's console: who gets a Ctrl-C, and which line ends go out.

On a board Ctrl-C interrupts while `micropython.kbd_intr` says so, and is a byte like any other at the prompt.
Here the terminal's ISIG flag does that. `print` sends CR LF and `sys.stdout.buffer` sends bytes as they are:
OPOST does that.
"""

import io
import select
import sys
import termios

import _facts
import _interrupt

_ISIG = 1
_OPOST = 1
_ONLCR = 4
_VINTR = 0
_POLL, _GET_FILENO = 3, 10
_POLLIN, _POLLOUT = 1, 4

_in = sys.stdin.buffer
_out = sys.stdout
_poller = None
_patience_ms = -1
_attributes = None


def open_terminal():
    """Take the terminal as the controlling one and set it to what the prompt needs. Called once."""
    global _attributes, _poller
    # Opening it is what makes it the controlling terminal of this (new) session; the descriptor itself is not kept.
    open(_facts.facts["terminal"], "rb").close()
    _attributes = termios.tcgetattr(0)
    _attributes[1] = _OPOST | _ONLCR
    _interrupt_by(-1)
    _poller = select.poll()
    _poller.register(_in, select.POLLIN)


def _interrupt_by(character):
    if character < 0:
        _attributes[3] &= ~_ISIG
    else:
        _attributes[3] |= _ISIG
        _attributes[6][_VINTR] = bytes([character])
    termios.tcsetattr(0, termios.TCSANOW, _attributes)


def kbd_intr(character, stream=None):
    """micropython.kbd_intr: the character that interrupts, or -1 for none."""
    _interrupt_by(character)


def settle():
    """No interrupt is under way when this returns, and none starts until a program runs again."""
    while True:
        try:
            _interrupt_by(-1)
            _interrupt.renew()
            for _ in range(3):  # a backward jump is where MicroPython raises what is pending
                pass
            return
        except KeyboardInterrupt:
            pass


def expect_callbacks():
    """From now on waiting at the prompt pauses now and then, for only between two steps a timer's callback runs."""
    global _patience_ms
    _patience_ms = 100


def read():
    """One byte from the cable."""
    while True:
        try:
            if not _poller.poll(_patience_ms):
                continue
            byte = _in.read(1)
        except KeyboardInterrupt:
            continue
        if byte:
            return byte
        sys.exit(70)  # the cable is gone for good: so is the host


def write(data):
    """Bytes or text to the cable as they are."""
    _attributes[1] = 0
    termios.tcsetattr(0, termios.TCSANOW, _attributes)
    try:
        return _out.write(data) if isinstance(data, str) else _out.buffer.write(data)
    finally:
        _attributes[1] = _OPOST | _ONLCR
        termios.tcsetattr(0, termios.TCSANOW, _attributes)


class BytesOut(io.IOBase):
    """sys.stdout.buffer: bytes leave unchanged."""

    def write(self, data):
        return write(data)

    def flush(self):
        pass

    def ioctl(self, request, argument):
        if request == _GET_FILENO:
            return 1
        return argument & _POLLOUT if request == _POLL else 0


class TextOut(io.IOBase):
    """sys.stdout: text leaves with CR LF at line ends, as print sends it."""

    def __init__(self):
        self.buffer = BytesOut()

    def write(self, data):
        return _out.write(data)

    def flush(self):
        pass

    def ioctl(self, request, argument):
        return self.buffer.ioctl(request, argument)
