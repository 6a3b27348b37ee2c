"""Pins of a Raspberry Pi Pico W, as the node sees them. Facts that only the host needs stand in board.toml."""

ID = "RPI_PICO_W"
RADIO = "none"

LED_PIN = "LED"  # on the radio chip
LED_ACTIVE = 1
BUTTON_PIN = "BOOTSEL"  # no pin, and yet it can be read

I2C = ((0, 5, 4, 100_000),)  # bus, scl, sda, hertz

BATTERY_ADC_PIN = 26  # 29 is shared with the radio chip, so two resistors go to 26
BATTERY_DIVIDER_X1000 = 2000  # pin microvolts * this / 1000 = battery microvolts
