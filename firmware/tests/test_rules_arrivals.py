"""Messages are taken once, however late they come and in whatever order."""

from hedgenode.rules.arrivals import MAX_SOURCES, WINDOW, Arrivals


def test_each_counter_of_a_source_is_new_once_in_any_order():
    known = Arrivals()
    for counter in (5, 3, 300, 299, 45, 301, 4):
        assert known.is_new(7, counter) == (counter != 4), counter
        if counter != 4:
            known.take(7, counter)
            assert not known.is_new(7, counter)
    assert not known.is_new(7, 301 - WINDOW)
    assert known.is_new(7, 301 - WINDOW + 1)
    assert known.is_new(8, 5)


def test_a_leap_forgets_nothing_that_it_should_refuse():
    known = Arrivals()
    known.take(7, 10)
    known.take(7, 1 << 31)
    assert not known.is_new(7, 10)
    assert not known.is_new(7, 11)
    assert known.is_new(7, (1 << 31) - 1)


def test_sources_are_bounded_and_the_silent_one_goes_first():
    known = Arrivals()
    for source in range(MAX_SOURCES):
        known.take(source, 9)
    known.take(0, 10)
    known.take(1000, 1)
    assert not known.is_new(0, 10)
    assert not known.is_new(1000, 1)
    assert known.is_new(1, 9)
    assert len(known.to_bytes()) == MAX_SOURCES * 42


def test_what_goes_to_flash_comes_back_with_its_order():
    known = Arrivals()
    for number in range(40):
        known.take(number % 5, number * 7)
    assert known.taken == 40
    kept = known.to_bytes()
    assert known.taken == 0
    again = Arrivals()
    again.from_bytes(kept)
    assert again.to_bytes() == kept
    for source in range(6):
        for counter in range(300):
            assert again.is_new(source, counter) == known.is_new(source, counter), (source, counter)


def test_damaged_bytes_are_guesses_and_no_fault():
    for data in (b"", b"x", b"\xff" * 41, b"\xff" * 100):
        Arrivals().from_bytes(data)
