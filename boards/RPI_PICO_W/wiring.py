"""What a rig connects to a Raspberry Pi Pico W. Read by the host; never goes onto a node.

Every board also needs its USB cable. Pins that share a name with board.py are the same pins.
"""

CONSOLE = "usb"  # the chip's own USB
RESET = "RUN"  # an open-collector output of the rig pulls it to ground to reset the board

# signal, pin of the board, what the rig connects to it
WIRES = (
    ("bootloader", "TP6", "test pad of BOOTSEL; low while RUN rises enters the bootloader"),
    ("sensor clock", 5, "SCL of an SHT31 at 0x44, pulled up with 4.7 kOhm"),
    ("sensor data", 4, "SDA of the same SHT31"),
    ("neighbour out", 0, "UART0 TX, to UART0 RX of a second board"),
    ("neighbour in", 1, "UART0 RX, to UART0 TX of a second board"),
    ("battery", 26, "the middle of two 100 kOhm resistors between battery and ground, 100 nF to ground"),
    ("power", "VBUS", "a switched supply of the rig, so that power cuts can be tested"),
)
