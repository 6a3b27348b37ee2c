"""What goes in comes out, for whatever hypothesis thinks of; and what anybody sends is a value or Damage."""

import cbor2
import mutations
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st

from hedgewire import admin, bundle, cbor, document, frame, ledger, link, message, release
from hedgewire.bundle import Block, Bundle, Eid
from hedgewire.crc import crc16, crc32c

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
INTEGERS = st.integers(-(2**64), 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.binary(max_size=300) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(INTEGERS | TEXTS, inner, max_size=5),
    max_leaves=12,
)
IDS = st.binary(min_size=8, max_size=8)


def levels(value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(levels, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(levels, value), default=0)
    return 0


# ---- CRC


@given(st.binary(max_size=400), st.integers(0, 400))
def test_crcs_agree_with_their_definition_and_continue(data, cut):
    assert crc16(data[cut:], crc16(data[:cut])) == reference.crc16(data)
    assert crc32c(data[cut:], crc32c(data[:cut])) == reference.crc32c(data)


# ---- CBOR


@given(VALUES)
def test_cbor_round_trip_and_agreement_with_cbor2(value):
    if levels(value) > cbor.MAX_DEPTH:
        with pytest.raises(ValueError, match="too deep"):
            cbor.encode(value)
        return
    raw = cbor.encode(value)
    assert raw == reference.dumps(value)
    assert cbor2.loads(raw) == value
    again = cbor.decode(raw)
    assert again == value
    assert cbor.encode(again) == raw


@given(VALUES, st.booleans())
def test_what_cbor2_writes_is_read_or_named(value, canonical):
    """cbor2 keeps the order of keys, or sorts by length: then we read it, or say that its keys are out of order."""
    raw = cbor2.dumps(value, canonical=canonical)
    found = cbor.decode(raw)
    if isinstance(found, cbor.Damage):
        assert found.reason in ("key order", "nested too deep")
    else:
        assert found == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_that_cbor2_reads_too_or_damage(data):
    found = cbor.decode(data)
    if isinstance(found, cbor.Damage):
        assert 0 <= found.offset <= len(data)
    else:
        assert cbor2.loads(data) == found
        assert cbor.encode(found) == data


@given(st.binary(max_size=6))
def test_utf8_is_judged_as_cpython_judges_it(raw):
    try:
        raw.decode()
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert cbor.is_utf8(raw) == valid


# ---- frames


@given(st.integers(1, 255), st.binary(max_size=800) | st.integers(0, 800).map(lambda size: b"\x55" * size))
def test_frames_agree_with_the_textbook_and_come_back(kind, payload):
    raw = frame.encode(kind, payload)
    assert raw == reference.frame(kind, payload)
    assert frame.Decoder().feed(raw) == [(kind, payload)]


PARTS = st.one_of(
    st.tuples(st.just(frame.TEXT), st.binary(min_size=1, max_size=20).map(lambda text: text.replace(b"\0", b"."))),
    st.tuples(st.integers(1, 255), st.binary(max_size=40)),
)


@given(st.lists(PARTS, max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_a_stream_of_text_and_frames_comes_back_however_it_is_cut(parts, cuts):
    stream = b"".join(body if kind == frame.TEXT else frame.encode(kind, body) for kind, body in parts)
    decoder = frame.Decoder()
    found: list[tuple[int, bytes]] = []
    while stream:
        size = cuts[len(found) % len(cuts)]
        found += decoder.feed(stream[:size])
        stream = stream[size:]
    assert joined(found) == joined(parts)
    assert decoder.damaged == 0


def joined(parts):
    """Text next to text is one text: where it was cut is not part of the promise."""
    out: list[tuple[int, bytes]] = []
    for kind, body in parts:
        if out and kind == out[-1][0] == frame.TEXT:
            out[-1] = (kind, out[-1][1] + body)
        else:
            out.append((kind, body))
    return out


@given(st.lists(st.binary(max_size=80) | st.none(), max_size=6))
def test_after_any_noise_and_silence_the_next_frame_is_whole(noise):
    decoder = frame.Decoder(50)
    for piece in noise:
        decoder.idle() if piece is None else decoder.feed(piece)
    decoder.idle()
    assert decoder.feed(frame.encode(1, b"next")) == [(1, b"next")]


@given(st.binary(max_size=80))
def test_after_noise_without_silence_at_most_one_frame_is_lost(noise):
    decoder = frame.Decoder(50)
    decoder.feed(noise)
    good = frame.encode(1, b"next")
    assert decoder.feed(good + good)[-1] == (1, b"next")


# ---- bundles

EIDS = st.builds(Eid, U64, U64) | st.just(bundle.NONE) | TEXTS.map(lambda name: Eid("//" + name, 0, bundle.DTN))
CRC_TYPES = st.sampled_from([bundle.NO_CRC, bundle.CRC16, bundle.CRC32C])


@st.composite
def bundles(draw):
    made = Bundle()
    made.crc_type = draw(CRC_TYPES)
    made.flags = draw(U32)
    made.destination, made.source, made.report_to = draw(EIDS), draw(EIDS), draw(EIDS)
    made.creation_time_ms, made.sequence, made.lifetime_ms = draw(U64), draw(U64), draw(U64)
    if made.flags & bundle.IS_FRAGMENT:
        made.fragment_offset, made.fragment_total = draw(U64), draw(U64)
    numbers = iter(draw(st.lists(st.integers(2, 2**32), min_size=8, max_size=8, unique=True)))
    kinds = [(kind, draw(st.binary(max_size=20))) for kind in draw(st.lists(st.integers(11, 2**40), max_size=5))]
    if made.creation_time_ms == 0 or draw(st.booleans()):
        kinds.append((bundle.BUNDLE_AGE, cbor.encode(draw(U64))))
    if draw(st.booleans()):
        kinds.append((bundle.HOP_COUNT, cbor.encode([draw(st.integers(1, 255)), draw(U32)])))
    for kind, data in draw(st.permutations(kinds)):
        made.blocks.append(Block(kind, next(numbers), draw(U16), draw(CRC_TYPES), data))
    made.blocks.append(Block(bundle.PAYLOAD, 1, draw(U8), draw(CRC_TYPES), draw(st.binary(max_size=300))))
    return made


def as_case(made):
    """The form of vectors/bundle.json, which the reference implementation encodes."""
    names = ("flags", "crc_type", "creation_time_ms", "sequence", "lifetime_ms", "fragment_offset", "fragment_total")
    case = {name: getattr(made, name) for name in names}
    case |= {name: str(getattr(made, name)) for name in ("destination", "source", "report_to")}
    case["blocks"] = [{**vars(block), "data": block.data.hex()} for block in made.blocks]
    return case


@given(bundles())
def test_bundles_agree_with_the_reference_and_come_back(made):
    raw = bundle.encode(made)
    assert raw == reference.bundle(as_case(made))
    again = bundle.decode(raw)
    assert isinstance(again, Bundle), again
    assert as_case(again) == as_case(made)
    assert bundle.encode(again) == raw
    assert bundle.bundle_id(again) == bundle.bundle_id(made) == bundle.bundle_id(raw)


@given(bundles(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_damage_or_changes_nothing_that_a_crc_covers(made, at, change):
    raw = bytearray(bundle.encode(made))
    at %= len(raw)
    raw[at] ^= change
    found = bundle.decode(raw)
    if not isinstance(found, cbor.Damage):
        start = len(bundle.encode(made)) - len(raw) + 1
        primary_end = start + len(found.primary)
        assert not (made.crc_type and start <= at < primary_end)
        assert mutations.check_bundle(bytes(raw))


@given(bundles(), U32, EIDS)
def test_forwarding_keeps_id_and_payload(made, age_ms, previous):
    onward = bundle.with_forwarding(made, age_ms, previous)
    assert onward.payload == made.payload
    assert onward.age_ms == age_ms
    assert onward.previous_node == previous
    assert bundle.bundle_id(onward) == bundle.bundle_id(made)
    assert isinstance(bundle.decode(bundle.encode(onward)), Bundle)
    if made.hop_count:
        limit, count = made.hop_count
        assert onward.hop_count == (limit, count + 1)


# ---- messages


@given(U32, TEXTS, st.dictionaries(TEXTS, VALUES.filter(lambda value: levels(value) <= 5), max_size=3))
def test_requests_come_back(seq, method, params):
    found = admin.parse_request(admin.request(seq, method, params))
    assert (found.seq, found.method, found.params) == (seq, method, params)


@given(U32, st.integers(2, 31), VALUES.filter(lambda value: levels(value) <= 7))
def test_answers_come_back(seq, code, result):
    found = admin.parse_answer(admin.answer(seq, code, result))
    assert (found.seq, found.code, found.result) == (seq, code, result)


@given(TEXTS)
def test_public_messages_come_back(text):
    found = message.decode(message.encode(message.PUBLIC, text))
    assert (found.layer, found.body) == (message.PUBLIC, text)


@given(U16, U16, U32, st.lists(st.tuples(U16, U8), max_size=76))
def test_hellos_come_back(tag, source, fingerprint, peers):
    found = link.decode(link.encode_hello(tag, source, fingerprint, peers))
    assert (found.fleet_tag, found.source, found.fingerprint, found.peers) == (tag, source, fingerprint, peers)


@given(U16, U16, U16, st.lists(st.tuples(IDS, U16, U8, U16), max_size=17))
def test_offers_come_back(tag, source, to, items):
    found = link.decode(link.encode_offer(tag, source, to, items))
    assert (found.fleet_tag, found.source, found.to, found.items) == (tag, source, to, items)


@given(U16, U16, U16, st.lists(IDS, max_size=28))
def test_wants_come_back(tag, source, to, ids):
    found = link.decode(link.encode_want(tag, source, to, ids))
    assert (found.fleet_tag, found.source, found.to, found.ids) == (tag, source, to, ids)


@given(U16, U16, IDS, st.integers(1, 32), st.integers(0, 31), U8, st.binary(min_size=1, max_size=link.MAX_DATA))
def test_segments_come_back(source, to, bundle_id, count, index, copies, data):
    index %= count
    found = link.decode(link.encode_segment(1, source, to, bundle_id, index, count, copies, data))
    assert (found.source, found.to, found.id) == (source, to, bundle_id)
    assert (found.index, found.count, found.copies, found.data) == (index, count, copies, data)


@given(U16, U16, IDS, st.integers(0, 4), U32)
def test_acknowledgements_come_back(source, to, bundle_id, state, bitmap):
    found = link.decode(link.encode_ack(1, source, to, bundle_id, state, bitmap))
    assert (found.source, found.to, found.id, found.state, found.bitmap) == (source, to, bundle_id, state, bitmap)


@given(st.binary(max_size=260))
@example(b"")
@example(b"\x9f" * 250)
@example(b"\x81" * 250)
@example(b"\x10" * 250)
def test_any_bytes_are_a_value_or_damage(data):
    for check in (
        mutations.check_cbor,
        mutations.check_request,
        mutations.check_answer,
        mutations.check_event,
        mutations.check_message,
        mutations.check_link,
        mutations.check_ledger_entry,
        mutations.check_ledger_page,
        mutations.check_bundle,
        mutations.check_frame,
    ):
        check(data)


# ---- ledgers

DIGESTS = st.binary(min_size=32, max_size=32)
SIGNATURES = st.binary(min_size=64, max_size=64)
SEQS = st.integers(1, ledger.MAX_SEQ)
KINDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
FIELDS = st.dictionaries(TEXTS, U64 | st.binary(max_size=32) | TEXTS, max_size=4)


@given(SEQS, KINDS, DIGESTS, FIELDS)
def test_ledger_entries_come_back_and_agree_with_cbor2(seq, kind, previous, fields):
    data = ledger.encode_entry(seq, kind, previous, fields)
    assert data == reference.dumps([1, seq, kind, previous, fields])
    found = ledger.decode_entry(data)
    assert (found.seq, found.kind, found.previous, found.fields) == (seq, kind, previous, fields)


@given(
    DIGESTS,
    st.lists(st.builds(ledger.encode_entry, SEQS, KINDS, DIGESTS, FIELDS), max_size=4),
    st.lists(st.tuples(SEQS, DIGESTS, SIGNATURES), max_size=3),
    st.lists(st.tuples(SEQS, DIGESTS, DIGESTS, SIGNATURES), max_size=3),
)
def test_a_set_of_ledger_records_has_one_page(writer, entries, heads, witnesses):
    data = ledger.encode_page(writer, entries, heads, witnesses)
    assert ledger.encode_page(writer, entries[::-1] * 2, heads[::-1] * 2, witnesses[::-1] * 2) == data
    found = ledger.decode_page(data)
    assert not isinstance(found, cbor.Damage)
    assert {entry.data for entry in found.entries} == set(entries)
    assert (set(found.heads), set(found.witnesses)) == (set(heads), set(witnesses))


@given(U16, U16, U16, U32, DIGESTS, DIGESTS, SIGNATURES)
def test_heads_and_counter_signatures_come_back(tag, source, to, seq, digest, public, signature):
    head = link.decode(link.encode_head(tag, source, seq, digest, public, signature))
    assert (head.fleet_tag, head.source, head.seq, head.digest) == (tag, source, seq, digest)
    assert (head.writer, head.signature) == (public, signature)
    answer = link.decode(link.encode_witness(tag, source, to, seq, digest, public, signature))
    assert (answer.fleet_tag, answer.source, answer.to, answer.seq) == (tag, source, to, seq)
    assert (answer.digest, answer.witness, answer.signature) == (digest, public, signature)


def test_frames_take_as_much_as_they_say_and_no_more():
    one = (bytes(8), 1, 1, 1)
    for most, encode in (
        (76, lambda count: link.encode_hello(1, 1, 1, [(1, 1)] * count)),
        (17, lambda count: link.encode_offer(1, 1, 1, [one] * count)),
        (28, lambda count: link.encode_want(1, 1, 1, [bytes(8)] * count)),
        (link.MAX_DATA, lambda count: link.encode_segment(1, 1, 1, bytes(8), 0, 1, 1, bytes(count))),
    ):
        assert len(encode(most)) <= link.MAX_BYTES
        with pytest.raises(ValueError, match=r"."):
            encode(most + 1)


# ---- releases

_STEPS = st.text("abcz019_", min_size=1, max_size=8)
_PATHS = st.lists(_STEPS, min_size=1, max_size=4).map(lambda steps: "/".join(steps) + ".mpy")
_FILES = st.dictionaries(_PATHS, st.tuples(st.integers(1, 65536), st.binary(min_size=32, max_size=32)), min_size=1)


@given(_FILES, st.integers(1, 2**32 - 1), st.sets(TEXTS.filter(bool), min_size=1, max_size=16), st.binary(max_size=40))
def test_releases_come_back_and_agree_with_the_reference(files, sequence, boards, extra):
    says = {
        "fleet": bytes(8),
        "sequence": sequence,
        "version": "1",
        "boards": sorted(boards),
        "chip": "RP2040",
        "mpy": [6, 0, 0],
        "files": [[path, *files[path]] for path in sorted(files)],
    }
    body = release.make({**says, "of a later version": extra})
    assert body == reference.dumps({"kind": "release", "v": 1, "of a later version": extra, **says})
    fields = document.understand(body)
    assert isinstance(fields, dict)
    found = release.read(fields)
    assert isinstance(found, release.Release), found
    assert {name: getattr(found, name) for name in says} == says
