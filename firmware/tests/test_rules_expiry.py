"""When a message has lived long enough."""

from hedgenode.rules.expiry import MAX_LIFETIME_S, end_s, is_over


def test_a_lifetime_counts_from_creation_and_ends_after_its_last_second():
    end = end_s(100, 60000)
    assert end == 160
    assert not is_over(160, end, False)
    assert is_over(161, end, False)


def test_parts_of_a_second_are_in_favour_of_the_message():
    assert end_s(0, 1) == 1


def test_nobody_can_ask_for_ever():
    assert end_s(0, 2**62) == MAX_LIFETIME_S


def test_what_reached_its_reader_is_theirs():
    assert not is_over(10**6, 1, True)
