"""The state machine of one place, under every order in which cables, people and work can act."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hedgerow.station.card import (
    STAGES,
    Advanced,
    Began,
    Card,
    Check,
    Failed,
    Learned,
    MovedOn,
    Passed,
    Phase,
    Plugged,
    Retry,
    Stage,
    Unplugged,
    Verdict,
    Woke,
)
from hedgerow.station.machine import step

EMPTY = Card("1-1.4", "left 1")
runs = st.integers(0, 6)
texts = st.sampled_from(["a", "b"])
sentences = st.sampled_from(["It broke.", "Hold BOOT."])
events = st.one_of(
    st.builds(Plugged, st.sampled_from(["/dev/ttyACM0", "/dev/ttyACM1"])),
    st.just(Unplugged()),
    st.just(Retry()),
    st.just(Woke()),
    st.builds(Began, runs, st.sampled_from(STAGES), st.none() | st.integers(1, 60)),
    st.builds(Advanced, runs, texts, st.floats(-1, 2)),
    st.builds(Learned, runs, texts, texts),
    st.builds(Passed, runs, texts),
    st.builds(MovedOn, runs),
    st.builds(Failed, runs, sentences, sentences, st.integers(1, 9), st.booleans()),
)
FROM_WORK = (Began, Advanced, Learned, Passed, Failed, MovedOn)


def played(*happened) -> tuple[Card, list[int]]:
    """The card after these events, and the runs that were started."""
    card, started = EMPTY, []
    for event in happened:
        card, order = step(card, event)
        if order is not None:
            started.append(order.run)
    return card, started


@given(st.lists(events, max_size=30))
def test_one_attempt_runs_at_a_time_and_each_has_a_number_of_its_own(happened):
    card, running = EMPTY, set()
    for event in happened:
        before = card
        card, order = step(card, event)
        if isinstance(event, (Passed, Failed, MovedOn)) and event.run in running:
            running.discard(event.run)
        if order is not None:
            assert not running, "an attempt began while another ran"
            assert order.run == before.run + 1
            assert order.port == card.port
            running.add(order.run)
        assert (card.phase is Phase.WORKING) == (running == {card.run})


@given(st.lists(events, max_size=30))
def test_what_an_older_attempt_says_changes_nothing(happened):
    card = EMPTY
    for event in happened:
        after, order = step(card, event)
        if isinstance(event, FROM_WORK) and (event.run != card.run or card.phase is not Phase.WORKING):
            assert (after, order) == (card, None)
        card = after


@given(st.lists(events, max_size=30))
def test_a_card_is_whole_at_every_moment(happened):
    card = EMPTY
    for event in happened:
        before = card
        card, _ = step(card, event)
        assert 0.0 <= card.fraction <= 1.0
        if card.phase is Phase.FAIL:
            assert card.problem
            assert card.remedy
            assert card.exit_code
        else:
            assert card.problem is None
        if card.phase is Phase.PASS and before.phase is not Phase.PASS:
            assert isinstance(event, Passed)
        if card.run == before.run and card.stage is not None and before.stage is not None:
            assert STAGES.index(card.stage) >= STAGES.index(before.stage), "a stage went back"
        if card.phase is not Phase.WORKING:
            assert card.about_s is None


@given(st.lists(events, max_size=30))
def test_after_plugging_in_work_is_going_on_and_nowhere_else_does_it_begin_by_itself(happened):
    card = EMPTY
    for event in happened:
        before = card
        card, order = step(card, event)
        if isinstance(event, Plugged):
            assert card.phase is Phase.WORKING
            assert card.is_plugged
        if order is not None and isinstance(event, Retry):
            assert before.can_retry
        if order is not None and isinstance(event, Failed):
            assert event.by_link
            assert before.may_go_on
            assert not card.may_go_on, "it goes on once by itself, not for ever"
        if order is not None:
            assert isinstance(event, (Plugged, Retry, Failed))


def test_a_board_is_plugged_in_and_passes():
    card, started = played(
        Plugged("/dev/ttyACM0"), Began(1, Stage.IDENTIFY), Learned(1, "RPI_PICO"), Began(1, Stage.FLASH, 20)
    )
    assert (card.phase, card.stage, card.about_s, card.board, started) == (
        Phase.WORKING,
        Stage.FLASH,
        20,
        "RPI_PICO",
        [1],
    )
    checks = (Check("battery", Verdict.GOOD, "3.9 V"),)
    card, _ = step(card, Passed(1, "oak, short 1", checks))
    assert (card.phase, card.summary, card.checks, card.number) == (Phase.PASS, "oak, short 1", checks, 7)


def test_a_restarting_board_that_takes_its_port_along_goes_on():
    card, started = played(
        Plugged("/dev/ttyACM0"), Began(1, Stage.INSTALL), Unplugged(), Plugged("/dev/ttyACM1"), Began(1, Stage.TEST)
    )
    assert (card.phase, card.stage, card.port, started) == (Phase.WORKING, Stage.TEST, "/dev/ttyACM1", [1])


def test_a_pulled_cable_fails_and_plugging_in_begins_anew():
    pulled = Failed(1, "The cable was pulled.", "Plug it in again.", 3, by_link=True)
    card, started = played(Plugged("a"), Unplugged(), pulled)
    assert (card.phase, started) == (Phase.FAIL, [1])
    assert step(card, Retry()) == (card, None), "nothing is there to be tried again"
    card, started = played(Plugged("a"), Unplugged(), pulled, Plugged("a"))
    assert (card.phase, card.problem, started) == (Phase.WORKING, None, [1, 2])


def test_a_cable_that_was_moved_and_a_laptop_that_slept_go_on_by_themselves_once():
    pulled = Failed(1, "The cable was pulled.", "Plug it in again.", 3, by_link=True)
    for outside in ((Unplugged(), Plugged("a")), (Woke(),)):
        card, started = played(Plugged("a"), *outside, pulled)
        assert (card.phase, started) == (Phase.WORKING, [1, 2])
        card, started = played(Plugged("a"), *outside, pulled, replace(pulled, run=2))
        assert (card.phase, started) == (Phase.FAIL, [1, 2])


def test_only_a_failure_of_the_link_goes_on_by_itself():
    card, started = played(Plugged("a"), Woke(), Failed(1, "Another board.", "Take the right one.", 4))
    assert (card.phase, started) == (Phase.FAIL, [1])


def test_a_person_tries_one_place_again():
    card, started = played(Plugged("a"), Failed(1, "No sensor.", "Check the plug.", 1), Retry())
    assert (card.phase, card.run, started) == (Phase.WORKING, 2, [1, 2])
