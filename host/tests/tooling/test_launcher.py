"""`./just`: makes .venv once, says in one sentence what is missing, survives interruption and company.

The real pip is replaced by one that writes down what it was asked, so that nothing here needs a network.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PIP_STAND_IN = textwrap.dedent(
    '''
    """In place of pip: notes its arguments and installs itself, or a `just` that says what it was asked."""

    import os, pathlib, sys, sysconfig, time, zipfile

    with open(pathlib.Path(sys.prefix).parent / "asked.txt", "a") as asked:
        asked.write(" ".join(sys.argv[1:]) + "\\n")
    if os.environ.get("FAIL_AT", "nothing") in sys.argv:
        sys.exit("no route to host")
    if "pip" in sys.argv and os.environ["PYTHONPATH"]:
        zipfile.ZipFile(os.environ["PYTHONPATH"]).extractall(sysconfig.get_path("purelib"))
    if "--editable" in sys.argv:
        time.sleep(float(os.environ.get("TAKES_S", "0")))
        just = pathlib.Path(sys.executable).with_name("just")
        just.write_text("#!/bin/sh\\necho just \\"$@\\"\\n")
        just.chmod(0o755)
    '''
)


@pytest.fixture
def project(tmp_path):
    """A folder with the launcher and what it reads, and beside it a Python's ensurepip with the stand-in for pip.

    The names have a space on purpose.
    """
    root = tmp_path / "a fresh clone"
    for name in ("just", "justfile", "pyproject.toml", "constraints.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    bundled = tmp_path / "a Python" / "ensurepip" / "_bundled"
    bundled.mkdir(parents=True)
    (bundled.parent / "__init__.py").touch()
    with zipfile.ZipFile(bundled / "pip-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pip/__main__.py", PIP_STAND_IN)
        wheel.writestr("pip/__init__.py", "")
    return root


def start(project: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [project / "just", *arguments],
        env=os.environ
        | {"HEDGEROW_PYTHON": sys.executable, "PYTHONPATH": str(project.parent / "a Python")}
        | environment,
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


def wait_until(condition) -> None:
    give_up_at = time.monotonic() + 20
    while True:
        with contextlib.suppress(FileNotFoundError):
            if condition():
                return
        assert time.monotonic() < give_up_at, "it did not happen"
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
    assert [line.split()[0] for line in asked(project)] == ["install", "install", "install"]
    assert all("constraints.txt" in line for line in asked(project))


def test_second_use_starts_within_a_second_and_asks_pip_nothing(project):
    run(project, "--prepare")
    before = asked(project)
    took_s = []
    for _ in range(3):  # the best of three: what is measured is the launcher, not what else this machine does
        begin = time.perf_counter()
        code, _, err = run(project, "demo")
        took_s.append(time.perf_counter() - begin)
        assert (code, err) == (0, "")
    assert min(took_s) < 1
    assert asked(project) == before


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_needed_sets_up_again(project, name):
    run(project, "--prepare")
    with (project / name).open("a") as file:
        file.write("# one more\n")
    (project / ".venv" / "kept").touch()
    assert run(project, "--prepare")[0] == 0
    assert sum("--editable" in line for line in asked(project)) == 2
    assert (project / ".venv" / "kept").exists()


def test_a_moved_folder_is_set_up_anew_because_scripts_know_their_folder(project):
    run(project, "--prepare")
    moved = project.rename(project.with_name("moved"))
    (moved / ".venv" / "stale").touch()
    assert run(moved, "--prepare")[0] == 0
    assert sum("--editable" in line for line in asked(moved)) == 2
    assert not (moved / ".venv" / "stale").exists()


def test_what_somebody_made_by_hand_is_filled_and_kept(project):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True, timeout=30)
    own = next((project / ".venv").glob("lib/python*/site-packages"))
    with zipfile.ZipFile(project.parent / "a Python" / "ensurepip" / "_bundled" / "pip-0-py3-none-any.whl") as wheel:
        wheel.extractall(own)
    (own / "somebodys.txt").touch()
    assert run(project, "demo")[0] == 0
    assert (own / "somebodys.txt").exists()


def test_without_a_network_one_sentence_within_five_seconds(project):
    begin = time.perf_counter()
    code, out, err = run(project, "demo", FAIL_AT="pip")
    assert time.perf_counter() - begin < 5
    assert (code, out) == (6, "")
    assert "needs a network" in err.splitlines()[-1]


@pytest.mark.parametrize("backlog", [None, 1], ids=["nobody answers", "silence"])
def test_real_pip_without_a_network_is_told_of_within_five_seconds(project, backlog):
    with socket.socket() as index:
        index.bind(("127.0.0.1", 0))  # a bound port refuses; one that listens takes the call and says nothing
        if backlog:
            index.listen(backlog)
        settings = {"PYTHONPATH": "", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
        settings |= {"PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/", "PIP_EXTRA_INDEX_URL": ""}
        process = start(project, "demo", PIP_FIND_LINKS="", **settings)
        try:
            assert "once" in process.stderr.readline()
            begin = time.perf_counter()
            assert "needs a network" in process.stderr.readline()
            assert time.perf_counter() - begin < 5
            if not backlog:  # a silent one is given up after twenty seconds, too long for a test
                process.communicate(timeout=20)
                assert process.returncode == 6
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


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


# --- Debian and Ubuntu keep ensurepip in a package of its own --------------------------------------------------------


@pytest.fixture
def split_python(project):
    """The environment of a Python without ensurepip."""
    folder = project.parent / "a split Python"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    return {"PYTHONPATH": str(folder)}


def test_without_ensurepip_pip_comes_from_the_systems_archive_into_our_folder(project, split_python):
    wheel = project.parent / "a Python" / "ensurepip" / "_bundled" / "pip-0-py3-none-any.whl"
    fetch = 'echo "$@" >> ../../apt.txt; case "$*" in *update) exit 100 ;; esac; touch python3-pip-whl_0_all.deb'
    unpack = f'mkdir -p usr/share/python-wheels && cp "{wheel}" usr/share/python-wheels/'
    path = commands_on_path(project / "bin", **{"apt-get": fetch, "dpkg-deb": unpack})
    code, out, err = run(project, "demo", PATH=path, **split_python)
    assert (code, out.split()[0]) == (0, "just"), err
    calls = (project / "apt.txt").read_text().splitlines()
    assert [call.split()[-1] for call in calls] == ["update", "python3-pip-whl"]
    for call in calls:
        assert f"Dir::State::Lists={project}/.cache/" in call
        assert f"Dir::Cache={project}/.cache/" in call
    assert not (project / ".cache" / "pip").exists()


def test_without_ensurepip_and_archive_the_package_to_install_is_named(project, split_python):
    path = commands_on_path(project / "bin", **{"apt-get": "exit 100"})
    begin = time.perf_counter()
    code, _, err = run(project, "demo", PATH=path, **split_python)
    assert time.perf_counter() - begin < 5
    assert code == 6
    assert f"python3.{sys.version_info.minor}-venv" in err.splitlines()[-1]


def test_without_ensurepip_and_apt_the_package_to_install_is_named_at_once(project, split_python):
    tools = project / "bin"
    tools.mkdir()
    for name in ("sh", "uname", "cat", "cksum", "dirname", "mkdir", "rm"):
        (tools / name).symlink_to(shutil.which(name))
    begin = time.perf_counter()
    code, _, err = run(project, "demo", PATH=str(tools), **split_python)
    assert time.perf_counter() - begin < 5
    assert code == 6
    assert f"python3.{sys.version_info.minor}-venv" in err.splitlines()[-1]


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


# --- interruption and company ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_first_run_that_was_cut_off_starts_over_and_finishes(project, how):
    process = start(project, "demo", TAKES_S="30")
    wait_until(lambda: "--editable" in (project / "asked.txt").read_text())
    os.killpg(process.pid, how)
    assert process.wait(timeout=10) != 0
    process.communicate()
    (project / ".venv" / "half-a-package").touch()
    code, out, _ = run(project, "demo")
    assert (code, out.split()[0]) == (0, "just")
    assert not (project / ".venv" / "half-a-package").exists()


def test_a_refresh_that_was_cut_off_is_not_taken_for_complete(project):
    run(project, "--prepare")
    with (project / "constraints.txt").open("a") as file:
        file.write("# one more\n")
    assert run(project, "--prepare", FAIL_AT="--editable")[0] == 6
    before = asked(project)
    assert run(project, "--prepare")[0] == 0
    assert len(asked(project)) > len(before)


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


def test_no_code_of_others_lies_in_the_tree():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    foreign = (".whl", ".uf2", ".bin", ".elf", ".so", ".mpy", ".zip", ".gz", ".deb", ".jar", ".exe")
    assert [name for name in listed.stdout.splitlines() if name.endswith(foreign)] == []


def test_constraints_pin_exact_versions_and_name_no_address():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, pinned, version = line.partition("==")
            assert pinned, line
            assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), line
            assert version[0].isdigit(), line
