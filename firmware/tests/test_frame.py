"""Frames and text on one stream: what is damaged is counted, and the next frame is whole."""

from harness import raises, vectors

from hedgewire import frame


def play(decoder, steps):
    """Feed hex chunks, call idle() where a step says so; text in one piece wherever no step is between."""
    out = []
    for step in steps:
        out += decoder.idle() if step == "idle" else decoder.feed(bytes.fromhex(step))
    return out


def test_vectors_encode():
    for case in vectors("frame")["frames"]:
        assert frame.encode(case["kind"], bytes.fromhex(case["payload"])).hex() == case["frame"], case["frame"]


def test_vectors_decode():
    for case in vectors("frame")["frames"]:
        decoder = frame.Decoder()
        found = decoder.feed(bytes.fromhex(case["frame"]))
        assert found == [(case["kind"], bytes.fromhex(case["payload"]))], case["frame"]
        assert (decoder.damaged, decoder.in_frame) == (0, False)


def test_streams():
    for case in vectors("frame")["streams"]:
        decoder = frame.Decoder(case["max_bytes"])
        wanted = [(kind, bytes.fromhex(payload)) for kind, payload in case["out"]]
        found = play(decoder, case["in"])
        assert found == wanted, (case["name"], found)
        assert decoder.damaged == case["damaged"], case["name"]


def test_a_stream_may_be_cut_anywhere():
    whole = b"text" + frame.encode(1, b"\x00one\x00") + frame.encode(2, bytes(300)) + b"\x03" + frame.encode(3, b"")
    wanted = [(0, b"text"), (1, b"\x00one\x00"), (2, bytes(300)), (0, b"\x03"), (3, b"")]
    for cut in range(5, len(whole)):
        decoder = frame.Decoder()
        assert decoder.feed(whole[:cut]) + decoder.feed(whole[cut:]) == wanted, cut


def test_every_length_around_a_full_group():
    for size in list(range(6)) + list(range(248, 260)) + list(range(502, 516)):
        for payload in (bytes(size), b"\x55" * size, (b"\x55" * 7 + b"\x00") * (size // 8)):
            encoded = frame.encode(4, payload)
            assert encoded[0] == 0
            assert encoded.find(b"\x00", 1) == len(encoded) - 1
            assert len(encoded) <= len(payload) + 6 + (len(payload) + 3) // 254
            assert frame.Decoder(520).feed(encoded) == [(4, payload)], (size, payload[:1])


def test_a_payload_of_max_bytes_fits_and_one_more_does_not():
    for size in (1, 100, 249, 250, 251, 252, 253, 254, 255, 505, 1024):
        decoder = frame.Decoder(size)
        assert decoder.feed(frame.encode(1, b"\x55" * size)) == [(1, b"\x55" * size)], size
        assert decoder.feed(frame.encode(1, b"\x55" * (size + 3))) == [], size
        assert decoder.damaged == 1, size


def test_one_bent_bit_anywhere_never_gives_another_payload():
    whole = frame.encode(1, b"hedge\x00row")
    for bit in range(8 * len(whole)):
        bent = bytearray(whole)
        bent[bit // 8] ^= 1 << (bit % 8)
        decoder = frame.Decoder()
        after = frame.encode(2, b"next")
        found = decoder.feed(bent) + decoder.idle() + decoder.feed(after)
        assert [item for item in found if item[0] == 1] == [], bit
        assert found[-1] == (2, b"next"), bit


def test_in_frame_is_true_from_the_first_delimiter_to_the_last():
    decoder = frame.Decoder()
    whole = frame.encode(1, b"abc")
    assert not decoder.in_frame
    decoder.feed(whole[:1])
    assert decoder.in_frame
    decoder.feed(whole[1:-1])
    assert decoder.in_frame
    decoder.feed(whole[-1:])
    assert not decoder.in_frame


def test_any_buffer_will_do():
    whole = b"x" + frame.encode(1, bytearray(b"abc"))
    for kind in (bytes, bytearray, memoryview):
        assert frame.Decoder().feed(kind(whole)) == [(0, b"x"), (1, b"abc")]
    assert frame.encode(1, memoryview(b"abc")) == frame.encode(1, b"abc")


def test_text_and_impossible_kinds_are_no_frames():
    raises(ValueError, frame.encode, frame.TEXT, b"")
    raises(ValueError, frame.encode, 256, b"")
