"""Administration of the node as a whole: who it is, how it is, and its log. Changes nothing."""

from hedgewire import admin


class NodeMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {
            "hello": self.hello,
            "status": self.status,
            "log": self.log,
            "follow": self.follow,
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
            "time_s": node.clock.wall_s(),
            "protected": c["protected"],
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
            "damaged": node.bundles.damaged + node.samples.damaged + (node.ledger.damaged if node.ledger else 0),
            "reset_cause": node.hardware.reset_cause(),
            "time_s": node.clock.wall_s(),
            "radio": None if radio is None else {"sent": radio.sent, "received": radio.received, "lost": radio.lost},
            "log_next": node.journal.next,
            "store": {"bundle_bytes": node.bundles.used_bytes(), "sample_bytes": node.samples.used_bytes()},
        }

    async def log(self, params, rows):
        for line in self._node.journal.after(params.number("after", 0)):
            await rows.add(line)

    async def follow(self, params, rows):
        """Send log lines as events for a while; the asker asks again before that runs out. 0 ends it."""
        node = self._node
        asker = rows.asker

        def pass_on(line):
            asker.tell(admin.event("log", line))

        node.journal.follow(pass_on, params.number("for_ms", 60000, 0, 600000))
        return {}
