"""The attacker between virtual radios does what it says, and the same again for the same seed."""

from hedgerow.virtual.attacker import Attacker, Chances
from hedgewire import link

NOTHING = Chances(drop=0, delay=0, double=0, damage=0, replay=0, forge=0)
MAC = b"\x02\x00\x00\x00\x00\x01"
FRAMES = [bytes([0x21]) + bytes([number]) * 30 for number in range(200)]


def heard_of(chances, seed=1):
    attacker = Attacker(seed, chances)
    return attacker, [attacker.meddle(MAC, data) for data in FRAMES]


def test_one_that_does_nothing_changes_nothing():
    attacker, heard = heard_of(NOTHING)
    assert [[one.data for one in each] for each in heard] == [[data] for data in FRAMES]
    assert not attacker.did


def test_each_thing_is_done_about_as_often_as_it_was_told_to():
    attacker, heard = heard_of(Chances())
    assert set(attacker.did) == {"drop", "delay", "double", "damage", "replay", "forge"}
    for name, count in attacker.did.items():
        assert 8 <= count <= 40, name
    assert [one for each in heard for one in each] == [one for each in heard_of(Chances())[1] for one in each]
    assert heard != heard_of(Chances(), seed=2)[1]


def test_an_open_offer_is_answered_with_a_false_acknowledgement():
    offer = link.encode_offer(7, 1, 2, [(b"8 bytes.", 3, 1, 100)])
    attacker = Attacker(1, Chances(drop=1, delay=0, double=0, damage=0, replay=0, forge=1))
    forged = [link.decode(one.data) for _ in range(30) for one in attacker.meddle(MAC, offer)]
    [false] = {(ack.source, ack.to, ack.id, ack.state) for ack in forged if isinstance(ack, link.Ack)}
    assert false == (3, 1, b"8 bytes.", link.DELIVERED)


def test_damaged_frames_differ_and_forged_ones_fit_the_air():
    damaged = heard_of(Chances(drop=1, delay=0, double=0, damage=1, replay=0, forge=0))[1]
    forged = heard_of(Chances(drop=1, delay=0, double=0, damage=0, replay=0, forge=1))[1]
    for data, [one] in zip(FRAMES, damaged, strict=True):
        assert one.data != data
    assert {type(link.decode(one.data)).__name__ for [one] in forged} == {"Hello", "Damage"}
    assert all(0 < len(one.data) <= 250 for [one] in forged)
