"""docs/reference/wire.md says what the code does: its codes, reasons, bounds and its example."""

import json
import re
from pathlib import Path

import pytest

from hedgewire import admin, bundle, cbor, frame, link, message

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "wire.md").read_text()


@pytest.mark.parametrize("name", ["cbor", "bundle", "admin", "message", "link"])
def test_every_reason_is_on_the_page(name):
    words = " ".join(PAGE.split())
    for case in json.loads((ROOT / "vectors" / f"{name}.json").read_text())["damaged"]:
        assert f"`{re.sub(r'block [0-9]+', 'block N', case['reason'])}`" in words, case["reason"]


def test_every_code_of_an_answer_is_on_the_page():
    codes = {name: value for name, value in vars(admin).items() if name.isupper() and name != "VERSION"}
    assert len(codes) == 10
    for name, value in codes.items():
        assert f"| {value} | {name} |" in PAGE


def test_every_kind_of_frame_and_message_is_on_the_page():
    for name in ("REQUEST", "ANSWER", "EVENT", "LINK", "SEALED"):
        assert f"| {getattr(frame, name)} | {name.lower()} |" in PAGE
    for name in ("HELLO", "OFFER", "WANT", "SEGMENT", "ACK", "HEAD", "WITNESS", "REACHED", "PROBE"):
        assert f"| {getattr(link, name)} | {name} |" in PAGE
    for name in ("PARTIAL", "ACCEPTED", "HAVE", "REFUSED", "DELIVERED"):
        assert f"{getattr(link, name)} {name}" in PAGE
    for name in ("PUBLIC", "GROUP", "SEALED"):
        assert f"| {getattr(message, name)} | {name.lower()} |" in PAGE


def test_the_bounds_are_the_codes():
    assert f"nest at most {cbor.MAX_DEPTH} deep" in PAGE
    assert f"At most {bundle.MAX_BLOCKS} blocks" in PAGE
    assert f"at most {link.MAX_BYTES} bytes" in PAGE
    assert f"data of 1 .. {link.MAX_DATA} bytes" in PAGE
    assert f"segments (1 .. {link.MAX_SEGMENTS})" in PAGE


def test_the_example_of_a_frame_is_one():
    found = re.search(r"`([0-9a-f ]+)` is\n`([0-9a-f ]+)`", PAGE)
    assert found
    assert frame.encode(1, bytes.fromhex(found[1])) == bytes.fromhex(found[2])
