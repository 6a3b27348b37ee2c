"""Runs on the chip: what a ledger costs in time and flash, beside two that sign more. Prints lines of name|number|unit.

The peers keep the same entries in the same log of the same flash: one signs every entry, the other makes of each entry
packets of 120 bytes in the manner of tinySSB (7 bytes of hint, 1 of type, 48 of content, 64 of signature).
"""

import gc
import os
import time

ENTRIES = 16
SIGNED_ONES = 3  # a peer signs each entry: a few of them tell as much as sixteen


def figure(name, value, unit):
    print("%s|%s|%s" % (name, value, unit))


def elapsed_ms(start):
    return time.ticks_diff(time.ticks_us(), start) / 1000


gc.collect()
before = gc.mem_alloc()
start = time.ticks_us()
from hedgenode.store.files import Flash  # noqa: E402
from hedgenode.store.ledger import LedgerStore  # noqa: E402
from hedgenode.store.segments import SegmentLog  # noqa: E402
from hedgewire import ledger  # noqa: E402

figure("ledger: its modules imported", elapsed_ms(start), "ms")
gc.collect()
figure("ledger: heap while they are", gc.mem_alloc() - before, "bytes")

from hedgenode.crypto.ed25519 import signing_key_steps, verify_steps  # noqa: E402
from hedgenode.crypto.steps import finish  # noqa: E402

FOLDER = "/bench_ledger"
KEY = finish(signing_key_steps(bytes(range(32))))


def folder(name):
    for path in (FOLDER, FOLDER + name):
        try:
            os.mkdir(path)
        except OSError:
            pass
    return FOLDER + name


def fields(i):
    return {"config": i.to_bytes(8, "big"), "by": b"laptop88"}


# ours: an entry at a time, one signature for all of them
store = LedgerStore(Flash(), folder("/ours"), KEY.public)
store.append("enrolled", {"fleet": b"fleetid8", "short": 1})
used = store.used_bytes()
times_ms = []
for i in range(ENTRIES):
    start = time.ticks_us()
    store.append("configured", fields(i))
    times_ms.append(elapsed_ms(start))
times_ms.sort()
figure("ledger: an entry safe in flash, median of 16", times_ms[8], "ms")
figure("ledger: an entry safe in flash, worst of 16", times_ms[-1], "ms")
start = time.ticks_us()
statement = ledger.head_statement(store.seq, store.digest)
signature = finish(KEY.sign_steps(statement))
signed_ms = elapsed_ms(start)
store.keep_head(store.seq, store.digest, signature)
figure("ledger: head signed and safe, for 16 entries", elapsed_ms(start), "ms")
figure("ledger: an entry and its share of the signature", sum(times_ms) / ENTRIES + signed_ms / ENTRIES, "ms")
figure("ledger: flash an entry, with its share", (store.used_bytes() - used) / ENTRIES, "bytes")
store.close()
start = time.ticks_us()
LedgerStore(Flash(), FOLDER + "/ours", KEY.public).close()
figure("ledger: opened, 17 entries", elapsed_ms(start), "ms")
start = time.ticks_us()
assert finish(verify_steps(KEY.public, statement, signature))
figure("ledger: a neighbour's head checked", elapsed_ms(start), "ms")
start = time.ticks_us()
finish(KEY.sign_steps(ledger.witness_statement(KEY.public, store.seq, store.digest)))
figure("ledger: and counter-signed, key at hand", elapsed_ms(start), "ms")

# peer: every entry signed
log = SegmentLog(Flash(), folder("/each"))
log.append(b"begun")
used = log.used_bytes
start = time.ticks_us()
for i in range(SIGNED_ONES):
    entry = ledger.encode_entry(i + 1, "configured", bytes(32), fields(i))
    log.append(entry, finish(KEY.sign_steps(entry)))
figure("peer, a signature an entry: time an entry", elapsed_ms(start) / SIGNED_ONES, "ms")
figure("peer, a signature an entry: flash an entry", (log.used_bytes - used) / SIGNED_ONES, "bytes")
log.close()

# peer: signed packets of 120 bytes; a chain needs no digest in them, for the hint is made of it
log = SegmentLog(Flash(), folder("/packets"))
log.append(b"begun")
used = log.used_bytes
start = time.ticks_us()
for i in range(SIGNED_ONES):
    content = ledger.encode_entry(i + 1, "configured", bytes(32), fields(i))
    content = content[:13] + content[47:]  # without the digest of the entry before
    while content:
        packet = bytes(8) + content[:48] + bytes(max(0, 48 - len(content)))
        log.append(packet, finish(KEY.sign_steps(packet)))
        content = content[48:]
figure("peer, packets as in tinySSB: time an entry", elapsed_ms(start) / SIGNED_ONES, "ms")
figure("peer, packets as in tinySSB: flash an entry", (log.used_bytes - used) / SIGNED_ONES, "bytes")
log.close()

for name in ("/ours", "/each", "/packets"):
    for file in os.listdir(FOLDER + name):
        os.remove(FOLDER + name + "/" + file)
    os.rmdir(FOLDER + name)
os.rmdir(FOLDER)
