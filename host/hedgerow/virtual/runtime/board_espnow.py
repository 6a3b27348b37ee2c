"""espnow as on an ESP32, over the ether: peers, sends with acknowledgement, a receive buffer that can overflow.

`irecv` may be waited for with select or asyncio on the object itself, as on the board.
"""

import io

import _ether_line
import _facts
import network

MAX_DATA_LEN = 250
KEY_LEN = 16
ADDR_LEN = 6
MAX_TOTAL_PEER_NUM = 20
MAX_ENCRYPT_PEER_NUM = 6

_BROADCAST = b"\xff" * 6
_DEFAULT_BUFFER_BYTES = 526
_DEFAULT_TIMEOUT_MS = 300000
_POLL, _GET_FILENO = 3, 10
_POLLOUT = 4
_NOT_INIT = (-12389, "ESP_ERR_ESPNOW_NOT_INIT")
_ARG = (-12390, "ESP_ERR_ESPNOW_ARG")
_FULL = (-12392, "ESP_ERR_ESPNOW_FULL")
_NOT_FOUND = (-12393, "ESP_ERR_ESPNOW_NOT_FOUND")
_EXIST = (-12395, "ESP_ERR_ESPNOW_EXIST")
_IF = (-12396, "ESP_ERR_ESPNOW_IF")


class ESPNowBase(io.IOBase):
    """There is one radio, so all instances are the same one, as on the board."""

    _line = None
    _peers = {}
    _counts = [0, 0, 0, 0, 0]  # sent, answered, unanswered, received, dropped
    _config = {"rxbuf": _DEFAULT_BUFFER_BYTES, "timeout_ms": _DEFAULT_TIMEOUT_MS}
    _irq = None
    _in_hand = []
    peers_table = {}

    def __init__(self):
        self._buffers = [None, bytearray(MAX_DATA_LEN)]

    def active(self, on=None):
        cls = ESPNowBase
        if on is not None and bool(on) != bool(cls._line):
            if on:
                cls._line = _ether_line.EtherLine(bytes.fromhex(_facts.facts["uid"])[:6])
                cls._line.tell(_ether_line.BUFFER, cls._config["rxbuf"].to_bytes(2, "big"))
                _tune()
            else:
                cls._line.close()
                cls._line = None
                cls._peers.clear()
        return bool(cls._line)

    def _need(self):
        if not ESPNowBase._line:
            raise OSError(*_NOT_INIT)
        return ESPNowBase._line

    def config(self, *names, **values):
        if names:
            return ESPNowBase._config[names[0]]
        ESPNowBase._config.update(values)

    # peers

    def add_peer(self, mac, *others, **more):
        self._need()
        mac = bytes(mac)
        if len(mac) != 6:
            raise ValueError("ESPNow: bytes or bytearray wrong length")
        if mac in self._peers:
            raise OSError(*_EXIST)
        if len(self._peers) >= MAX_TOTAL_PEER_NUM:
            raise OSError(*_FULL)
        lmk = others[0] if others else more.get("lmk", b"")
        self._peers[mac] = (mac, lmk or b"", more.get("channel", 0), more.get("ifidx", 0), bool(lmk))

    def del_peer(self, mac):
        self._need()
        if bytes(mac) not in self._peers:
            raise OSError(*_NOT_FOUND)
        del self._peers[bytes(mac)]

    def mod_peer(self, mac, *others, **more):
        self.del_peer(mac)
        self.add_peer(mac, *others, **more)

    def get_peer(self, mac):
        if bytes(mac) not in self._peers:
            raise OSError(*_NOT_FOUND)
        return self._peers[bytes(mac)]

    def get_peers(self):
        return tuple(self._peers.values())

    def peer_count(self):
        return (len(self._peers), len([1 for peer in self._peers.values() if peer[4]]))

    # sending

    def send(self, mac, message=None, sync=True):
        """True when every addressed peer acknowledged; a broadcast is never acknowledged and always True."""
        line = self._need()
        if message is None or isinstance(message, bool):
            if message is not None:
                sync = message
            mac, message = None, mac
        if isinstance(message, str):
            message = message.encode()
        message = bytes(message)
        if not 0 < len(message) <= MAX_DATA_LEN:
            raise ValueError("ESPNow: bad data length") if message else OSError(*_ARG)
        if not network.is_on():
            raise OSError(*_IF)
        if mac is not None and bytes(mac) not in self._peers:
            raise OSError(*_NOT_FOUND)
        wanted = [bytes(mac)] if mac is not None else [peer for peer in self._peers if peer != _BROADCAST]
        good = True
        for peer in wanted:
            ESPNowBase._counts[0] += 1
            heard = line.transmit(peer, message, sync) or peer == _BROADCAST
            ESPNowBase._counts[1 if heard else 2] += 1
            good = good and heard
        return good

    # receiving

    def _take(self, timeout_ms):
        if timeout_ms is None:
            timeout_ms = self._config["timeout_ms"]
        frame = self._need().receive(timeout_ms)
        if frame:
            source, _, rssi, _ = frame
            ESPNowBase._counts[3] += 1
            self.peers_table[source] = [rssi, _now_ms()]
        return frame

    def recvinto(self, data, timeout_ms=None):
        """Length of the message put into data = [peer, buffer, ...], 0 on a timeout."""
        frame = self._take(timeout_ms)
        if frame is None:
            data[0] = None
            return 0
        source, _, rssi, message = frame
        data[0] = source
        data[1] = bytearray(message)
        if len(data) >= 4:
            data[2], data[3] = rssi, _now_ms()
        return len(message)

    def irecv(self, timeout_ms=None):
        """[peer, message] in a list that is used again by the next call; [None, None] on a timeout."""
        if not self.recvinto(self._buffers, timeout_ms):
            return [None, None]
        return self._buffers

    def recv(self, timeout_ms=None):
        frame = self._take(timeout_ms)
        return [frame[0], frame[3]] if frame else [None, None]

    def any(self):
        return self.ioctl(_POLL, 1) != 0

    def stats(self):
        return tuple(self._counts)

    def irq(self, callback, argument=None):
        """Kept, never called: wait with select or asyncio on a virtual board."""
        ESPNowBase._irq = callback

    def set_pmk(self, pmk):
        if len(pmk) != KEY_LEN:
            raise ValueError("ESPNow: bytes or bytearray wrong length")

    def ioctl(self, request, argument):
        line = ESPNowBase._line
        if request == _GET_FILENO:
            return line.fileno() if line else -1
        if request == _POLL:
            return argument & _POLLOUT | (1 if argument & 1 and line and line.readable() else 0)
        return 0

    def __iter__(self):
        return self

    def __next__(self):
        return self.irecv()


class ESPNow(ESPNowBase):
    pass


def _now_ms():
    import time

    return time.ticks_ms()


def _tune():
    if ESPNowBase._line:
        ESPNowBase._line.tell(_ether_line.TUNE, bytes([1 if network.is_on() else 0, network.current_channel()]))


network.on_change(_tune)
