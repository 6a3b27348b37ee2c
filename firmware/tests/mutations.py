"""Seeded damage for every decoder, the same on both interpreters. Knows what a decoder promises, not how it keeps it.

For each mutation one valid sample is changed in one to three ways and decoded. The decoder must return a value or
Damage; a value must encode to the very bytes that it came from.
"""

from harness import from_typed, vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import suite
from hedgewire import admin, bundle, cbor, document, frame, group, ledger, link, message, rekey, release, trust


class Random:
    """A small generator that gives the same numbers everywhere (xorshift, 16 bits: no large integers on a board)."""

    def __init__(self, seed):
        self._state = seed & 0xFFFF or 1
        self._weyl = 0

    def bits(self):
        x = self._state
        x ^= (x << 7) & 0xFFFF
        x ^= x >> 9
        x ^= (x << 8) & 0xFFFF
        self._state = x
        self._weyl = (self._weyl + 0x9E37) & 0xFFFF  # makes the period 2**32
        return x ^ self._weyl

    def below(self, limit):
        return (self.bits() << 8 ^ self.bits()) % limit

    def some_bytes(self, most):
        return bytes([self.bits() & 0xFF for _ in range(self.below(most + 1))])


INTERESTING = (
    b"\x00\x17\x18\x19\x1a\x1b\x1f\x3b\x40\x5b\x5f\x60\x7f\x80\x84\x85\x86\x9b\x9f\xa0\xbb\xbf\xc2\xf5\xfb\xff"
)


def change(random, data, other):
    """data with one change; `other` is another sample to take a piece from."""
    how = random.below(8)
    size = len(data)
    at = random.below(size + 1)
    stop = min(size, at + 1 + random.below(8))
    if how == 0 and at < size:
        return data[:at] + bytes([data[at] ^ (1 << random.below(8))]) + data[at + 1 :]
    if how == 1:
        return data[:at] + bytes([INTERESTING[random.below(len(INTERESTING))]]) + data[at + 1 :]
    if how == 2:
        return data[:at] + data[stop:]
    if how == 3:
        return data[:at] + random.some_bytes(6) + data[at:]
    if how == 4:
        return data[:stop] + data[at:]
    if how == 5:
        return data[:at]
    if how == 6:
        start = random.below(len(other) + 1)
        return data[:at] + other[start : start + 1 + random.below(30)] + data[stop:]
    return data[:at] + random.some_bytes(3) + data[stop:]


# ---- what each decoder promises


def check_cbor(data):
    value = cbor.decode(data)
    if isinstance(value, cbor.Damage):
        return False
    assert cbor.encode(value) == data, value
    return True


def check_request(data):
    found = admin.parse_request(data)
    if isinstance(found, cbor.Damage):
        return False
    assert admin.request(found.seq, found.method, found.params) == data
    return True


def check_answer(data):
    found = admin.parse_answer(data)
    if isinstance(found, cbor.Damage):
        return False
    assert admin.answer(found.seq, found.code, found.result) == data
    return True


def check_event(data):
    found = admin.parse_event(data)
    if isinstance(found, cbor.Damage):
        return False
    assert admin.event(found.topic, found.fields) == data
    return True


def check_message(data):
    """A message of either version; a closed body is tried by a member, who never opens what was changed."""
    found = message.decode(data)
    if isinstance(found, cbor.Damage):
        return False
    if found.version == message.VERSION:
        again = message.encode(found.layer, found.body)
    elif found.layer == message.PUBLIC:
        again = message.encode_signed(found.body, found.author, found.signature)
    else:
        again = message.encode_closed(found.layer, found.body)
        held = bundle.make(bundle.Eid(974855, 1), bundle.Eid(1040383, 1), b"", 40, 604800000)
        opened = group.open_body(suite, MEMBER, held, found.body)
        assert opened is None or found.body in MEMBERS_BODIES
    assert again == data
    return True


