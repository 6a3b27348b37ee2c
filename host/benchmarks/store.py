"""Measures what it costs flash to keep a record, beside other ways to keep it. Knows LittleFS, no board.

    python host/benchmarks/store.py

Runs under MicroPython on a real LittleFS (256-byte programs, 4,096-byte blocks, as on a Pico) that counts every change.
LittleFS copies the last block of a file at each commit, so an append costs one erase and some two kilobytes whatever
the segment size; the segment size decides how much a compaction moves at a time and how much one damaged file holds.
"""

import subprocess
import sys
from pathlib import Path

from hedgerow.errors import FleetError
from hedgerow.virtual import interpreter

RUN_S = 120
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SCRIPT = r"""
import os, sys
sys.path[:0] = [FIRMWARE, FIRMWARE + "/tests"]
from test_store_power_cut import FlashChip, VfsLfs2, mount
from hedgenode.store.bundles import BundleStore
from hedgenode.store.counters import Counters, write_atomic
from hedgenode.store.files import Flash
from hedgenode.store.samples import SampleLog
from hedgenode.store.segments import SegmentLog

import test_store_power_cut
test_store_power_cut.BLOCKS = 96
chip = FlashChip()
VfsLfs2.mkfs(chip, progsize=256, readsize=32)
mount(VfsLfs2(chip, progsize=256, readsize=32), "/f")
files = Flash()
READING = {"temperature_c100": 2000, "humidity_pc100": 5000, "pressure_pa": 101300, "battery_mv": 3900}

def cost(name, count, keep):
    before = chip.erases, chip.programs, chip.programmed_bytes
    for i in range(count):
        keep(i)
    after = chip.erases, chip.programs, chip.programmed_bytes
    print("%-52s%9.2f%11.2f%9d" % ((name,) + tuple((b - a) / count for a, b in zip(before, after))))

print("%-52s%9s%11s%9s" % ("per record kept", "erases", "programs", "bytes"))
for segment_bytes in (4080, 8176, 16320):
    for size in (24, 190):
        folder = "/f/s%d_%d" % (segment_bytes, size)
        os.mkdir(folder)
        log = SegmentLog(files, folder, segment_bytes)
        cost("append %d B, segments of %d B" % (size, segment_bytes), 200, lambda i: log.append(bytes(size)))
        cost("  the same, committed ten at a time", 200, lambda i: log.append(bytes(size), b"", i % 10 == 9))
        while len(log.numbers) > 1:
            log.drop_segment(log.numbers[0])
        log.close()
os.mkdir("/f/b")
os.mkdir("/f/m")
store = BundleStore(files, "/f/b", 150000)
add = lambda i: store.add(bytes(190), i.to_bytes(8, "big"), 1, 2, 6, 0, 10**9, 0)
cost("bundle of 190 B added, store filling up", 300, add)
cost("copies given away", 200, lambda i: store.give(i.to_bytes(8, "big"), 1))
cost("bundle of 190 B added, store full", 1000, lambda i: add(1000 + i))
samples = SampleLog(files, "/f/m", 40000)
cost("sample of four channels", 300, lambda i: samples.append(i, i, 1, READING))
counters = Counters(files, "/f")
cost("sequence number", 640, lambda i: counters.next_sequence())
print("other ways")
cost("a small file of its own, replaced by rename", 100, lambda i: write_atomic(files, "/f/x", bytes(190)))
def whole(i):
    with open("/f/all", "ab") as file:
        file.write(bytes(190))
cost("one file that grows for ever", 200, whole)
def json_file(i):
    import json
    entries.append({"id": i, "text": "x" * 150})
    with open("/f/j", "w") as file:
        json.dump(entries[-100:], file)
entries = []
cost("all of the last 100 messages in a JSON file", 200, json_file)
"""


def main() -> int:
    try:
        found = interpreter.ensure()
    except FleetError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return problem.exit_code
    script = f"FIRMWARE = {str(FIRMWARE)!r}\n{SCRIPT}"
    return subprocess.run([*found.command, "-X", "heapsize=32M", "-c", script], timeout=RUN_S, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
