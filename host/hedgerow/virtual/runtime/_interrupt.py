"""Knows how a Ctrl-C reaches a running program the way it does on a board; knows nothing of the cable.

On a board the interrupt only leaves a note, a pending exception, and MicroPython raises it between two steps of
the program. On a computer MicroPython raises it at once from the signal handler, in the middle of whatever C code
runs: of the garbage collector, or of LittleFS. So this module puts a handler of its own in place, which leaves
the same note. It finds the place for the note beside the names of the running module (`mp_state_thread_t` in
py/mpstate.h: locals, globals, two nlr words, pending exception) and tries it before it trusts it.
"""

import ffi
import uctypes

_SIGINT = 2
_WORD = 8
_SEARCH_BYTES = 4096
_ADDRESS = {"value": 0 | uctypes.UINT64}

_note = None
_exception = None
_exception_at = 0
_names = globals()


def renew():
    """The next interrupt raises an exception of its own, with a traceback of its own."""
    global _exception, _exception_at
    _exception = KeyboardInterrupt()
    _exception_at = id(_exception)


def _handle(signal):
    # In the middle of anything: no branch, no allocation.
    _note.value = _exception_at


def _find(start):
    """The address of the pending exception of the main thread; runs while locals and globals are `_names`."""
    names_at = id(_names)
    for address in range(start & ~(_WORD - 1), start - _SEARCH_BYTES, -_WORD):
        word = uctypes.struct(address, _ADDRESS)
        if word.value == names_at and uctypes.struct(address - _WORD, _ADDRESS).value == names_at:
            note = uctypes.struct(address + 3 * _WORD, _ADDRESS)
            if note.value == 0:
                return note
    raise RuntimeError("this MicroPython keeps its state differently")


renew()
_libc = ffi.open("libc.so.6")
_raise_signal = _libc.func("i", "raise", "i")
try:
    # The one exception object that MicroPython's own handler raises lies in the same structure as the note.
    _raise_signal(_SIGINT)
    for _ in range(1000):
        pass
    raise RuntimeError("no interrupt came")
except KeyboardInterrupt as caught:
    _built_in_at = id(caught)
_note = _find(_built_in_at)
_callback = ffi.callback("v", _handle, "i", lock=True)
_libc.func("p", "signal", "iC")(_SIGINT, _callback)
_libc.func("i", "siginterrupt", "ii")(_SIGINT, 1)  # a call that waits must end, not begin again
try:
    _raise_signal(_SIGINT)
    for _ in range(1000):
        pass
    raise RuntimeError("this MicroPython does not see the note")
except KeyboardInterrupt:
    renew()
