"""Composition root of a node: builds the hardware layer, the stores and the tasks, and runs them. Nothing else does."""

import asyncio
import gc
import os
import sys
import time

from hedgenode import identity
from hedgenode.hal import watchdog
from hedgenode.hal.clock import Clock
from hedgenode.hal.console import Console
from hedgenode.hal.hardware import Hardware, restart
from hedgenode.rarely import Rarely
from hedgenode.rules.intake import Intake
from hedgenode.rules.power import plan
from hedgenode.rules.promises import Promises
from hedgenode.store import bundles, samples
from hedgenode.store.counters import Counters, are_lost, read_whole
from hedgenode.store.files import Flash
from hedgenode.store.posted import Posted
from hedgenode.store.trust_table import FOLDER as TRUST_FOLDER
from hedgenode.tasks.admin import Admin
from hedgenode.tasks.admin_messages import MessageMethods
from hedgenode.tasks.admin_node import NodeMethods
from hedgenode.tasks.console import ConsoleTask
from hedgenode.tasks.door import Door
from hedgenode.tasks.housekeeping import HousekeepingTask
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.late import Late
from hedgenode.tasks.layers import Layers
from hedgenode.tasks.sampling import SamplingTask
from hedgewire import message

VERSION = "0.1.0"
_LEAST_GRACE_MS = 10000  # flash may hold up everybody for seconds; less than this would restart a healthy node
_CHECK_MS = 50
# Before a restart there is time for a Ctrl-C from somebody who wants to look. A node that fails at every start wears
# its flash and empties its battery, so it waits longer.
RESTART_DELAY_S = 3
EARLY_FAILURE_S = 60
EARLY_RESTART_DELAY_S = 60
KEYS_FOLDER = "/store/keys"
NEXT_FOLDER = "/store/next"  # what a move to another fleet needs


