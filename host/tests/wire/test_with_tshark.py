"""tshark, an independent dissector, reads every kind of bundle that we make, and finds each CRC good and no fault.

Skipped where tshark is not installed; CI installs it.
"""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from hedgerow.fleet import carried
from hedgewire import bundle, compact, fragments, message, reports
from hedgewire.bundle import Block, Bundle, Eid

TSHARK = shutil.which("tshark")
VECTORS = Path(__file__).resolve().parents[3] / "vectors"
BASE = 974848
US, THEM, EVERYONE = BASE + 1, BASE + 2, BASE + message.EVERYONE
PORT = 4556  # of bundles over UDP (RFC 7122)
LINKTYPE_RAW = 101
WITHIN_S = 60
FIELDS = (
    "_ws.malformed",
    "_ws.expert.message",
    "bpv7.crc_type",
    "bpv7.crc_status",
    "bpv7.canonical.type_code",
    "bpv7.canonical.data",
    "bpv7.bundle.identity",
    "bpv7.hop_count.limit",
    "bpv7.hop_count.current",
    "bpv7.bundle_age.time",
    "bpv7.previous_node.uri",
    "bpv7.eid.ipn_node",
    "bpv7.primary.lifetime",
    "bpv7.primary.frag_offset",
    "bpv7.primary.total_len",
    "bpv7.payload.reassembled.length",
    "bpv7.status_rep.identity",
    "bpv7.status_rep.reason_code",
    "bpv7.status_rep.subj_frag_offset",
    "bpv7.status_rep.subj_payload_len",
)
# What tshark says of payloads and blocks that no RFC names; a CRC, a frame or a field is never among it.
NOT_ITS_OWN = {"Unknown type code"}
# tshark 4.0 stops before the last two fields of a report on a fragment (RFC 9171, 6.1.1), and says so.
ON_A_FRAGMENT = {"Data not fully dissected"}

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed: apt-get install tshark, or Wireshark")


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def capture(bundles):
    """The bytes of a capture file with a bundle in each UDP datagram."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, LINKTYPE_RAW))
    for data in bundles:
        size = 28 + len(data)
        here = bytes((127, 0, 0, 1))
        head = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, size, 0, 0, 64, 17, 0, here, here, PORT, PORT, size - 20, 0)
        out += struct.pack("<IIII", 0, 0, size, size) + head + data
    return bytes(out)


def dissected(folder, bundles):
    """What tshark finds in each bundle: {field: [text, ...]}."""
    file = folder / "bundles.pcap"
    file.write_bytes(capture(bundles))
    command = [
        str(TSHARK),
        "-n",
        "-r",
        str(file),
        "-d",
        f"udp.port=={PORT},bundle",
        "-T",
        "fields",
        "-E",
        "aggregator=|",
    ]
    command += [part for name in FIELDS for part in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(bundles), done.stderr
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]
    return [{name: text.split("|") if text else [] for name, text in row.items()} for row in rows]


def texts():
    """A bundle of each payload of vectors/message.json: every layer, both versions, signed and not."""
    for number, case in enumerate(load("message")["messages"]):
        to = (EVERYONE, BASE + 0xFDFF, THEM)[case["layer"]]
        ends = Eid(US, message.TEXT), Eid(to, message.TEXT)
        yield bundle.make(*ends, bytes.fromhex(case["hex"]), number, 604_800_000)


def services():
    """One for each service, with and without a clock; small payloads go without a CRC, large ones with one."""
    sizes = (0, 1, bundle.MAX_UNCHECKED_BYTES, bundle.MAX_UNCHECKED_BYTES + 1, 2000)
    for service in (message.ADMIN, message.TEXT, message.DOCUMENT, message.TO_NODE, message.TO_HOST):
        for time_ms in (0, 848_738_026_237):
            for size in sizes:
                ends = Eid(US, service), Eid(THEM, service)
                yield bundle.make(*ends, bytes(size), size, 3_600_000, time_ms, age_ms=77)


def every_crc():
    """Each CRC on the primary block with each on the others; all block types, one of them unknown; endpoints of dtn."""
    for primary in range(3):
        for other in range(3):
            made = bundle.make(Eid(US, 1), Eid("//oak/in", 0, bundle.DTN), b"payload", primary, 60_000, age_ms=1 << 40)
            made = bundle.with_forwarding(made, 5, Eid(THEM, 0))
            made.report_to = Eid(US, 0)
            made.crc_type = primary
            made.blocks.insert(0, Block(193, 9, bundle.BLOCK_REPLICATE, other, b"of others"))
            for block in made.blocks:
                block.crc_type = other
            yield made


def status_reports():
    """Reports on a bundle and on a fragment, each status with and without a time, in bundles of their own."""
    whole = bundle.make(Eid(US, 1), Eid(THEM, 1), bytes(500), 900, 60_000, 848_738_026_237)
    for number, subject in enumerate([whole, *fragments.split(whole, 300)]):
        for when in (True, 848_738_030_000):
            status = reports.about(subject)
            status.received, status.deleted, status.reason = when, when, reports.LIFETIME_EXPIRED
            status.forwarded = None if number else when
            made = bundle.make(Eid(THEM, 0), Eid(US, 0), reports.encode(status), 1000 + number, 60_000)
            made.flags = bundle.IS_ADMIN_RECORD
            yield made


def handed_on(made):
    """The same as a node hands it on, as a mule does, and as it comes out of the compact form."""
    found = bundle.decode(made)
    assert isinstance(found, Bundle), found
    onward = bundle.encode(bundle.with_forwarding(found, 5000, Eid(THEM, 0)))
    return [made, onward, carried.forwarded(found, 5000), compact.expand(compact.shrink(onward, BASE), BASE)]


def all_kinds():
    for case in load("bundle")["bundles"]:
        if "destination_as_sent" in case:
            continue  # an endpoint of three elements (RFC 9758), which we take and never make; tshark 4.0 takes none
        found = bundle.decode(bytes.fromhex(case["hex"]))
        assert isinstance(found, Bundle), found
        yield bundle.encode(found)
    for made in [*texts(), *services(), *every_crc(), *status_reports()]:
        yield from handed_on(bundle.encode(made))


def is_report_on_fragment(made):
    status = reports.decode(made.payload) if made.flags & bundle.IS_ADMIN_RECORD else None
    return isinstance(status, reports.Status) and status.fragment is not None


def test_tshark_finds_every_crc_good_and_no_fault_in_any_bundle_that_we_make(tmp_path):
    sent = list(dict.fromkeys(all_kinds()))
    assert len(sent) > 200
    seen_types = set()
    for data, row in zip(sent, dissected(tmp_path, sent), strict=True):
        ours = bundle.decode(data)
        assert isinstance(ours, Bundle), ours
        assert not row["_ws.malformed"], data.hex()
        faults = set(row["_ws.expert.message"]) - NOT_ITS_OWN
        assert faults <= (ON_A_FRAGMENT if is_report_on_fragment(ours) else set()), (faults, data.hex())
        types = [ours.crc_type, *(block.crc_type for block in ours.blocks)]
        assert row["bpv7.crc_type"] == [str(kind) for kind in types]
        assert row["bpv7.crc_status"] == ["1"] * sum(kind != bundle.NO_CRC for kind in types), data.hex()  # 1: Good
        seen_types |= {(block.type, block.crc_type) for block in ours.blocks}
        assert row["bpv7.canonical.type_code"] == [str(block.type) for block in ours.blocks]
        assert row["bpv7.canonical.data"] == [str(len(block.data)) for block in ours.blocks]
        hops, age_ms, previous = ours.hop_count, ours.age_ms, ours.previous_node
        assert row["bpv7.hop_count.limit"] + row["bpv7.hop_count.current"] == [str(number) for number in hops or ()]
        assert row["bpv7.bundle_age.time"] == ([] if age_ms is None else [str(age_ms)])
        assert row["bpv7.previous_node.uri"] == ([] if previous is None else [str(previous)])
        ends = [eid for eid in (ours.destination, ours.source, ours.report_to, previous) if eid is not None]
        nodes = [str(eid.node) for eid in ends if eid.scheme == bundle.IPN]
        assert row["bpv7.eid.ipn_node"][: len(nodes)] == nodes  # those of a status report follow
        assert row["bpv7.primary.lifetime"] == [str(ours.lifetime_ms)]
    known = (bundle.PAYLOAD, bundle.PREVIOUS_NODE, bundle.BUNDLE_AGE, bundle.HOP_COUNT, 193)
    assert seen_types >= {(kind, crc) for kind in known for crc in range(3)}


def test_tshark_puts_our_fragments_together(tmp_path):
    whole = bundle.make(Eid(US, 1), Eid(THEM, 1), bytes(range(250)) * 40, 7, 60_000, 848_738_026_237)
    for part_bytes in (1500, 9_999):
        parts = fragments.split(whole, part_bytes)
        rows = dissected(tmp_path, [bundle.encode(part) for part in parts])
        for part, row in zip(parts, rows, strict=True):
            assert row["bpv7.primary.frag_offset"] == [str(part.fragment_offset)]
            assert row["bpv7.primary.total_len"] == ["10000"]
            assert row["bpv7.crc_status"] == ["1", "1"]
            assert not row["_ws.malformed"]
            assert set(row["_ws.expert.message"]) <= NOT_ITS_OWN
        assert rows[-1]["bpv7.payload.reassembled.length"] == ["10000"]


def test_tshark_reads_our_status_reports_as_we_do(tmp_path):
    made = list(status_reports())
    for ours, row in zip(made, dissected(tmp_path, [bundle.encode(one) for one in made]), strict=True):
        status = reports.decode(ours.payload)
        assert isinstance(status, reports.Status)
        assert row["bpv7.status_rep.reason_code"] == [str(status.reason)]
        identity = f"Source: {status.source}, DTN Time: {status.creation_time_ms}, Seq: {status.sequence}"
        assert row["bpv7.status_rep.identity"] == [identity]
        place = row["bpv7.status_rep.subj_frag_offset"] + row["bpv7.status_rep.subj_payload_len"]
        if row["_ws.expert.message"]:
            assert is_report_on_fragment(ours)
            assert (set(row["_ws.expert.message"]), place) == (ON_A_FRAGMENT, [])
        else:
            assert place == [str(number) for number in status.fragment or ()]


def test_the_bundle_of_ion_goes_on_with_its_private_block(tmp_path):
    case = next(case for case in load("bundle")["bundles"] if case["made_by"].startswith("ION"))
    ion = bundle.decode(bytes.fromhex(case["hex"]))
    assert isinstance(ion, Bundle)
    onward = bundle.encode(bundle.with_forwarding(ion, 9000, Eid(THEM, 0)))
    before, after = dissected(tmp_path, [bytes.fromhex(case["hex"]), onward])
    for name in ("bpv7.crc_status", "bpv7.bundle.identity", "bpv7.canonical.type_code", "bpv7.primary.lifetime"):
        assert before[name] == after[name], name
    assert "193" in after["bpv7.canonical.type_code"]
    assert bytes.fromhex("85 18c1 03 01 00 45 8400010000") in onward
    assert (after["bpv7.bundle_age.time"], after["bpv7.previous_node.uri"]) == (["9000"], [f"ipn:{THEM}.0"])


def test_a_bent_bit_is_told(tmp_path):
    """So that the tests above can fail."""
    made = bundle.encode(bundle.make(Eid(US, 1), Eid(THEM, 1), bytes(400), 7, 60_000))
    bent = bytearray(made)
    bent[-10] ^= 1
    cut = made[:60]
    good, wrong, short = dissected(tmp_path, [made, bytes(bent), cut])
    assert (good["bpv7.crc_status"], wrong["bpv7.crc_status"]) == (["1", "1"], ["1", "0"])
    assert any(text.startswith("Block failed CRC") for text in wrong["_ws.expert.message"])
    assert short["_ws.malformed"] or set(short["_ws.expert.message"]) - NOT_ITS_OWN
