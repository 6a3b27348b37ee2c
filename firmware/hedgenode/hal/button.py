"""The button of the board as a yes or no. Decides nothing."""

from machine import Pin

BOOTSEL = "BOOTSEL"  # in board.py: the button of a Pico, which is no pin


class Button:
    """`pin` as board.py names it; pressed means low, as the buttons marked BOOT are wired."""

    def __init__(self, pin):
        if pin == BOOTSEL:
            import rp2  # pyright: ignore[reportMissingImports] - the other port has none

            # It lends the flash chip's own line for some microseconds; MicroPython holds all else off meanwhile.
            self._read = rp2.bootsel_button
        else:
            value = Pin(pin, Pin.IN, Pin.PULL_UP).value
            self._read = lambda: not value()

    def is_pressed(self) -> bool:
        return bool(self._read())
