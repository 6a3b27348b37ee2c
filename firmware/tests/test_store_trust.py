"""A node's trust store: takes in what verifies and nothing else, survives a power cut anywhere, stays small."""

import council
from council import FIRST, FLEET, digest_of, id_of, public_of, second, signed
from cut_files import CutFiles, PowerCutError

from hedgenode.crypto.steps import finish
from hedgenode.rules import trust as rules
from hedgenode.store.ram import RamFiles
from hedgenode.store.trust import MAX_CERTIFICATES, MAX_CHARTERS, TrustStore
from hedgewire import document, trust

LAP = council.certificate()


def opened(files, node="node", fleet=FLEET):
    return TrustStore(files, "/trust", fleet, public_of(node))


def put(store, body, *names):
    """None, or why it was refused."""
    return finish(store.put_steps(signed(body, *names)))


def store_with(*documents):
    store = opened(RamFiles())
    for body, names in ((FIRST, ("ana", "ben")),) + documents:
        assert put(store, body, *names) is None, document.understand(body)
    return store


def again(store):
    return opened(store._files)


def test_a_new_node_trusts_nobody_and_takes_the_first_charter_of_its_fleet_only():
    store = opened(RamFiles())
    assert (store.version, store.role(public_of("ana"))) == (0, rules.STRANGER)
    assert "first" in put(store, LAP, "ana", "ben")
    assert "another fleet" in put(store, council.charter(threshold=1), "ana")
    assert "lacks 1 of 2" in put(store, FIRST, "ana")
    assert put(store, FIRST, "ana", "cy") is None
    assert (store.version, store.role(public_of("ben"))) == (1, rules.STEWARD)
    assert put(store, FIRST, "ana", "cy") is None  # again: nothing new


def test_what_was_taken_in_is_there_after_a_restart_and_is_handed_out_as_it_came():
    mine = council.enrolment(custodian="rosa")
    store = store_with((LAP, ("ben", "cy")), (mine, ("lap",)), (council.custodian(), ("rosa",)))
    for one in (store, again(store)):
        assert one.damaged == 0
        assert [kind for _, kind in one.documents()] == ["charter", "laptop", "enrolment", "custodian"]
        assert [one.role(public_of(name)) for name in ("ana", "lap", "rosa", "node")] == [4, 3, 2, 0]
        assert one.key_with_id(id_of("lap")) == public_of("lap")
        assert one.key_with_id(id_of("rosa")) == public_of("rosa")
        assert one.key_with_id(id_of("eve")) is None
        assert one.get(digest_of(LAP)) == signed(LAP, "ben", "cy")
        assert one.get(bytes(32)) is None


def test_no_enrolment_takes_a_node_from_its_household():
    mine = council.enrolment(custodian="rosa")
    store = store_with((LAP, ("ana", "ben")), (mine, ("lap",)))
    for custodian in (None, "eve"):
        next_one = council.enrolment(custodian=custodian, serial=2, replaces=digest_of(mine))
        assert "has not agreed" in put(store, next_one, "lap", "ana", "ben", "cy")
        assert put(store, next_one, "lap", "rosa") is None
        store = store_with((LAP, ("ana", "ben")), (mine, ("lap",)))


def test_signatures_by_strangers_or_wrong_ones_are_refused():
    store = store_with()
    assert "lacks 1 of 2" in put(store, LAP, "ana", "eve")
    forged = [(public_of("ana"), bytes(64)), (public_of("ben"), bytes([1]) * 64)]
    assert "signature is wrong" in finish(store.put_steps(document.encode(LAP, forged)))
    one_bit_off = bytearray(signed(LAP, "ana", "ben"))
    one_bit_off[-1] ^= 1
    assert "signature is wrong" in finish(store.put_steps(bytes(one_bit_off)))
    twice = [(public_of("ana"), bytes([count]) * 64) for count in range(2)]
    assert "lacks 1 of 2" in finish(store.put_steps(document.encode(LAP, twice)))
    assert store.documents() == [(digest_of(FIRST), "charter")]