def check_content(data):
    found = message.decode_content(data)
    if isinstance(found, cbor.Damage):
        return False
    assert message.encode_content(found.text, found.author, found.signature) == data
    return True


def check_rekey(data):
    found = rekey.parse(cbor.decode(data))
    if isinstance(found, cbor.Damage):
        return False
    assert len(found.members) % rekey.ROW_BYTES == 0
    assert found.epoch % group.STEPS == 0
    return True


def check_release(data):
    paper = document.decode(data)
    if isinstance(paper, cbor.Damage):
        return False
    found = release.read(paper.fields)
    if isinstance(found, cbor.Damage):
        return False
    assert all(release.is_path(path) and ".." not in path.split("/") for path, _, _ in found.files)
    assert 0 < len(found.files) <= release.MAX_FILES
    return True


def check_document(data):
    found = document.decode(data)
    if isinstance(found, cbor.Damage):
        return False
    assert document.encode(found.body, found.signatures) == data or len(found.signatures) > 1
    for kind in (trust.CHARTER, trust.LAPTOP, trust.REVOCATION, trust.ENROLMENT, trust.CUSTODIAN):
        said = trust.read(found.fields, kind)
        assert isinstance(said, cbor.Damage) or found.kind == kind
    return True


def check_link(data):
    found = link.decode(data)
    if isinstance(found, cbor.Damage):
        return False
    start = (found.fleet_tag, found.source)
    if isinstance(found, link.Hello):
        again = link.encode_hello(*start, found.fingerprint, found.peers)
    elif isinstance(found, link.Offer):
        again = link.encode_offer(*start, found.to, found.items)
    elif isinstance(found, link.Want):
        again = link.encode_want(*start, found.to, found.ids)
    elif isinstance(found, link.Probe):
        again = link.encode_probe(*start, found.to, found.number, found.rssi_dbm, found.snr_db4)
    elif isinstance(found, link.Ack):
        again = link.encode_ack(*start, found.to, found.id, found.state, found.bitmap)
    elif isinstance(found, link.Head):
        again = link.encode_head(*start, found.seq, found.digest, found.writer, found.signature)
    elif isinstance(found, link.Reached):
        again = link.encode_reached(found.fleet_tag, found.source, found.ids)
    elif isinstance(found, link.Witness):
        again = link.encode_witness(*start, found.to, found.seq, found.digest, found.witness, found.signature)
    else:
        counts = (found.index, found.count, found.copies)
        again = link.encode_segment(*start, found.to, found.id, *counts, found.data)
    assert again == data
    return True


def check_bundle(data):
    found = bundle.decode(data)
    bundle_id = bundle.bundle_id(data)
    if isinstance(found, cbor.Damage):
        return False
    assert bundle_id == bundle.bundle_id(found)
    if data[0] == 0x9F:
        assert bundle.encode(found) == data
    bundle.must_delete(found)
    onward = bundle.with_forwarding(found, 1, bundle.Eid(1, 0))
    if len(found.blocks) <= bundle.MAX_BLOCKS - 2:
        assert not isinstance(bundle.decode(bundle.encode(onward)), cbor.Damage)
    return True


def check_ledger_entry(data):
    found = ledger.decode_entry(data)
    if isinstance(found, cbor.Damage):
        return False
    assert ledger.encode_entry(found.seq, found.kind, found.previous, found.fields) == data
    return True


def check_ledger_page(data):
    found = ledger.decode_page(data)
    if isinstance(found, cbor.Damage):
        return False
    entries = [entry.data for entry in found.entries]
    assert ledger.encode_page(found.writer, entries, found.heads, found.witnesses) == data
    return True


