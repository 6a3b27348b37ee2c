"""What a rig connects to a generic ESP32-S3 module. Read by the host; never goes onto a node.

Every board also needs its USB cable. Pins that share a name with board.py are the same pins.
"""

CONSOLE = "usb"  # the chip's own USB; boards with an adapter have UART0 there
RESET = "EN"  # an open-collector output of the rig pulls it to ground to reset the board

# signal, pin of the board, what the rig connects to it
WIRES = (
    ("bootloader", 0, "open-collector output of the rig; low while EN rises enters the bootloader"),
    ("sensor clock", 9, "SCL of an SHT31 at 0x44, pulled up with 4.7 kOhm"),
    ("sensor data", 8, "SDA of the same SHT31"),
    ("battery", 4, "the middle of two 100 kOhm resistors between battery and ground, 100 nF to ground"),
    ("neighbour out", 17, "UART TX, to UART RX of a second board"),
    ("neighbour in", 18, "UART RX, to UART TX of a second board"),
    ("power", "5V", "a switched supply of the rig, so that power cuts can be tested"),
)
