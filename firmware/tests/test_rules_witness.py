"""Which heads a node counter-signs: few, once each, never two that fork; and what it remembers is bounded."""

from hedgenode.rules import witness
from hedgenode.rules.witness import Witnessing


def key(number):
    return bytes([number]) * 32


def digest(number):
    return bytes([0x80 | number]) * 32


SIGNATURE, OTHER = b"s" * 64, b"t" * 64


def vouch(w, writer, seq, mark, now_s=0):
    """Go through it all, as the task does; True where it came to a counter-signature."""
    if w.shown(writer, seq, mark, now_s) != witness.CHECK or not w.checked(writer, seq, mark, SIGNATURE):
        return False
    w.signed(writer, seq, OTHER)
    return True


def test_the_first_head_of_a_neighbour_is_counter_signed_and_a_repeated_one_answered_without_work():
    w = Witnessing()
    assert vouch(w, key(1), 1, digest(1))
    assert w.shown(key(1), 1, digest(1), 0) == witness.ANSWER
    assert w.of(key(1)).ours == OTHER


def test_a_neighbour_gets_one_counter_signature_for_every_four_entries():
    w = Witnessing()
    signed = [seq for seq in range(1, 40) if vouch(w, key(1), seq, digest(seq), 0)]
    assert signed == list(range(1, 40, witness.WITNESS_EVERY))


def test_an_older_head_may_be_an_old_frame_and_is_left_alone():
    w = Witnessing()
    assert vouch(w, key(1), 20, digest(20))
    assert w.shown(key(1), 7, digest(7), 0) == witness.IGNORE
    assert w.forks == []


def test_two_heads_with_one_number_are_kept_as_evidence_and_never_signed():
    w = Witnessing()
    assert vouch(w, key(1), 20, digest(20))
    assert w.shown(key(1), 20, digest(21), 0) == witness.CHECK
    assert not w.checked(key(1), 20, digest(21), OTHER)
    assert w.forks == [(key(1), 20, digest(20), SIGNATURE, digest(21), OTHER)]
    for seq in (20, 30):
        assert w.shown(key(1), seq, digest(seq), 0) == witness.IGNORE
    assert vouch(w, key(2), 20, digest(20))


def test_a_flood_of_heads_costs_a_bounded_number_of_signatures_and_checks_a_day():
    w = Witnessing()
    signed = sum([vouch(w, key(number), 1, digest(1), 10) for number in range(100)])
    assert signed == witness.SIGNATURES_A_DAY
    w = Witnessing()
    checks = sum([w.shown(key(number), 1, digest(1), 10) == witness.CHECK for number in range(100)])
    assert checks == witness.CHECKS_A_DAY
    assert w.shown(key(1), 1, digest(1), 10 + witness.DAY_S) == witness.CHECK


def test_a_captured_node_tells_of_few_neighbours():
    w = Witnessing()
    for number in range(30):
        vouch(w, key(number), 1, digest(1), number * witness.DAY_S)
        w.offer_due(5, {number: 0}, 0)
        w.vouched(number, 5, digest(5), key(number), SIGNATURE)
    for number in range(5):
        w.shown(key(29 - number), 1, digest(2), 40 * witness.DAY_S)
        w.checked(key(29 - number), 1, digest(2), OTHER)
    assert [seen.writer for seen in w.seen] == [key(number) for number in range(22, 30)]
    assert [row[2] for row in w.own] == [key(number) for number in range(26, 30)]
    assert len(w.forks) == witness.MAX_FORKS
    assert len(w.to_bytes()) < 3100


def test_a_head_is_shown_to_who_is_near_a_few_times_and_again_when_it_has_grown():
    w = Witnessing()
    near = {2: 1000, 3: 1000, 4: 10}
    assert w.offer_due(5, near, 1000)
    w.offered(near, 1000)
    assert not w.offer_due(5, near, 1010)
    shown = 1
    for now_s in range(1010, 9000, 10):
        near = {2: now_s, 3: now_s}
        if w.offer_due(5, near, now_s):
            w.offered(near, now_s)
            shown += 1
    assert shown == witness.OFFERS
    assert w.offer_due(6, near, 9000)  # nobody has answered yet
    assert not w.offer_due(6, {4: 10}, 9000)


def test_who_has_vouched_is_asked_again_after_four_entries_only():
    w = Witnessing()
    near = {2: 0}
    assert w.offer_due(5, near, 0)
    w.offered(near, 0)
    assert w.worth_checking(2, 5, digest(5), key(2), (5, digest(5), SIGNATURE), 1)
    w.vouched(2, 5, digest(5), key(2), OTHER)
    assert not w.offer_due(8, {2: 5000}, 5000)
    assert w.offer_due(9, {2: 5000}, 5000)


def test_a_counter_signature_counts_if_it_was_asked_for_and_is_of_the_present_head():
    w = Witnessing()
    head = (5, digest(5), SIGNATURE)
    assert not w.worth_checking(2, 5, digest(5), key(2), head, 0)
    w.offer_due(5, {2: 0}, 0)
    assert not w.worth_checking(2, 4, digest(4), key(2), head, 0)
    assert not w.worth_checking(2, 5, digest(6), key(2), head, 0)
    assert not w.worth_checking(2, 5, digest(5), key(2), None, 0)
    assert w.worth_checking(2, 5, digest(5), key(2), head, 0)


def test_false_counter_signatures_cost_a_bounded_number_of_checks():
    w = Witnessing()
    w.offer_due(5, {2: 0}, 0)
    head = (5, digest(5), SIGNATURE)
    checks = sum([w.worth_checking(2, 5, digest(5), key(number), head, 0) for number in range(100)])
    assert checks == witness.CHECKS_A_DAY


def test_it_comes_back_over_a_restart_and_damage_is_told():
    w = Witnessing()
    vouch(w, key(1), 1, digest(1))
    vouch(w, key(2), 4, digest(4))
    w.shown(key(2), 4, digest(5), 0)
    w.checked(key(2), 4, digest(5), OTHER)
    w.vouched(9, 3, digest(3), key(9), SIGNATURE)
    assert w.changed
    kept = w.to_bytes()
    assert not w.changed
    again = Witnessing()
    assert again.from_bytes(kept)
    assert again.to_bytes() == kept
    assert again.shown(key(1), 1, digest(1), 0) == witness.ANSWER
    for damaged in (b"", kept[:-1], b"\x80", b"\x84\x02\x80\x80\x80", b"\x84\x01\x80\x81\x80\x80"):
        assert not Witnessing().from_bytes(damaged), damaged
