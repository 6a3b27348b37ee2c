"""What a node does when nobody needs it: tidy the store, remember meetings, look for documents. No decisions."""

import asyncio
import gc

from hedgenode.rarely import forget
from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import message

_STEP_MS = 10000
_LOOK_MS = 500  # whoever asks from far away waits for every hop; what has come here shall not wait as well
_DOCUMENTS_MS = 60000  # a document with many signatures takes a chip several seconds
_REMEMBER_EVERY_S = 900  # meetings change slowly, flash wears: four writes an hour at most
MEETINGS_PATH = "/store/meetings"


class HousekeepingTask:
    """`node.meetings` is None where there is no radio to meet anybody by."""

    def __init__(self, node):
        self._node = node
        self._bundles = node.bundles
        self._meetings = node.meetings
        self._clock = node.clock
        self._documents_seen = 0  # arrival number of the last bundle that was looked at for a document
        known = None if self._meetings is None else read_whole(node.files, MEETINGS_PATH)
        if self._meetings is not None and known is not None:
            self._meetings.from_bytes(known, self._clock.uptime_s())
        self._kept = known
        self._kept_s = self._clock.uptime_s()

    async def run(self, promise):
        while True:
            promise(_STEP_MS + _DOCUMENTS_MS)
            await self._pause()
            if self._bundles.tidy(self._clock.uptime_ms()):
                gc.collect()
            if self._meetings is not None and self._clock.uptime_s() - self._kept_s >= _REMEMBER_EVERY_S:
                self._remember()
            await self.look_for_documents()

    async def _pause(self):
        """Until the next step, or until something has arrived."""
        node = self._node
        for _ in range(_STEP_MS // _LOOK_MS):
            if node.arrived:
                break
            await asyncio.sleep_ms(_LOOK_MS)
        node.arrived = False

    async def look_for_documents(self):
        """Documents come as bundles to everybody or to this node, a far host's frames to this node; what looks at them
        is loaded when there is one."""
        base = self._node.config["ipn_base"]
        ends = (base + message.EVERYONE, base + self._node.config["short"])
        for entry in self._bundles.entries():
            if entry.destination in ends and entry.seq > self._documents_seen:
                try:
                    await self._look()
                except MemoryError:  # the next round may have the room
                    self._node.journal.say("warning", "no memory to look at documents now")
                for name in ("papers", "elsewhere", "outgoing"):
                    forget("hedgenode.tasks." + name)
                gc.collect()
                return

    async def _look(self):
        from hedgenode.tasks import papers

        self._documents_seen = await papers.look(self._node, self._documents_seen)

    def _remember(self):
        self._kept_s = self._clock.uptime_s()
        now = self._meetings.to_bytes(self._kept_s)
        if now == self._kept:
            return
        try:
            write_atomic(self._node.files, MEETINGS_PATH, now)
            self._kept = now
        except OSError as e:
            self._node.journal.say("warning", "meetings not kept: %s" % e)
