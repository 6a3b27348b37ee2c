"""Who may move a node, and who may not: every refusal that a move, a destination, a neighbour and a key can meet."""

import council
from council import FIRST, FLEET, LEAVING, digest_of, id_of, public_of, publics, statement

from hedgenode.rules import moving as rules

ONE = statement(FIRST)
NODE = public_of("node")
AT_ROSAS = council.enrolment(custodian="rosa")
NOBODYS = council.enrolment()


def move_fault(body, *signers, of=AT_ROSAS, fleet=FLEET, node=NODE, revoked=()):
    enrolment = None if of is None else statement(of)
    return rules.move_fault(statement(body), enrolment, ONE, fleet, node, publics(*signers), publics_ids(revoked))


def publics_ids(names):
    return {id_of(name) for name in names}


def test_a_household_needs_nobody_to_leave_with_its_node():
    assert move_fault(council.move(of=AT_ROSAS), "rosa") is None


def test_no_majority_moves_a_node_against_its_household():
    for everybody in (("ana", "ben"), ("ana", "ben", "cy"), ("ana", "ben", "cy", "lap", "node", "eve"), ()):
        assert "household" in move_fault(council.move(of=AT_ROSAS), *everybody)


def test_revoking_the_key_of_a_household_does_not_take_its_node_from_it():
    assert move_fault(council.move(of=AT_ROSAS), "rosa", revoked=("rosa",)) is None
    assert "household" in move_fault(council.move(of=AT_ROSAS), "ana", "ben", "cy", revoked=("rosa",))


def test_a_node_without_a_household_is_moved_by_enough_stewards_and_by_nobody_else():
    for of in (NOBODYS, None):
        there = council.move(of=of)
        assert move_fault(there, "ana", "cy", of=of) is None
        assert "lacks 1 of 2" in move_fault(there, "ana", of=of)
        assert "lacks 2 of 2" in move_fault(there, "lap", "node", "rosa", of=of)
        assert "lacks 1 of 2" in move_fault(there, "ana", "cy", of=of, revoked=("cy",))


def test_a_move_is_for_one_node_of_one_fleet():
    assert "another node" in move_fault(council.move(node="other", of=AT_ROSAS), "rosa")
    assert "another fleet" in move_fault(council.move(of=AT_ROSAS, fleet=b"other..."), "rosa")


def test_an_old_move_does_not_count_once_a_node_has_come_back():
    back = council.enrolment(custodian="rosa", serial=2)
    assert "another enrolment" in move_fault(council.move(of=AT_ROSAS), "rosa", of=back)
    assert "another enrolment" in move_fault(council.move(of=None), "rosa", of=back)


def destination_fault(move, charter, *signers):
    said = statement(charter)
    return rules.destination_fault(statement(move), said, said.digest, publics(*signers))


def test_a_move_leads_to_the_charter_that_it_names_signed_by_enough_of_its_own_stewards():
    there = council.move(of=AT_ROSAS)
    assert destination_fault(there, LEAVING, "rosa") is None
    assert "lacks 1 of 1" in destination_fault(there, LEAVING, "ana", "ben", "cy")
    assert "another charter" in destination_fault(there, FIRST, "ana", "ben")


def test_a_move_may_lead_into_a_fleet_that_has_gone_on_for_long():
    later = council.charter(7, ("dora", "eli"), fleet=b"elsewher", parent=bytes(32))
    there = council.move(of=AT_ROSAS, to=later)
    assert statement(there).to == b"elsewher"
    assert destination_fault(there, later, "dora", "eli") is None
    assert "lacks 1 of 2" in destination_fault(there, later, "dora")


def neighbour_fault(body, *signers, revoked=()):
    return rules.neighbour_fault(statement(body), ONE, publics("lap"), FLEET, publics(*signers), publics_ids(revoked))


def test_one_steward_or_one_laptop_can_say_who_is_a_neighbour_and_nobody_else():
    for one in ("ana", "lap"):
        assert neighbour_fault(council.neighbour(), one) is None
        assert "no steward and no laptop" in neighbour_fault(council.neighbour(), one, revoked=(one,))
    assert "no steward and no laptop" in neighbour_fault(council.neighbour(), "eve", "node", "rosa")
    assert "another fleet" in neighbour_fault(council.neighbour(fleet=b"other..."), "ana")


class Rekey:
    fleet = FLEET


def key_fault(begins, *signers, fleet=FLEET, revoked=()):
    return rules.key_fault(Rekey, ONE, publics("lap"), fleet, publics(*signers), publics_ids(revoked), begins)


def test_who_lets_a_node_in_gives_it_its_first_key():
    assert key_fault(True, "lap") is None
    assert key_fault(True, "ana", "ben") is None
    assert "lacks 2 of 2" in key_fault(True, "lap", revoked=("lap",))
    assert "lacks 1 of 2" in key_fault(True, "ana")
    assert "lacks 2 of 2" in key_fault(True, "eve", "node")
    assert "another fleet" in key_fault(True, "lap", fleet=b"other...")


def test_only_enough_stewards_put_a_key_in_place_of_another():
    assert key_fault(False, "ana", "ben") is None
    assert "lacks 2 of 2" in key_fault(False, "lap")
    assert "lacks 1 of 2" in key_fault(False, "ana", "lap")
    assert "lacks 1 of 2" in key_fault(False, "ana", "cy", revoked=("cy",))
    assert "another fleet" in key_fault(False, "ana", "ben", fleet=b"other...")


def test_a_node_takes_its_short_id_along_and_nothing_else_lies_outside_a_laptops_block():
    from hedgenode.rules import trust

    def fault(former, **changes):
        said = statement(council.enrolment(short=300, custodian="rosa", **changes))
        return trust.enrolment_fault(said, statement(council.certificate()), publics("lap"), former=statement(former))

    there = council.enrolment(short=300, custodian="rosa", fleet=b"other...")
    assert fault(there, replaces=digest_of(there)) is None
    for wrong in (
        council.enrolment(short=301, custodian="rosa", fleet=b"other..."),
        council.enrolment(node="other", short=300, custodian="rosa", fleet=b"other..."),
    ):
        assert "outside the block" in fault(wrong, replaces=digest_of(wrong))
    assert "outside the block" in fault(there)


def test_no_enrolment_takes_a_node_from_its_household():
    from hedgenode.rules import trust

    def fault(*signers, custodian=None):
        said = statement(council.enrolment(custodian=custodian, replaces=digest_of(AT_ROSAS)))
        certificate = statement(council.certificate())
        return trust.enrolment_fault(said, certificate, publics(*signers), former=statement(AT_ROSAS))

    assert "has not agreed" in fault("lap", "ana", "ben", "cy")
    assert "has not agreed" in fault("lap", custodian="eve")
    assert fault("lap", "rosa") is None
    assert fault("lap", custodian="rosa") is None
