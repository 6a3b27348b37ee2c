"""Makes contacts of worlds that never were: gardens that stand, mules on rounds, walkers. Knows no router.

Everything moves in straight legs, so that the moment when two come into reach is computed, not sampled. An hour at a
time is worked out, so that a day of ten thousand nodes never lies in memory at once.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from hedgerow.sim.contacts import Contact, Contacts

_HOUR_S = 3600.0
_JOIN_S = 0.5  # a gap shorter than this is a corner of the way, not a parting


@dataclass(frozen=True)
class World:
    """What it is made of: parts of a hundred, and how it moves. Lengths in metres."""

    name: str
    about: str
    mules: int
    walkers: int
    per_km2: float
    reach_m: float = 120
    stops: int = 12
    mule_m_s: tuple[float, float] = (3, 6)
    walk_m_s: tuple[float, float] = (0.5, 1.5)
    pause_s: tuple[float, float] = (0, 600)


WORLDS = {
    world.name: world
    for world in (
        World("gardens", "nine gardens in ten that stand, one mule in ten that makes its rounds", 10, 0, 12),
        World("walkers", "everybody walks to a place, rests, and walks on", 0, 100, 120, reach_m=30),
        World("town", "six gardens, one mule and three walkers in ten", 10, 30, 12),
    )
}


class Leg:
    """A straight piece of somebody's way, from (x, y) at from_s with a speed until until_s."""

    __slots__ = ("from_s", "node", "until_s", "vx", "vy", "x", "y")

    def __init__(self, node: int, from_s: float, until_s: float, x: float, y: float, vx: float, vy: float) -> None:
        self.node = node
        self.from_s = from_s
        self.until_s = until_s
        self.x = x
        self.y = y
        self.vx = vx
        self.vy = vy


def make(world: World, node_count: int, until_s: float, seed: int) -> Contacts:
    """The contacts of a world; the same seed gives the same ones. Nodes: gardens first, then mules, then walkers."""
    return Contacts(_contacts(world, node_count, until_s, seed), node_count, until_s, world.name)


def _contacts(world: World, node_count: int, until_s: float, seed: int) -> Iterator[Contact]:
    chance = random.Random(f"{world.name} {node_count} {seed}")
    side = math.sqrt(node_count / world.per_km2) * 1000
    mules = node_count * world.mules // 100
    walkers = node_count * world.walkers // 100
    gardens = [(node, chance.uniform(0, side), chance.uniform(0, side)) for node in range(node_count - mules - walkers)]
    grid = _Grid(world.reach_m)
    for node, x, y in gardens:
        grid.stand(node, x, y)
    rounds = range(len(gardens), len(gardens) + mules)
    walks = range(node_count - walkers, node_count)
    ways = [_round(world, node, gardens, side, random.Random(chance.random())) for node in rounds]
    ways += [_walk(world, node, side, random.Random(chance.random())) for node in walks]
    moving = [_Moving(way) for way in ways]
    up: set[tuple[int, int]] = set()
    for pair in grid.standing_pairs():
        up.add(pair)
        yield Contact(0.0, *pair, up=True)
    standing = set(up)
    hour_s = 0.0
    while hour_s < until_s:
        end_s = min(hour_s + _HOUR_S, until_s)
        meetings = grid.meetings([leg for mover in moving for leg in mover.until(end_s)])
        yield from _changes(meetings, up - standing, up, hour_s, end_s)
        hour_s = end_s


def _changes(meetings, open_pairs, up, hour_s, end_s):
    """The events of an hour from the intervals of each pair; `up` is brought up to date."""
    events = []
    for pair in open_pairs:
        meetings.setdefault(pair, []).append((hour_s, hour_s))  # it was up when the hour began
    for pair, intervals in meetings.items():
        intervals.sort()
        joined = [list(intervals[0])]
        for from_s, until_s in intervals[1:]:
            if from_s <= joined[-1][1] + _JOIN_S:
                joined[-1][1] = max(joined[-1][1], until_s)
            else:
                joined.append([from_s, until_s])
        for from_s, until_s in joined:
            if not (pair in up and from_s <= hour_s + _JOIN_S):
                events.append(Contact(from_s, *pair, up=True))
                up.add(pair)
            if until_s < end_s - _JOIN_S:
                events.append(Contact(until_s, *pair, up=False))
                up.discard(pair)
    events.sort()
    return events


class _Moving:
    """Somebody's way, taken piece by piece."""

    def __init__(self, legs: Iterator[Leg]) -> None:
        self._legs = legs
        self._next = next(legs)

    def until(self, end_s: float) -> list[Leg]:
        """The legs up to that second; one that goes on is cut, and its rest comes next time."""
        found = []
        while self._next.until_s <= end_s:
            found.append(self._next)
            self._next = next(self._legs)
        leg = self._next
        if leg.from_s < end_s:
            found.append(Leg(leg.node, leg.from_s, end_s, leg.x, leg.y, leg.vx, leg.vy))
            passed_s = end_s - leg.from_s
            self._next = Leg(
                leg.node, end_s, leg.until_s, leg.x + leg.vx * passed_s, leg.y + leg.vy * passed_s, leg.vx, leg.vy
            )
        return found


def _walk(world, node, side, chance):
    """Random waypoint: to a place, rest, to the next."""
    x, y, at_s = chance.uniform(0, side), chance.uniform(0, side), 0.0
    while True:
        rest_s = chance.uniform(*world.pause_s)
        yield Leg(node, at_s, at_s + rest_s, x, y, 0.0, 0.0)
        at_s += rest_s
        # Not across the whole map: people have a quarter.
        to_x = min(side, max(0.0, x + chance.uniform(-1, 1) * 1000))
        to_y = min(side, max(0.0, y + chance.uniform(-1, 1) * 1000))
        leg = _straight(node, at_s, x, y, to_x, to_y, chance.uniform(*world.walk_m_s))
        yield leg
        x, y, at_s = to_x, to_y, leg.until_s


