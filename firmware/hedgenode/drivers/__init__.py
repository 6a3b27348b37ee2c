"""Which sensor chips there are and where they answer. Imports a driver only when it is asked for: heap is scarce.

A driver takes a bus (machine.I2C or what behaves like it: `writeto`, `readfrom_into`, `writeto_mem`,
`readfrom_mem_into`) and an address, allocates all it needs when it is made, and has one method:

    async def read(self) -> "dict | None"

It returns channel names with their units to integers, or None where the chip answered but its answer is damaged,
incomplete or out of its range: never a wrong number. It raises OSError where the chip does not answer. It waits at
most 100 ms, always in asyncio.sleep, and may be cancelled there. One task reads one driver.
"""

# Name of the module: name of the class, addresses in the order of likelihood (7 bits).
_DRIVERS = {
    "sht31": ("Sht31", (0x44, 0x45)),
    "lps22hb": ("Lps22hb", (0x5D, 0x5C)),
    "ina219": ("Ina219", (0x40, 0x41)),
}


def names() -> list:
    """The names that `make` knows."""
    return sorted(_DRIVERS)


def make(name: str, bus, address: "int | None" = None):
    """Return the driver of that name; without an address at the chip's usual one. ValueError for an unknown name."""
    if name not in _DRIVERS:
        raise ValueError("unknown driver %s; there are %s" % (name, ", ".join(names())))
    usual = _DRIVERS[name][1][0]
    return _driver(name)(bus, usual if address is None else address)


def probe(bus) -> list:
    """Return (name, address) of every chip on the bus that answers as one of ours does. Changes nothing in any chip."""
    found = []
    for name in names():
        for address in _DRIVERS[name][1]:
            try:
                if _driver(name).answers(bus, address):
                    found.append((name, address))
            except OSError:
                pass  # nothing at this address
    return found


def _driver(name: str):
    module = __import__("hedgenode.drivers." + name, None, None, (name,))
    return getattr(module, _DRIVERS[name][0])
