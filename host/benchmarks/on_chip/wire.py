"""Runs on the chip: what hedgewire costs in heap and time. Prints lines of name|number|unit|bar."""

import gc
import os
import time


def figure(name, value, unit, at_most=""):
    print("%s|%s|%s|%s" % (name, value, unit, at_most))


def timed(name, work, rounds=5, at_most=""):
    gc.collect()
    start = time.ticks_us()
    for _ in range(rounds):
        result = work()
    figure(name, time.ticks_diff(time.ticks_us(), start) / rounds / 1000, "ms", at_most)
    return result


def peak(name, work):
    """All that one call allocates, with what it drops again: an upper bound of its peak."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    result = work()
    figure(name, gc.mem_alloc() - before, "bytes")
    gc.enable()
    return result


gc.collect()
before = gc.mem_alloc()
start = time.ticks_us()
from hedgewire import admin, bundle, cbor, crc, frame, link, message  # noqa: E402, F401

figure("hedgewire imported", time.ticks_diff(time.ticks_us(), start) / 1000, "ms")
gc.collect()
figure("hedgewire: heap used", gc.mem_alloc() - before, "bytes")

kilobyte = os.urandom(1000)
framed = timed("frame encoded, 1 kB", lambda: frame.encode(frame.REQUEST, kilobyte))
decoder = frame.Decoder(2048)


def decode_as_usb_delivers():
    found = []
    for at in range(0, len(framed), 64):
        found += decoder.feed(memoryview(framed)[at : at + 64])
    return found


assert timed("frame decoded, 1 kB in packets of 64 B", decode_as_usb_delivers) == [(frame.REQUEST, kilobyte)]

made = bundle.make(bundle.Eid(974849, 1), bundle.Eid(974850, 1), kilobyte[:200], 1, 86400000)
data = timed("bundle encoded, 200 B", lambda: bundle.encode(made), 5, 6)
assert timed("bundle decoded, 200 B", lambda: bundle.decode(data), 5, 6).payload == kilobyte[:200]
peak("bundle encoded, 200 B: heap at most", lambda: bundle.encode(made))
peak("bundle decoded, 200 B: heap at most", lambda: bundle.decode(data))
timed("bundle id", lambda: bundle.bundle_id(data))
request = admin.request(7, "hello", {})
timed("request parsed", lambda: admin.parse_request(request))
