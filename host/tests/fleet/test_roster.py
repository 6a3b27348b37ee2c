"""The roster is a union of enrolments: any order, any number of times, and conflicts are shown, not settled."""

import random
from functools import cache

import papers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papers import BOARD, FLEET, a_fleet, certificate_of, enrol, node_key, roster_of, seed, signed

from hedgerow.errors import RefusedError
from hedgerow.fleet import charter, keys
from hedgerow.fleet.charter import LaptopCertificate
from hedgerow.fleet.roster import Conflict, read_enrolment

ONE = certificate_of(1)


def a_day_of(laptop: int, nodes: range, name: str | None = None) -> list:
    found = a_fleet(laptop)
    for number in nodes:
        found = enrol(found, certificate_of(laptop), number, name)
    return found


@cache
def three_days() -> tuple:
    found = [paper for laptop in range(3) for paper in a_day_of(laptop, range(10 * laptop, 10 * laptop + 3))]
    found.append(signed(papers.second(), "Ana", "Ben"))
    return (*found, signed(papers.revocation("laptop-2"), "Cy", "Ana"))


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 5), max_size=12))
def test_documents_merge_to_one_roster_in_any_order_and_any_number_of_times(shuffler: random.Random, repeats):
    found = three_days()
    wanted = roster_of(found)
    mixed = [*found] + [found[index] for index in repeats]
    shuffler.shuffle(mixed)
    assert roster_of(mixed) == wanted
    assert roster_of(mixed).nodes == wanted.nodes
    assert len(wanted.nodes) == 6


def test_two_laptops_that_worked_apart_merge_without_a_conflict():
    merged = roster_of(a_day_of(1, range(10, 17)) + a_day_of(2, range(20, 27)))
    assert len(merged.nodes) == 14
    assert merged.conflicts == []
    assert len({node.short for node in merged.nodes}) == 14


def test_enrolling_the_same_node_again_changes_nothing():
    roster = roster_of(a_day_of(1, range(10, 12)))
    assert roster.next_enrolment(ONE, node_key(10), "node-10", BOARD) in roster.claims


def test_a_name_in_use_is_refused_at_enrolment():
    with pytest.raises(RefusedError, match="belongs to node"):
        enrol(a_day_of(1, range(10, 12)), ONE, 99, name="node-10")


def test_an_overdrawn_certificate_is_refused_at_enrolment():
    short = certificate_of(1, enrolments=2)
    found = [*a_fleet(), signed(short, "Ana", "Ben")]
    for number in (10, 11):
        found = enrol(found, short, number)
    with pytest.raises(RefusedError, match="allows 2 enrolments"):
        enrol(found, short, 12)


def test_an_enrolment_beyond_the_certificate_does_not_count_when_it_comes_by_merge():
    mine = certificate_of(1, enrolments=2)
    stolen = papers.enrolment(mine, 9, serial=3)
    roster = roster_of([*a_fleet(), signed(mine, "Ana", "Ben"), signed(stolen, "laptop-1")])
    assert roster.nodes == []
    assert [conflict.what for conflict in roster.conflicts] == ["outside certificate"]


def test_a_short_id_outside_the_block_of_the_laptop_does_not_count():
    grabbed = papers.enrolment(ONE, 9, serial=1, short=4000)
    roster = roster_of([*a_fleet(1), signed(grabbed, "laptop-1")])
    assert "outside the block" in (roster.refusal(grabbed) or "")


@pytest.mark.parametrize("signers", [(), ("laptop-2",), ("Ana", "Ben")])
def test_an_enrolment_that_its_own_laptop_has_not_signed_does_not_count(signers):
    claim = papers.enrolment(ONE, 9, serial=1)
    roster = roster_of([*a_fleet(1, 2), signed(claim, *signers)])
    assert roster.nodes == []
    assert "has not signed it" in str(roster.conflicts[0])


def test_a_forged_paper_uses_nobodys_certificate_up():
    forged = papers.enrolment(ONE, 9, serial=10)
    claim = roster_of([*a_fleet(1), forged.to_document()]).next_enrolment(ONE, node_key(1), "oak", BOARD)
    assert (claim.serial, claim.short) == (1, ONE.first_short)


def test_a_certificate_that_too_few_stewards_signed_covers_nothing():
    found = [*a_fleet(), signed(ONE, "Ana"), signed(papers.enrolment(ONE, 9, serial=1), "laptop-1")]
    assert roster_of(found).nodes == []
    assert len(roster_of([*found, signed(ONE, "Ben")]).nodes) == 1


