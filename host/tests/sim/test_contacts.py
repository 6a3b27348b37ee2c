"""Traces of the ONE are read as they are, or refused with the line that is wrong; made-up worlds are made the same."""

import gzip
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import UsageError
from hedgerow.sim import contacts, worlds
from hedgerow.sim.contacts import Contact

GOOD = "# comment\n0.10 CONN 3 7 up\n\n5 C M1 3 7\n12.5\tCONN 3 7 down\n"


def test_contacts_are_read_and_the_rest_passed_over():
    assert list(contacts.parse(GOOD.splitlines())) == [Contact(0.1, 3, 7, True), Contact(12.5, 3, 7, False)]


@pytest.mark.parametrize("name", ["trace.txt", "trace.txt.gz"])
def test_what_was_written_is_read(tmp_path, name):
    events = [Contact(0.5, 1, 2, True), Contact(9.25, 1, 2, False)]
    contacts.write_trace(events, tmp_path / name)
    read = contacts.read_trace(tmp_path / name)
    assert (read.events, read.node_count, read.end_s) == (events, 3, 9.25)


@pytest.mark.parametrize(
    "line",
    [
        "x CONN 1 2 up",
        "1 CONN 1 1 up",
        "1 CONN 1 2",
        "1 CONN 1 2 over",
        "nan CONN 1 2 up",
        "1 CONN -1 2 up",
        "1 CONN 1 70000 up",
    ],
)
def test_a_line_that_is_no_contact_is_named(line):
    with pytest.raises(UsageError, match="line 2 of it is not understood"):
        list(contacts.parse(["0 CONN 1 2 up", line], "it"))


def test_a_trace_that_goes_back_is_refused():
    with pytest.raises(UsageError, match="goes back in time"):
        list(contacts.parse(["5 CONN 1 2 up", "4 CONN 1 2 down"]))


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b"\xff\xfe\x00", b"\x1f\x8b damaged", gzip.compress(b"1 CONN 1 2 up\n", mtime=0)[:-6]]
)
def test_a_file_that_is_no_trace_ends_in_a_sentence(tmp_path, content):
    path = tmp_path / "trace"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        contacts.read_trace(path)
    with pytest.raises(UsageError, match="there is no trace"):
        contacts.read_trace(tmp_path / "missing")


@given(st.lists(st.text(alphabet="0123456789. CONupdownx-#e\t", max_size=30), max_size=6))
def test_no_text_makes_the_parser_stumble(lines):
    try:
        events = list(contacts.parse(lines))
    except UsageError:
        return
    assert all(event.a != event.b and event.at_s >= 0 for event in events)
    assert events == sorted(events, key=lambda event: event.at_s)


@pytest.mark.parametrize("name", worlds.WORLDS)
def test_a_world_is_the_same_each_time_and_every_link_comes_up_before_it_goes_down(name):
    made = [list(worlds.make(worlds.WORLDS[name], 40, 9000, seed).events) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    up = set()
    for event in made[0]:
        assert 0 <= event.a < event.b < 40
        assert ((event.a, event.b) in up) is not event.up
        (up.add if event.up else up.discard)((event.a, event.b))
    assert [e.at_s for e in made[0]] == sorted(e.at_s for e in made[0])


def test_the_moment_of_meeting_is_that_of_the_distance():
    """Against a walk in small steps along the same ways."""
    world = worlds.WORLDS["walkers"]
    a = worlds.Leg(0, 0, 100, 0, 0, 1.0, 0.2)
    b = worlds.Leg(1, 20, 120, 90, 30, -0.8, 0)
    from_s, until_s = worlds._in_reach(a, b, world.reach_m)
    for i in range(2000, 10_000):
        t = i / 100
        distance = math.hypot(a.x + a.vx * t - b.x - b.vx * (t - 20), a.y + a.vy * t - b.y - b.vy * (t - 20))
        if abs(distance - world.reach_m) > 0.05:
            assert (distance <= world.reach_m) == (from_s <= t <= until_s), t
