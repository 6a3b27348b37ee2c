"""Composition root of a node: builds the hardware layer, the stores and the tasks. Needed at start, and then let go.

So nothing here may be given to what it builds: one function of a module keeps all of it.
"""

import gc
import os

from hedgenode import identity
from hedgenode.hal import watchdog
from hedgenode.hal.clock import Clock
from hedgenode.hal.hardware import Hardware
from hedgenode.rules.intake import Intake
from hedgenode.rules.power import plan
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

KEYS_FOLDER = "/store/keys"
NEXT_FOLDER = "/store/next"  # what a move to another fleet needs


def assemble(node, board) -> None:
    """Give the node all its parts. What only some nodes have is imported for them alone.

    `node` has version, config and cable; the radio, its task and the ledger are None where there is none.
    """
    node.files = Flash()
    node.watchdog = watchdog
    node.clock = Clock()
    node.hardware = Hardware(board)
    node.journal = Journal(node.clock, node.show)
    _make_stores(node)
    node.for_phones_only = node.config["phone"] and _was_pressed()
    _make_exchange(node)
    _make_tasks(node)


def group_keys(node):
    """The GroupKeys of this node."""
    from hedgenode.crypto import suite
    from hedgenode.hal.block_device import block_device
    from hedgenode.store.group_keys import GroupKeys
    from hedgenode.store.keyslot import KeySlots

    try:
        device = block_device()
        groups = GroupKeys(None if device is None else KeySlots(node.files, device, KEYS_FOLDER))
        if are_lost(node.files, "/store"):  # before they begin anew: no number may serve twice under one key
            groups.skip(suite)
        return groups
    except OSError as e:
        node.journal.say("error", "this node keeps no keys of groups: %s" % e)
        return GroupKeys(None)


def _make_stores(node):
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
    files = node.files
    _, total = node.hardware.flash_bytes()
    now_ms = node.clock.uptime_ms()
    member = read_whole(files, KEYS_FOLDER + "/slots.cbor") is not None
    groups = group_keys(node) if member else None
    node.counters = Counters(files, "/store")
    node.boot = node.counters.boot
    node.posted = Posted(files, "/store/posted.cbor")
    node.places = []
    everyone = node.config["ipn_base"] + message.EVERYONE
    node.bundles = bundles.BundleStore(files, "/store/bundles", bundles.share_bytes(total), now_ms, everyone)
    node.samples = samples.SampleLog(files, "/store/samples", samples.share_bytes(total))
    node.layers = Layers(files, groups, node.group_keys, node.bundles, _identity(node), node.clock, node.journal)
    _finish_move(node)
    gc.collect()


def _finish_move(node):
    """What is left of a move to the fleet that the configuration names comes before anything asks what that is."""
    if read_whole(node.files, NEXT_FOLDER + "/move") is not None:
        from hedgenode.tasks import elsewhere

        elsewhere.finish_move(node)


def _identity(node):
    try:
        return identity.load()
    except ValueError as e:
        node.journal.say("error", str(e))
        return None


def _make_exchange(node):
    """What is needed to talk to neighbours is loaded with a radio only: it is a tenth of the code."""
    c = node.config
    node.radio = _radio(node)
    node.radio_keys = None  # where frames travel under keys
    if node.radio is None:
        node.exchange = node.meetings = None
        node.intake = Intake(c["short"], c["ipn_base"], node.bundles, node.tell, node.layers)
    else:
        from hedgenode.rules.exchange import Exchange
        from hedgenode.rules.routing import Meetings

        node.meetings = Meetings(c["short"])
        tag = c["fleet"][0] << 8 | c["fleet"][1]
        node.exchange = Exchange(c["short"], tag, c["ipn_base"], node.bundles, node.meetings, node.tell, node.layers)
        node.intake = node.exchange.intake
    gc.collect()


def _was_pressed():
    """Whether this start is for the page alone; counts once, whatever comes of it."""
    try:
        from hedgenode.tasks.phone import MARK

        os.remove(MARK)
        return True
    except (ImportError, OSError):
        return False


