"""ESP-NOW as a radio for link frames: broadcast out, (frame, RSSI) in. Needs an ESP32; knows no routing."""

import asyncio

import espnow
import network

_BROADCAST = b"\xff\xff\xff\xff\xff\xff"
MAX_FRAME_BYTES = 250  # ESP-NOW v1


class EspNowRadio:
    name = "espnow"
    max_frame_bytes = MAX_FRAME_BYTES

    def __init__(self, channel):
        self._wlan = network.WLAN(network.STA_IF)
        self._wlan.active(True)
        try:
            self._wlan.disconnect()
        except OSError:
            pass  # was not connected
        self._wlan.config(channel=channel)
        self._radio = espnow.ESPNow()
        self._radio.active(True)
        try:
            self._radio.add_peer(_BROADCAST)
        except OSError:
            pass  # known already: ESP-NOW outlives a soft reset
        self.sent = self.received = self.failed = 0

    def send(self, frame):
        """Hand one frame to the radio; a frame the radio refuses is lost, as one that nobody heard."""
        try:
            self._radio.send(_BROADCAST, frame, False)
            self.sent += 1
        except OSError:
            self.failed += 1

    async def receive(self):
        """Wait for a frame; (frame, rssi_dbm), the RSSI None where the port does not tell."""
        while not self._radio.any():
            await asyncio.sleep_ms(10)
        mac, frame = self._radio.recv(0)
        if frame is None:
            return None, None
        self.received += 1
        known = self._radio.peers_table.get(mac) if hasattr(self._radio, "peers_table") else None
        return frame, (known[0] if known else None)

    def close(self):
        self._radio.active(False)
        self._wlan.active(False)
