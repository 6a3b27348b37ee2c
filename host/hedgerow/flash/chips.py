"""Knows what tells chips and their images apart: numbers in image headers and where a boot loader belongs.

Sources: Espressif's Firmware Image Format (extended header, chip id), the UF2 list of families, RP2040 Datasheet 2.8.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EspChip:
    """A chip of the ESP32 family. `bootloader_offset` is where in flash its ROM looks for the second boot loader."""

    mcu: str
    image_chip_id: int
    bootloader_offset: int


ESP_CHIPS = {
    chip.mcu: chip for chip in (EspChip("ESP32", 0, 0x1000), EspChip("ESP32-C3", 5, 0), EspChip("ESP32-S3", 9, 0))
}
"""Those that Hedgerow has boards for, by the name that board.toml uses."""

ESP_NAMES = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    23: "ESP32-C5",
}
"""Every chip id that a stray image may carry, so that its refusal can name the chip."""

UF2_FAMILIES = {
    0xE48BFF56: "RP2040",
    0xE48BFF57: "RP2350 (absolute)",
    0xE48BFF58: "RP2xxx data",
    0xE48BFF59: "RP2350",
    0xE48BFF5A: "RP2350 (RISC-V)",
    0xADA52840: "nRF52840",
    0x55114460: "SAMD51",
    0x68ED2B88: "SAMD21",
    0xC47E5767: "ESP32-S3",
    0xBFDD4EEE: "ESP32-S2",
}
RP2040_FAMILY = 0xE48BFF56
RP2040_FLASH_START = 0x10000000
RP2040_FLASH_LARGEST_BYTES = 16 * 1024 * 1024  # what its flash window spans
