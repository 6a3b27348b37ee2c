"""Pins of a generic ESP32-S3 module, as the node sees them. Facts that only the host needs stand in board.toml."""

ID = "ESP32_GENERIC_S3"
RADIO = "espnow"

LED_PIN = None  # development boards carry an addressable LED, not a plain one
LED_ACTIVE = 1
BUTTON_PIN = 0  # BOOT

I2C = ((0, 9, 8, 100_000),)  # bus, scl, sda, hertz
NEIGHBOUR = (1, 17, 18)  # UART, TX and RX of a cable to another node

BATTERY_ADC_PIN = 4  # on ADC1, which works beside the radio
BATTERY_DIVIDER_X1000 = 2000  # pin microvolts * this / 1000 = battery microvolts
