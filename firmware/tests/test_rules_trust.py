"""Who may say what: every refusal that a charter, a certificate, a revocation and an enrolment can meet."""

import council
from council import FIRST, FLEET, digest_of, id_of, public_of, publics, second, statement

from hedgenode.rules import trust as rules

ONE = statement(FIRST)


def following(body, *signers, old=ONE):
    return rules.following_fault(statement(body), old, old.digest, FLEET, publics(*signers))


def test_a_fleet_begins_when_enough_of_its_stewards_have_signed():
    assert rules.beginning_fault(ONE, publics("ana", "cy")) is None
    assert "lacks 1 of 2" in rules.beginning_fault(ONE, publics("ana"))
    assert "lacks 1 of 2" in rules.beginning_fault(ONE, publics("ana", "eve"))


def test_one_steward_who_signs_twice_counts_once():
    assert rules.lacking(ONE, [public_of("ana"), public_of("ana")]) == 1


def test_a_charter_follows_when_both_councils_have_signed():
    new = second(stewards=("ana", "dora", "eli"))
    assert following(new, "ana", "ben", "dora") is None
    assert "the stewards whom it names" in following(new, "ana", "ben")
    assert "the stewards before" in following(new, "ana", "dora", "eli")


def test_versions_only_grow_one_by_one():
    assert "is old" in following(council.charter(1, fleet=FLEET, parent=digest_of(FIRST)), "ana", "ben")
    assert "charter 2 is missing" in following(council.charter(3, fleet=FLEET, parent=digest_of(FIRST)), "ana", "ben")


def test_another_fleet_or_another_parent_does_not_follow():
    assert "another fleet" in following(second(fleet=b"other..."), "ana", "ben")
    assert "split" in following(second(parent=bytes(32)), "ana", "ben")


def test_a_steward_whose_term_has_ended_does_not_count():
    new = second(terms={"cy": 1})
    assert following(new, "ana", "cy") is not None  # enough for the stewards before, too few of the new ones
    assert following(new, "ana", "ben") is None
    assert "nobody could decide" in following(second(terms={"cy": 1, "ben": 1}), "ana", "ben", "cy")


def test_a_council_cannot_name_whom_it_revokes():
    assert "revokes the same key" in following(second(revoked=("cy",)), "ana", "ben")


def certificate_fault(body, *signers, charters=(ONE,), revoked=()):
    ids = {id_of(name) for name in revoked}
    return rules.certificate_fault(statement(body), charters, FLEET, publics(*signers), ids)


def test_a_certificate_holds_by_enough_signatures_of_one_council():
    assert certificate_fault(council.certificate(), "ana", "ben") is None
    assert "lacks 1 of 2" in certificate_fault(council.certificate(), "ana")
    assert "lacks 2 of 2" in certificate_fault(council.certificate(), "eve", "mallory")
    assert "another fleet" in certificate_fault(council.certificate(fleet=b"other..."), "ana", "ben")
    assert "not known here" in certificate_fault(council.certificate(charter_version=2), "ana", "ben")


def test_a_certificate_outlives_stewards_who_left_in_peace_but_not_those_who_were_revoked():
    two = statement(second(stewards=("ana", "dora", "eli")))
    assert certificate_fault(council.certificate(), "ben", "cy", charters=(ONE, two)) is None
    assert certificate_fault(council.certificate(), "ben", "cy", charters=(ONE, two), revoked=("cy",)) is not None
    everyone = ("ben", "cy", "dora", "eli")
    assert certificate_fault(council.certificate(), *everyone, charters=(ONE, two), revoked=("cy",)) is None
    # Those who left cannot give a new one under the charter that is in force, and two halves make no council.
    assert certificate_fault(council.certificate(charter_version=2), "ben", "cy", charters=(ONE, two)) is not None
    assert certificate_fault(council.certificate(), "cy", "eli", charters=(ONE, two)) is not None


def test_an_old_charter_that_nobody_keeps_any_more_carries_nothing():
    two = statement(second(stewards=("dora",), threshold=1))
    assert "lacks" in certificate_fault(council.certificate(), "ana", "ben", charters=(two,))


def test_only_the_council_in_force_revokes():
    two = statement(second(stewards=("ana", "dora", "eli")))
    gone = statement(council.revocation("lap"))
    assert rules.revocation_fault(gone, (ONE,), FLEET, publics("ana", "ben")) is None
    assert "lacks 1 of 2" in rules.revocation_fault(gone, (ONE,), FLEET, publics("ana"))
    assert rules.revocation_fault(gone, (ONE, two), FLEET, publics("ben", "cy")) is not None
    assert "another fleet" in rules.revocation_fault(gone, (ONE,), b"other...", publics("ana", "ben"))
    later = statement(council.revocation("lap", charter_version=2))
    assert "not known here" in rules.revocation_fault(later, (ONE,), FLEET, publics("ana", "ben"))


def enrolment_fault(body, *signers, under=None, revoked=(), vouching=()):
    ids = {id_of(name) for name in revoked}
    return rules.enrolment_fault(
        statement(body), under or statement(council.certificate()), publics(*signers), ids, publics(*vouching)
    )


def test_an_enrolment_counts_within_its_certificate_only():
    assert enrolment_fault(council.enrolment(), "lap") is None
    assert "has not signed" in enrolment_fault(council.enrolment(), "eve")
    assert "allows 3 enrolments" in enrolment_fault(council.enrolment(serial=4), "lap")
    assert "outside the block" in enrolment_fault(council.enrolment(short=11), "lap")
    assert "somebody else's" in enrolment_fault(council.enrolment(laptop="eve"), "eve")
    assert "somebody else's" in enrolment_fault(council.enrolment(fleet=b"other..."), "lap")


def test_an_enrolment_made_after_the_laptops_term_does_not_count():
    ended = statement(council.certificate(until_version=0))
    assert "ended with charter 0" in enrolment_fault(council.enrolment(), "lap", under=ended)


def test_of_a_revoked_laptop_stays_what_another_vouches_for():
    assert "nobody else vouches" in enrolment_fault(council.enrolment(), "lap", revoked=("lap",))
    assert "nobody else vouches" in enrolment_fault(council.enrolment(), "lap", "eve", revoked=("lap",))
    assert enrolment_fault(council.enrolment(), "lap", "lap2", revoked=("lap",), vouching=("lap2",)) is None
    assert "node oak was revoked" in enrolment_fault(council.enrolment(), "lap", revoked=("node",))


def test_roles():
    given = [statement(council.certificate())]

    def role(name, revoked=(), charter=ONE, certificates=given):
        return rules.role_of(public_of(name), charter, certificates, public_of("rosa"), {id_of(one) for one in revoked})

    assert [role(name) for name in ("ana", "lap", "rosa", "eve")] == [
        rules.STEWARD,
        rules.LAPTOP,
        rules.CUSTODIAN,
        rules.STRANGER,
    ]
    assert role("lap", revoked=("lap",)) == rules.STRANGER
    two = statement(second(terms={"cy": 1}))
    assert role("cy", charter=two) == rules.STRANGER
    assert role("lap", charter=two, certificates=[statement(council.certificate(until_version=1))]) == rules.STRANGER
    assert rules.STRANGER < rules.PERSON < rules.CUSTODIAN < rules.LAPTOP < rules.STEWARD
