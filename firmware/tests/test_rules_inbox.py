"""Whoever has been heard least goes first."""

from hedgenode.rules.inbox import least_heard_first, least_heard_part


class _Message:
    def __init__(self, seq, source):
        self.seq = seq
        self.source = source


def _order(*sources):
    messages = [_Message(i + 1, source) for i, source in enumerate(sources)]
    return [(m.source, m.seq) for m in least_heard_first(messages)]


def test_the_author_with_the_fewest_messages_comes_first():
    assert _order("loud", "loud", "quiet", "loud", "middle", "middle") == [
        ("quiet", 3),
        ("middle", 5),
        ("middle", 6),
        ("loud", 1),
        ("loud", 2),
        ("loud", 4),
    ]


def test_among_equals_who_came_first():
    assert [seq for _, seq in _order("b", "a", "c")] == [1, 2, 3]
    assert _order("b", "a", "b", "a") == [("b", 1), ("b", 3), ("a", 2), ("a", 4)]


def test_the_order_does_not_depend_on_the_order_given():
    messages = [_Message(seq, seq % 5 * seq % 3) for seq in range(1, 40)]
    wanted = [m.seq for m in least_heard_first(messages)]
    assert [m.seq for m in least_heard_first(list(reversed(messages)))] == wanted
    assert sorted(wanted) == list(range(1, 40))


def test_rows_of_any_shape_can_be_ordered():
    rows = [[3, 7], [1, 7], [2, 8]]
    assert least_heard_first(rows, lambda row: row[1], lambda row: row[0]) == [[2, 8], [1, 7], [3, 7]]


def test_an_empty_inbox_stays_empty():
    assert least_heard_first([]) == []


def test_a_part_is_what_the_whole_has_there():
    rows = [(author, seq) for seq, author in enumerate([3, 1, 3, 2, 3, 1, 2, 3, 4])]
    whole = [seq for _, seq in least_heard_first(rows, source=lambda row: row[0], seq=lambda row: row[1])]
    for begin in range(11):
        for count in range(11):
            assert least_heard_part(lambda: rows, begin, count) == whole[begin : begin + count], (begin, count)
