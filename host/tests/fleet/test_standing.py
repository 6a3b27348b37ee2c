"""What a set of documents amounts to: every refusal, and a secession shown as one."""

import random

import papers
import pytest
from papers import FIRST, FLEET, a_fleet, certificate_of, judged, second, signed, steward

from hedgerow.fleet import standing


def version(*found) -> int:
    return judged(found).version


def why(*found) -> str:
    return " ".join(str(one) for one in judged(found).uncounted)


def test_a_charter_counts_when_enough_stewards_have_signed_and_waits_until_then():
    lonely = judged([signed(FIRST, "Ana")])
    assert lonely.charters == ()
    assert [paper.digest for paper in lonely.pending] == [FIRST.digest]
    assert standing.lacks(lonely.pending[0], lonely) == "1 more of Ben, Cy"
    assert version(signed(FIRST, "Ana", "Cy")) == 1


def test_signatures_that_came_apart_count_together():
    assert version(signed(FIRST, "Ana"), signed(FIRST, "Cy")) == 1


@pytest.mark.parametrize(
    "signatures",
    [
        (("Ana", b"x" * 64), ("Ben", b"y" * 64)),  # wrong ones
        (("Ana", None), ("Ana", b"x" * 64)),  # one signer twice
        (("Ana", None), ("Eve", None)),  # a stranger
    ],
)
def test_too_few_good_signatures_are_too_few(signatures):
    paper = FIRST.to_document()
    for name, forged in signatures:
        paper = paper.with_signatures(((papers.public(name), forged),)) if forged else paper.signed(papers.seed(name))
    assert version(paper) == 0


def test_each_charter_needs_the_council_before_and_its_own():
    new = second(stewards=(steward("Ana"), steward("Dora"), steward("Eli")))
    first = signed(FIRST, "Ana", "Ben")
    assert version(first, signed(new, "Ana", "Ben")) == 1
    assert version(first, signed(new, "Ana", "Dora", "Eli")) == 1
    assert version(first, signed(new, "Ana", "Ben", "Dora")) == 2
    assert (
        standing.lacks(signed(new, "Dora"), judged([first]))
        == "2 more of Ana, Ben, Cy (of charter 1), and 1 more of Ana, Eli"
    )


def test_an_old_charter_or_one_of_another_fleet_changes_nothing():
    first, two = signed(FIRST, "Ana", "Ben"), signed(second(), "Ana", "Ben")
    again = signed(second(version=1), "Ana", "Ben", "Cy")
    assert version(first, two, again) == 2
    assert "is old" in why(first, two, again)
    elsewhere = signed(second(fleet=b"other..."), "Ana", "Ben", "Cy")
    assert version(first, elsewhere) == 1
    skipped = signed(second(version=3), "Ana", "Ben")
    assert "charter 2 is missing" in why(first, skipped)
    unknown = signed(second(parent=bytes(32)), "Ana", "Ben")
    assert "not known here" in why(first, unknown)


def test_a_steward_whose_term_has_ended_counts_no_more():
    ending = second(stewards=(steward("Ana"), steward("Ben"), steward("Cy", 2)))
    three = papers.replace(ending, version=3, parent=ending.digest)
    four = papers.replace(three, version=4, parent=three.digest)
    chain = [signed(FIRST, "Ana", "Ben"), signed(ending, "Ana", "Ben")]
    assert version(*chain, signed(three, "Ana", "Cy")) == 2  # for the new council Cy does not count
    assert version(*chain, signed(three, "Ana", "Ben"), signed(four, "Ana", "Cy")) == 3
    late = certificate_of(1, charter_version=3)
    assert judged([*chain, signed(three, "Ana", "Ben"), signed(late, "Ana", "Cy")]).certificates == {}


def test_two_charters_with_one_version_are_a_secession_with_both_names():
    left = second(name="river north", stewards=(steward("Ana"), steward("Ben")))
    right = second(name="river south", stewards=(steward("Cy"), steward("Ben")))
    found = [signed(FIRST, "Ana", "Ben"), signed(left, "Ana", "Ben"), signed(right, "Cy", "Ben")]
    dice = random.Random(3)
    for _ in range(6):
        dice.shuffle(found)
        seen = judged(found)
        assert seen.version == 2
        assert seen.uncounted == ()
        assert "secession" in str(seen.splits[0])
        assert "river north" in str(seen.splits[0])
        assert "river south" in str(seen.splits[0])
    for name, ours in (("Ana", "river north"), ("Cy", "river south")):
        mine = standing.judge(found, FLEET, mine=frozenset([papers.public(name)]))
        assert mine.charters[-1].name == ours


def test_a_fleet_that_left_with_an_id_of_its_own_is_shown_too():
    gone = papers.replace(FIRST, name="brook", parent=FIRST.digest, stewards=(steward("Cy"),), threshold=1, version=2)
    seen = judged([signed(FIRST, "Ana", "Ben"), signed(gone, "Cy")])
    assert seen.version == 1
    assert "brook" in str(seen.splits[0])
    theirs = standing.judge([signed(FIRST, "Ana", "Ben"), signed(gone, "Cy")], gone.fleet_id)
    assert [charter.name for charter in theirs.charters] == ["brook"]


def test_certificates_lacking_signatures_wait_and_foreign_ones_do_not_matter():
    seen = judged(
        [*a_fleet(), signed(certificate_of(1), "Ana"), signed(certificate_of(2, fleet=b"other..."), "Ana", "Ben")]
    )
    assert seen.certificates == {}
    assert [standing.lacks(paper, seen) for paper in seen.pending] == ["1 more of Ben, Cy"]
    assert seen.uncounted == ()


def test_a_revoked_laptop_may_not_act_wherever_its_revocation_has_arrived():
    gone = signed(papers.revocation("laptop-1"), "Ana", "Ben")
    assert judged(a_fleet(1)).laptops == {papers.public("laptop-1")}
    assert judged([*a_fleet(1), gone]).laptops == frozenset()
    assert judged([*a_fleet(1), signed(papers.revocation("laptop-1"), "Ana")]).laptops == {papers.public("laptop-1")}
    later = second(revoked=papers.revocation("laptop-1").keys)
    assert judged([*a_fleet(1), signed(later, "Ana", "Ben")]).laptops == frozenset()


def test_stewards_who_were_put_out_cannot_strike_back():
    new = second(stewards=(steward("Ana"), steward("Dora")), revoked=papers.revocation("Ben", "Cy").keys)
    found = [*a_fleet(1, 2), signed(new, "Ana", "Ben", "Dora")]
    strike = signed(papers.revocation("laptop-1", "Ana"), "Ben", "Cy")
    backdated = signed(certificate_of(3), "Ben", "Cy")
    seen = judged([*found, strike, backdated])
    assert papers.key_id("Ana") not in seen.revoked
    assert certificate_of(3).digest not in seen.certificates
    # What Ana and Cy gave together holds again as soon as the new council says so.
    assert certificate_of(1).digest not in seen.certificates
    assert certificate_of(1).digest in judged([*found, signed(certificate_of(1), "Dora")]).certificates


def test_the_founding_charter_may_be_replaced_by_one_that_a_person_has_trusted():
    two = signed(second(), "Ana", "Ben")
    assert judged([two]).charters == ()
    anchored = standing.judge([two], FLEET, anchor=two.digest)
    assert anchored.version == 2
    three = signed(papers.replace(second(), version=3, parent=two.digest), "Ana", "Cy")
    assert standing.judge([two, three], FLEET, anchor=two.digest).version == 3
