"""`./just`: makes .venv once, says in one sentence what is missing, survives interruption and company.

The real pip is replaced by one that writes down what it was asked, so that nothing here needs a network.
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PIP_STAND_IN = textwrap.dedent(
    '''
    """In place of pip: notes its arguments and installs a `just` that says what it was asked."""

    import os, pathlib, sys, time

    root = pathlib.Path(__file__).resolve().parents[3]
    with open(root / "asked.txt", "a") as asked:
        asked.write(" ".join(sys.argv[1:]) + "\\n")
    if os.environ.get("FAIL_AT", "nothing") in sys.argv:
        sys.exit("no route to host")
    if "--editable" in sys.argv:
        time.sleep(float(os.environ.get("TAKES_S", "0")))
        just = pathlib.Path(sys.executable).with_name("just")
        just.write_text("#!/bin/sh\\necho just \\"$@\\"\\n")
        just.chmod(0o755)
    '''
)


@pytest.fixture
def project(tmp_path):
    """A folder with the launcher, what it reads, and the stand-in for pip. The name has a space on purpose."""
    root = tmp_path / "a fresh clone"
    for name in ("just", "justfile", "pyproject.toml", "constraints.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    stand_in = root / "third_party" / "pip-0-py3-none-any.whl" / "pip"
    stand_in.mkdir(parents=True)
    (stand_in / "__main__.py").write_text(PIP_STAND_IN)
    return root


def start(project: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [project / "just", *arguments],
        env=os.environ | {"HEDGEROW_PYTHON": sys.executable} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(project: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = start(project, *arguments, **environment)
    out, err = process.communicate(timeout=50)
    return process.returncode, out, err


def asked(project: Path) -> list[str]:
    return (project / "asked.txt").read_text().splitlines()


def wait_until(path: Path) -> None:
    give_up_at = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < give_up_at, f"{path} did not appear"
        time.sleep(0.02)


def commands_on_path(folder: Path, **scripts: str) -> str:
    """A PATH on which those commands come first; an empty text hides a command."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name.replace("_", ".")).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name.replace("_", ".")).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_first_use_sets_up_and_hands_over(project):
    code, out, err = run(project, "test", "-k", "two words")
    assert code == 0, err
    assert out.startswith("just --justfile ")
    assert out.endswith("test -k two words\n")
    assert "once" in err
    assert [line.split()[0] for line in asked(project)] == ["install", "install"]
    assert all("constraints.txt" in line for line in asked(project))


def test_second_use_starts_within_a_second_and_asks_pip_nothing(project):
    run(project, "--prepare")
    before = asked(project)
    begin = time.perf_counter()
    code, _, err = run(project, "demo")
    assert time.perf_counter() - begin < 1
    assert (code, err) == (0, "")
    assert asked(project) == before


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_needed_sets_up_again(project, name):
    run(project, "--prepare")
    with (project / name).open("a") as file:
        file.write("# one more\n")
    assert run(project, "--prepare")[0] == 0
    assert len(asked(project)) == 4


def test_a_moved_folder_sets_up_again(project):
    run(project, "--prepare")
    moved = project.rename(project.with_name("moved"))
    assert run(moved, "--prepare")[0] == 0
    assert len(asked(moved)) == 4


def test_without_a_network_one_sentence_within_five_seconds(project):
    begin = time.perf_counter()
    code, out, err = run(project, "demo", FAIL_AT="hatchling")
    assert time.perf_counter() - begin < 5
    assert (code, out) == (6, "")
    assert "needs a network" in err.splitlines()[-1]


def test_real_pip_without_a_network_gives_up_within_five_seconds(project):
    shutil.rmtree(project / "third_party")
    shutil.copytree(ROOT / "third_party", project / "third_party")
    begin = time.perf_counter()
    code, _, err = run(
        project,
        "demo",
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://127.0.0.1:9/",  # nothing listens on the discard port
        PIP_EXTRA_INDEX_URL="",
        PIP_FIND_LINKS="",
        PIP_NO_CACHE_DIR="1",
    )
    assert time.perf_counter() - begin < 5
    assert code == 6
    assert "needs a network" in err.splitlines()[-1]


def test_without_a_new_enough_python_one_sentence(project):
    path = commands_on_path(
        project / "bin", **dict.fromkeys(("python3", "python3_11", "python3_12", "python3_13", "python3_14"), "exit 1")
    )
    code, _, err = run(project, "demo", PATH=path, HEDGEROW_PYTHON="")
    assert code == 6
    assert err.count("\n") == 1
    assert "Python 3.11" in err


def test_python_is_found_where_only_a_version_is_on_the_path(project):
    path = commands_on_path(project / "bin", python3="exit 1", python3_11=f'exec "{sys.executable}" "$@"')
    assert run(project, "demo", PATH=path, HEDGEROW_PYTHON="")[0] == 0


def test_without_ensurepip_it_works_all_the_same(project):
    (project / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    code, _, err = run(project, "demo", PYTHONPATH=str(project))
    assert code == 0, err


def test_without_a_venv_module_the_package_is_named(project):
    (project / "sitecustomize.py").write_text("import sys\nsys.modules['venv'] = None\n")
    code, _, err = run(project, "demo", PYTHONPATH=str(project))
    assert code == 6
    assert "python3-venv" in err
    assert err.count("\n") == 1


def test_another_system_is_named_in_one_sentence(project):
    path = commands_on_path(project / "bin", uname='[ "$1" = -s ] && echo Plan9 || echo mips')
    code, _, err = run(project, "demo", PATH=path)
    assert code == 6
    assert "Plan9 on mips" in err
    assert err.count("\n") == 1


def test_an_interrupted_first_run_starts_over_and_finishes(project):
    process = start(project, "demo", TAKES_S="30")
    wait_until(project / ".venv" / "hedgerow-unfinished")
    wait_until(project / "asked.txt")
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=10) != 0
    process.communicate()
    assert not (project / ".venv" / "hedgerow-stamp").exists()
    code, out, _ = run(project, "demo")
    assert (code, out.split()[0]) == (0, "just")


def test_a_first_run_that_lost_power_starts_over_and_finishes(project):
    process = start(project, "demo", TAKES_S="30")
    wait_until(project / ".venv" / "hedgerow-unfinished")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert (project / ".cache" / "setup.lock").exists()
    begin = time.perf_counter()
    assert run(project, "demo")[0] == 0
    assert time.perf_counter() - begin < 20


def test_two_at_once_set_up_one_time(project):
    both = [start(project, "demo", TAKES_S="2") for _ in range(2)]
    ended = [(*process.communicate(timeout=50), process.returncode) for process in both]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert sum("--editable" in line for line in asked(project)) == 1
    assert sum("waiting" in err for _, err, _ in ended) == 1


def test_a_failed_installation_is_told_and_resumes(project):
    code, _, err = run(project, "demo", FAIL_AT="--editable")
    assert code == 6
    assert "run the same command again" in err
    assert run(project, "demo")[0] == 0


def test_pip_in_the_tree_is_what_its_readme_says():
    import hashlib

    wheels = list((ROOT / "third_party").glob("pip-*.whl"))
    assert len(wheels) == 1
    said = (ROOT / "third_party" / "README.md").read_text(encoding="utf-8")
    assert wheels[0].name in said
    assert hashlib.sha256(wheels[0].read_bytes()).hexdigest() in said
    version = wheels[0].name.split("-")[1]
    assert f"\npip=={version}\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_constraints_pin_exact_versions_and_name_no_address():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, pinned, version = line.partition("==")
            assert pinned, line
            assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), line
            assert version[0].isdigit(), line
