"""Bundles go to and come from pyD3TN, an independent implementation of BPv7; without it there is nothing to compare."""

import socket

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgewire import bundle, cbor
from hedgewire.bundle import Bundle, Eid

d3tn = pytest.importorskip("pyd3tn.bundle7", reason="pyD3TN is not installed (it is a development dependency)")
MTCPSocket = pytest.importorskip("pyd3tn.mtcp").MTCPSocket

NODES = st.integers(1, 2**32 - 1)
TIMES_MS = st.integers(0, 40 * 365 * 86400).map(lambda seconds: 1000 * seconds)  # pyD3TN's dates are floats
PAYLOADS = st.binary(max_size=300)
CRC_TYPES = st.sampled_from([bundle.NO_CRC, bundle.CRC16, bundle.CRC32C])


@given(NODES, NODES, PAYLOADS, st.integers(0, 2**32), TIMES_MS, st.integers(0, 2**32), CRC_TYPES, CRC_TYPES)
def test_pyd3tn_reads_what_we_make(source, destination, payload, sequence, time_ms, age_ms, primary_crc, block_crc):
    made = bundle.make(Eid(source, 1), Eid(destination, 1), payload, sequence, 86400000, time_ms, age_ms)
    made = bundle.with_forwarding(made, age_ms, Eid(7, 0))
    made.crc_type = primary_crc
    for block in made.blocks:
        block.crc_type = block_crc
    raw = bundle.encode(made)
    found = d3tn.Bundle.parse(raw)
    primary = found.primary_block
    assert (str(primary.source), str(primary.destination)) == (f"ipn:{source}.1", f"ipn:{destination}.1")
    assert (str(primary.report_to), primary.lifetime) == ("dtn:none", 86400000)
    assert tuple(primary.creation_time) == (time_ms, sequence)
    assert found.payload_block.data == payload
    for block in [primary, *found.blocks, found.payload_block]:
        if block.crc_type:
            assert block.crc_provided == block.calculate_crc()
    known = {int(block.block_type): cbor2.loads(block.data) for block in found.blocks}
    assert known[bundle.HOP_COUNT] == [16, 1]
    assert known[bundle.BUNDLE_AGE] == age_ms
    assert known[bundle.PREVIOUS_NODE] == [2, [7, 0]]
    again = bundle.decode(bytes(found))  # it sorts the blocks, so the whole need not be the same
    assert bundle.bundle_id(again) == bundle.bundle_id(made)
    assert len(bytes(found)) == len(raw)


@given(NODES, NODES, PAYLOADS, st.integers(0, 2**32), TIMES_MS, st.integers(0, 2**32), CRC_TYPES, CRC_TYPES)
def test_we_read_what_pyd3tn_makes(source, destination, payload, sequence, time_ms, age_s, primary_crc, block_crc):
    unix_s = time_ms // 1000 + 946684800 if time_ms else 0
    raw = bytes(
        d3tn.Bundle(
            d3tn.PrimaryBlock(
                destination=d3tn.EID(f"ipn:{destination}.1"),
                source=d3tn.EID(f"ipn:{source}.1"),
                report_to=d3tn.EID("dtn://oak/in"),
                crc_type=d3tn.CRCType(primary_crc),
                creation_time=d3tn.CreationTimestamp(unix_s, sequence),
                lifetime=86400000,
                bundle_proc_flags=d3tn.BundleProcFlag.MUST_NOT_BE_FRAGMENTED,
            ),
            d3tn.PayloadBlock(payload, crc_type=d3tn.CRCType(block_crc)),
            [
                d3tn.HopCountBlock(30, 2, block_number=2, crc_type=d3tn.CRCType(block_crc)),
                d3tn.BundleAgeBlock(age_s, block_number=3, crc_type=d3tn.CRCType(block_crc)),
                d3tn.PreviousNodeBlock(d3tn.EID("ipn:7.0"), block_number=4, crc_type=d3tn.CRCType(block_crc)),
            ],
        )
    )
    found = bundle.decode(raw)
    assert isinstance(found, Bundle), found
    assert (found.source, found.destination) == (Eid(source, 1), Eid(destination, 1))
    assert str(found.report_to) == "dtn://oak/in"
    assert (found.creation_time_ms, found.sequence, found.lifetime_ms) == (time_ms, sequence, 86400000)
    assert (found.flags, found.crc_type) == (bundle.MUST_NOT_FRAGMENT, primary_crc)
    assert (found.hop_count, found.age_ms, found.previous_node) == ((30, 2), 1000 * age_s, Eid(7, 0))
    assert found.payload == payload
    assert bundle.encode(found) == raw


def test_bundles_cross_an_mtcp_session_both_ways():
    """MTCP is a stream of CBOR byte strings, so our own CBOR is one end of it and pyD3TN's socket the other."""
    ours, theirs = socket.socketpair()
    with ours, MTCPSocket(theirs, timeout=5) as session:
        ours.settimeout(5)
        made = [bundle.encode(bundle.make(Eid(1, 1), Eid(2, 1), bytes(size), 1, 1000)) for size in (0, 100, 3000)]
        ours.sendall(b"".join(cbor.encode(raw) for raw in made))
        assert [bytes(session.recv_bundle()) for _ in made] == made
        for raw in made:
            session.send_bundle(raw)
        expected = b"".join(cbor.encode(raw) for raw in made)
        heard = b""
        while len(heard) < len(expected):
            heard += ours.recv(4096)
        assert heard == expected
