"""esp32 as far as an application asks for it: the flash's partitions by name, and wake-up calls that change nothing."""

import _facts
import _flash

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True
HEAP_DATA = 4
HEAP_EXEC = 1


def wake_on_ext0(pin=None, level=None):
    pass


def wake_on_ext1(pins=None, level=None):
    pass


def gpio_deep_sleep_hold(enable):
    pass


def raw_temperature():
    return 128


def mcu_temperature():
    return int(_facts.world()["temperature_c"]) + 15


def idf_heap_info(capabilities):
    """One region of 64 kB, of which half is free, as (total, free, largest free, least free)."""
    return [(65536, 32768, 31744, 30720)]


class Partition:
    """One partition is modelled: the block device that the file system lies on."""

    TYPE_APP = 0
    TYPE_DATA = 1

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=4096):
        found = type == Partition.TYPE_DATA and label in (None, "vfs")
        return [_flash.mounted] if found else []