class Node:
    """Everything that the tasks of one node share. The radio is None on a board without one."""

    def __init__(self, settings, board, cable):
        self.version = VERSION
        self.config = settings
        self.files = Flash()
        self.watchdog = watchdog
        self.clock = Clock()
        self.hardware = Hardware(board)
        self.cable = cable
        self.journal = Journal(self.clock, lambda text: self.cable.write(text.encode()))
        self._make_stores()
        self._make_exchange()
        self._make_tasks()

    def _make_stores(self):
        for folder in (
            "/store",
            "/store/bundles",
            "/store/samples",
            KEYS_FOLDER,
            "/store/ledger",
            TRUST_FOLDER,
            NEXT_FOLDER,
        ):
            try:
                os.mkdir(folder)
            except OSError:
                pass  # there already
        _, total = self.hardware.flash_bytes()
        now_ms = self.clock.uptime_ms()
        member = read_whole(self.files, KEYS_FOLDER + "/slots.cbor") is not None
        groups = self._group_keys() if member else None
        self.counters = Counters(self.files, "/store")
        self.boot = self.counters.boot
        self.posted = Posted(self.files, "/store/posted.cbor")
        everyone = self.config["ipn_base"] + message.EVERYONE
        self.bundles = bundles.BundleStore(self.files, "/store/bundles", bundles.share_bytes(total), now_ms, everyone)
        self.samples = samples.SampleLog(self.files, "/store/samples", samples.share_bytes(total))
        self.layers = Layers(
            self.files, groups, self._group_keys, self.bundles, self._identity(), self.clock, self.journal
        )
        self._finish_move()
        self._trust = None
        self.leaves = False  # True once it belongs to another fleet, until it restarts to be of it
        gc.collect()

    def _finish_move(self):
        """What is left of a move to the fleet that the configuration names comes before anything asks what that is."""
        if read_whole(self.files, NEXT_FOLDER + "/move") is not None:
            from hedgenode.tasks import elsewhere

            elsewhere.finish_move(self)

    def _group_keys(self):
        """The keys of this node's groups. Loaded for a member only: a small board has better use for the room."""
        from hedgenode.crypto import suite
        from hedgenode.hal.block_device import block_device
        from hedgenode.store.group_keys import GroupKeys
        from hedgenode.store.keyslot import KeySlots

        try:
            device = block_device()
            groups = GroupKeys(None if device is None else KeySlots(self.files, device, KEYS_FOLDER))
            if are_lost(self.files, "/store"):  # before they begin anew: no number may serve twice under one key
                groups.skip(suite)
            return groups
        except OSError as e:
            self.journal.say("error", "this node keeps no keys of groups: %s" % e)
            return GroupKeys(None)

    def _identity(self):
        try:
            return identity.load()
        except ValueError as e:
            self.journal.say("error", str(e))
            return None

    @property
    def trust(self):
        """Whom this node trusts. Loaded when it is needed first: a small board has better use for the room."""
        if self._trust is None:
            from hedgenode.store.trusted import Trusted

            self._trust = Trusted(self.files, TRUST_FOLDER, self.config["fleet"], identity.public())
        return self._trust

    def _make_exchange(self):
        """What is needed to talk to neighbours is loaded with a radio only: it is a tenth of the code."""
        c = self.config
        self.radio = self._radio()
        self.radio_keys = None  # where frames travel under keys
        if self.radio is None:
            self.exchange = self.meetings = None
            self.intake = Intake(c["short"], c["ipn_base"], self.bundles, self._tell, self.layers)
        else:
            from hedgenode.rules.exchange import Exchange
            from hedgenode.rules.routing import Meetings

            self.meetings = Meetings(c["short"])
            tag = c["fleet"][0] << 8 | c["fleet"][1]
            self.exchange = Exchange(
                c["short"], tag, c["ipn_base"], self.bundles, self.meetings, self._tell, self.layers
            )
            self.intake = self.exchange.intake
        gc.collect()

    def _radio(self):
        wanted = self.config["radio"]
        if wanted == "none":
            return None
        try:
            hal = __import__("hedgenode.hal.%s_radio" % wanted, None, None, ("Radio",))
        except ImportError:
            self.journal.say("error", "this board has no radio %s; the node works without" % wanted)
            return None
        return hal.Radio(self.config["radio_channel"])

    def _radio_task(self):
        """Loaded where there is a radio only."""
        from hedgenode.tasks.radio import RadioTask

        if self.config["radio_security"] != "open":
            from hedgenode.tasks import radio_keys

            self.radio_keys = radio_keys.of(self)
        return RadioTask(self.radio, self.radio_keys, self.exchange, self.clock, self.config["hello_ms"])

    def _tell(self, event, **facts):
        rest = " ".join("%s %s" % (key, facts[key]) for key in sorted(facts) if key != "id")
        self.journal.say("info", "bundle %s %s %s" % (facts["id"].hex()[:8], event, rest))

    def _make_tasks(self):
        c = self.config
        self.sampling = SamplingTask(
            self._sensors(), self.hardware, self.samples, self.clock, self.journal, c["sample_ms"], self.boot, plan
        )
        self.housekeeping = HousekeepingTask(self)
        self.ledger = self._ledger()
        door = Door(None)
        self.admin = door.admin = Admin((NodeMethods(self), MessageMethods(self), door), self.journal, Late(self))
        self.console = ConsoleTask(self.cable, door, c["name"], c["console"] == "locked")
        self.promises = Promises()
        self.failure = None
        gc.collect()

    def _ledger(self):
        """The node's ledger, or None where it has no key or the board no room for one: messages go on without."""
        mine = self.layers.identity
        if mine is None or not self.config["ledger"]:
            return None
        from hedgenode.tasks.ledger import LedgerTask

        facts = {key: self.config[key] for key in ("fleet", "short", "charter")}
        facts["app"] = VERSION
        facts["boot"] = self.boot
        facts["watchdog"] = self.hardware.reset_cause() == "watchdog"
        return LedgerTask(self.files, mine, self.clock, self.journal, facts)

    def _sensors(self):
        found = []
        for wanted in self.config["sensors"]:
            from hedgenode import drivers

            try:
                bus = self.hardware.i2c(wanted.get("bus", 0))
                found.append(drivers.make(wanted["driver"], bus, wanted.get("address")))
            except (ValueError, OSError) as e:
                self.journal.say("warning", "sensor %s: %s" % (wanted["driver"], e))
        return found

    def start(self, name, run):
        """Run a task under the watchdog: it promises by when it is back; an exception in it ends the application.

        `run(promise)` calls promise(within_ms) before it waits, or promise(None) when it owes nothing.
        """
        grace_ms = max(self.config["watchdog_ms"], _LEAST_GRACE_MS)

        def promise(within_ms):
            if within_ms is None:
                self.promises.release(name)
            else:
                self.promises.promise(name, time.ticks_ms(), within_ms + grace_ms)

        async def guarded():
            try:
                await run(promise)
            except Exception as e:  # noqa: BLE001 - a node that goes on half is worse than one that restarts
                self.failure = (name, e)

        asyncio.create_task(guarded())

    def _start_all(self):
        self.start("console", self.console.listen)
        self.start("administration", self.console.answer)
        if self.radio is not None:
            radio = self._radio_task()
            self.start("listen", radio.listen)
            self.start("speak", radio.speak)
            if self.ledger is not None:
                self.ledger.meet(self.exchange, radio.say)
        self.start("sampling", self.sampling.run)
        self.start("housekeeping", self.housekeeping.run)
        if self.ledger is not None:
            self.start("ledger", self.ledger.run)
        self.start("layers", self.layers.run)

    async def run(self):
        """Run until a Ctrl-C (returns None), or until a task failed or is late: then (its name, exception or text)."""
        self._start_all()
        self.journal.say(
            "info",
            "node %s (%d) is up, boot %d after %s"
            % (self.config["name"], self.config["short"], self.boot, self.hardware.reset_cause()),
        )
        watched = self.config["watchdog_ms"] > 0
        if watched:
            watchdog.arm()
        while not self.console.interrupted:
            await asyncio.sleep_ms(_CHECK_MS)
            late = self.promises.overdue(time.ticks_ms()) if watched else None
            if self.failure is None and late is not None:
                self.failure = (late, "it did not come back in time")
            if self.failure is not None:
                if self.ledger is not None:
                    self.ledger.note_failure(self.boot)
                return self.failure
            watchdog.feed()
        return None

    def close(self):
        """Leave what outlives the application as a person at the prompt expects it."""
        if self.radio is not None:
            self.radio.close()
        try:
            self.bundles.close()
            self.samples.close()
        except OSError:
            pass  # what was acknowledged is in flash already