def _radio(node):
    wanted = node.config["radio"]
    if wanted == "none" or node.for_phones_only:
        return None
    try:
        hal = __import__("hedgenode.hal.%s_radio" % wanted, None, None, ("Radio",))
    except ImportError:
        node.journal.say("error", "this board has no radio %s; the node works without" % wanted)
        return None
    return hal.Radio(node.config["radio_channel"])


def _make_tasks(node):
    c = node.config
    node.sampling = SamplingTask(
        _sensors(node), node.hardware, node.samples, node.clock, node.journal, c["sample_ms"], node.boot, plan
    )
    node.housekeeping = HousekeepingTask(node)
    node.ledger = _ledger(node)
    node.radio_task = None if node.radio is None else _radio_task(node)
    if c["protected"] and any(c["fleet"]):
        from hedgenode.tasks.spare_key import SpareKey

        node.spare_key = SpareKey(node, identity.load)
    door = node.door = Door(node.sessions if c["protected"] else None)
    methods, late = (NodeMethods(node), MessageMethods(node), door), Late(node)
    if not any(c["fleet"]):
        from hedgenode.tasks.waiting import WaitingMethods

        methods, late = (WaitingMethods(node, door),), None
    node.admin = door.admin = Admin(methods, node.journal, late)
    node.console = ConsoleTask(node.cable, door, c["name"], c["console"] == "locked")
    node.ble = _ble(node, door) if c["ble"] and c["protected"] else None
    node.phone = _phone(node) if c["phone"] and any(c["fleet"]) else None
    gc.collect()


def _phone(node):
    """What waits at the button, or None where the board has no button or no Wi-Fi."""
    pin = node.hardware.board.BUTTON_PIN
    if pin is not None:
        try:
            from hedgenode.hal.button import Button
            from hedgenode.tasks.phone import PhoneTask

            return PhoneTask(node, Button(pin))
        except (ImportError, AttributeError, ValueError):
            pass
    node.journal.say("error", "this board has no button and Wi-Fi for phones; the node works without")
    return None


def _ble(node, door):
    """The door over Bluetooth, or None where the board has none or the node no key."""
    try:
        from hedgenode.hal.ble import Peripheral
        from hedgenode.tasks.ble import BleTask

        public = identity.public()
        if public is not None:
            return BleTask(Peripheral(), door, node.config["fleet"], public, node.hardware, plan)
    except (ImportError, OSError, ValueError) as e:
        node.journal.say("error", "this node cannot be reached over Bluetooth: %s; it works without" % e)
    return None


def _radio_task(node):
    """Loaded where there is a radio only."""
    from hedgenode.tasks.radio import RadioTask

    if node.config["radio_security"] != "open":
        from hedgenode.tasks import radio_keys

        node.radio_keys = radio_keys.of(node)
    task = RadioTask(node.radio, node.radio_keys, node.exchange, node.clock, node.config["hello_ms"])
    if node.ledger is not None:
        node.ledger.meet(node.exchange, task.say)
    return task


def _ledger(node):
    """The node's ledger, or None where it has no key or the board no room for one: messages go on without."""
    mine = node.layers.identity
    if mine is None or not node.config["ledger"]:
        return None
    from hedgenode.tasks.ledger import LedgerTask

    facts = {key: node.config[key] for key in ("fleet", "short", "charter")}
    facts["app"] = node.version
    facts["boot"] = node.boot
    facts["watchdog"] = node.hardware.reset_cause() == "watchdog"
    return LedgerTask(node.files, mine, node.clock, node.journal, facts)


def _sensors(node):
    found = []
    for wanted in node.config["sensors"]:
        from hedgenode import drivers

        try:
            bus = node.hardware.i2c(wanted.get("bus", 0))
            found.append(drivers.make(wanted["driver"], bus, wanted.get("address")))
        except (ValueError, OSError) as e:
            node.journal.say("warning", "sensor %s: %s" % (wanted["driver"], e))
    return found
