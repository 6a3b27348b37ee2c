"""The roster is a union of enrolments: any order, any number of times, and conflicts are shown, not settled."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import RefusedError
from hedgerow.fleet import charter, keys
from hedgerow.fleet.charter import LaptopCertificate
from hedgerow.fleet.roster import Conflict, Enrolment, Roster, read_enrolment

FLEET = b"fleet..."
BOARD = "ESP32_GENERIC_S3"


def certificate_of(laptop: int, enrolments: int = 10) -> LaptopCertificate:
    return LaptopCertificate(FLEET, 1, f"laptop-{laptop}", bytes([laptop]) * 32, enrolments, 1 + 10 * laptop, 10)


def node_key(number: int) -> bytes:
    return bytes([number]) * 32


def roster_with(*certificates: LaptopCertificate, claims=()) -> Roster:
    return Roster(frozenset(certificates), frozenset(claims))


def enrol(roster: Roster, certificate: LaptopCertificate, number: int, name: str | None = None) -> Roster:
    claim = roster.next_enrolment(certificate, node_key(number), name or f"node-{number}", BOARD)
    return roster.union(Roster(claims=frozenset([claim])))


def a_day_of(laptop: int, nodes: range) -> Roster:
    roster = roster_with(certificate_of(laptop))
    for number in nodes:
        roster = enrol(roster, certificate_of(laptop), number)
    return roster


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 5), max_size=12))
def test_documents_merge_to_one_roster_in_any_order_and_any_number_of_times(shuffler: random.Random, repeats):
    parts = [a_day_of(laptop, range(10 * laptop, 10 * laptop + 3)) for laptop in range(3)]
    papers = [
        item.to_document() for part in parts for item in sorted(part.certificates | part.claims, key=lambda x: x.digest)
    ]
    wanted = Roster.of(papers, FLEET)
    mixed = papers + [papers[index] for index in repeats]
    shuffler.shuffle(mixed)
    split = shuffler.randrange(len(mixed))
    left, right = Roster.of(mixed[:split], FLEET), Roster.of(mixed[split:], FLEET)
    assert left.union(right) == right.union(left) == wanted
    assert left.union(right).nodes == wanted.nodes
    assert wanted.union(wanted) == wanted
    assert len(wanted.nodes) == 9


def test_two_laptops_that_worked_apart_merge_without_a_conflict():
    merged = a_day_of(1, range(10, 17)).union(a_day_of(2, range(20, 27)))
    assert len(merged.nodes) == 14
    assert merged.conflicts == []
    assert len({node.short for node in merged.nodes}) == 14


def test_enrolling_the_same_node_again_changes_nothing():
    roster = a_day_of(1, range(10, 12))
    again = roster.next_enrolment(certificate_of(1), node_key(10), "node-10", BOARD)
    assert again in roster.claims


def test_a_name_in_use_is_refused_at_enrolment():
    with pytest.raises(RefusedError, match="belongs to node"):
        enrol(a_day_of(1, range(10, 12)), certificate_of(1), 99, name="node-10")


def test_an_overdrawn_certificate_is_refused_at_enrolment():
    short = certificate_of(1, enrolments=2)
    roster = roster_with(short)
    for number in (10, 11):
        roster = enrol(roster, short, number)
    with pytest.raises(RefusedError, match="allows 2 enrolments"):
        enrol(roster, short, 12)


def test_an_enrolment_beyond_the_certificate_does_not_count_when_it_comes_by_merge():
    mine = certificate_of(1, enrolments=2)
    stolen = Enrolment(FLEET, node_key(9), mine.first_short, "forged", BOARD, None, mine.laptop, mine.digest, serial=3)
    roster = roster_with(mine, claims=[stolen])
    assert roster.nodes == []
    assert [conflict.what for conflict in roster.conflicts] == ["outside certificate"]


def test_a_short_id_outside_the_block_of_the_laptop_does_not_count():
    mine = certificate_of(1)
    grabbed = Enrolment(FLEET, node_key(9), 4000, "far", BOARD, None, mine.laptop, mine.digest, serial=1)
    assert "outside the block" in (roster_with(mine, claims=[grabbed]).refusal(grabbed) or "")


def test_two_nodes_with_one_name_are_shown_as_a_conflict_and_both_stay():
    left = enrol(roster_with(certificate_of(1)), certificate_of(1), 10, name="oak")
    right = enrol(roster_with(certificate_of(2)), certificate_of(2), 20, name="oak")
    merged = left.union(right)
    assert merged.conflicts == [Conflict("name", "oak", ("oak", "oak"))]
    assert len(merged.nodes) == 2


def test_two_copies_of_one_laptop_are_shown_by_the_serial_and_the_short_id_they_share():
    mine = certificate_of(1)
    left, right = enrol(roster_with(mine), mine, 10), enrol(roster_with(mine), mine, 11)
    assert {conflict.what for conflict in left.union(right).conflicts} == {"serial", "short"}


def test_one_key_enrolled_by_two_laptops_is_shown_as_a_conflict():
    left = enrol(roster_with(certificate_of(1)), certificate_of(1), 10, name="oak")
    right = enrol(roster_with(certificate_of(2)), certificate_of(2), 10, name="elm")
    assert [conflict.what for conflict in left.union(right).conflicts] == ["key"]


def test_a_node_with_a_new_name_keeps_its_short_id_and_replaces_its_old_enrolment():
    mine = certificate_of(1)
    before = enrol(roster_with(mine), mine, 10, name="oak")
    after = enrol(before, mine, 10, name="elm")
    assert [(node.name, node.short) for node in after.nodes] == [("elm", before.nodes[0].short)]
    assert after.conflicts == []


def test_a_new_board_takes_the_name_of_a_lost_one_only_when_told_so_and_gets_a_short_id_of_its_own():
    mine = certificate_of(1)
    before = enrol(roster_with(mine), mine, 10, name="oak")
    with pytest.raises(RefusedError):
        before.next_enrolment(mine, node_key(11), "oak", BOARD)
    claim = before.next_enrolment(mine, node_key(11), "oak", BOARD, replaces_lost=True)
    after = before.union(Roster(claims=frozenset([claim])))
    assert [node.node for node in after.nodes] == [node_key(11)]
    assert claim.short != before.nodes[0].short
    assert after.conflicts == []


def test_an_enrolment_survives_its_own_document():
    claim = a_day_of(1, range(10, 11)).nodes[0]
    assert read_enrolment(claim.to_document()) == claim
    assert claim.node_id == keys.key_id(node_key(10))


def test_blocks_of_short_ids_follow_each_other_and_end_with_the_space():
    taken: list[LaptopCertificate] = []
    for _ in range(262):
        first = charter.next_block(taken)
        assert first is not None
        taken.append(LaptopCertificate(FLEET, 1, "x", node_key(1), 1, first, charter.BLOCK_SHORTS))
    assert charter.next_block(taken) is None
    assert taken[0].first_short == 1
    assert taken[-1].first_short + charter.BLOCK_SHORTS - 1 <= charter.HIGHEST_SHORT
