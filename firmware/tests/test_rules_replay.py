"""A counter is taken once, in whatever order they come."""

from mutations import Random

from hedgenode.rules.replay import WINDOW, ReplayWindow


def taken(window, counter):
    if not window.is_new(counter):
        return False
    window.take(counter)
    return True


def test_each_counter_counts_once():
    window = ReplayWindow()
    assert [taken(window, counter) for counter in (0, 1, 1, 0, 2)] == [True, True, False, False, True]


def test_what_overtakes_another_does_not_shut_it_out():
    window = ReplayWindow()
    assert taken(window, 100)
    assert taken(window, 100 - WINDOW + 1)
    assert not taken(window, 100 - WINDOW)
    assert not taken(window, 100 - WINDOW + 1)


def test_a_large_step_forgets_what_is_far_behind():
    window = ReplayWindow()
    for counter in (5, 5 + WINDOW - 1):
        assert taken(window, counter)
    assert not window.is_new(5)
    assert taken(window, 1 << 32)
    assert not window.is_new(5 + WINDOW - 1)
    assert not window.is_new(1 << 32)
    assert window.is_new((1 << 32) - 1)


def test_asking_changes_nothing():
    window = ReplayWindow()
    assert window.is_new(1000)
    assert taken(window, 3)


def test_it_agrees_with_a_set_of_everything_seen():
    random = Random(11)
    window = ReplayWindow()
    seen = set()
    highest = -1
    for _ in range(4000):
        counter = max(0, highest + random.below(2 * WINDOW) - WINDOW - 5)
        wanted = counter not in seen and counter > highest - WINDOW
        assert window.is_new(counter) == wanted, (counter, highest)
        if wanted and random.below(4):
            window.take(counter)
            seen.add(counter)
            highest = max(highest, counter)
