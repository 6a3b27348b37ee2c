"""Host and node run the same formats over different primitives, and come to the same bytes; sizes are measured here."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgenode.crypto import suite_long as of_node
from hedgerow.fleet import keys
from hedgerow.fleet import suite as of_host
from hedgerow.fleet.documents import Document
from hedgerow.fleet.suite import finish
from hedgewire import bundle, cbor, group, message, rekey, sealed

ROOT = Path(__file__).resolve().parents[3]
SEEDS = st.binary(min_size=32, max_size=32)
FLEET, GROUP = bytes.fromhex("f1ee7f1ee7f1ee70"), bytes(range(8))
SUITES = {"host": of_host, "node": of_node}


def made(sequence: int = 1, short: int = 7) -> bundle.Bundle:
    return bundle.make(bundle.Eid(974848 + short, 1), bundle.Eid(974848 + 0xFFFF, 1), b"", sequence, 604_800_000)


def pair(seed: bytes) -> tuple[bytes, tuple[bytes, bytes]]:
    """(Ed25519 public, (X25519 secret, X25519 public))."""
    public = keys.public_of(seed)
    agreement = keys.agreement_public(public)
    assert agreement is not None
    return public, (keys.agreement_secret(seed), agreement)


def held(primary: str) -> bundle.Bundle:
    return bundle.read_primary(cbor.Reader(bytes.fromhex(primary)))[0]


def vectors(name: str) -> dict:
    return json.loads((ROOT / "vectors" / f"{name}.json").read_text("utf-8"))


def test_the_host_comes_to_the_vectors_of_group_messages():
    known = vectors("group")
    first = known["secrets"][0]
    secret = group.first_secret(
        of_host, FLEET, bytes.fromhex(known["group"]), first["epoch"], bytes.fromhex(known["seed"])
    )
    assert secret.hex() == first["secret"]
    for case in known["messages"]:
        chain = group.Chain(bytes.fromhex(known["group"]), case["epoch"], first["epoch"], secret)
        body = group.seal(of_host, chain, held(case["primary"]), bytes.fromhex(case["content"]))
        assert body.hex() == case["body"]


def test_the_host_comes_to_the_vectors_of_sealed_messages():
    for case in vectors("sealed")["messages"]:
        public, agreement = pair(bytes.fromhex(case["seed"]))
        where, content = held(case["primary"]), bytes.fromhex(case["content"])
        body = finish(
            sealed.seal_steps(of_host, public, agreement[1], bytes.fromhex(case["ephemeral"]), where, content)
        )
        assert body.hex() == case["body"]
        assert finish(sealed.open_steps(of_host, public, agreement, where, body)) == content


def test_the_host_comes_to_hpke_of_the_rfc():
    [case] = [case for case in vectors("hpke")["sealed"] if "sender" not in case]
    value = {key: bytes.fromhex(case[key]) for key in ("info", "ephemeral", "recipient_public", "recipient")}
    encapsulated, exporter = finish(
        of_host.hpke_send_steps(value["recipient_public"], value["info"], value["ephemeral"])
    )
    assert (encapsulated.hex(), exporter.hex()) == (case["encapsulated"], case["exporter"])
    keys_of = (value["recipient"], value["recipient_public"])
    assert finish(of_host.hpke_receive_steps(encapsulated, value["info"], keys_of)) == exporter
    for one in case["exports"]:
        assert of_host.hpke_export(exporter, bytes.fromhex(one["context"]), 32).hex() == one["value"]


@settings(max_examples=60)
@given(
    st.binary(min_size=32, max_size=32), st.integers(0, 0x7FFFFF), st.integers(0, 2**32 - 1), st.binary(max_size=300)
)
def test_what_one_side_writes_to_a_group_the_other_reads(secret, epoch, sequence, content):
    where = made(sequence)
    chain = group.Chain(GROUP, epoch, epoch, secret)
    by_host, by_node = (group.seal(suite, chain, where, content) for suite in (of_host, of_node))
    assert by_host == by_node
    for suite in (of_host, of_node):
        assert group.open_body(suite, chain, where, by_host) == (epoch, content)


@settings(max_examples=15)
@given(SEEDS, SEEDS, st.binary(max_size=300))
def test_what_one_side_seals_the_other_opens(seed, ephemeral, content):
    public, agreement = pair(seed)
    by_host, by_node = (
        finish(sealed.seal_steps(suite, public, agreement[1], ephemeral, made(), content))
        for suite in (of_host, of_node)
    )
    assert by_host == by_node
    for suite in (of_host, of_node):
        assert finish(sealed.open_steps(suite, public, agreement, made(), by_host)) == content


@given(st.binary(max_size=120))
def test_any_bytes_are_a_body_that_nobody_opens(body):
    chain = group.Chain(GROUP, 256, 256, bytes(32))
    public, agreement = pair(bytes(32))
    for suite in (of_host, of_node):
        assert group.open_body(suite, chain, made(), body) is None
    fitting = sealed.hint(public, bundle.primary_block(made())) + body
    assert finish(sealed.open_steps(of_host, public, agreement, made(), fitting)) is None
    message.decode_content(body)


@given(st.recursive(st.none() | st.integers(0, 2**32) | st.binary(max_size=40) | st.text(max_size=9), st.lists))
def test_any_value_as_a_field_of_a_rekey_document_is_damage_or_read(value):
    [case] = vectors("rekey")["documents"][1:2]
    for field in ("kind", "v", "fleet", "group", "name", "epoch", "ephemeral", "members"):
        found = rekey.parse({**cbor.decode(bytes.fromhex(case["hex"])), field: value})
        assert isinstance(found, cbor.Damage | rekey.Rekey)
    assert isinstance(rekey.parse(value), cbor.Damage)


@pytest.mark.parametrize(("writer", "reader"), [("host", "node"), ("node", "host")])
def test_a_rekey_document_of_one_side_is_read_by_the_other(writer, reader):
    members = [pair(bytes([number]) * 32)[1] for number in range(1, 6)]
    fields = finish(
        rekey.make_steps(
            SUITES[writer], FLEET, GROUP, "bakers", 512, b"s" * 16, b"e" * 32, [public for _, public in members]
        )
    )
    found = rekey.parse(cbor.decode(cbor.encode(fields)))
    assert isinstance(found, rekey.Rekey)
    for member in members:
        assert finish(rekey.open_steps(SUITES[reader], found, member)) == b"s" * 16
    assert finish(rekey.open_steps(SUITES[reader], found, pair(b"\x77" * 32)[1])) is None


def test_a_rekey_document_for_64_members_with_two_signatures_fits_one_bundle(capsys):
    members = [pair(number.to_bytes(32, "big"))[1][1] for number in range(1, 65)]
    fields = finish(rekey.make_steps(of_host, FLEET, GROUP, "n" * 24, 0x7FFF00, b"s" * 16, b"e" * 32, members))
    body = cbor.encode(fields)
    signers = [bytes([number]) * 32 for number in (1, 2)]
    document = Document(body, tuple((keys.public_of(seed), keys.sign(seed, body)) for seed in signers)).encode()
    where = bundle.make(bundle.Eid(974855, 2), bundle.Eid(974848 + 0xFFFF, 2), document, 2**31, 604_800_000)
    carried = bundle.encode(where)
    with capsys.disabled():
        print(f"\nrekey, 64 members, 2 signatures: {len(document)} bytes, {len(carried)} as a bundle", file=sys.stderr)
    assert len(document) <= 1920
    assert len(carried) <= 2000


def test_what_a_group_text_of_100_bytes_costs(capsys):
    where = made(5000)
    clear = len(bundle.encode(with_payload(where, message.encode(message.PUBLIC, "x" * 100))))
    body = group.seal(of_host, group.Chain(GROUP, 256, 256, bytes(32)), where, b"x" * 100)
    closed = len(bundle.encode(with_payload(where, message.encode_closed(message.GROUP, body))))
    with capsys.disabled():
        print(f"\n100 bytes of text: bundle in clear {clear}, to a group {closed}", file=sys.stderr)
    assert closed - clear == group.ADDED_BYTES == 11


def with_payload(where: bundle.Bundle, payload: bytes) -> bundle.Bundle:
    where.blocks[-1].data = payload
    return where
