"""Administration that a node is seldom asked for: configuration, clock, neighbours, lamp, restart. Keeps nothing."""

import asyncio
import os

from hedgenode.rarely import Rarely
from hedgenode.rules import roles
from hedgenode.store.counters import write_atomic
from hedgenode.tasks.admin import Refusal
from hedgewire import admin, cbor

_PLAUSIBLE_FROM_S = 757382400  # 2024-01-01 in seconds since 2000: who says an earlier time does not know it
_ROUND_MS = 2500  # a neighbour answers once in two seconds (rules/exchange.py)
_STEP_MS = 250
_MOST_ECHOES = 32
_RESTART_AFTER_MS = 200  # the answer has to reach the other end first


class CareMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "config": self.config,
            "configure": self.configure,
            "set_time": self.set_time,
            "neighbours": self.neighbours,
            "probe": self.probe,
            "identify": self.identify,
            "dev": self.dev,
            "restart": self.restart,
        }

    async def config(self, params, rows):
        return self._node.config

    async def configure(self, params, rows):
        """Write a new configuration; it is in force after a restart. Identity and fleet are not changed this way."""
        node = self._node
        if node.leaves:
            raise Refusal(admin.BUSY, "the node goes to another fleet at this moment; ask again")
        new = params.mapping("config")
        for key in ("id", "fleet", "board"):
            if new.get(key, node.config[key]) != node.config[key]:
                raise Refusal(admin.REFUSED, "%s is fixed by provisioning, not by configuration" % key)
        refusal = roles.opening_refusal(node.config, new, rows.asker.role)
        if refusal is not None:
            raise Refusal(admin.NOT_ALLOWED, refusal)
        wanted = dict(node.config)
        wanted.update(new)
        data = cbor.encode(wanted)
        with Rarely():
            from hedgenode import config

            wrong = config.fault(wanted)
            known = ("none", node.hardware.board.RADIO, node.config["radio"])
            if wrong is None and wanted["radio"] not in known and not _drives(wanted["radio"]):
                wrong = "this board has no radio %s" % wanted["radio"]
            if wrong is None and len(data) > config.MAX_BYTES:
                wrong = "the configuration must have at most %d bytes" % config.MAX_BYTES
            if wrong is not None:
                raise Refusal(admin.BAD_PARAMS, wrong)
            write_atomic(node.files, config.PATH, data)
            written = config.load()
        if not isinstance(written, dict):
            raise Refusal(admin.INTERNAL, "the configuration did not read back as written")
        return written

    async def set_time(self, params, rows):
        """Set the wall clock, which no rule depends on: samples, the log and people do."""
        node = self._node
        wanted_s = params.number("time_s", least=_PLAUSIBLE_FROM_S)
        off_s = wanted_s - node.clock.wall_s()
        node.clock.set_wall_s(wanted_s)
        if abs(node.clock.wall_s() - wanted_s) > 1:
            raise Refusal(admin.REFUSED, "the clock of this board cannot be set")
        if off_s:
            node.journal.say("info", "clock set %d s %s" % (abs(off_s), "ahead" if off_s > 0 else "back"))
        return {"time_s": node.clock.wall_s()}

    async def neighbours(self, params, rows):
        node = self._node
        if node.exchange is None:
            return
        now_s = node.clock.uptime_s()
        for short, peer in list(node.exchange.peers.items()):
            await rows.add([short, (now_s - peer.heard_s) * 1000, peer.rssi_dbm, node.meetings.utility(short, now_s)])

    async def probe(self, params, rows):
        """Ask on the radio who hears us; rows of who answered, how often, RSSI and SNR of the last time, both ways."""
        node = self._node
        if node.exchange is None:
            raise Refusal(admin.REFUSED, "this node has no radio")
        from hedgewire import link, message

        number = int.from_bytes(os.urandom(2), "big")
        heard = {}

        def note(said, rssi_dbm):
            if said.number == number and (said.source in heard or len(heard) < _MOST_ECHOES):
                count = heard[said.source][0] if said.source in heard else 0
                heard[said.source] = (count + 1, rssi_dbm, None, said.rssi_dbm, said.snr_db4)

        exchange = node.exchange
        exchange.echo = note
        try:
            for _ in range(params.number("rounds", 3, 1, 5)):
                node.radio_task.say(link.encode_probe(exchange.tag, exchange.short, message.EVERYONE, number))
                for _ in range(_ROUND_MS // _STEP_MS):
                    rows.alive()
                    await asyncio.sleep_ms(_STEP_MS)
        finally:
            exchange.echo = None
        for short in sorted(heard):
            await rows.add([short] + list(heard[short]))

    async def identify(self, params, rows):
        """Blink for a while, so that a person finds the board among others."""
        if not self._node.hardware.has_lamp:
            raise Refusal(admin.REFUSED, "this board has no lamp")
        asyncio.create_task(self._blink(params.number("for_ms", 5000, 0, 60000)))
        return {}

    async def _blink(self, for_ms):
        for i in range(for_ms // 250):
            self._node.hardware.lamp(i % 2 == 0)
            await asyncio.sleep_ms(250)
        self._node.hardware.lamp(False)

    async def dev(self, params, rows):
        """Restart with the application and the watchdog off, until power is cut."""
        with open("/dev", "w") as mark:
            mark.write("dev")
        asyncio.create_task(self._restart())
        return {}

    async def restart(self, params, rows):
        asyncio.create_task(self._restart())
        return {}

    async def _restart(self):
        self._node.journal.say("info", "restarting on request")
        await asyncio.sleep_ms(_RESTART_AFTER_MS)
        self._node.hardware.restart()


def _drives(radio):
    """Whether this node has the module of that bearer."""
    try:
        __import__("hedgenode.hal.%s_radio" % radio)
    except ImportError:
        return False
    return True
