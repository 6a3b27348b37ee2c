"""Messages between nodes: every field survives, every length is checked, every frame fits the radio."""

from harness import assert_damage, raises, vectors

from hedgewire import cbor, link

ID = b"\x00\x01\x02\x03\x04\x05\x06\x07"


def rows(values):
    """Hex ids and lists of a vector as the decoder gives them."""
    return [tuple(bytes.fromhex(field) if isinstance(field, str) else field for field in row) for row in values]


def encode(case):
    kind, tag, source = case["type"], case["fleet_tag"], case["source"]
    if kind == "hello":
        return link.encode_hello(tag, source, case["fingerprint"], rows(case["peers"]))
    if kind == "offer":
        return link.encode_offer(tag, source, case["to"], rows(case["items"]))
    if kind == "reached":
        return link.encode_reached(tag, source, [bytes.fromhex(id) for id in case["ids"]])
    if kind == "want":
        return link.encode_want(tag, source, case["to"], [bytes.fromhex(id) for id in case["ids"]])
    if kind in ("head", "witness"):
        digest, signature = bytes.fromhex(case["digest"]), bytes.fromhex(case["signature"])
        if kind == "head":
            return link.encode_head(tag, source, case["seq"], digest, bytes.fromhex(case["writer"]), signature)
        witness = bytes.fromhex(case["witness"])
        return link.encode_witness(tag, source, case["to"], case["seq"], digest, witness, signature)
    if kind == "probe":
        return link.encode_probe(tag, source, case["to"], case["number"], case["rssi_dbm"], case["snr_db4"])
    return encode_of_bundle(kind, case)


def encode_of_bundle(kind, case):
    tag, source, id = case["fleet_tag"], case["source"], bytes.fromhex(case["id"])
    if kind == "ack":
        return link.encode_ack(tag, source, case["to"], id, case["state"], case["bitmap"])
    data = bytes.fromhex(case["data"])
    return link.encode_segment(tag, source, case["to"], id, case["index"], case["count"], case["copies"], data)


def test_vectors_encode():
    for case in vectors("link")["messages"]:
        assert encode(case).hex() == case["hex"], case["hex"]


def test_vectors_decode():
    for case in vectors("link")["messages"]:
        found = link.decode(bytes.fromhex(case["hex"]))
        assert type(found).__name__.lower() == case["type"], case["hex"]
        for name in case:
            if name in ("type", "hex"):
                continue
            wanted = case[name]
            if name in ("peers", "items"):
                wanted = rows(wanted)
            elif name == "ids":
                wanted = [bytes.fromhex(id) for id in wanted]
            elif name in ("id", "data", "digest", "writer", "witness", "signature"):
                wanted = bytes.fromhex(wanted)
            assert getattr(found, name) == wanted, (case["hex"], name)


def test_damaged_vectors_are_named():
    for case in vectors("link")["damaged"]:
        assert_damage(link.decode(bytes.fromhex(case["hex"])), case)


def test_every_prefix_is_damage_but_for_a_segment():
    for case in vectors("link")["messages"]:
        whole = bytes.fromhex(case["hex"])
        for size in range(19 if case["type"] == "segment" else len(whole)):
            found = link.decode(whole[:size])
            assert isinstance(found, cbor.Damage) or size >= len(whole), (case["hex"], size)


def test_the_longest_of_each_fits_a_frame_and_one_more_raises():
    assert len(link.encode_hello(1, 2, 3, [(1, 1)] * 76)) == 238
    raises(ValueError, link.encode_hello, 1, 2, 3, [(1, 1)] * 77)
    assert len(link.encode_offer(1, 2, 3, [(ID, 1, 1, 1)] * 17)) <= 239
    raises(ValueError, link.encode_offer, 1, 2, 3, [(ID, 1, 1, 1)] * 18)
    assert len(link.encode_want(1, 2, 3, [ID] * 28)) <= 239
    raises(ValueError, link.encode_want, 1, 2, 3, [ID] * 29)
    assert len(link.encode_reached(1, 2, [ID] * link.MAX_REACHED)) <= 239
    raises(ValueError, link.encode_reached, 1, 2, [ID] * 31)
    assert len(link.encode_segment(1, 2, 3, ID, 0, 1, 1, bytes(209))) <= 239
    raises(ValueError, link.encode_segment, 1, 2, 3, ID, 0, 1, 1, bytes(210))


def test_misuse_raises():
    raises(ValueError, link.encode_hello, 0x10000, 2, 3, [])
    raises(ValueError, link.encode_hello, 1, -1, 3, [])
    raises(ValueError, link.encode_want, 1, 2, 3, [b"short"])
    raises(ValueError, link.encode_segment, 1, 2, 3, ID, 1, 1, 1, b"x")
    raises(ValueError, link.encode_segment, 1, 2, 3, ID, 0, 33, 1, b"x")
    raises(ValueError, link.encode_segment, 1, 2, 3, ID, 0, 1, 1, b"")
    raises(ValueError, link.encode_ack, 1, 2, 3, ID, 5, 0)
    raises(ValueError, link.encode_head, 1, 2, 3, bytes(31), bytes(32), bytes(64))
    raises(ValueError, link.encode_witness, 1, 2, 3, 4, bytes(32), bytes(32), bytes(63))


def test_types_of_a_later_release_are_damage_and_nothing_worse():
    for kind in range(link.WITNESS + 1, 16):
        found = link.decode(bytes([link.VERSION << 4 | kind]) + bytes(120))
        assert isinstance(found, cbor.Damage), kind


def test_the_fleet_tag_is_the_head_of_the_fleet_id():
    assert link.fleet_tag(b"\xbe\xef\x00\x00\x00\x00\x00\x00") == 0xBEEF
