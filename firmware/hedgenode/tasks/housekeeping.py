"""What a node does when nobody needs it: expire and compact the store, keep its memory of meetings. No decisions."""

import asyncio
import gc

from hedgenode.store.counters import read_whole, write_atomic

_STEP_MS = 10000
_REMEMBER_EVERY_S = 900  # meetings change slowly, flash wears: four writes an hour at most
MEETINGS_PATH = "/store/meetings"


class HousekeepingTask:
    def __init__(self, files, bundles, meetings, clock, journal):
        self._files = files
        self._bundles = bundles
        self._meetings = meetings
        self._clock = clock
        self._journal = journal
        known = read_whole(files, MEETINGS_PATH)
        if known is not None:
            meetings.from_bytes(known, clock.uptime_s())
        self._kept = known
        self._kept_s = clock.uptime_s()

    async def run(self, promise):
        while True:
            promise(_STEP_MS)
            await asyncio.sleep_ms(_STEP_MS)
            if self._bundles.tidy(self._clock.uptime_ms()):
                gc.collect()
            if self._clock.uptime_s() - self._kept_s >= _REMEMBER_EVERY_S:
                self._remember()

    def _remember(self):
        self._kept_s = self._clock.uptime_s()
        now = self._meetings.to_bytes(self._kept_s)
        if now == self._kept:
            return
        try:
            write_atomic(self._files, MEETINGS_PATH, now)
            self._kept = now
        except OSError as e:
            self._journal.say("warning", "meetings not kept: %s" % e)
