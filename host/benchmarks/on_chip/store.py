"""Runs on the chip: what the store costs in heap and time. Prints lines of name|number|unit."""

import gc
import os
import time


def figure(name, value, unit):
    print("%s|%s|%s" % (name, value, unit))


def elapsed_ms(start):
    return time.ticks_diff(time.ticks_us(), start) / 1000


gc.collect()
before = gc.mem_alloc()
start = time.ticks_us()
from hedgenode.store.files import Flash  # noqa: E402
from hedgenode.store.segments import SegmentLog  # noqa: E402

figure("store imported", elapsed_ms(start), "ms")
gc.collect()
figure("store: heap used", gc.mem_alloc() - before, "bytes")

FOLDER = "/bench_store"
os.mkdir(FOLDER)
log = SegmentLog(Flash(), FOLDER)
record = os.urandom(260)
times_ms = []
for _ in range(100):
    start = time.ticks_us()
    log.append(record)
    times_ms.append(elapsed_ms(start))
times_ms.sort()
figure("store: 260 B safe in flash, median of 100", times_ms[50], "ms")
figure("store: 260 B safe in flash, worst of 100", times_ms[-1], "ms")
log.close()

gc.collect()
start = time.ticks_us()
log = SegmentLog(Flash(), FOLDER)
assert sum(1 for _ in log.scan()) == 100
figure("store: 26 kB mounted and read through", elapsed_ms(start), "ms")
log.close()
for name in os.listdir(FOLDER):
    os.remove(FOLDER + "/" + name)
os.rmdir(FOLDER)
