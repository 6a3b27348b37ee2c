"""The envelope of fleet documents: one form, signatures as a set, and damage told, never raised."""

from harness import assert_damage, raises, vectors

from hedgewire import document, trust
from hedgewire.cbor import Damage, encode


def test_the_order_of_signatures_does_not_matter_and_none_counts_twice():
    body = document.make("note", {"says": 1})
    ana, ben = (b"a" * 32, b"A" * 64), (b"b" * 32, b"B" * 64)
    assert document.encode(body, [ana, ben]) == document.encode(body, [ben, ana, ben])
    found = document.decode(document.encode(body, [ben, ana]))
    assert isinstance(found, document.Document)
    assert (found.body, found.kind, found.signatures) == (body, "note", [ana, ben])


def test_what_is_no_document_is_damage():
    body = document.make("note", {})
    whole = document.encode(body)
    for wrong in (
        b"",
        whole[:-1],
        encode([1]),
        encode({"body": "text", "signatures": []}),
        encode({"body": encode([1]), "signatures": []}),
        encode({"body": encode({"v": 1}), "signatures": []}),
        encode({"body": encode({"kind": "x", "v": True}), "signatures": []}),
        encode({"body": body}),
        encode({"body": body, "signatures": [[b"a" * 32]]}),
        encode({"body": body, "signatures": [[b"a" * 31, b"A" * 64]]}),
        encode({"body": body, "signatures": [[b"a" * 32, b"A" * 63]]}),
    ):
        assert isinstance(document.decode(wrong), Damage), wrong


def test_a_later_version_or_another_kind_is_not_misread():
    note = document.understand(encode({"kind": "note", "v": 2}))
    assert isinstance(document.read(note, "note", {}), Damage)
    assert isinstance(document.read(document.understand(document.make("note", {})), "charter", {}), Damage)


def test_every_vector_is_read_as_it_is_meant():
    for case in vectors("documents")["documents"]:
        found = document.decode(bytes.fromhex(case["hex"]))
        assert isinstance(found, document.Document), case["name"]
        assert document.encode(found.body, found.signatures) == bytes.fromhex(case["hex"]), case["name"]
        said = trust.read(found.fields, case["kind"])
        assert isinstance(said, trust.Statement), (case["name"], said)
        for name, value in case["fields"].items():
            assert _plain(getattr(said, name)) == value, (case["name"], name)


def _plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, trust.Statement):
        return [value.name, value.public.hex(), value.until_version]
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_every_damaged_vector_is_refused():
    for case in vectors("documents")["damaged"]:
        found = document.decode(bytes.fromhex(case["hex"]))
        if isinstance(found, document.Document):
            found = trust.read(found.fields, case["kind"])
        assert_damage(found, case)


def test_misuse_raises():
    raises(TypeError, document.make, "note", {"says": 1.5})
