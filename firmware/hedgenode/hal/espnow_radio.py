"""ESP-NOW as a radio for link frames: broadcast out, (frame, RSSI) in. Needs an ESP32; knows no routing."""

import espnow
import network
from micropython import const

_BROADCAST = b"\xff\xff\xff\xff\xff\xff"
_WAITING_BYTES = const(1400)  # six segments; MicroPython's own 526 lose what the third brings while others work
MAX_FRAME_BYTES = 250  # ESP-NOW v1
NEEDS = "espnow"  # what a board must have for it, as its board.toml says under `radios`


class Radio:
    """`sent`, `received` and `lost` count frames; what is lost, its owner counts."""

    def __init__(self, channel):
        self._wlan = network.WLAN(network.STA_IF)
        self._wlan.active(True)
        try:
            self._wlan.disconnect()
        except OSError:
            pass  # was not connected
        self._wlan.config(channel=channel)
        self._radio = espnow.ESPNow()
        configure = self._radio.config  # before it is active
        configure(rxbuf=_WAITING_BYTES)  # pyright: ignore[reportCallIssue] - the stubs know the reading half only
        self._radio.active(True)
        try:
            self._radio.add_peer(_BROADCAST)
        except OSError:
            pass  # known already: ESP-NOW outlives a soft reset
        self.sent = self.received = self.lost = 0

    def send(self, frame) -> bool:
        """Hand one frame to the radio, without waiting; False when its buffers are full."""
        try:
            self._radio.send(_BROADCAST, frame, False)
        except OSError:
            return False
        self.sent += 1
        return True

    def receive(self) -> "tuple | None":
        """(frame, rssi_dbm) of a frame that waits, or None. The RSSI is None where the port does not tell."""
        if not self._radio.any():
            return None
        mac, frame = self._radio.recv(0)
        if frame is None:
            return None
        self.received += 1
        known = getattr(self._radio, "peers_table", {}).get(mac)
        return frame, (known[0] if known else None)

    def close(self):
        self._radio.active(False)
        self._wlan.active(False)
