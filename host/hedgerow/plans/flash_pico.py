"""Knows how to ask a running MicroPython into its boot loader, and to have a flashed Pico read its flash back.

The reading back is done by the MicroPython that was just written: it hashes the flash as its processor sees it. That
finds what was damaged on the way; it is no proof against a chip that lies.
"""

import hashlib

from hedgerow.errors import FleetError, LinkError, VerificationError
from hedgerow.flash.chips import RP2040_FLASH_START
from hedgerow.flash.image import Image
from hedgerow.plans.executor import Connect
from hedgerow.repl import Repl

HASH_WITHIN_S = 60.0  # 800 kB take a chip about a second, an emulated one more

_BOOTLOADER = "import machine\nmachine.bootloader()"
_HASH = """
import uctypes, hashlib, os
h = hashlib.sha256()
for s, n in {runs}:
    while n:
        k = min(n, 1024)
        h.update(uctypes.bytearray_at({start} + s, k))
        s += k
        n -= k
print(h.digest().hex())
print(os.uname().machine)
"""


async def ask_into_bootloader(port: str, connect: Connect) -> None:
    """Stop what runs there and enter the boot loader; the port goes away. Raises LinkError if nobody listens."""
    transport = await connect(port)
    try:
        repl = Repl(transport)
        await repl.enter()
        try:
            await repl.start(_BOOTLOADER)
            said = await repl.stream.until(b"\x04>", 2.0)
        except LinkError:
            return  # the port went away, which is what was asked for
        if said is not None and b"Error" in said:
            raise LinkError(
                "this MicroPython has no way into the boot loader",
                node=port,
                state="Nothing was changed",
                next_step="Hold its button and plug it in again, then run the same command again.",
            )
    finally:
        await transport.close()


async def check(port: str, image: Image, connect: Connect) -> None:
    """Raises VerificationError unless the board's flash holds `image` and it says that it is that MicroPython."""
    code = _HASH.format(runs=image.covered, start=RP2040_FLASH_START)
    wanted = hashlib.sha256()
    for start, length in image.covered:
        wanted.update(image.payload[start : start + length])
    try:
        transport = await connect(port)
        try:
            repl = Repl(transport)
            await repl.enter()
            said = (await repl.exec(code, HASH_WITHIN_S)).decode(errors="replace").split("\r\n")
            await repl.hard_reset()
        finally:
            await transport.close()
    except FleetError as error:
        raise VerificationError(
            f"the board took the image, and could not be asked what it holds: {error.what}",
            node=port,
            state="It may work; nothing was read back",
            next_step="Run the same command again.",
        ) from error
    if said[0] != wanted.hexdigest():
        raise VerificationError(
            "what the board reads in its flash is not what was written",
            node=port,
            next_step="Run the same command again; if it happens twice, set this board aside.",
        )


def did_not_come_back(port: str | None, within_s: float) -> VerificationError:
    return VerificationError(
        f"the board took the image, and did not come back as a serial port within {within_s:.0f} s",
        node=port,
        state="Nothing was read back",
        next_step="Plug it in again, then see with `hedgerow devices --probe` what answers.",
    )
