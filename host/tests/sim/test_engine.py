"""What a run promises: a seed gives the same run each time, no message is lost or counted twice, links have limits."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_worlds import job, letter, meeting, simulate

from hedgerow.sim import run, traffic, worlds
from hedgerow.sim.contacts import Contact
from hedgerow.sim.engine import STEP_S


@pytest.mark.parametrize("router", run.ROUTERS)
def test_the_same_seed_gives_the_same_run(router):
    assert run.run(job(router)) == run.run(job(router))


def test_another_seed_gives_another_run():
    assert run.run(job("epidemic")).relayed != run.run(job("epidemic", seed=2)).relayed


@pytest.mark.parametrize("router", run.ROUTERS)
@pytest.mark.parametrize("source", worlds.WORLDS)
def test_every_message_has_one_fate(router, source):
    outcome = run.run(job(router, source, ttl_s=1500.0, buffer_bytes=3000))
    assert outcome.created > 100
    assert outcome.created == outcome.delivered + outcome.expired + outcome.dropped + outcome.held
    assert outcome.relayed >= outcome.delivered == len(outcome.latencies_s)


MEETINGS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 3), st.integers(1, 3), st.integers(1, 30)), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(run.ROUTERS)), MEETINGS, st.integers(500, 3000))
def test_no_world_makes_a_message_twice_delivered_or_lost(router, meetings, buffer_bytes):
    events = [e for at_s, a, step, length in meetings for e in meeting(float(at_s), a, (a + step) % 4, length)]
    events.sort(key=lambda event: event.at_s)
    letters = [letter(n, n % 4, (n + 1 + n % 3) % 4, at_s=10.0 * n, ttl_s=400.0) for n in range(1, 30)]
    simulation = simulate(router, events, letters, buffer_bytes=buffer_bytes)
    fates = [simulation.fate(message) for message in simulation.messages]
    assert len(fates) == simulation.counts.created == 29
    assert fates.count("delivered") == simulation.counts.delivered
    for message in simulation.messages:
        if simulation.fate(message) == "held":
            assert any(holds(host, message) for host in simulation.hosts)


def holds(host, message):
    router = host.router
    return router.store.entry(message.id) is not None if hasattr(router, "store") else message.serial in router.held


def test_copies_of_ours_never_become_more():
    events = [
        e for at_s, a, b in ((10, 0, 1), (20, 1, 2), (30, 0, 2), (40, 0, 1), (50, 1, 2)) for e in meeting(at_s, a, b)
    ]
    simulation = simulate("hedgerow", events, [letter(1, 0, 3)])
    entries = [host.router.store.entry(simulation.messages[0].id) for host in simulation.hosts]
    assert sum(entry.copies for entry in entries if entry) == 6


@pytest.mark.parametrize("router", run.ROUTERS)
def test_a_transfer_lasts_as_long_as_its_bytes_need_and_breaks_with_the_link(router):
    slow = {"rate": 100, "until_s": 60}
    simulation = simulate(router, meeting(10, 0, 1, 8), [letter(1, 0, 1, size=500)], **slow)
    assert simulation.messages[0].delivered_s == pytest.approx(15, abs=2 * STEP_S)
    simulation = simulate(router, meeting(10, 0, 1, 4), [letter(1, 0, 1, size=500)], **slow)
    assert (simulation.counts.delivered, simulation.counts.aborted) == (0, 1)
    assert simulation.fate(simulation.messages[0]) == "held"


def test_a_node_takes_part_in_one_transfer_at_a_time():
    events = [*meeting(10, 0, 1, 20), *meeting(10, 2, 1, 20)]
    events.sort(key=lambda event: event.at_s)
    simulation = simulate("direct", events, [letter(1, 0, 1, size=500), letter(2, 2, 1, size=500)], rate=100)
    first, second = sorted(message.delivered_s for message in simulation.messages)
    assert second - first >= 5


def test_two_interfaces_of_one_pair_are_one_link_until_both_are_down():
    events = [Contact(10, 0, 1, True), Contact(10, 0, 1, True), Contact(11, 0, 1, False), Contact(30, 0, 1, False)]
    simulation = simulate("direct", events, [letter(1, 0, 1, at_s=20)])
    assert simulation.counts.delivered == 1


def test_messages_are_those_of_the_ones_generator():
    """The first messages of prefix M, hosts 0-126, worked out by hand from java.util.Random's documentation."""
    draw = traffic.JavaRandom(77)
    assert [traffic.JavaRandom(42).below(10) for _ in range(1)] == [0]
    assert [draw.below(1) for _ in range(3)] == [0, 0, 0]
    made = list(traffic.messages(traffic.Traffic(), 126, 18000, 43200, 1))
    assert 1400 < len(made) < 1500
    assert all(25 <= b.created_s - a.created_s < 35 for a, b in pairwise(made))
    assert all(message.source != message.destination for message in made)
    assert {message.size_bytes // 100 for message in made} == set(range(2, 10))
    assert len({message.id for message in made}) == len(made)
