"""The flash under the file system, block by block. Knows which port calls it what; decides nothing."""

import sys


def block_device():
    """An object with readblocks, writeblocks and ioctl, all with offsets; None where the board has none to give."""
    try:
        port = __import__("rp2" if sys.platform == "rp2" else "esp32")  # each port lacks the module of the other
        if sys.platform == "rp2":
            return port.Flash()
        found = port.Partition.find(port.Partition.TYPE_DATA, label="vfs")
        return found[0] if found else None
    except (ImportError, AttributeError):
        return None
