"""Reads the sensors when it is time and keeps what they said. Which sensors there are, the configuration says."""

import asyncio
import gc

_LONGEST_WAIT_MS = 86400000  # also what the ticks of a board can count at once
_READING_MS = 10000  # all sensors together, and the write to flash


class SamplingTask:
    """`sensors` are drivers with `async read() -> {channel: int} | None`; absent or failing ones are counted.

    `plan(battery_mv, None, sample_ms)` says how often the battery allows it (rules/power.py).
    """

    def __init__(self, sensors, hardware, samples, clock, journal, sample_ms, boot, plan):
        self._sensors = sensors
        self._hardware = hardware
        self._samples = samples
        self._clock = clock
        self._journal = journal
        self._sample_ms = sample_ms
        self._boot = boot
        self._plan = plan
        self._flash_refused = False
        self.last = {}
        self.failed = 0

    async def run(self, promise):
        while True:
            promise(_READING_MS)
            self.last = await self.read()
            self._keep()
            gc.collect()
            wait_ms = self._plan(self.last.get("battery_mv"), None, self._sample_ms).sleep_ms
            wait_ms = min(wait_ms, _LONGEST_WAIT_MS)
            promise(wait_ms)
            await asyncio.sleep_ms(wait_ms)

    def _keep(self):
        """A full flash costs this sample; messages go on, so the node must not stop for it."""
        try:
            self._samples.append(self._clock.wall_s(), self._clock.uptime_ms(), self._boot, self.last)
            self._flash_refused = False
        except OSError as e:
            if not self._flash_refused:
                self._journal.say("error", "samples are not kept: %s" % e)
            self._flash_refused = True

    async def read(self):
        """One reading of everything: channel name to int, units in the names."""
        values = {}
        battery_mv = self._hardware.battery_mv()
        if battery_mv is not None:
            values["battery_mv"] = battery_mv
        for sensor in self._sensors:
            try:
                reading = await sensor.read()
            except OSError:
                reading = None
            if reading is None:
                self.failed += 1
            else:
                values.update(reading)
        return values
