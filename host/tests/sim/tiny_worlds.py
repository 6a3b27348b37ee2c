"""Worlds small enough to think through, and runs on them. Knows no expectation."""

from hedgerow.sim import run, traffic
from hedgerow.sim.contacts import Contact
from hedgerow.sim.engine import Simulation
from hedgerow.sim.traffic import Message

BUFFER = 4000


def simulate(router, events, letters, node_count=4, until_s=1000, buffer_bytes=BUFFER, rate=50_000, seed=1):
    make = run.ROUTERS[router]
    simulation = Simulation(lambda host, whole: make(host, whole, buffer_bytes), node_count, rate, seed)
    simulation.run(events, letters, until_s)
    return simulation


def meeting(at_s, a, b, length_s=5.0):
    return [Contact(at_s, a, b, True), Contact(at_s + length_s, a, b, False)]


def letter(serial, source, destination, at_s=1.0, size=300, ttl_s=5000.0):
    return Message(serial, source, destination, size, at_s, at_s + ttl_s)


def job(router, source="town", **more):
    facts = {
        "buffer_bytes": 8000,
        "ttl_s": 3600.0,
        "rate_bytes_s": 50_000.0,
        "traffic": traffic.Traffic(200, 1000, 20, 40),
        "until_s": 7200.0,
        "seed": 1,
        "nodes": 30,
    }
    return run.Job(source=source, router=router, **{**facts, **more})
