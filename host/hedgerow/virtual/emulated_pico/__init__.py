"""The emulated Pico: real RP2040 firmware on an emulated chip. Knows chips and wiring; knows nothing of nodes."""

from hedgerow.virtual.emulated_pico.parts import find_parts, find_uf2
from hedgerow.virtual.emulated_pico.pico import EmulatedPico, FlashStats, PicoStatus

__all__ = ["EmulatedPico", "FlashStats", "PicoStatus", "find_parts", "find_uf2"]
