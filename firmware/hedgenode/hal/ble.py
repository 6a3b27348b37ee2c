"""Bluetooth Low Energy as one stream of bytes from and to whoever is connected. Knows no frame and no key.

The stack keeps what is written until it is read here, so no interrupt handler ever holds bytes: `_on_event` only notes
who is there.
"""

import time

import bluetooth
from micropython import const

from hedgewire import beacon

NEEDS = "ble"  # what a board must have for it, as its board.toml says under `radios`
STALL_MS = 2000  # so long a central may take nothing before it counts as gone
_MTU = const(247)  # the largest whose packets go through the air whole, with data length extension
_SMALLEST_MTU = const(23)
_HEADER_BYTES = const(3)  # of a notification
_CONNECTED = const(1)
_DISCONNECTED = const(2)
_MTU_EXCHANGED = const(21)
_RANDOM_ADDRESS = const(1)


class Peripheral:
    """At most one central; `connection` is its number, None while there is none."""

    def __init__(self):
        self.connection = None
        self._mtu = _SMALLEST_MTU
        self._ble = bluetooth.BLE()
        self._ble.active(True)
        self._ble.config(mtu=_MTU)
        self._ble.irq(self._on_event)
        write = bluetooth.FLAG_WRITE | bluetooth.FLAG_WRITE_NO_RESPONSE
        characteristics = (
            (bluetooth.UUID(beacon.TO_NODE), write),
            (bluetooth.UUID(beacon.FROM_NODE), bluetooth.FLAG_NOTIFY),
            (bluetooth.UUID(beacon.TAKEN), bluetooth.FLAG_NOTIFY),
        )
        ((self._to, self._from, self._taken),) = self._ble.gatts_register_services(
            ((bluetooth.UUID(beacon.SERVICE), characteristics),)
        )
        self._ble.gatts_set_buffer(self._to, beacon.WINDOW_BYTES, True)  # True: append until it is read

    def _on_event(self, event, data):
        if event == _CONNECTED:
            self._mtu = _SMALLEST_MTU
            self.connection = data[0]
        elif event == _DISCONNECTED and data[0] == self.connection:
            self.connection = None
        elif event == _MTU_EXCHANGED and data[0] == self.connection:
            self._mtu = min(data[1], _MTU)

    def advertise(self, data, interval_ms):
        """Be found under a new address, by everybody in reach, with these 31 bytes at most."""
        self.hide()
        try:
            self._ble.config(addr_mode=_RANDOM_ADDRESS)
        except (OSError, ValueError):
            pass  # this stack keeps the address that it began with
        self._ble.gap_advertise(interval_ms * 1000, data, connectable=True)

    def hide(self):
        """Advertise no more."""
        self._ble.gap_advertise(None)  # pyright: ignore[reportArgumentType] - the documented way to stop

    def read(self) -> bytes:
        """All that came since the last time."""
        return self._ble.gatts_read(self._to)

    def forget(self):
        """Drop what an earlier central left."""
        self._ble.gatts_read(self._to)

    def write(self, data) -> bool:
        """Send all of it, waiting for room; False, and the connection ends, when the central takes nothing any more."""
        step = self._mtu - _HEADER_BYTES
        view = memoryview(data)
        for at in range(0, len(view), step):
            if not self._notify(self._from, view[at : at + step]):
                self.drop()
                return False
        return True

    def tell_taken(self, count) -> bool:
        """Say how many bytes of this connection were taken."""
        return self._notify(self._taken, count.to_bytes(4, "big"))

    def _notify(self, handle, data):
        began_ms = time.ticks_ms()
        while self.connection is not None:
            try:
                self._ble.gatts_notify(self.connection, handle, data)  # pyright: ignore[reportCallIssue] - the stubs lack data
                return True
            except OSError:  # no buffer is free just now, or nobody is there any more
                if time.ticks_diff(time.ticks_ms(), began_ms) > STALL_MS:
                    return False
                time.sleep_ms(2)
        return False

    def drop(self):
        """End the connection, if there is one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                self._ble.gap_disconnect(connection)
            except OSError:
                pass  # it ended by itself

    def close(self):
        self.drop()
        self._ble.active(False)
