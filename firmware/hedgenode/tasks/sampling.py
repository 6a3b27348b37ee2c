"""Reads the sensors when it is time and keeps what they said. Which sensors there are, the configuration says."""

import asyncio
import gc


class SamplingTask:
    """`sensors` are drivers with `async read() -> {channel: int} | None`; absent or failing ones are counted."""

    def __init__(self, sensors, hardware, samples, clock, journal, sample_ms, boot, plan):
        self._sensors = sensors
        self._hardware = hardware
        self._samples = samples
        self._clock = clock
        self._journal = journal
        self._sample_ms = sample_ms
        self._boot = boot
        self._plan = plan
        self.last = {}
        self.failed = 0

    async def run(self, promise):
        while True:
            promise(self._sample_ms + 60000)
            self.last = await self.read()
            self._samples.append(self._clock.wall_s(), self._clock.uptime_ms(), self._boot, self.last)
            gc.collect()
            wait_ms = self._sample_ms
            if self.last.get("battery_mv") is not None:
                wait_ms = max(wait_ms, self._plan(self.last["battery_mv"], None, self._sample_ms).sleep_ms)
            promise(wait_ms + 60000)
            await asyncio.sleep_ms(wait_ms)

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
