"""Composition root of a node: builds the hardware layer, the stores and the tasks, and runs them. Nothing else does."""

import asyncio
import gc
import os
import sys
import time

from hedgewire import message

from hedgenode import config
from hedgenode.rules.exchange import Exchange
from hedgenode.rules.power import plan
from hedgenode.rules.promises import Promises
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.counters import Counters
from hedgenode.store.files import Flash
from hedgenode.store.samples import SampleLog
from hedgenode.hal import watchdog
from hedgenode.hal.clock import Clock
from hedgenode.hal.console import Console
from hedgenode.hal.hardware import Hardware
from hedgenode.tasks.admin import Admin
from hedgenode.tasks.admin_files import FileMethods
from hedgenode.tasks.admin_messages import MessageMethods
from hedgenode.tasks.admin_node import NodeMethods
from hedgenode.tasks.console import ConsoleTask
from hedgenode.tasks.housekeeping import HousekeepingTask
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.radio import RadioTask
from hedgenode.tasks.sampling import SamplingTask

VERSION = "0.1.0"
_PROMISE_CHECK_MS = 1000
_RESTART_DELAY_S = 3


class Node:
    """Everything that the tasks of one node share. The radio is None on a board without one."""

    def __init__(self, settings, board):
        self.version = VERSION
        self.config = settings
        self.files = Flash()
        self.watchdog = watchdog
        self.clock = Clock()
        self.hardware = Hardware(board)
        self.cable = Console()
        self.journal = Journal(self.clock, lambda text: self.cable.write(text.encode()))
        self._make_stores()
        self._make_exchange()
        self._make_tasks()

    def _make_stores(self):
        for folder in ("/store", "/store/bundles", "/store/samples"):
            try:
                os.mkdir(folder)
            except OSError:
                pass  # there already
        _, total = self.hardware.flash_bytes()
        now_ms = self.clock.uptime_ms()
        self.counters = Counters(self.files, "/store")
        self.boot = self.counters.boot
        everyone = self.config["ipn_base"] + message.EVERYONE
        self.bundles = BundleStore(self.files, "/store/bundles", total * 40 // 100, now_ms, everyone)
        self.samples = SampleLog(self.files, "/store/samples", total * 20 // 100)
        gc.collect()

    def _make_exchange(self):
        c = self.config
        self.meetings = Meetings(c["short"])
        tag = c["fleet"][0] << 8 | c["fleet"][1]
        self.exchange = Exchange(c["short"], tag, c["ipn_base"], self.bundles, self.meetings, self._tell)
        self.radio = None
        if c["radio"] == "espnow":
            from hedgenode.hal.espnow_radio import EspNowRadio

            self.radio = EspNowRadio(c["radio_channel"])
        gc.collect()

    def _tell(self, event, **facts):
        rest = " ".join("%s %s" % (key, facts[key]) for key in sorted(facts) if key != "id")
        self.journal.say("info", "bundle %s %s %s" % (facts["id"].hex()[:8], event, rest))

    def _make_tasks(self):
        c = self.config
        self.sampling = SamplingTask(
            self._sensors(), self.hardware, self.samples, self.clock, self.journal, c["sample_ms"], self.boot, plan
        )
        self.housekeeping = HousekeepingTask(self.files, self.bundles, self.meetings, self.clock, self.journal)
        self.admin = Admin((NodeMethods(self), FileMethods(self), MessageMethods(self)), self.journal)
        self.console = ConsoleTask(self.cable, self.admin, self.journal, c["name"], c["console"] == "locked")
        self.promises = Promises()
        self.failure = None
        gc.collect()

    def _sensors(self):
        from hedgenode import drivers

        found = []
        for wanted in self.config["sensors"]:
            try:
                bus = self.hardware.i2c(wanted["bus"])
                found.append(drivers.make(wanted["driver"], bus, wanted["address"]))
            except (ValueError, OSError, KeyError) as e:
                self.journal.say("warning", "sensor %s: %s" % (wanted.get("driver"), e))
        return found

    def start(self, name, run):
        """Run a task under the watchdog: it promises by when it is back; an exception in it ends the application."""

        def promise(within_ms):
            self.promises.promise(name, time.ticks_ms(), within_ms)

        async def guarded():
            try:
                await run(promise)
            except Exception as e:  # whatever it is, a node that goes on half is worse than one that restarts
                self.failure = (name, e)

        asyncio.create_task(guarded())

    async def run(self):
        """Run until the cable says Ctrl-C (returns True) or a task fails or is overdue (returns False)."""
        if self.radio is not None:
            radio = RadioTask(self.radio, self.exchange, self.clock, self.journal, self.config["hello_ms"])
            self.start("listen", radio.listen)
            self.start("speak", radio.speak)
        self.start("console", self.console.run)
        self.start("sampling", self.sampling.run)
        self.start("housekeeping", self.housekeeping.run)
        self.journal.say(
            "info",
            "node %s (%d) is up, boot %d after %s"
            % (self.config["name"], self.config["short"], self.boot, self.hardware.reset_cause()),
        )
        if self.config["watchdog_ms"]:
            watchdog.arm()
        while not self.console.interrupted:
            await asyncio.sleep_ms(50)
            late = self.promises.overdue(time.ticks_ms())
            if self.failure is None and late is not None:
                self.failure = (late, "did not come back in time")
            if self.failure is not None:
                return False
            watchdog.feed()
        return True


def _explain(node):
    name, what = node.failure
    print("Hedgerow: the task %s failed; this node restarts." % name)
    if isinstance(what, Exception):
        sys.print_exception(what)
    else:
        print(what)


def main():
    """Start the node from /config.cbor; returns to the prompt on Ctrl-C or when the board is not provisioned."""
    settings = config.load()
    if settings is None:
        print("Hedgerow: this board is not provisioned yet (hedgerow provision).")
        return
    import board

    node = Node(settings, board)
    node.cable.open()
    try:
        stopped_by_hand = asyncio.run(node.run())
    finally:
        node.cable.close()
        asyncio.new_event_loop()
    if stopped_by_hand:
        watchdog.hold_at_prompt()
        print("Hedgerow stopped. Ctrl-D or machine.reset() starts it again.")
        return
    _explain(node)
    time.sleep(_RESTART_DELAY_S)  # long enough for a Ctrl-C from somebody who wants to look
    node.hardware.restart()
