"""The compact form: what is expanded is the same bundle bit for bit, and a group text costs at most 24 bytes more."""

import mutations
from harness import vectors

from hedgewire import bundle, compact, message
from hedgewire.bundle import Bundle, Eid
from hedgewire.cbor import Damage

BASE = 974848
EVERYONE = Eid(BASE + 0xFFFF, 1)


def group_text(destination):
    """A text of 100 bytes to a group as a relay hands it on after some days; its body has hint, step and tag."""
    payload = message.encode_closed(message.GROUP, bytes(2 + 1 + 100 + 8))
    made = bundle.make(Eid(BASE + 9, 1), destination, payload, 9000, 604800000)
    return bundle.encode(bundle.with_forwarding(made, 500000000, Eid(BASE + 700, 0)))


def test_a_group_text_of_100_bytes_costs_at_most_24_more():
    for destination in (EVERYONE, Eid(BASE + 12, 1)):
        raw = group_text(destination)
        short = compact.shrink(raw, BASE)
        assert compact.expand(short, BASE) == raw
        assert len(short) - 100 <= 24, len(short)


def test_every_bundle_comes_back_bit_for_bit():
    for case in vectors("bundle")["bundles"]:
        raw = bytes.fromhex(case["hex"])
        for base in (BASE, 0, 1 << 40):
            short = compact.shrink(raw, base)
            assert compact.expand(short, base) == raw
            assert len(short) <= len(raw) + 1


def test_random_fields_come_back_bit_for_bit():
    random = mutations.Random(11)
    rules = 0
    for _ in range(400):
        ends = [Eid(BASE + random.below(0x10100), random.below(2)) for _ in range(3)]
        ends[0].service = ends[1].service = 1 if random.below(4) else 0
        payload = random.some_bytes(40)
        if random.below(2):
            payload = message.encode_closed(1 + random.below(2), payload)
        times = [1 << random.below(45) if random.below(2) else 0 for _ in range(3)]
        made = bundle.make(ends[0], ends[1], payload, random.bits() << 14, times[0] or 604800000, times[1], times[2])
        for _ in range(random.below(4)):
            made = bundle.with_forwarding(made, random.bits() * 500, ends[2])
        if not random.below(6):
            made.blocks[random.below(len(made.blocks))].crc_type = 1
        raw = bundle.encode(made)
        short = compact.shrink(raw, BASE)
        assert compact.expand(short, BASE) == raw
        rules += short[0] != 0
    assert rules > 100


def test_changed_bytes_are_damage_or_some_bundle():
    random = mutations.Random(13)
    valid = [compact.shrink(group_text(EVERYONE), BASE), compact.shrink(group_text(Eid(BASE + 12, 1)), BASE)]
    assert isinstance(compact.expand(b"", BASE), Damage)
    for _ in range(1500):
        data = mutations.change(random, valid[random.below(2)], valid[random.below(2)])
        found = compact.expand(data, BASE)
        assert isinstance(found, (bytes, Damage))
        assert isinstance(found, Damage) or isinstance(bundle.decode(found), (Bundle, Damage))
