"""The node as a whole: runs its tasks under the watchdog, and restarts it when one fails. Nothing else does."""

# pyright: reportAttributeAccessIssue=false
# (assembly.py gives a node its attributes, and pyright sees only those that its own class gives)

import asyncio
import sys
import time

from hedgenode import identity
from hedgenode.hal import watchdog
from hedgenode.hal.console import Console
from hedgenode.hal.hardware import restart
from hedgenode.rarely import Rarely, forget
from hedgenode.rules.promises import Promises
from hedgenode.store.trust_table import FOLDER as TRUST_FOLDER

VERSION = "0.1.0"
_LEAST_GRACE_MS = 10000  # flash may hold up everybody for seconds; less than this would restart a healthy node
_CHECK_MS = 50
# Before a restart there is time for a Ctrl-C from somebody who wants to look. A node that fails at every start wears
# its flash and empties its battery, so it waits longer.
RESTART_DELAY_S = 3
EARLY_FAILURE_S = 60
EARLY_RESTART_DELAY_S = 60
CONFIRM_AFTER_MS = 30000  # a release on trial stands once the node has run so long and every task kept its promises


_TRIAL = "slots"  # the module that boot.py leaves loaded while the slot is on trial


class Node:
    """What the tasks of one node share, as assembly.py puts it together, and the tasks while they run."""

    def __init__(self, settings, board, cable):
        self.version = VERSION
        self.config = settings
        self.cable = cable
        self.promises = Promises()
        self.failure = None
        self.leaves = False  # True once it belongs to another fleet, until it restarts to be of it
        self._trust = None
        self.radio_task = None
        self.far = None  # what answers to far hosts may still cost, once one has asked
        self.arrived = False  # something for this node came in since housekeeping looked
        self.ble = None  # the door over Bluetooth, where there is one
        self.for_phones_only = False  # True from a restart for memory's sake to the next one
        self.phone = None  # the wait for a neighbour with a phone, where the board has a button and Wi-Fi
        self.spare_key = None  # for sessions, where the node asks for keys
        self._once(lambda assembly: assembly.assemble(self, board))

    def _once(self, act):
        """What `act(assembly)` gives; the module is a tenth of the application's code, and goes again."""
        from hedgenode import assembly

        try:
            return act(assembly)
        finally:
            del assembly
            forget("hedgenode.assembly")

    def group_keys(self):
        """The keys of this node's groups. Loaded for a member only: a small board has better use for the room."""
        return self._once(lambda assembly: assembly.group_keys(self))

    def show(self, text):
        """Print on the cable, between frames."""
        self.cable.write(text.encode())

    def tell(self, event, **facts):
        """Journal what the exchange did with a bundle."""
        if event == "delivered":
            self.arrived = True
        rest = " ".join("%s %s" % (key, facts[key]) for key in sorted(facts) if key != "id")
        self.journal.say("info", "bundle %s %s %s" % (facts["id"].hex()[:8], event, rest))

    @property
    def trust(self):
        """Whom this node trusts. Loaded when it is needed first: a small board has better use for the room."""
        if self._trust is None:
            from hedgenode.store.trusted import Trusted

            self._trust = Trusted(self.files, TRUST_FOLDER, self.config["fleet"], identity.public())
        return self._trust

    def sessions(self):
        """What opens sealed frames; the door asks for it when somebody knocks."""
        if not any(self.config["fleet"]):
            from hedgenode.tasks import waiting

            return waiting.sessions(self)
        from hedgenode.tasks.sessions import Sessions

        return Sessions(self.trust, self.clock, self.journal, identity.load, self.spare_key)

    def access_point(self):
        """The radio as phones find it; loaded at the press of the button."""
        from hedgenode.hal.access_point import AccessPoint

        return AccessPoint(self.config["name"], self.config["radio_channel"])

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
        if self.radio_task is not None:
            self.start("listen", self.radio_task.listen)
            self.start("speak", self.radio_task.speak)
        if self.ble is not None:
            self.start("bluetooth", self.ble.run)
        self.start("sampling", self.sampling.run)
        self.start("housekeeping", self.housekeeping.run)
        if self.ledger is not None:
            self.start("ledger", self.ledger.run)
        self.start("layers", self.layers.run)
        if self.phone is not None:
            self.start("phone", self.phone.run)
        if self.spare_key is not None:
            self.start("spare key", self.spare_key.run)

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
        began_ms = time.ticks_ms()
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
            if _TRIAL in sys.modules and time.ticks_diff(time.ticks_ms(), began_ms) >= CONFIRM_AFTER_MS:
                self.confirm_release()
        return None

    def confirm_release(self):
        """The release on trial stands. OSError where flash does not take that."""
        sys.modules.pop(_TRIAL).settle(True)
        self.journal.say("info", "the new release stands")

    def close(self):
        """Leave what outlives the application as a person at the prompt expects it."""
        if self.radio is not None:
            self.radio.close()
        if self.ble is not None:
            self.ble.close()
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
        if not _is_locked(settings):  # a failure is no key: whoever provokes one gets no prompt by it
            cable.close()
        if node is not None:
            node.close()
        asyncio.new_event_loop()


def _is_locked(settings):
    return settings["console"] == "locked"


def _restart(failure, ran_s, settings):
    name, what = failure
    early = ran_s < EARLY_FAILURE_S
    delay_s = EARLY_RESTART_DELAY_S if early else RESTART_DELAY_S
    hint = "Its console is locked" if _is_locked(settings) else "Ctrl-C gives the prompt"
    print("Hedgerow: %s failed; this node restarts in %d s. %s." % (name, delay_s, hint))
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
    """Start the node from /config.cbor; comes back on Ctrl-C, or False with a sentence where it cannot start."""
    settings = _settings()
    if isinstance(settings, str):
        print("Hedgerow: " + settings)
        return False
    try:
        import board
    except ImportError:
        print("Hedgerow: board.mpy is missing (hedgerow provision).")
        return False
    failure, ran_s = _run(settings, board)
    if failure is not None:
        _restart(failure, ran_s, settings)
    watchdog.hold_at_prompt()
    print("Hedgerow stopped. Ctrl-D or machine.reset() starts it again.")
    return True
