"""docs/reference/ledger.md says what the code does: bounds, prefixes, reasons and kinds."""

import json
from pathlib import Path

from hedgenode.rules import ledger as rules
from hedgenode.rules import ledger_pace as pace
from hedgenode.rules import witness
from hedgenode.store import ledger as store
from hedgewire import ledger

ROOT = Path(__file__).resolve().parents[3]
PAGE = " ".join((ROOT / "docs" / "reference" / "ledger.md").read_text("utf-8").split())
CBOR_PAGE = (ROOT / "docs" / "reference" / "wire.md").read_text("utf-8")


def test_every_reason_is_on_the_page_or_on_that_of_cbor():
    for case in json.loads((ROOT / "vectors" / "ledger.json").read_text("utf-8"))["damaged"]:
        assert f"`{case['reason']}`" in PAGE + CBOR_PAGE, case["reason"]


def test_the_prefixes_and_bounds_are_those_of_the_code():
    for prefix in (ledger.HEAD_PREFIX, ledger.WITNESS_PREFIX):
        assert f"`{prefix.decode()}`" in PAGE
    for said in (
        f"{ledger.MAX_ENTRY_BYTES:,} bytes",
        f"at most {pace.SIGN_EVERY} new ones",
        f"leaves out {rules.LOST_NUMBERS:,} numbers",
        f"beyond {store.MOST_SEGMENTS * store.SEGMENT_BYTES // 1000} kB",
        f"beyond {store.MOST_SEGMENTS_UNKEPT * store.SEGMENT_BYTES // 1000} kB",
        f"at most {witness.MAX_SEEN} neighbours",
        f"at most {witness.MAX_OWN} counter-signatures",
        f"{pace.SIGNATURES_A_DAY} a day",
        f"{pace.CHECKS_A_DAY} checks a day",
    ):
        assert said in PAGE, said


def test_every_kind_that_a_start_notes_is_described():
    for kind in (*rules.KINDS_AT_START, rules.LOST):
        assert f"| `{kind}` |" in PAGE
