"""Pins of a generic ESP32-C3 module, as the node sees them. Facts that only the host needs stand in board.toml."""

ID = "ESP32_GENERIC_C3"
RADIO = "espnow"

LED_PIN = None  # 8 is a strapping pin; what hangs on it differs from board to board
LED_ACTIVE = 1
BUTTON_PIN = 9  # BOOT

I2C = ((0, 5, 4, 100_000),)  # bus, scl, sda, hertz
NEIGHBOUR = (1, 7, 6)  # UART, TX and RX of a cable to another node

BATTERY_ADC_PIN = 3  # on ADC1
BATTERY_DIVIDER_X1000 = 2000  # pin microvolts * this / 1000 = battery microvolts