def check_frame(data):
    """A stream in two pieces; what comes out is bytes, and behind silence the next frame is whole."""
    decoder = frame.Decoder(64)
    half = len(data) // 2
    good = 0
    for kind, payload in decoder.feed(data[:half]) + decoder.feed(data[half:]) + decoder.idle():
        assert isinstance(payload, bytes)
        if kind != frame.TEXT:
            assert frame.encode(kind, payload).strip(b"\x00") in data + b"\x01"
            good += 1
    assert decoder.feed(b"\x00\x05\x01ab") + decoder.idle() == [(frame.TEXT, b"\x05\x01ab")]
    assert decoder.feed(frame.encode(3, b"next")) == [(3, b"next")]
    return good > 0


def samples(name, key):
    return [bytes.fromhex(case["hex"]) for case in vectors(name)[key]]


def a_member():
    """(Chain, bodies that it can open) of the vectors of group messages."""
    known = vectors("group")
    secrets = known["secrets"]
    chain = group.Chain(
        bytes.fromhex(known["group"]), secrets[0]["epoch"], secrets[0]["epoch"], bytes.fromhex(secrets[0]["secret"])
    )
    return chain, [bytes.fromhex(case["body"]) for case in known["messages"]]


MEMBER, MEMBERS_BODIES = a_member()


def subjects():
    """(name, decoder with its promises, valid samples) of every decoder."""
    streams = []
    for case in vectors("frame")["frames"]:
        if len(case["frame"]) < 100:
            streams.append(bytes.fromhex(case["frame"]) + b"text" + frame.encode(1, b"two"))
    values = [cbor.encode(from_typed(case["value"])) for case in vectors("cbor")["values"]]
    return [
        ("cbor", check_cbor, [value for value in values if len(value) > 3]),
        ("frame", check_frame, streams),
        ("request", check_request, samples("admin", "requests")),
        ("answer", check_answer, samples("admin", "answers")),
        ("event", check_event, samples("admin", "events")),
        ("message", check_message, samples("message", "messages")),
        ("link", check_link, samples("link", "messages")),
        ("ledger entry", check_ledger_entry, samples("ledger", "entries")),
        ("ledger page", check_ledger_page, samples("ledger", "pages")),
        ("document", check_document, samples("documents", "documents")),
        ("content", check_content, [bytes.fromhex(case["content"]) for case in vectors("group")["messages"]]),
        ("release", check_release, samples("release", "releases")),
        ("rekey", check_rekey, samples("rekey", "documents")[:2]),
        ("bundle", check_bundle, samples("bundle", "bundles") + unguarded_bundles()),
        ("bundle", check_bundle, unguarded_bundles()),
    ]


def unguarded_bundles():
    """Bundles without a CRC: nothing stops a mutation from reaching every field."""
    made = bundle.make(bundle.Eid(1, 1), bundle.Eid(2, 1), b"payload", 1, 60000, age_ms=5)
    made.crc_type = bundle.NO_CRC
    plain = bundle.encode(made)
    made.flags = bundle.IS_FRAGMENT
    made.fragment_offset, made.fragment_total = 100, 200
    made.source = bundle.Eid("//oak/in", 0, bundle.DTN)
    made.blocks.insert(0, bundle.Block(200, 9, bundle.BLOCK_DISCARD_IF_UNKNOWN, bundle.NO_CRC, b"other"))
    onward = bundle.with_forwarding(made, 9, bundle.Eid("//elm/in", 0, bundle.DTN))
    return [plain, bundle.encode(made), bundle.encode(onward)]


def run(count, seed):
    """Decode `count` mutations; returns {decoder: [how many were good, how many damaged]}."""
    random = Random(seed)
    everything = subjects()
    totals = {}
    for number in range(count):
        name, check, valid = everything[number % len(everything)]
        sample = valid[random.below(len(valid))]
        data = sample
        for _ in range(1 + random.below(3)):
            data = change(random, data, valid[random.below(len(valid))])
        try:
            good = check(data)
        except Exception as error:  # noqa: BLE001 - any escape is the finding
            raise AssertionError(f"{name}, mutation {number} of seed {seed}: {data.hex()}: {error!r}")
        totals.setdefault(name, [0, 0])[0 if good else 1] += 1
    return totals
