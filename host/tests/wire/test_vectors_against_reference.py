"""The vectors are right: a second implementation, made of other means, gives the same bytes."""

import hashlib
import json
import re
from pathlib import Path

import cbor2
import pytest
import reference
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import from_typed

VECTORS = Path(__file__).resolve().parents[3] / "vectors"


def load(name: str):
    return json.loads((VECTORS / f"{name}.json").read_text())


def test_crcs():
    for case in load("crc"):
        data = bytes.fromhex(case["data"])
        assert f"{reference.crc16(data):04x}" == case["crc16"]
        assert f"{reference.crc32c(data):08x}" == case["crc32c"]


def test_cbor():
    for case in load("cbor")["values"]:
        value, raw = from_typed(case["value"]), bytes.fromhex(case["hex"])
        assert cbor2.loads(raw) == value
        assert reference.dumps(value) == raw


def test_frames():
    for case in load("frame")["frames"]:
        assert reference.frame(case["kind"], bytes.fromhex(case["payload"])).hex() == case["frame"]


@pytest.mark.parametrize("case", load("bundle")["bundles"], ids=lambda case: case["name"])
def test_bundles(case):
    sent = {**case, "destination": case.get("destination_as_sent", case["destination"])}
    primary = reference.primary(sent)
    assert primary.hex() == case["primary"]
    assert hashlib.sha256(primary).digest()[:8].hex() == case["id"]
    assert (reference.bundle(sent).hex() == case["hex"]) == case["same_when_encoded"]
    assert case["payload"] == case["blocks"][-1]["data"]


def test_messages_of_cbor():
    admin = load("admin")
    for case in admin["requests"]:
        fields = [1, case["seq"], case["method"], from_typed(case["params"])]
        assert reference.dumps(fields).hex() == case["hex"]
    for case in admin["answers"]:
        assert reference.dumps([1, case["seq"], case["code"], from_typed(case["result"])]).hex() == case["hex"]
    for case in admin["events"]:
        assert reference.dumps([1, case["topic"], from_typed(case["fields"])]).hex() == case["hex"]
    for case in load("message")["messages"]:
        signed = [bytes.fromhex(case[key]) for key in ("author", "signature") if key in case]
        fields = [case["version"], case["layer"], from_typed(case["body"]), *signed]
        assert reference.dumps(fields).hex() == case["hex"]


def test_every_list_of_vectors_has_its_faults():
    for name in ("cbor", "bundle", "admin", "message", "link"):
        faults = load(name)["damaged"]
        assert len(faults) >= 10
        assert len({case["name"] + case["hex"] for case in faults}) == len(faults)


@pytest.mark.parametrize(
    "case",
    [*load("documents")["documents"], *({"kind": "release", **case} for case in load("release")["releases"])],
    ids=lambda case: case["name"],
)
def test_fleet_documents(case):
    fields = {name: _bytes_where_hex(value) for name, value in case["fields"].items()} | {"kind": case["kind"], "v": 1}
    body = reference.dumps(fields)
    assert hashlib.sha256(body).hexdigest() == case["digest"]
    keys = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)) for seed in case["signed_by"].values()]
    signatures = sorted([key.public_key().public_bytes_raw(), key.sign(body)] for key in keys)
    assert reference.dumps({"body": body, "signatures": signatures}).hex() == case["hex"]


def _bytes_where_hex(value):
    if isinstance(value, list):
        return [_bytes_where_hex(item) for item in value]
    return bytes.fromhex(value) if isinstance(value, str) and re.fullmatch("([0-9a-f]{16})+", value) else value