def _round(world, node, gardens, side, chance):
    """A mule's round: the same gardens near its home day after day, out at the same hour, resting at home between."""
    home = chance.choice(gardens) if gardens else (node, chance.uniform(0, side), chance.uniform(0, side))
    span = 2000.0
    near = [g for g in gardens if abs(g[1] - home[1]) < span and abs(g[2] - home[2]) < span]
    stops = chance.sample(near, min(world.stops, len(near)))
    stops.sort(key=lambda stop: math.atan2(stop[2] - home[2], stop[1] - home[1]))
    speed = chance.uniform(*world.mule_m_s)
    starts_s = [chance.uniform(5, 11) * _HOUR_S, chance.uniform(13, 18) * _HOUR_S]
    x, y, at_s = home[1], home[2], 0.0
    day = 0
    while True:
        for hour_s in starts_s:
            start_s = hour_s + day * 24 * _HOUR_S
            if start_s > at_s:
                yield Leg(node, at_s, start_s, x, y, 0.0, 0.0)
                at_s = start_s
            for stop in [*stops, home]:
                leg = _straight(node, at_s, x, y, stop[1], stop[2], speed)
                yield leg
                x, y, at_s = stop[1], stop[2], leg.until_s
                rest_s = chance.uniform(120, 600)
                yield Leg(node, at_s, at_s + rest_s, x, y, 0.0, 0.0)
                at_s += rest_s
        day += 1


def _straight(node, at_s, x, y, to_x, to_y, speed):
    length = math.hypot(to_x - x, to_y - y)
    took_s = max(length / speed, 1e-3)
    return Leg(node, at_s, at_s + took_s, x, y, (to_x - x) / took_s, (to_y - y) / took_s)


class _Grid:
    """Finds who may be near whom without asking every pair."""

    def __init__(self, reach_m: float) -> None:
        self._reach = reach_m
        self._cell = reach_m * 2
        self._standing: dict[tuple[int, int], list[Leg]] = {}

    def stand(self, node: int, x: float, y: float) -> None:
        leg = Leg(node, 0.0, math.inf, x, y, 0.0, 0.0)
        self._standing.setdefault((int(x // self._cell), int(y // self._cell)), []).append(leg)

    def standing_pairs(self) -> list[tuple[int, int]]:
        return [
            (leg.node, other.node)
            for (column, row), legs in sorted(self._standing.items())
            for leg in legs
            for other in self._around(self._standing, column, row)
            if leg.node < other.node and math.hypot(leg.x - other.x, leg.y - other.y) <= self._reach
        ]

    def _around(self, cells, column, row):
        for c in (column - 1, column, column + 1):
            for r in (row - 1, row, row + 1):
                yield from cells.get((c, r), ())

    def meetings(self, legs: list[Leg]) -> dict[tuple[int, int], list[tuple[float, float]]]:
        """When each pair was in reach, of which one at least moves or may move."""
        found: dict[tuple[int, int], list[tuple[float, float]]] = {}
        cells: dict[tuple[int, int], list[Leg]] = {}
        for leg in legs:
            others: dict[int, Leg] = {}
            for cell in self._cells_of(leg):
                for other in self._standing.get(cell, ()):
                    others[id(other)] = other
                here = cells.setdefault(cell, [])
                for other in here:
                    others[id(other)] = other
                here.append(leg)
            for other in others.values():
                if other.node != leg.node:
                    interval = _in_reach(leg, other, self._reach)
                    if interval is not None:
                        pair = (min(leg.node, other.node), max(leg.node, other.node))
                        found.setdefault(pair, []).append(interval)
        return found

    def _cells_of(self, leg):
        """Every cell that comes within half the reach of the leg: two that meet share one."""
        took_s = leg.until_s - leg.from_s
        length = math.hypot(leg.vx, leg.vy) * took_s
        steps = int(length / self._reach) + 1
        cells = {}
        margin = self._reach
        for i in range(steps + 1):
            x, y = leg.x + leg.vx * took_s * i / steps, leg.y + leg.vy * took_s * i / steps
            for c in range(int((x - margin) // self._cell), int((x + margin) // self._cell) + 1):
                for r in range(int((y - margin) // self._cell), int((y + margin) // self._cell) + 1):
                    cells[c, r] = None
        return cells


def _in_reach(a: Leg, b: Leg, reach_m: float) -> tuple[float, float] | None:
    """From when until when two legs are at most that far apart."""
    from_s, until_s = max(a.from_s, b.from_s), min(a.until_s, b.until_s)
    if from_s >= until_s:
        return None
    vx, vy = a.vx - b.vx, a.vy - b.vy
    x = a.x + a.vx * (from_s - a.from_s) - b.x - b.vx * (from_s - b.from_s)
    y = a.y + a.vy * (from_s - a.from_s) - b.y - b.vy * (from_s - b.from_s)
    square, half, rest = vx * vx + vy * vy, x * vx + y * vy, x * x + y * y - reach_m * reach_m
    if square < 1e-12:
        return (from_s, until_s) if rest <= 0 else None
    under = half * half - square * rest
    if under <= 0:
        return None
    root = math.sqrt(under)
    enter, leave = from_s + (-half - root) / square, from_s + (-half + root) / square
    enter, leave = max(enter, from_s), min(leave, until_s)
    return (enter, leave) if enter < leave else None