def test_nothing_new_of_a_revoked_laptop_counts_and_what_another_vouches_for_stays():
    found = a_day_of(1, range(10, 12)) + a_fleet(2)
    vouched = [paper.signed(seed("laptop-2")) for paper in found if paper.kind == "enrolment"]
    stolen = signed(papers.enrolment(ONE, 66, serial=3, short=18), "laptop-1")
    gone = signed(papers.revocation("laptop-1"), "Ana", "Cy")
    assert len(roster_of([*found, stolen]).nodes) == 3
    assert roster_of([*found, stolen, gone]).nodes == []
    after = roster_of([*found, stolen, gone, *vouched])
    assert [node.name for node in after.nodes] == ["node-10", "node-11"]
    assert "was revoked" in str(after.conflicts[0])


def test_a_revoked_laptop_cannot_vouch_for_itself_with_the_help_of_another_revoked_one():
    found = a_day_of(1, range(10, 11)) + a_fleet(2)
    vouched = [paper.signed(seed("laptop-2")) for paper in found if paper.kind == "enrolment"]
    assert roster_of([*found, *vouched, signed(papers.revocation("laptop-1", "laptop-2"), "Ana", "Cy")]).nodes == []


def test_an_enrolment_after_the_term_of_its_laptop_does_not_count_and_earlier_ones_stay():
    ending = certificate_of(1, until_version=1)
    found = [*a_fleet(), signed(ending, "Ana", "Ben"), signed(papers.second(), "Ana", "Ben")]
    early = papers.enrolment(ending, 1, serial=1, charter_version=1)
    late = papers.enrolment(ending, 2, serial=2, short=ending.first_short + 1, charter_version=2)
    roster = roster_of([*found, signed(early, "laptop-1"), signed(late, "laptop-1")])
    assert roster.nodes == [early]
    assert "ended with charter 1" in str(roster.conflicts[0])


def test_a_node_does_not_change_its_household_against_it():
    mine = papers.enrolment(ONE, 1, serial=1, custodian=papers.public("rosa"))
    taken = papers.enrolment(ONE, 1, serial=2, custodian=papers.public("eve"), replaces=mine.digest)
    found = [*a_fleet(1), signed(mine, "laptop-1"), signed(taken, "laptop-1")]
    assert roster_of(found).nodes == [mine]
    assert "has not agreed" in str(roster_of(found).conflicts[0])
    assert roster_of([*found, signed(taken, "rosa")]).nodes == [taken]


def test_two_nodes_with_one_name_are_shown_as_a_conflict_and_both_stay():
    merged = roster_of(a_day_of(1, range(10, 11), "oak") + a_day_of(2, range(20, 21), "oak"))
    assert merged.conflicts == [Conflict("name", "oak", ("oak", "oak"))]
    assert len(merged.nodes) == 2


def test_two_copies_of_one_laptop_are_shown_by_the_serial_and_the_short_id_they_share():
    left, right = enrol(a_fleet(1), ONE, 10), enrol(a_fleet(1), ONE, 11)
    assert {conflict.what for conflict in roster_of(left + right).conflicts} == {"serial", "short"}


def test_one_key_enrolled_by_two_laptops_is_shown_as_a_conflict():
    merged = roster_of(a_day_of(1, range(10, 11), "oak") + a_day_of(2, range(10, 11), "elm"))
    assert [conflict.what for conflict in merged.conflicts] == ["key"]


def test_a_node_with_a_new_name_keeps_its_short_id_and_replaces_its_old_enrolment():
    before = enrol(a_fleet(1), ONE, 10, name="oak")
    after = roster_of(enrol(before, ONE, 10, name="elm"))
    assert [(node.name, node.short) for node in after.nodes] == [("elm", roster_of(before).nodes[0].short)]
    assert after.conflicts == []


def test_a_new_board_takes_the_name_of_a_lost_one_only_when_told_so_and_gets_a_short_id_of_its_own():
    before = enrol(a_fleet(1), ONE, 10, name="oak")
    roster = roster_of(before)
    with pytest.raises(RefusedError):
        roster.next_enrolment(ONE, node_key(11), "oak", BOARD)
    claim = roster.next_enrolment(ONE, node_key(11), "oak", BOARD, replaces_lost=True)
    after = roster_of([*before, signed(claim, "laptop-1")])
    assert [node.node for node in after.nodes] == [node_key(11)]
    assert claim.short != roster.nodes[0].short
    assert after.conflicts == []


def test_an_enrolment_survives_its_own_document():
    claim = roster_of(a_day_of(1, range(10, 11))).nodes[0]
    assert read_enrolment(claim.to_document()) == claim
    assert claim.node_id == keys.key_id(node_key(10))
    assert claim.fleet == FLEET


def test_blocks_of_short_ids_follow_each_other_and_end_with_the_space():
    taken: list[LaptopCertificate] = []
    for _ in range(262):
        first = charter.next_block(taken)
        assert first is not None
        taken.append(LaptopCertificate(FLEET, 1, "x", node_key(1), 1, first, charter.BLOCK_SHORTS))
    assert charter.next_block(taken) is None
    assert taken[0].first_short == 1
    assert taken[-1].first_short + charter.BLOCK_SHORTS - 1 <= charter.HIGHEST_SHORT
