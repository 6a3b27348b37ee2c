"""Each router's rule on a world small enough to think through."""

import pytest
from tiny_worlds import letter, meeting, simulate

import hedgenode.rules.exchange
import hedgenode.rules.routing
import hedgenode.store.bundles
from hedgerow.sim import node


def holders(simulation, serial=1):
    message = next(m for m in simulation.messages if m.serial == serial)
    found = []
    for host in simulation.hosts:
        router = host.router
        here = router.store.entry(message.id) if hasattr(router, "store") else router.held.get(serial)
        found += [host.short] if here else []
    return found


def chain(*pairs):
    return [event for i, (a, b) in enumerate(pairs) for event in meeting(100.0 * (i + 1), a, b)]


def test_ours_runs_the_very_rules_and_store_of_the_node():
    simulation = simulate("hedgerow", [], [])
    router = simulation.hosts[0].router
    assert type(router.exchange) is hedgenode.rules.exchange.Exchange
    assert type(router.store) is hedgenode.store.bundles.BundleStore
    assert type(router.exchange.meetings) is hedgenode.rules.routing.Meetings


def test_direct_waits_for_the_reader():
    simulation = simulate("direct", chain((0, 1), (1, 2)), [letter(1, 0, 2)])
    assert holders(simulation) == [0]
    assert simulate("direct", chain((0, 1), (0, 2)), [letter(1, 0, 2)]).counts.delivered == 1


def test_epidemic_gives_to_everybody():
    simulation = simulate("epidemic", chain((0, 1), (1, 2), (2, 3)), [letter(1, 0, 9)], node_count=10)
    assert holders(simulation) == [0, 1, 2, 3]


def test_epidemic_does_not_give_to_who_has_it():
    simulation = simulate("epidemic", chain((0, 1), (0, 1), (1, 0)), [letter(1, 0, 9)], node_count=10)
    assert simulation.counts.relayed == 1


def test_spray_halves_and_the_last_copy_waits():
    pairs = [(0, peer) for peer in range(1, 8)]
    simulation = simulate("spray", chain(*pairs), [letter(1, 0, 9)], node_count=10)
    assert holders(simulation) == [0, 1, 2]
    assert {h.short: h.router.copies[1] for h in simulation.hosts if h.router.copies} == {0: 1, 1: 3, 2: 2}


def test_prophet_gives_to_who_is_likelier_to_meet_the_reader():
    simulation = simulate("prophet", chain((1, 9), (0, 2), (0, 1)), [letter(1, 0, 9, at_s=150.0)], node_count=10)
    assert holders(simulation) == [0, 1]


def test_flooding_reaches_who_is_there_at_that_moment_and_keeps_nothing():
    there = [*meeting(1, 0, 1, 60), *meeting(1, 1, 2, 60), *meeting(500, 2, 3)]
    there.sort(key=lambda event: event.at_s)
    simulation = simulate("flood", there, [letter(1, 0, 2, at_s=10.0), letter(2, 0, 3, at_s=10.0)])
    assert simulation.messages[0].delivered_s is not None
    assert simulation.messages[1].delivered_s is None


def test_ours_follows_those_who_meet_the_reader():
    pairs = [(4, 5), (3, 4), (2, 3), (1, 2), (0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    simulation = simulate("hedgerow", chain(*pairs), [letter(1, 0, 5)], node_count=6)
    assert simulation.counts.delivered == 1


def test_ours_lets_relays_go_of_what_has_arrived():
    pairs = [(0, 1), (0, 2), (2, 9), (2, 1)]
    simulation = simulate("hedgerow", chain(*pairs), [letter(1, 0, 9)], node_count=10)
    entry = simulation.hosts[1].router.store.entry(simulation.messages[0].id)
    assert (entry.copies, entry.state) == (0, "handed")


@pytest.mark.parametrize("router", ["direct", "epidemic", "spray", "prophet"])
def test_a_full_buffer_of_the_references_drops_what_came_first(router):
    letters = [letter(n, 0, 3, at_s=float(n), size=1000) for n in range(1, 6)]
    simulation = simulate(router, [], letters, buffer_bytes=3000)
    assert list(simulation.hosts[0].router.held) == [3, 4, 5]
    assert [simulation.fate(m) for m in simulation.messages] == ["dropped"] * 2 + ["held"] * 3


def test_ours_keeps_as_many_bytes_as_the_buffer_says_headers_included():
    letters = [letter(n, 0, 3, at_s=float(n), size=1000) for n in range(1, 30)]
    store = simulate("hedgerow", [], letters, buffer_bytes=16_000).hosts[0].router.store
    assert 14_000 < sum(entry.size for entry in store.entries()) <= 16_000
    assert node.COPIES == 6
