"""`hedgerow bundle show`: hex, files and stdin in; fields, CRC states and damage out; exit code 0 good, 1 damaged."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hedgerow.cli.bundle import app
from hedgerow.errors import UsageError

CASES = json.loads((Path(__file__).resolve().parents[3] / "vectors" / "bundle.json").read_text())
ION = CASES["bundles"][0]["hex"]
BENT = ION.replace("42f26d", "42f26e")


def show(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(app, ["show", *arguments], input=stdin)


def test_a_good_bundle_is_told_field_by_field():
    result = show(ION)
    assert result.exit_code == 0, result.output
    for expected in (
        "Bundle 77d92542a16c2595, 95 bytes: good",
        "Primary block, CRC-16 good",
        "destination  ipn:974850.1",
        "report to    dtn:none",
        "Block 2, previous node, no CRC",
        "ipn:974849.0",
        "Block 3, unknown type 193, no CRC",
        "8400010000",
        "Block 4, bundle age",
        "5 ms",
        "hello-from-ION",
    ):
        assert expected in result.output


def test_a_wrong_crc_is_named_with_its_offset_and_the_fields_are_still_shown():
    result = show(BENT)
    assert result.exit_code == 1
    assert "DAMAGED" in result.output
    assert "✗ CRC of the primary block (byte 1)" in result.output
    assert "Primary block, CRC-16 WRONG" in result.output
    assert "hello-from-ION" in result.output


def test_a_cut_bundle_shows_what_is_there():
    result = show(ION[:150])
    assert result.exit_code == 1
    assert "✗ truncated (byte 75)" in result.output
    assert "Block 4, bundle age" in result.output
    assert "Not readable, 1 byte from byte 74 on" in result.output


@pytest.mark.parametrize("write", [bytes.fromhex, lambda text: (text[:40] + "\n" + text[40:] + "\n").encode()])
def test_files_are_raw_or_hex(tmp_path, write):
    path = tmp_path / "bundle"
    path.write_bytes(write(ION))
    result = show(str(path))
    assert result.exit_code == 0
    assert "77d92542a16c2595" in result.output


@pytest.mark.parametrize("stdin", [bytes.fromhex(ION), ION.encode(), b"0x" + ION.encode()])
def test_stdin_is_raw_or_hex(stdin):
    result = show("-", stdin=stdin)
    assert result.exit_code == 0
    assert "77d92542a16c2595" in result.output


def test_hex_as_people_paste_it():
    spaced = ":".join(ION[at : at + 2] for at in range(0, len(ION), 2))
    assert show(spaced).exit_code == 0
    assert show(" ".join([ION[:10], ION[10:]])).exit_code == 0


def test_json_alone_on_stdout_with_the_same_facts():
    result = show(BENT, "--json")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert facts["good"] is False
    assert facts["id"] is None
    assert facts["findings"] == [{"reason": "CRC of the primary block", "offset": 1}]
    assert facts["primary"]["crc"] == {"type": "CRC-16", "state": "bad"}
    assert [block["type"] for block in facts["blocks"]] == [6, 193, 7, 1]
    assert facts["blocks"][1]["name"] is None
    assert facts["blocks"][1]["data"] == "8400010000"


@pytest.mark.parametrize("case", CASES["damaged"], ids=lambda case: case["name"])
def test_every_kind_of_damage_is_told(case):
    result = show("-", stdin=bytes.fromhex(case["hex"]))
    assert result.exit_code == 1
    assert f"✗ {case['reason']} (byte {case['offset']})" in result.output


@pytest.mark.parametrize("source", ["no-such-file", "9f8", "/", "abc" * 2000 + "x"])
def test_neither_file_nor_hex_is_a_usage_error(source):
    result = show(source)
    assert isinstance(result.exception, UsageError)
    assert len(str(result.exception)) < 250
    assert result.exception.exit_code == 2


def test_a_very_long_hex_argument_is_no_file_name():
    long = bytes.fromhex(ION)[:-16] + bytes(5000)
    assert show(long.hex()).exit_code == 1


def test_the_help_has_an_example():
    assert "hedgerow bundle show" in show("--help").output
