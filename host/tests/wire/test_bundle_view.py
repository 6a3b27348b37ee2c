"""A damaged bundle still shows what can be read of it, and the first finding is what the decoder says."""

import json
from pathlib import Path

import mutations
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow import bundle_view
from hedgewire import bundle, cbor, message
from hedgewire.bundle import Block, Eid

VECTORS = json.loads((Path(__file__).resolve().parents[3] / "vectors" / "bundle.json").read_text())
ION = bytes.fromhex(VECTORS["bundles"][0]["hex"])


def made(**changes):
    out = bundle.make(Eid(974849, 1), Eid(974850, 1), message.encode(message.PUBLIC, "Grüße"), 7, 86_400_000)
    for name, value in changes.items():
        setattr(out, name, value)
    return out


def same_verdict(data: bytes) -> bundle_view.BundleView:
    view = bundle_view.inspect(data)
    found = bundle.decode(data)
    if isinstance(found, cbor.Damage):
        assert view.findings[0] == bundle_view.Finding(found.reason, found.offset)
    else:
        assert view.good
    json.dumps(view.as_dict())
    return view


@pytest.mark.parametrize("case", VECTORS["bundles"], ids=lambda case: case["name"])
def test_good_bundles_are_good(case):
    view = same_verdict(bytes.fromhex(case["hex"]))
    assert view.good
    assert view.bundle_id is not None
    assert view.bundle_id.hex() == case["id"]
    assert [one.block.number for one in view.blocks] == [one["number"] for one in case["blocks"]]


@pytest.mark.parametrize("case", VECTORS["damaged"], ids=lambda case: case["name"])
def test_the_first_finding_is_the_decoders(case):
    assert not same_verdict(bytes.fromhex(case["hex"])).good


def test_a_thousand_mutations_get_the_decoders_verdict():
    random = mutations.Random(3)
    samples = mutations.samples("bundle", "bundles") + mutations.unguarded_bundles()
    for _ in range(1000):
        data = mutations.change(random, samples[random.below(len(samples))], samples[random.below(len(samples))])
        same_verdict(data)


@given(st.binary(max_size=100))
def test_any_bytes_can_be_looked_at(data):
    same_verdict(data)


def test_a_wrong_crc_names_its_block_and_shows_its_fields():
    blocks = [Block(bundle.BUNDLE_AGE, 3, 0, bundle.CRC16, b"\x05"), Block(bundle.PAYLOAD, 1, 0, bundle.CRC32C, b"hey")]
    raw = bytearray(bundle.encode(made(blocks=blocks)))
    at = raw.index(b"hey")
    raw[at] = ord("H")
    view = same_verdict(bytes(raw))
    assert [finding.reason for finding in view.findings] == ["CRC of block 1"]
    assert [one.crc.state for one in view.blocks] == ["good", "bad"]
    assert view.blocks[1].block.data == b"Hey"
    assert view.findings[0].offset == view.blocks[1].offset


def test_a_wrong_primary_crc_gives_no_id():
    raw = ION.replace(bytes.fromhex("42f26d"), bytes.fromhex("42f26e"))
    view = same_verdict(raw)
    assert view.primary is not None
    assert view.primary.crc == bundle_view.Crc("CRC-16", "bad")
    assert str(view.primary.bundle.destination) == "ipn:974850.1"
    assert view.bundle_id is None


def test_a_block_that_makes_no_sense_is_stepped_over():
    raw = bundle.encode(made())
    nonsense = raw[:-1].replace(b"\x85\x07\x03\x00\x00", b"\x85\x07\x03\x00\x09")  # an age block with CRC type 9
    view = same_verdict(nonsense + b"\xff")
    assert [finding.reason for finding in view.findings] == ["CRC type"]
    assert [one.block.number for one in view.blocks] == [2, 1]
    assert view.unreadable[0].data.startswith(b"\x85\x07")


def test_every_fault_is_told_and_not_only_the_first():
    raw = bytearray(ION.replace(bytes.fromhex("42f26d"), bytes.fromhex("42f26e")))
    raw[raw.index(b"\x85\x07\x04") + 1 + 1] = 3  # the age gets the number of the block before it
    view = same_verdict(bytes(raw))
    assert [finding.reason for finding in view.findings] == ["CRC of the primary block", "block number"]


def test_a_flood_of_blocks_is_cut_short():
    view = bundle_view.inspect(b"\x9f" + b"\x00" * 100_000)
    assert len(view.unreadable) < 50
    assert sum(len(one.data) for one in view.unreadable) == 100_000


def test_meanings_in_words():
    onward = bundle.with_forwarding(made(), 90_061_001, Eid(974851, 0))
    meanings = {one.block.type: one.meaning for one in bundle_view.inspect(bundle.encode(onward)).blocks}
    assert meanings == {
        bundle.HOP_COUNT: "1 of at most 16 hops",
        bundle.BUNDLE_AGE: "1 d 1 h",
        bundle.PREVIOUS_NODE: "ipn:974851.0",
        bundle.PAYLOAD: "public text message: “Grüße”",
    }


def test_a_strangers_text_cannot_move_the_cursor():
    evil = made(source=Eid("//\x1b[2Joak/", 0, bundle.DTN))
    evil.blocks[-1].data = message.encode(message.PUBLIC, "a\x1b[31mb\r\n")
    view = bundle_view.inspect(bundle.encode(evil))
    assert view.blocks[-1].meaning == "public text message: “a\\x1b[31mb\\r\\n”"
    assert bundle_view.printable(str(evil.source)) == "dtn://\\x1b[2Joak/"


def test_times_and_flags():
    assert bundle_view.created(made()) == "unknown (the source has no clock)"
    assert bundle_view.created(made(creation_time_ms=820454400000)) == "2025-12-31 00:00:00 UTC"
    assert bundle_view.created(made(creation_time_ms=2**64 - 1)).startswith("18446744073709551615 ms")
    assert bundle_view.flag_names(0x44, bundle_view.BUNDLE_FLAGS) == [
        "must not be fragmented",
        "status reports carry the time",
    ]
    assert bundle_view.flag_names(0x18, bundle_view.BLOCK_FLAGS) == ["reserved bit 0x8", "discard if not understood"]
    assert [bundle_view.duration(ms) for ms in (0, 999, 60_000, 604_800_000)] == ["0 ms", "999 ms", "1 min", "7 d"]
