"""Administration of the node as a whole: who it is, how it is, its configuration, its log, restart."""

import asyncio

from hedgewire import admin, cbor

from hedgenode import config
from hedgenode.store.counters import write_atomic
from hedgenode.tasks.admin import Refusal

_RESTART_AFTER_MS = 200  # the answer has to reach the other end first


class NodeMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "hello": self.hello,
            "status": self.status,
            "config": self.config,
            "configure": self.configure,
            "log": self.log,
            "follow": self.follow,
            "neighbours": self.neighbours,
            "identify": self.identify,
            "dev": self.dev,
            "restart": self.restart,
        }

    async def hello(self, params, rows):
        node = self._node
        mp, mpy = node.hardware.versions()
        c = node.config
        return {
            "id": c["id"],
            "short": c["short"],
            "name": c["name"],
            "fleet": c["fleet"],
            "charter": c["charter"],
            "board": node.hardware.board.ID,
            "app": node.version,
            "mp": mp,
            "mpy": mpy,
            "uptime_ms": node.clock.uptime_ms(),
            "boots": node.boot,
            "versions": [admin.VERSION],
        }

    async def status(self, params, rows):
        node = self._node
        free, total = node.hardware.flash_bytes()
        heap_free, heap_used = node.hardware.heap_bytes()
        last = node.sampling.last
        radio = node.radio
        return {
            "battery_mv": node.hardware.battery_mv(),
            "panel_mv": last.get("panel_mv"),
            "panel_ma10": last.get("panel_ma10"),
            "free_bytes": free,
            "total_bytes": total,
            "heap_free": heap_free,
            "heap_used": heap_used,
            "samples": node.samples.next_seq - 1,
            "sensor_failures": node.sampling.failed,
            "bundles": node.bundles.count(),
            "damaged": node.bundles.damaged + node.samples.damaged,
            "reset_cause": node.hardware.reset_cause(),
            "time_s": node.clock.wall_s(),
            "radio": None if radio is None else {"sent": radio.sent, "received": radio.received, "lost": radio.failed},
            "log_next": node.journal.next,
            "store": {"bundle_bytes": node.bundles.used_bytes(), "sample_bytes": node.samples.used_bytes()},
        }

    async def config(self, params, rows):
        return self._node.config

    async def configure(self, params, rows):
        """Write a new configuration; it is in force after a restart. Identity and fleet are not changed this way."""
        new = params["config"]
        for key in ("id", "fleet", "board"):
            if new.get(key, self._node.config[key]) != self._node.config[key]:
                raise Refusal(admin.REFUSED, "%s is fixed by provisioning, not by configuration" % key)
        whole = dict(self._node.config)
        whole.update(new)
        data = cbor.encode(whole)
        if config.parse(data) is None:
            raise Refusal(admin.BAD_PARAMS, "this configuration is not one of version %d" % config.VERSION)
        write_atomic(self._node.files, config.PATH, data)
        return config.load()

    async def log(self, params, rows):
        for line in self._node.journal.after(params.get("after", 0)):
            rows.add(line)

    async def follow(self, params, rows):
        """Send log lines as events for a while; the asker asks again before that runs out."""
        asyncio.create_task(self._follow(min(params.get("for_ms", 60000), 600000)))
        return {}

    async def _follow(self, for_ms):
        node = self._node

        def pass_on(line):
            node.console.send_event(admin.event("log", line))

        journal = node.journal
        for old in journal.followers[:]:
            journal.followers.remove(old)
        journal.followers.append(pass_on)
        await asyncio.sleep_ms(for_ms)
        if pass_on in journal.followers:
            journal.followers.remove(pass_on)

    async def neighbours(self, params, rows):
        node = self._node
        now_s = node.clock.uptime_s()
        for short, peer in node.exchange.peers.items():
            rows.add([short, (now_s - peer.heard_s) * 1000, peer.rssi_dbm, node.meetings.utility(short, now_s)])

    async def identify(self, params, rows):
        asyncio.create_task(self._blink(min(params.get("for_ms", 5000), 60000)))
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
        self._node.watchdog.forget()
        asyncio.create_task(self._restart())
        return {}

    async def restart(self, params, rows):
        asyncio.create_task(self._restart())
        return {}

    async def _restart(self):
        self._node.journal.say("info", "restarting on request")
        await asyncio.sleep_ms(_RESTART_AFTER_MS)
        self._node.hardware.restart()