def test_a_wrong_signature_beside_enough_good_ones_does_no_harm():
    pairs = document.decode(signed(LAP, "ana", "ben")).signatures + [(public_of("cy"), bytes(64))]
    assert finish(store_with().put_steps(document.encode(LAP, pairs))) is None


def test_a_hostile_document_costs_at_most_what_its_rule_asks_for():
    calls = []

    def counted(public, body, signature):
        calls.append(public)
        yield
        return False

    store = store_with()
    counting = TrustStore(store._files, "/trust", FLEET, public_of("node"), counted)
    strangers = [(bytes([count]) * 32, bytes(64)) for count in range(8)]
    assert finish(counting.put_steps(document.encode(LAP, strangers))) is not None
    assert calls == []
    forged = [(public_of(name), bytes(64)) for name in ("ana", "ben", "cy")]
    assert finish(counting.put_steps(document.encode(LAP, strangers + forged))) is not None
    assert len(calls) == 2


def test_damage_and_what_nodes_do_not_keep_is_refused_in_a_sentence():
    store = store_with()
    assert "no document" in finish(store.put_steps(b"\xff"))
    assert "no document" in finish(store.put_steps(signed(LAP, "ana", "ben")[:-1]))
    assert "keeps no document of the kind song" in finish(store.put_steps(signed(document.make("song", {}))))
    assert "makes no sense" in finish(store.put_steps(signed(document.make("charter", {}))))
    assert "bytes" in finish(store.put_steps(bytes(document.MAX_BYTES + 1)))


def test_charters_follow_each_other_and_never_go_back():
    store = store_with()
    two = second(stewards=("ana", "dora", "eli"))
    assert "charter 2 is missing" in put(store, council.charter(3, fleet=FLEET, parent=digest_of(two)), "ana", "ben")
    assert "the stewards before" in put(store, two, "dora", "eli")
    assert put(store, two, "ana", "ben", "dora") is None
    assert (store.version, store.role(public_of("ben"))) == (2, rules.STRANGER)
    other = second(stewards=("ben", "cy"))
    assert "is old" in put(store, other, "ben", "cy")
    assert again(store).version == 2
    assert put(store, FIRST, "ana", "ben") is None  # known already
    assert store.version == 2


def test_few_charters_are_kept():
    store, parent = store_with(), digest_of(FIRST)
    for version in range(2, MAX_CHARTERS + 3):
        following = council.charter(version, fleet=FLEET, parent=parent)
        assert put(store, following, "ana", "ben") is None
        parent = digest_of(following)
    assert len(store.charters) == MAX_CHARTERS == len(store._files.contents)
    assert again(store).version == store.version == MAX_CHARTERS + 2


def test_an_enrolment_is_taken_for_this_node_alone_and_within_its_certificate():
    store = store_with()
    assert "certificate is not known" in put(store, council.enrolment(), "lap")
    assert put(store, LAP, "ana", "ben") is None
    assert "another node" in put(store, council.enrolment("other"), "lap")
    assert "allows 3 enrolments" in put(store, council.enrolment(serial=4), "lap")
    assert "has not signed" in put(store, council.enrolment(), "eve")
    assert "outside the block" in put(store, council.enrolment(short=99), "lap")
    assert put(store, council.enrolment(), "lap") is None
    assert "enrolled already" in put(store, council.enrolment(serial=2), "lap")
    next_one = council.enrolment(serial=2, replaces=digest_of(council.enrolment()))
    assert put(store, next_one, "lap") is None
    assert [again(store).enrolment.digest, len(store._files.contents)] == [digest_of(next_one), 3]


def test_a_custodian_is_taken_if_it_is_the_nodes_own_and_has_signed():
    store = store_with((LAP, ("ana", "ben")), (council.enrolment(custodian="rosa"), ("lap",)))
    assert "not the custodian" in put(store, council.custodian("eve"), "eve")
    assert "has not signed" in put(store, council.custodian("rosa"), "lap")
    assert put(store, council.custodian("rosa"), "rosa") is None


