"""Waits for somebody who presses the button, and opens the node to phones nearby. Small, for it is always there."""

import asyncio
import gc
import sys

from micropython import const

from hedgenode.rarely import forget

_POLL_MS = const(100)
_PROMISE_MS = const(5000)
MARK = "/store/phone"  # stands while the node restarts to open
_NEEDS = (
    "hedgenode.tasks.phone_open",
    "hedgenode.tasks.phone_visit",
    "hedgenode.rules.phone",
    "hedgenode.words",
    "hedgenode.hal.access_point",
    "hedgewire.http",
)


class PhoneTask:
    """`button` is hal.button.Button; node.access_point() makes the radio's end of it."""

    def __init__(self, node, button):
        self._node = node
        self._button = button

    async def run(self, promise):
        if self._node.for_phones_only:  # it was pressed before the restart
            await self._open(promise)
            self._node.hardware.restart()
        was_pressed = True  # whoever holds it while the node starts wants something else
        while True:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_POLL_MS)
            is_pressed = self._button.is_pressed()
            if is_pressed and not was_pressed:
                await self._open(promise)
            was_pressed = is_pressed

    async def _open(self, promise):
        """Ten minutes or less; whatever goes wrong is told in the log, and the node goes on."""
        node = self._node
        gc.collect()  # modules need long free stretches
        try:
            for_ms, why = self._allowed()
            if why == "memory" and node.radio is not None:
                self._restart_for_it()
            if why is not None:
                node.journal.say("warning", "not open to phones: too little %s" % why)
                return
            node.hardware.lamp(True)
            await self._opening().run(for_ms, promise)
        except (ImportError, MemoryError, OSError) as e:
            node.journal.say("error", "not open to phones: %s %s" % (type(e).__name__, e))
        finally:
            node.hardware.lamp(False)
            for name in _NEEDS:
                forget(name)
            gc.collect()

    def _restart_for_it(self):
        """The radio's code takes more memory than the page. What is kept is in flash, and neighbours wait for more than
        ten minutes."""
        node = self._node
        with open(MARK, "w") as mark:
            mark.write("phone")
        node.journal.say("info", "restarting without its radio, to have the memory to open to phones")
        node.hardware.restart()

    def _allowed(self):
        from hedgenode.rules import phone

        hardware = self._node.hardware
        free_words = hardware.heap_bytes()[0] // (8 if sys.maxsize >> 32 else 4)
        return phone.open_ms(hardware.battery_mv()), phone.shut(hardware.battery_mv(), free_words)

    def _opening(self):
        from hedgenode.tasks.phone_open import Opening

        return Opening(self._node, self._node.access_point(), self._button)
