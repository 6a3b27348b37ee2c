"""Pins of a Raspberry Pi Pico, as the node sees them. Facts that only the host needs stand in board.toml."""

ID = "RPI_PICO"
RADIO = "none"

LED_PIN = 25
LED_ACTIVE = 1
BUTTON_PIN = None  # BOOTSEL is not a pin

I2C = ((0, 5, 4, 100_000),)  # bus, scl, sda, hertz

BATTERY_ADC_PIN = 29  # the board divides VSYS by three onto it
BATTERY_DIVIDER_X1000 = 3000  # pin microvolts * this / 1000 = battery microvolts
