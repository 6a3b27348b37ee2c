"""Knows which modules this kind of board has, and puts them in place of the computer's.

Modules are files of this folder; `sys.modules` is where MicroPython looks first. What a board of this kind lacks
stays away, so that `import espnow` fails there as it does on the board. Out of reach of this trick: sockets,
`select` and `_thread` stay the computer's own.
"""

import sys

import _facts

_EVERYWHERE = ("time", "os", "machine", "micropython", "vfs", "sys")
_HIDDEN = ("ffi", "termios", "jni")


def _put(name, file):
    sys.modules.pop(name, None)
    module = __import__(file)
    sys.modules.pop(file, None)
    sys.modules[name] = module


def install():
    platform = _facts.facts["platform"]
    radios = _facts.facts["radios"]
    names = list(_EVERYWHERE)
    if "wifi" in radios or "espnow" in radios:
        names += ["network", "socket"]
    if "espnow" in radios:
        names += ["espnow", "aioespnow"]
    if "ble" in radios and _facts.facts["bluetooth"]:  # it takes memory of which a board without the air has better use
        names.append("bluetooth")
    names += ["esp32"] if platform == "esp32" else ["rp2", "uctypes"]
    modules = sys.modules
    for name in names:
        _put(name, "board_" + name)
    nothing = __import__("board_nothing")
    for name in _HIDDEN:
        modules[name] = nothing
    for name in [name for name in modules if name.startswith("board_")]:
        modules.pop(name)
