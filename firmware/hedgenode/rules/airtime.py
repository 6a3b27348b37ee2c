"""How long a frame occupies the air and how much air a node may use. Knows formulas and a budget, no radio."""

_ESPNOW_OVERHEAD_BYTES = 43  # MAC header 24, category and vendor 8, vendor element 7, FCS 4
_ESPNOW_PREAMBLE_US = 192  # 802.11b long preamble at 1 Mbit/s


def espnow_us(payload_bytes: int) -> int:
    """Microseconds of an ESP-NOW frame at its default 1 Mbit/s."""
    return _ESPNOW_PREAMBLE_US + (_ESPNOW_OVERHEAD_BYTES + payload_bytes) * 8


def lora_us(payload_bytes: int, spreading: int, bandwidth_hz: int = 125000, coding: int = 5, preamble: int = 8) -> int:
    """Microseconds of a LoRa frame with explicit header and CRC (Semtech AN1200.13 and SX1276 data sheet, 4.1.1.7).

    coding is the denominator of the code rate 4/5 .. 4/8. Low data rate optimisation from 16 ms a symbol on.
    """
    symbol_us = (1 << spreading) * 1000 // (bandwidth_hz // 1000)
    slow = 1 if symbol_us > 16000 else 0
    bits = 8 * payload_bytes - 4 * spreading + 28 + 16
    per_block = 4 * (spreading - 2 * slow)
    blocks = max(0, (bits + per_block - 1) // per_block)
    # The preamble lasts 4.25 symbols longer than its programmed length: count in quarters.
    quarters = preamble * 4 + 17 + (8 + blocks * coding) * 4
    return quarters * symbol_us // 4


class Budget:
    """A duty cycle as a token bucket: permille of an hour at most, earned as time passes."""

    def __init__(self, permille: int, now_s: int, hour_s: int = 3600):
        self._permille = permille
        self._most_ms = permille * hour_s
        self._left_ms = self._most_ms
        self._at_s = now_s

    def left_ms(self, now_s: int) -> int:
        """Airtime that may be used now."""
        passed_s = max(0, now_s - self._at_s)
        self._at_s = now_s
        # A thousandth of a second is a millisecond: one permille earns 1 ms a second.
        self._left_ms = min(self._most_ms, self._left_ms + min(passed_s, 86400) * self._permille)
        return self._left_ms

    def spend(self, airtime_us: int, now_s: int) -> bool:
        """Take the airtime of a frame from the budget; False, and nothing taken, if it is not there."""
        airtime_ms = (airtime_us + 999) // 1000
        if self.left_ms(now_s) < airtime_ms:
            return False
        self._left_ms -= airtime_ms
        return True

    def wait_s(self, airtime_us: int, now_s: int) -> int:
        """Seconds until a frame of that airtime can be sent; 0 is now."""
        missing_ms = (airtime_us + 999) // 1000 - self.left_ms(now_s)
        return max(0, (missing_ms + self._permille - 1) // self._permille)
