"""The demo's contact plan: a gap that is never bridged, and yet a way over it in time."""

import itertools

import pytest

from hedgerow.demo import trail, valley


def spans(plan):
    """Contacts as the trail knows them: from_s, until_s, a, b (numbers)."""
    found, since = [], {}
    for contact in plan:
        pair = tuple(sorted(int(name.rpartition("-")[2]) for name in (contact.a, contact.b)))
        if contact.up:
            since[pair] = contact.at_s
        else:
            found.append({"from_s": since.pop(pair), "until_s": contact.at_s, "a": pair[0], "b": pair[1]})
    assert not since, "every contact ends"
    return found


def test_only_neighbours_meet_and_one_pair_at_a_time():
    contacts = spans(valley.rounds(6, 3, 2))
    assert all(contact["b"] - contact["a"] == 1 for contact in contacts)
    assert all(first["until_s"] < then["from_s"] for first, then in itertools.pairwise(contacts))


def test_the_ends_are_never_joined():
    assert not trail.ever_joined(spans(valley.rounds(6, 3, 3)), 1, 6)


def test_a_chain_of_links_at_one_moment_would_be_noticed():
    chain = [{"from_s": 0.0, "until_s": 5.0, "a": a, "b": a + 1} for a in range(1, 6)]
    assert trail.ever_joined(chain, 1, 6)


def test_a_message_can_cross_in_time_on_the_way_up():
    reached = {1}
    for contact in spans(valley.ride(6, 3)):
        if {contact["a"], contact["b"]} & reached:
            reached |= {contact["a"], contact["b"]}
    assert 6 in reached


@pytest.mark.parametrize("cut_at", [2, 3, 5])
def test_night_falls_behind_the_relay_that_loses_its_power(cut_at):
    contacts = spans(valley.ride(6, cut_at))
    handover = next(i for i, c in enumerate(contacts) if i >= 4 and (c["a"], c["b"]) == (cut_at - 1, cut_at))
    assert contacts[handover + 1]["from_s"] - contacts[handover]["until_s"] >= valley.NIGHT_S
