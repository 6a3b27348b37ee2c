"""`hedgerow demo`, whole, as a newcomer runs it; every claim is looked at again from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hedgerow.errors import EnvironmentProblem
from hedgerow.virtual import control, interpreter

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="virtual boards run on Linux only"),
    pytest.mark.timeout(180),
]
WITHIN_S = 150


@pytest.fixture(scope="module")
def micropython():
    try:
        return interpreter.ensure()
    except EnvironmentProblem as missing:
        pytest.skip(f"no MicroPython: {missing}")


def test_the_demo_proves_all_that_it_claims(micropython, tmp_path: Path):
    command = [sys.executable, "-m", "hedgerow", "demo", "--json", "--dir", str(tmp_path)]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN_S, env={**os.environ, "COLUMNS": "100"}
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    facts = json.loads(run.stdout)
    assert [claim for claim in facts["claims"] if not claim["ok"]] == []
    assert facts["seconds"] <= 90
    steps = facts["message"]["handed"]
    assert (steps[0]["from"], steps[-1]["to"]) == (facts["nodes"][0]["short"], facts["nodes"][-1]["short"])
    assert [before["to"] for before in steps[:-1]] == [after["from"] for after in steps[1:]]
    assert [(found["node"], found["path"]) for found in facts["audit"]] == [
        (facts["tampered"]["node"], facts["tampered"]["path"])
    ]
    assert control.find(tmp_path / "boards") is None, "no process is left"
    page = Path(facts["report"]).read_text("utf-8")
    assert facts["tampered"]["path"] in page
    assert page.count("<svg") >= 4


def test_a_closed_terminal_leaves_no_board_behind(micropython, tmp_path: Path):
    command = [sys.executable, "-m", "hedgerow", "demo", "--dir", str(tmp_path)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not (running := control.find(tmp_path / "boards")):
            assert time.monotonic() < deadline, "the boards did not come up"
            time.sleep(0.05)
        run.send_signal(signal.SIGHUP)
        assert run.wait(timeout=30) != 0
        assert not running.alive
    finally:
        run.kill()
