"""A ledger as bytes: one encoding a record, one page a set, and everything else is damage."""

from harness import assert_damage, from_typed, raises, vectors

from hedgewire import ledger

FILE = vectors("ledger")
WRITER = bytes.fromhex(FILE["writers"][0]["public"])


def test_a_ledger_begins_with_its_writers_key():
    for case in FILE["writers"]:
        assert ledger.genesis(bytes.fromhex(case["public"])).hex() == case["genesis"]
    assert FILE["entries"][0]["previous"] == FILE["writers"][0]["genesis"]


def test_vectors_of_entries_encode_and_decode():
    for case in FILE["entries"]:
        fields, previous = from_typed(case["fields"]), bytes.fromhex(case["previous"])
        assert ledger.encode_entry(case["seq"], case["kind"], previous, fields).hex() == case["hex"], case["kind"]
        found = ledger.decode_entry(bytes.fromhex(case["hex"]))
        assert (found.seq, found.kind, found.previous, found.fields) == (case["seq"], case["kind"], previous, fields)
        assert found.digest.hex() == case["digest"]


def test_what_is_signed_says_what_it_is():
    for case in FILE["heads"]:
        assert ledger.head_statement(case["seq"], bytes.fromhex(case["digest"])).hex() == case["statement"]
    for case in FILE["witnesses"]:
        writer, digest = bytes.fromhex(case["writer"]), bytes.fromhex(case["digest"])
        assert ledger.witness_statement(writer, case["seq"], digest).hex() == case["statement"]


def test_vectors_of_pages_come_back_the_same():
    for case in FILE["pages"]:
        data = bytes.fromhex(case["hex"])
        found = ledger.decode_page(data)
        assert found.writer == WRITER
        counts = (len(found.entries), len(found.heads), len(found.witnesses))
        assert counts == (case["entries"], case["heads"], case["witnesses"])
        entries = [entry.data for entry in found.entries]
        assert ledger.encode_page(WRITER, entries, found.heads, found.witnesses) == data
        backwards = ledger.encode_page(
            WRITER, entries[::-1] + entries, found.heads[::-1] + found.heads, found.witnesses * 2
        )
        assert backwards == data


def test_damaged_vectors_are_named():
    for case in FILE["damaged"]:
        decode = ledger.decode_entry if case["what"] == "entry" else ledger.decode_page
        assert_damage(decode(bytes.fromhex(case["hex"])), case)


def test_every_prefix_of_a_page_is_damage():
    whole = bytes.fromhex(FILE["pages"][1]["hex"])
    for size in range(len(whole)):
        assert type(ledger.decode_page(whole[:size])).__name__ == "Damage", size


def test_misuse_raises():
    raises(ValueError, ledger.encode_entry, 0, "x", bytes(32), {})
    raises(ValueError, ledger.encode_entry, 1, "", bytes(32), {})
    raises(ValueError, ledger.encode_entry, 1, "x" * 25, bytes(32), {})
    raises(ValueError, ledger.encode_entry, 1, "x", bytes(31), {})
    raises(ValueError, ledger.encode_entry, 1, "x", bytes(32), {1: 2})
    raises(ValueError, ledger.encode_entry, 1, "x", bytes(32), {"note": "x" * 1000})
