"""What a rig's operator gives on the command line: images to compare, and who switches the power."""

import subprocess
import sys
from pathlib import Path

import pytest

from hedgerow.errors import EnvironmentProblem
from hedgerow.report import rig as runs
from hedgerow.virtual import interpreter
from hil_tests.rig import run_hook

ROOT = Path(__file__).resolve().parents[3]


def test_everything_runs_once_with_each_image_and_the_figures_are_kept(tmp_path):
    found = interpreter.find()
    if found is None:
        pytest.skip("no micropython on PATH and none in $HEDGEROW_MICROPYTHON")
    images = []
    for name in ("old", "new"):
        image = tmp_path / name
        image.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in found.command) + ' "$@"\n')
        image.chmod(0o755)
        images += ["--firmware", str(image)]
    words = ["hil_tests/test_figures.py", "-k", "heap", "-q", f"--junitxml={tmp_path / 'run.xml'}", *images]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stdout
    old, new = (runs.read(tmp_path / "run.xml", name) for name in ("old", "new"))
    assert set(old.ended) == set(new.ended) == {"hil_tests.test_figures.test_the_heap_of_a_running_node"}
    assert {name for _, name in old.figures} == {"heap free", "file system free"}
    assert runs.difference(old, new).newly_failing == []


def test_the_rigs_own_command_switches_the_power(tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "switch"
    script.write_text(f'#!/bin/sh\n[ "$2" = burn ] && echo "no such port" >&2 && exit 3\necho "$1 $2" >> {log}\n')
    script.chmod(0o755)
    run_hook(f"{script} 'port 2' {{action}}", "off")
    run_hook(f"{script} 'port 2' {{action}}", "on")
    assert log.read_text() == "port 2 off\nport 2 on\n"
    with pytest.raises(EnvironmentProblem, match=r"power hook failed \(3\): no such port"):
        run_hook(f"{script} x {{action}}", "burn")
    with pytest.raises(EnvironmentProblem, match="power hook failed"):
        run_hook(str(tmp_path / "nothing"), "on")