def _run(settings, board):
    """(failure as Node.run gives it, seconds that the node ran)."""
    node = None
    cable = Console()
    cable.open()
    try:
        node = Node(settings, board, cable)
        return asyncio.run(node.run()), node.clock.uptime_s()
    except Exception as e:  # noqa: BLE001 - flash, RAM and chips fail in any way; a node far away can only try again
        return ("start", e), 0
    finally:
        cable.close()
        if node is not None:
            node.close()
        asyncio.new_event_loop()


def _restart(failure, ran_s):
    name, what = failure
    early = ran_s < EARLY_FAILURE_S
    delay_s = EARLY_RESTART_DELAY_S if early else RESTART_DELAY_S
    print("Hedgerow: %s failed; this node restarts in %d s. Ctrl-C gives the prompt." % (name, delay_s))
    if isinstance(what, Exception):
        sys.print_exception(what)
    else:
        print(what)
    watchdog.hold_at_prompt()
    time.sleep(delay_s)
    restart()


def _settings():
    """The configuration, or a sentence why there is none. What checks it is needed once, and not kept in memory."""
    with Rarely():
        from hedgenode import config

        settings = config.load()
        if settings is None:
            return "this board is not provisioned yet (hedgerow provision)."
        if isinstance(settings, config.Unusable):
            return "%s: %s. `hedgerow provision` writes it anew." % (config.PATH, settings.sentence)
        return settings


def main():
    """Start the node from /config.cbor; comes back on Ctrl-C, or at once with a sentence where it cannot start."""
    settings = _settings()
    if isinstance(settings, str):
        print("Hedgerow: " + settings)
        return
    try:
        import board
    except ImportError:
        print("Hedgerow: /a/board.mpy is missing (hedgerow provision).")
        return
    failure, ran_s = _run(settings, board)
    if failure is not None:
        _restart(failure, ran_s)
    watchdog.hold_at_prompt()
    print("Hedgerow stopped. Ctrl-D or machine.reset() starts it again.")
