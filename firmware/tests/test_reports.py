"""Status reports of RFC 9171: read and written alike, other administrative records kept, damage named."""

import mutations

from hedgewire import bundle, reports
from hedgewire.bundle import Eid
from hedgewire.cbor import Damage

A = Eid(974849, 1)
# Made by hand after RFC 9171, 6.1.1: received with a time, deleted without one, reason 1, of ipn:974849.1 at [5, 7].
BY_HAND = bytes.fromhex("8201848482f51903e881f481f481f5018202821a000ee00101820507")


def a_report():
    status = reports.Status(A, 5, 7)
    status.received, status.deleted, status.reason = 1000, True, reports.LIFETIME_EXPIRED
    return status


def test_a_report_is_written_as_the_rfc_says_and_read_back():
    assert reports.encode(a_report()) == BY_HAND
    found = reports.decode(BY_HAND)
    assert vars_of(found) == vars_of(a_report())


def vars_of(status):
    return status.asserted(), status.reason, status.source, status.creation_time_ms, status.sequence, status.fragment


def test_a_report_on_a_fragment_says_which():
    made = bundle.make(A, A, b"12345", 7, 1000)
    made.flags, made.fragment_offset, made.fragment_total = bundle.IS_FRAGMENT, 100, 300
    found = reports.decode(reports.encode(reports.about(made)))
    assert found.fragment == (100, 5)


def test_other_records_are_kept():
    found = reports.decode(b"\x82\x09\x82\x01\x41x")
    assert (found.type, found.content) == (9, b"\x82\x01\x41x")


def test_damage_is_named_and_nothing_raises():
    for raw in (
        b"",
        b"\x83\x01\x00\x00",
        BY_HAND + b"\x00",
        BY_HAND[:-1],
        BY_HAND.replace(b"\x81\xf4", b"\x82\xf4\x05"),
    ):
        assert isinstance(reports.decode(raw), Damage), raw
    random = mutations.Random(17)
    valid = [BY_HAND, reports.encode(reports.Status(bundle.NONE, 0, 1)), b"\x82\x09\x82\x01\x41x"]
    for _ in range(1500):
        data = mutations.change(random, valid[random.below(3)], valid[random.below(3)])
        found = reports.decode(data)
        if isinstance(found, reports.Status) and found.source.scheme == bundle.DTN:
            assert reports.encode(found) == data
