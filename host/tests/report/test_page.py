"""A report opens anywhere and shows what it was given, nothing else."""

import re
from pathlib import Path

from hedgerow.report import render, write
from hedgerow.report.svg import Held, MessagePath, Series, line_chart, message_path, nice_steps

STATUS = {"bundles": 2, "battery_mv": 4100, "free_bytes": 2_000_000, "heap_free": 100_000}


def facts(**more):
    node = {
        "name": "oak",
        "short": 1,
        "id": "00" * 8,
        "board": "RPI_PICO_W",
        "boots": 3,
        "status": STATUS,
        "samples": [{"time_s": 1000 + i * 600, "values": {"battery_mv": 3700 + i}} for i in range(5)],
    }
    return {
        "fleet": {"name": "valley", "id": "ab" * 8},
        "made_at": "2026-05-10 12:00 UTC",
        "nodes": [node],
        "audit": [],
    } | more


FINDING = {
    "node": "oak",
    "class": "modified",
    "severity": "error",
    "path": "/a/board.mpy",
    "what": "/a/board.mpy is not the file of version 1",
    "next_step": "Provision it again",
    "waits": "it can wait until 2026-06-01",
}


def test_the_page_fetches_nothing_and_runs_nothing():
    page = render(facts(audit=[FINDING]))
    assert not re.findall(r"(?:src|href|url)\s*[=(]", page)
    assert "<script" not in page
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_what_nodes_say_is_text_and_never_markup():
    page = render(facts(fleet={"name": "<b>x</b>&", "id": "ab"}, audit=[FINDING | {"what": "<img src=x>"}]))
    assert "<b>x</b>" not in page
    assert "<img" not in page
    assert "&lt;b&gt;x&lt;/b&gt;&amp;" in page


def test_findings_name_node_file_remedy_and_date_in_words():
    page = render(facts(audit=[FINDING]))
    for word in ("oak", "✗ modified", "<code>/a/board.mpy</code>", "Provision it again", "2026-06-01", "1 finding."):
        assert word in page
    assert "✓ PASS" not in page


def test_a_note_is_shown_and_is_no_failure():
    page = render(facts(audit=[FINDING | {"severity": "note", "class": "clock"}]))
    assert "· clock" in page
    assert "1 node audited, nothing to do, 1 note." in page
    assert "FAIL" not in page


def test_a_fleet_without_findings_and_without_samples_still_makes_a_page():
    page = render(facts(nodes=[]))
    assert "✓ PASS" in page
    assert "<svg" not in page


def test_a_failed_claim_makes_the_verdict_a_failure():
    page = render(facts(claims=[{"ok": True, "claim": "a", "how": ""}, {"ok": False, "claim": "b", "how": "c"}]))
    assert "1 of 2 checks failed." in page


def test_the_page_is_written_into_a_folder_that_is_made(tmp_path: Path):
    path = write(facts(), tmp_path / "reports" / "one.html")
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_steps_are_round_and_enclose_the_values():
    for low, high in ((0, 1), (3.71, 4.18), (-12.4, 31), (98100, 99100), (5, 5)):
        steps = nice_steps(low, high)
        assert steps[0] <= low
        assert steps[-1] >= high
        assert 2 <= len(steps) <= 9 or low == high


def test_every_curve_is_named_once_and_drawn_within_the_picture():
    series = [Series(f"n{i}", [(0, i), (10, i + 5)]) for i in range(6)]
    picture = line_chart(series, title="t", y_unit="V", x_text=str)
    for s in series:
        assert picture.count(f">{s.name}</text>") == 1
    xs = [float(x) for points in re.findall(r'points="([^"]+)"', picture) for x in re.findall(r"([\d.]+),", points)]
    assert min(xs) >= 0
    assert max(xs) <= 860


def test_the_path_shows_the_power_cut_and_the_delivery():
    path = MessagePath(["a", "b"], [(0, 2, 0, 1)], [Held(0, 0, 1), Held(1, 1, 9)], [(1, 0, 1)], [(3, 4, 1)], 9, 10)
    picture = message_path(path, "t")
    assert "power cut" in picture
    assert "delivered" in picture
    assert "delivered" not in message_path(MessagePath(["a"], [], [], [], [], None, 10), "t")
