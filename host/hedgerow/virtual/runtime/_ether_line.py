"""Knows how this board reaches the ether: two connections, one that sends and asks, one that only receives.

With two, the receiving one is readable exactly when a frame has come, so that `select` and asyncio can wait on
it. The messages are those of `hedgerow.virtual.ether_messages`. Without an ether nobody is in reach.
"""

import select
import socket

import _facts

HELLO, TUNE, TRANSMIT, TOOK, BUFFER = 1, 2, 3, 4, 5
FRAME, RESULT = 16, 17
_ROLE_TALK, _ROLE_LISTEN = 0, 1
_RESULT_WITHIN_MS = 3000


class EtherLine:
    def __init__(self, mac):
        self._mac = mac
        self._talk = self._connect(_ROLE_TALK)
        self._listen = self._connect(_ROLE_LISTEN)
        self._poller = select.poll()
        if self._listen:
            self._poller.register(self._listen, select.POLLIN)

    def _connect(self, role):
        address = _facts.facts["ether"]
        if not address:
            return None
        line = socket.socket()
        try:
            line.connect(socket.getaddrinfo(address[0], address[1])[0][-1])
            line.write(_message(HELLO, bytes([role]) + self._mac))
        except OSError:
            return None
        return line

    def close(self):
        for line in (self._talk, self._listen):
            if line:
                line.close()
        self._talk = self._listen = None

    def fileno(self):
        """What to wait on for a frame; -1 without an ether."""
        return self._listen.fileno() if self._listen else -1

    def readable(self):
        """Whether a frame has come."""
        return bool(self._listen and self._poller.poll(0))

    def tell(self, kind, body):
        if self._talk:
            try:
                self._talk.write(_message(kind, body))
            except OSError:
                self._talk = None

    def transmit(self, destination, data, wait):
        """Send a frame; with `wait` returns whether the other side acknowledged it."""
        self.tell(TRANSMIT, bytes([1 if wait else 0]) + destination + data)
        if not wait:
            return True
        answer = self._read(self._talk, _RESULT_WITHIN_MS) if self._talk else None
        return bool(answer and answer[0] == RESULT and answer[1])

    def receive(self, timeout_ms):
        """(source, destination, rssi_dbm, data) of the next frame, or None. A negative timeout waits for ever."""
        message = self._read(self._listen, timeout_ms) if self._listen else None
        if message is None or message[0] != FRAME:
            return None
        self.tell(TOOK, (len(message) - 14).to_bytes(2, "big"))
        rssi = message[13] - 256 if message[13] > 127 else message[13]
        return message[1:7], message[7:13], rssi, message[14:]

    def _read(self, line, timeout_ms):
        poller = select.poll()
        poller.register(line, select.POLLIN)
        if not poller.poll(timeout_ms):
            return None
        head = line.read(2)
        if not head or len(head) < 2:
            if line is self._listen:
                self._listen = None
            return None
        return line.read(head[0] << 8 | head[1])


def _message(kind, body):
    return (len(body) + 1).to_bytes(2, "big") + bytes([kind]) + body
