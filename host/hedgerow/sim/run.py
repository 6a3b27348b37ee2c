"""One run as a value: what to simulate, and what came of it. Knows every router by its name; prints nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

from hedgerow.errors import UsageError
from hedgerow.sim import contacts, node, reference, traffic, worlds
from hedgerow.sim.engine import Counts, Simulation

ROUTERS: dict[str, Callable[..., Any]] = {
    "hedgerow": node.Node,
    "direct": reference.Direct,
    "epidemic": reference.Epidemic,
    "spray": reference.Spray,
    "prophet": reference.Prophet,
    "flood": reference.Flood,
}
MOST_NODES = 60000  # short ids have 16 bits


@dataclass(frozen=True)
class Job:
    """Everything that decides a run. `source` is a trace's path or the name of a world."""

    source: str
    router: str
    buffer_bytes: int
    ttl_s: float
    rate_bytes_s: float
    traffic: traffic.Traffic
    until_s: float | None
    seed: int
    nodes: int = 100


@dataclass(frozen=True)
class Outcome:
    """What a run gave. `as_dict` is the JSON; times and curves stay here, for pictures."""

    job: Job
    nodes: int
    until_s: float
    created: int
    delivered: int
    relayed: int
    expired: int
    dropped: int
    held: int
    aborted: int
    events: int
    control_bytes: int
    latencies_s: list[float] = field(repr=False)

    @property
    def delivery_ratio(self) -> float:
        return self.delivered / self.created if self.created else 0.0

    @property
    def overhead_ratio(self) -> float | None:
        return (self.relayed - self.delivered) / self.delivered if self.delivered else None

    def as_dict(self) -> dict[str, object]:
        return {
            "router": self.job.router,
            "source": self.job.source,
            "seed": self.job.seed,
            "nodes": self.nodes,
            "until_s": self.until_s,
            "created": self.created,
            "delivered": self.delivered,
            "relayed": self.relayed,
            "delivery_ratio": round(self.delivery_ratio, 6),
            "overhead_ratio": None if self.overhead_ratio is None else round(self.overhead_ratio, 4),
            "latency_mean_s": round(fmean(self.latencies_s), 1) if self.latencies_s else None,
            "latency_median_s": round(median(self.latencies_s), 1) if self.latencies_s else None,
            "expired": self.expired,
            "dropped": self.dropped,
            "held": self.held,
            "aborted": self.aborted,
            "events": self.events,
            "control_bytes": self.control_bytes,
        }


def contacts_of(job: Job) -> contacts.Contacts:
    """The trace or the world that a job names. UsageError if it is neither."""
    world = worlds.WORLDS.get(job.source)
    if world is None:
        return contacts.read_trace(Path(job.source))
    if not 2 <= job.nodes <= MOST_NODES:
        raise UsageError(
            f"a world of {job.nodes} nodes cannot be made", next_step=f"Give from 2 to {MOST_NODES} with --nodes."
        )
    until_s = 86400.0 if job.until_s is None else job.until_s
    return worlds.make(world, job.nodes, until_s, job.seed)


def run(job: Job, progress: Callable[[float, float], None] | None = None) -> Outcome:
    """Simulate; `progress(now_s, until_s)` is called now and then."""
    meetings = contacts_of(job)
    until_s = meetings.end_s if job.until_s is None else job.until_s
    make_router = ROUTERS[job.router]
    simulation = Simulation(
        lambda host, whole: make_router(host, whole, job.buffer_bytes), meetings.node_count, job.rate_bytes_s, job.seed
    )
    letters = traffic.messages(job.traffic, meetings.node_count, job.ttl_s, until_s, job.seed)
    counts = simulation.run(
        meetings.events, letters, until_s, None if progress is None else lambda now_s: progress(now_s, until_s)
    )
    return _outcome(job, simulation, counts, meetings.node_count, until_s)


def _outcome(job: Job, simulation: Simulation, counts: Counts, node_count: int, until_s: float) -> Outcome:
    fates = {"expired": 0, "dropped": 0, "held": 0}
    latencies = []
    for message in simulation.messages:
        if message.delivered_s is not None:
            latencies.append(message.delivered_s - message.created_s)
        else:
            fates[simulation.fate(message)] += 1
    control = sum(getattr(host.router, "control_bytes", 0) for host in simulation.hosts)
    return Outcome(
        job,
        node_count,
        until_s,
        counts.created,
        counts.delivered,
        counts.relayed,
        fates["expired"],
        fates["dropped"],
        fates["held"],
        counts.aborted,
        counts.events,
        control,
        sorted(latencies),
    )
