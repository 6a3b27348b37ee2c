"""Pins of a generic ESP32 module, as the node sees them. Facts that only the host needs stand in board.toml."""

ID = "ESP32_GENERIC"
RADIO = "espnow"

LED_PIN = None  # the bare module has none; many boards have one on 2
LED_ACTIVE = 1
BUTTON_PIN = 0  # BOOT

I2C = ((0, 22, 21, 100_000),)  # bus, scl, sda, hertz
NEIGHBOUR = (1, 25, 26)  # UART, TX and RX of a cable to another node

BATTERY_ADC_PIN = 35  # input only, on ADC1, which works beside the radio
BATTERY_DIVIDER_X1000 = 2000  # pin microvolts * this / 1000 = battery microvolts
