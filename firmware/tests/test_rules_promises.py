"""The watchdog is fed while all promises are kept."""

from hedgenode.rules.promises import MAX_AHEAD_MS, Promises, ticks_after

PERIOD = 1 << 30


def test_nobody_is_late_before_the_time_they_named():
    promises = Promises()
    assert promises.overdue(0) is None
    promises.promise("radio", 1000, 500)
    assert promises.overdue(1500) is None
    assert promises.overdue(1501) == "radio"


def test_a_new_promise_replaces_the_old_one():
    promises = Promises()
    promises.promise("radio", 0, 100)
    promises.promise("radio", 90, 100)
    assert promises.overdue(150) is None
    assert promises.overdue(191) == "radio"


def test_the_one_longest_overdue_is_named():
    promises = Promises()
    promises.promise("a", 0, 200)
    promises.promise("b", 0, 100)
    promises.promise("c", 0, 9000)
    assert promises.overdue(300) == "b"


def test_who_ended_on_purpose_owes_nothing():
    promises = Promises()
    promises.promise("once", 0, 100)
    promises.release("once")
    promises.release("never began")
    assert promises.overdue(1000) is None


def test_ticks_that_wrap_change_nothing():
    promises = Promises()
    promises.promise("radio", PERIOD - 100, 500)
    assert promises.overdue(PERIOD - 1) is None
    assert promises.overdue(0) is None
    assert promises.overdue(400) is None
    assert promises.overdue(401) == "radio"


def test_ticks_of_a_longer_period_do_too():
    promises = Promises()
    now = 5 * PERIOD - 50
    promises.promise("radio", now, 100)
    assert promises.overdue(now + 100) is None
    assert promises.overdue(now + 101) == "radio"


def test_a_promise_for_ever_is_one_for_six_days():
    promises = Promises()
    promises.promise("radio", 7, 10**12)
    assert promises.overdue(7 + MAX_AHEAD_MS) is None


def test_the_distance_of_ticks_is_signed():
    assert ticks_after(5, PERIOD - 5) == 10
    assert ticks_after(PERIOD - 5, 5) == -10
    assert ticks_after(7, 7) == 0
