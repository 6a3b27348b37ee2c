"""Bundles: what others made is read and kept, what we make others can read, what is damaged is named."""

from harness import assert_damage, raises, vectors

from hedgewire import bundle, cbor
from hedgewire.bundle import Block, Eid

FIELDS = ("flags", "crc_type", "creation_time_ms", "sequence", "lifetime_ms", "fragment_offset", "fragment_total")
ENDPOINTS = ("destination", "source", "report_to")
A = Eid(974849, 1)
B = Eid(974850, 1)


def remake(raw):
    """Decode and encode again."""
    return bundle.decode(bundle.encode(raw))


def block_fields(entry):
    return entry["type"], entry["number"], entry["flags"], entry["crc_type"], bytes.fromhex(entry["data"])


def test_vectors_decode_to_their_fields():
    for case in vectors("bundle")["bundles"]:
        found = bundle.decode(bytes.fromhex(case["hex"]))
        assert isinstance(found, bundle.Bundle), (case["name"], found)
        for name in FIELDS:
            assert getattr(found, name) == case[name], (case["name"], name)
        for name in ENDPOINTS:
            assert str(getattr(found, name)) == case[name], (case["name"], name)
        blocks = [(b.type, b.number, b.flags, b.crc_type, b.data) for b in found.blocks]
        assert blocks == [block_fields(entry) for entry in case["blocks"]], case["name"]
        assert found.payload == bytes.fromhex(case["payload"])
        assert found.age_ms == case["age_ms"]
        assert found.hop_count == (tuple(case["hop_count"]) if case["hop_count"] else None)
        previous = found.previous_node
        assert (None if previous is None else str(previous)) == case["previous_node"]


def test_vectors_encode_to_the_same_bytes():
    for case in vectors("bundle")["bundles"]:
        raw = bytes.fromhex(case["hex"])
        again = bundle.encode(bundle.decode(raw))
        assert (again == raw) == case["same_when_encoded"], case["name"]
        assert bundle.encode(bundle.decode(again)) == again


def test_the_primary_block_is_rebuilt_from_its_fields():
    for case in vectors("bundle")["bundles"]:
        if "destination_as_sent" in case:
            continue  # its endpoint of three elements would be sent with two
        found = bundle.decode(bytes.fromhex(case["hex"]))
        found.primary = None
        assert case["primary"] in bundle.encode(found).hex(), case["name"]


def test_ids():
    for case in vectors("bundle")["bundles"]:
        raw = bytes.fromhex(case["hex"])
        assert bundle.bundle_id(raw).hex() == case["id"], case["name"]
        assert bundle.bundle_id(bundle.decode(raw)).hex() == case["id"], case["name"]
    assert isinstance(bundle.bundle_id(b"\x9f\x00"), cbor.Damage)


def test_damaged_vectors_are_named():
    for case in vectors("bundle")["damaged"]:
        assert_damage(bundle.decode(bytes.fromhex(case["hex"])), case)


def test_every_prefix_is_damage():
    whole = bytes.fromhex(vectors("bundle")["bundles"][0]["hex"])
    for size in range(len(whole)):
        assert isinstance(bundle.decode(whole[:size]), cbor.Damage), size


