"""What enters a full store and what makes room for it."""

from hedgenode.rules.quota import DELIVERED, HANDED, OWN, PUBLIC, RELAYED, SHARES, admits, victim

LIMIT = 10000


def _rows(*rows):
    """(kind, source, size) in order of arrival; the key is the place."""
    return lambda: ((i, row[0], row[1], row[2], i + 1) for i, row in enumerate(rows))


def test_shares_add_up_to_the_whole_store():
    assert sum(SHARES) == 100


def test_a_message_larger_than_the_share_of_its_kind_never_enters():
    for kind in (RELAYED, PUBLIC, DELIVERED, OWN):
        share = LIMIT * SHARES[kind] // 100
        assert admits(share, kind, LIMIT)
        assert not admits(share + 1, kind, LIMIT)


def test_an_empty_store_has_no_victim():
    assert victim(_rows(), 100, RELAYED, 7, LIMIT) is None


def test_what_was_handed_over_goes_first_and_the_oldest_of_it():
    rows = _rows((RELAYED, 1, 9000), (HANDED, 1, 100), (HANDED, 2, 100))
    assert victim(rows, 100, OWN, 3, LIMIT) == 1


def test_the_kind_that_borrowed_most_pays():
    assert victim(_rows((OWN, 1, 1500), (RELAYED, 2, 8000), (PUBLIC, 3, 500)), 100, PUBLIC, 3, LIMIT) == 1
    assert victim(_rows((OWN, 1, 1500), (PUBLIC, 2, 8000), (RELAYED, 3, 500)), 100, RELAYED, 3, LIMIT) == 1


def test_own_mail_within_its_share_is_never_displaced_by_a_flood():
    rows = _rows((OWN, 1, 1400), (DELIVERED, 2, 1900), (RELAYED, 66, 6700))
    for kind in (RELAYED, PUBLIC):
        assert victim(rows, 500, kind, 66, LIMIT) == 2


def test_a_flood_of_one_author_displaces_that_author():
    rows = [(RELAYED, 1, 500), (RELAYED, 2, 500)] + [(RELAYED, 66, 500)] * 18
    assert victim(_rows(*rows), 500, RELAYED, 66, LIMIT) == 2
    assert victim(_rows(*rows), 500, RELAYED, 1, LIMIT) == 2, "a newcomer displaces the flood too"


def test_among_equal_authors_the_newcomer_makes_room_itself():
    rows = _rows((RELAYED, 1, 5000), (RELAYED, 2, 5000))
    assert victim(rows, 100, RELAYED, 2, LIMIT) == 1
    assert victim(rows, 100, RELAYED, 1, LIMIT) == 0


def test_the_choice_does_not_depend_on_the_order_of_a_table():
    rows = [(RELAYED, source, 500) for source in (9, 3, 7, 5)] * 5
    assert victim(_rows(*rows), 10, PUBLIC, 1, LIMIT) == 1, "author 3, the smallest number on a tie"