def test_a_revoked_laptop_is_a_stranger_and_its_certificate_does_not_come_back():
    store = store_with((LAP, ("ana", "ben")))
    assert put(store, council.revocation("lap"), "ana", "cy") is None
    for one in (store, again(store)):
        assert one.role(public_of("lap")) == rules.STRANGER
        assert one.key_with_id(id_of("lap")) is None
    assert "was revoked" in put(store, LAP, "ana", "ben")
    # A charter that says so too lets the revocation go, and it still holds.
    assert put(store, second(revoked=("lap",)), "ana", "ben") is None
    assert [kind for _, kind in store.documents()] == ["charter", "charter"]
    assert "was revoked" in put(again(store), LAP, "ana", "ben")


def test_a_revocation_that_says_more_takes_the_place_of_the_others():
    store = store_with((council.revocation("lap"), ("ana", "ben")), (council.revocation("eve"), ("ana", "ben")))
    assert len(store.revocations) == 2
    assert put(store, council.revocation("lap", "eve"), "ben", "cy") is None
    assert len(store.revocations) == 1
    assert store.revoked == {id_of("lap"), id_of("eve")}


def test_a_certificate_ends_with_the_charter_that_its_term_names():
    store = store_with((council.certificate(until_version=1), ("ana", "ben")))
    assert store.role(public_of("lap")) == rules.LAPTOP
    assert put(store, second(), "ana", "ben") is None
    assert store.role(public_of("lap")) == rules.STRANGER
    assert "has ended" in put(store, council.certificate(until_version=1), "ana", "ben")
    assert put(store, council.certificate(charter_version=2), "ana", "ben") is None


def test_laptops_are_bounded_and_a_new_certificate_of_one_takes_the_place_of_its_old_one():
    store = store_with()
    for number in range(MAX_CERTIFICATES):
        assert put(store, council.certificate("lap%d" % number), "ana", "ben") is None
    assert "holds 16 certificates" in put(store, council.certificate("one more"), "ana", "ben")
    assert put(store, second(), "ana", "ben") is None
    assert put(store, council.certificate("lap3", charter_version=2), "ana", "ben") is None
    assert len(store.certificates) == MAX_CERTIFICATES == len(again(store).certificates)


def test_a_node_that_moved_to_another_fleet_forgets_the_first_one():
    store = store_with((LAP, ("ana", "ben")), (council.enrolment(), ("lap",)))
    moved = opened(store._files, fleet=b"another.")
    assert moved.documents() == []
    assert store._files.contents == {}


def test_a_damaged_file_is_counted_and_the_rest_holds():
    store = store_with((LAP, ("ana", "ben")))
    name = [name for name in store._files.contents if digest_of(LAP)[:8].hex() in name][0]
    store._files.contents[name] = store._files.contents[name][:-1]
    left = again(store)
    assert (left.damaged, left.version, left.role(public_of("lap"))) == (1, 1, rules.STRANGER)
    assert put(left, LAP, "ana", "ben") is None
    assert again(store).damaged == 0


def test_a_power_cut_leaves_the_store_as_before_or_as_after_and_never_loses_a_revocation():
    before = store_with((LAP, ("ana", "ben")), (council.revocation("eve"), ("ana", "ben")))
    three = council.charter(3, fleet=FLEET, parent=digest_of(second(revoked=("eve",))))
    for body in (second(revoked=("lap", "eve")), council.revocation("lap", "eve"), council.certificate("lap2")):
        cuts = 0
        for at in range(1, 20):
            contents = {name: bytearray(data) for name, data in before._files.contents.items()}
            cut = opened(CutFiles(contents, at))
            try:
                assert put(cut, body, "ana", "ben") is None
                break
            except PowerCutError:
                cuts += 1
            left = opened(CutFiles(contents, 10**6))
            assert left.damaged == 0
            assert id_of("eve") in left.revoked
            assert (left.role(public_of("lap")) == rules.STRANGER) == (id_of("lap") in left.revoked)
            assert put(left, body, "ana", "ben") is None
            assert left.get(digest_of(body)) is not None
        assert cuts >= 3
    assert put(before, three, "ana", "ben") is not None


def test_kinds_are_told_apart_by_what_they_say():
    assert finish(opened(RamFiles()).put_steps(signed(council.revocation("lap"), "ana", "ben"))) is not None
    assert trust.CHARTER == "charter"
