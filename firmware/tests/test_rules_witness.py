"""Which heads a node counter-signs: few, once each, never two that fork; and what it remembers is bounded."""

from hedgenode.rules import ledger_pace as pace
from hedgenode.rules import witness
from hedgenode.rules.ledger_pace import Budget
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
    w = Witnessing(Budget([0, 0, 0]))
    assert vouch(w, key(1), 1, digest(1))
    assert w.shown(key(1), 1, digest(1), 0) == witness.ANSWER
    assert w.of(key(1)).ours == OTHER


def test_a_neighbour_gets_one_counter_signature_for_every_four_entries():
    w = Witnessing(Budget([0, 0, 0]))
    signed = [seq for seq in range(1, 40) if vouch(w, key(1), seq, digest(seq), 0)]
    assert signed == list(range(1, 40, pace.WITNESS_EVERY))


def test_an_older_head_may_be_an_old_frame_and_is_left_alone():
    w = Witnessing(Budget([0, 0, 0]))
    assert vouch(w, key(1), 20, digest(20))
    assert w.shown(key(1), 7, digest(7), 0) == witness.IGNORE
    assert w.forks == []


def test_two_heads_with_one_number_are_kept_as_evidence_and_never_signed():
    w = Witnessing(Budget([0, 0, 0]))
    assert vouch(w, key(1), 20, digest(20))
    assert w.shown(key(1), 20, digest(21), 0) == witness.CHECK
    assert not w.checked(key(1), 20, digest(21), OTHER)
    assert w.forks == [(key(1), 20, digest(20), SIGNATURE, digest(21), OTHER)]
    for seq in (20, 30):
        assert w.shown(key(1), seq, digest(seq), 0) == witness.IGNORE
    assert vouch(w, key(2), 20, digest(20))


def test_a_flood_of_heads_costs_a_bounded_number_of_signatures_and_checks_a_day():
    w = Witnessing(Budget([0, 0, 0]))
    signed = sum([vouch(w, key(number), 1, digest(1), 10) for number in range(100)])
    assert signed == pace.SIGNATURES_A_DAY
    w = Witnessing(Budget([0, 0, 0]))
    checks = sum([w.shown(key(number), 1, digest(1), 10) == witness.CHECK for number in range(100)])
    assert checks == pace.CHECKS_A_DAY
    assert w.shown(key(1), 1, digest(1), 10 + pace.DAY_S) == witness.CHECK


def test_a_captured_node_tells_of_few_neighbours():
    w = Witnessing(Budget([0, 0, 0]))
    for number in range(30):
        vouch(w, key(number), 1, digest(1), number * pace.DAY_S)
        w.vouched(5, digest(5), key(number), SIGNATURE)
    for number in range(5):
        w.shown(key(29 - number), 1, digest(2), 40 * pace.DAY_S)
        w.checked(key(29 - number), 1, digest(2), OTHER)
    assert [seen.writer for seen in w.seen] == [key(number) for number in range(22, 30)]
    assert [row[2] for row in w.own] == [key(number) for number in range(26, 30)]
    assert len(w.forks) == witness.MAX_FORKS
    assert len(w.to_bytes()) < 3100


def test_whose_counter_signature_is_here_is_known():
    w = Witnessing(Budget([0, 0, 0]))
    w.vouched(5, digest(5), key(2), SIGNATURE)
    assert w.has(5, key(2))
    assert not w.has(6, key(2))
    assert not w.has(5, key(3))


def test_it_comes_back_over_a_restart_and_damage_is_told():
    w = Witnessing(Budget([0, 0, 0]))
    vouch(w, key(1), 1, digest(1))
    vouch(w, key(2), 4, digest(4))
    w.shown(key(2), 4, digest(5), 0)
    w.checked(key(2), 4, digest(5), OTHER)
    w.vouched(3, digest(3), key(9), SIGNATURE)
    assert w.changed
    kept = w.to_bytes()
    assert not w.changed
    again = Witnessing(Budget([0, 0, 0]))
    assert again.from_bytes(kept)
    assert again.to_bytes() == kept
    assert again.shown(key(1), 1, digest(1), 0) == witness.ANSWER
    for damaged in (b"", kept[:-1], b"\x80", b"\x84\x02\x80\x80\x80", b"\x84\x01\x80\x81\x80\x80"):
        assert not Witnessing(Budget([0, 0, 0])).from_bytes(damaged), damaged
