"""Sampling: what fails is counted, and nothing of it ends the task."""

import asyncio

from like_micropython import run

from hedgenode.rules.power import plan
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.sampling import SamplingTask


class _Clock:
    def wall_s(self):
        return 0

    def uptime_ms(self):
        return 0


class _Hardware:
    def __init__(self, battery_mv):
        self._battery_mv = battery_mv

    def battery_mv(self):
        return self._battery_mv


class _Sensor:
    def __init__(self, *readings):
        self._readings = list(readings)

    async def read(self):
        reading = self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading


class _Log:
    def __init__(self, full=False):
        self.full = full
        self.kept = []

    def append(self, time_s, uptime_ms, boot, values):
        if self.full:
            raise OSError(28)
        self.kept.append(values)


def _sample(sensors, log, battery_mv=4000, sample_ms=20, for_s=0.1):
    journal = Journal(_Clock())
    promised = []
    task = SamplingTask(sensors, _Hardware(battery_mv), log, _Clock(), journal, sample_ms, 1, plan)

    async def story():
        running = asyncio.create_task(task.run(promised.append))
        await asyncio.sleep(for_s)
        for _ in range(200):  # a busy machine comes to it later
            if log.full or sample_ms > 1000 or len(log.kept) >= 2:
                break
            await asyncio.sleep(0.02)
        ended = running.done()
        running.cancel()
        assert not ended

    run(story())
    return task, journal, promised


def test_all_channels_of_one_moment_make_one_sample():
    log = _Log()
    _sample([_Sensor({"panel_mv": 1}), _Sensor({"pressure_pa": 2})], log)
    assert log.kept[0] == {"battery_mv": 4000, "panel_mv": 1, "pressure_pa": 2}
    assert len(log.kept) >= 2


def test_absent_and_damaged_readings_are_counted_and_the_others_kept():
    log = _Log()
    task, _, _ = _sample([_Sensor(OSError(19)), _Sensor(None), _Sensor({"panel_mv": 1})], log, None)
    assert log.kept[0] == {"panel_mv": 1}
    assert task.failed == 2 * len(log.kept)


def test_a_full_flash_is_told_once_and_sampling_goes_on():
    log = _Log(full=True)
    task, journal, _ = _sample([_Sensor({"panel_mv": 1})], log)
    assert [line[2] for line in journal.after(0)] == ["error"]
    assert task.last["panel_mv"] == 1


def test_an_empty_battery_stretches_the_time_and_no_wait_outgrows_the_ticks():
    _, _, promised = _sample([], _Log(), 3200, 20)
    assert 160 in promised
    _, _, promised = _sample([], _Log(), 3200, 86400000, 0.03)
    assert max(promised) == 86400000
