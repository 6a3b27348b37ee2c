"""socket as the computer has it, but for where a board listens: on a port of the loopback that the host has kept.

A board listens on all its interfaces, on port 80; a process of an ordinary person may not, and many boards share one
computer.
"""

from socket import *  # noqa: F403
from socket import getaddrinfo as _getaddrinfo

import _facts

_EVERYWHERE = "0.0.0.0"


def getaddrinfo(host, port, *others):
    kept = _facts.facts["ports"].get(str(port))
    if host == _EVERYWHERE and kept is not None:
        host, port = "127.0.0.1", kept
    return _getaddrinfo(host, port, *others)