def test_every_bent_bit_under_a_crc_is_found():
    made = bundle.make(A, B, b"payload", 1, 1000)
    for kind in (bundle.CRC16, bundle.CRC32C):
        made.crc_type = kind
        for block in made.blocks:
            block.crc_type = kind
        whole = bundle.encode(made)
        for bit in range(8, 8 * (len(whole) - 1)):  # all but the outer array, which no CRC covers
            bent = bytearray(whole)
            bent[bit // 8] ^= 1 << (bit % 8)
            assert isinstance(bundle.decode(bent), cbor.Damage), (kind, bit)


def test_make_without_a_clock_carries_its_age():
    made = remake(bundle.make(A, B, b"x", 5, 60000, age_ms=77, hop_limit=9))
    assert (made.source, made.destination, made.report_to) == (A, B, bundle.NONE)
    assert (made.sequence, made.lifetime_ms, made.creation_time_ms) == (5, 60000, 0)
    assert (made.age_ms, made.hop_count, made.payload) == (77, (9, 0), b"x")
    assert made.crc_type == bundle.CRC16


def test_make_with_a_clock_needs_no_age():
    made = remake(bundle.make(A, B, b"x", 5, 60000, creation_time_ms=820454400000))
    assert made.creation_time_ms == 820454400000
    assert made.age_ms is None


def test_two_bundles_of_a_source_differ_by_their_sequence():
    one = bundle.make(A, B, b"x", 1, 60000)
    two = bundle.make(A, B, b"x", 2, 60000)
    assert bundle.bundle_id(one) != bundle.bundle_id(two)
    assert len(bundle.bundle_id(one)) == 8


def test_forwarding_changes_hop_count_age_and_previous_node_and_nothing_else():
    first = bundle.make(A, B, b"x", 1, 60000)
    second = bundle.with_forwarding(first, 1500, Eid(974851, 0))
    third = remake(bundle.with_forwarding(second, 2500, Eid(974852, 0)))
    assert (first.hop_count, first.age_ms, first.previous_node) == ((16, 0), 0, None)
    assert (second.hop_count, second.age_ms, second.previous_node) == ((16, 1), 1500, Eid(974851, 0))
    assert (third.hop_count, third.age_ms, third.previous_node) == ((16, 2), 2500, Eid(974852, 0))
    assert bundle.bundle_id(third) == bundle.bundle_id(first)
    assert [block.type for block in third.blocks] == [10, 7, 6, 1]
    assert third.payload == b"x"


def test_forwarding_keeps_what_others_made():
    case = vectors("bundle")["bundles"][0]
    ion = bundle.decode(bytes.fromhex(case["hex"]))
    out = remake(bundle.with_forwarding(ion, 10, Eid(974852, 0)))
    assert out.block(193).data == ion.block(193).data
    assert out.block(bundle.PREVIOUS_NODE).flags == ion.block(bundle.PREVIOUS_NODE).flags
    assert bundle.bundle_id(out).hex() == case["id"]


def test_unknown_blocks_are_treated_as_their_flags_ask():
    made = bundle.make(A, B, b"x", 1, 60000)
    made.blocks.insert(0, Block(200, 9, 0, bundle.NO_CRC, b"keep"))
    made.blocks.insert(0, Block(201, 10, bundle.BLOCK_DISCARD_IF_UNKNOWN, bundle.NO_CRC, b"discard"))
    assert not bundle.must_delete(made)
    out = remake(bundle.with_forwarding(made, 0, A))
    assert out.block(200).data == b"keep"
    assert out.block(201) is None
    made.blocks.insert(0, Block(202, 11, bundle.BLOCK_DELETE_BUNDLE_IF_UNKNOWN, bundle.NO_CRC, b""))
    assert bundle.must_delete(made)


def test_a_bundle_without_payload_is_misuse():
    raises(ValueError, bundle.encode, bundle.Bundle())


def test_numbers_that_no_head_can_hold_are_misuse():
    for bad in (-1, 1 << 64):
        raises(ValueError, bundle.encode, bundle.make(A, B, b"x", bad, 60000))
        raises(ValueError, bundle.encode, bundle.make(Eid(bad, 1), B, b"x", 1, 60000))
        raises(ValueError, bundle.make, A, B, b"x", 1, 60000, 0, bad)
        raises(ValueError, bundle.with_forwarding, bundle.make(A, B, b"x", 1, 60000), bad, A)
    raises(ValueError, bundle.make, A, B, b"x", 1, 60000, hop_limit=0)
    raises(ValueError, bundle.make, A, B, b"x", 1, 60000, hop_limit=256)


def test_endpoints_compare_and_print():
    assert str(A) == "ipn:974849.1"
    assert str(bundle.NONE) == "dtn:none"
    assert str(Eid("//oak/in", 0, bundle.DTN)) == "dtn://oak/in"
    assert A == Eid(974849, 1)
    assert A not in (B, "ipn:974849.1")
    assert {A: 1}[Eid(974849, 1)] == 1
