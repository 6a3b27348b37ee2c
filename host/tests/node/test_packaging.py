"""manifest.py and package.json name what belongs on a board: everything of it, and nothing else.

`python host/tests/node/test_packaging.py` writes package.json anew.
"""

import json
import re
import time
from pathlib import Path

import pytest

from hedgerow.fleet import boards
from hedgerow.virtual import VirtualBoard
from hedgewire import cbor

ROOT = Path(__file__).resolve().parents[3]
FIRMWARE = ROOT / "firmware"
PACKAGE = FIRMWARE / "package.json"
PACKAGES = ("hedgewire", "hedgenode")
AT_THE_TOP = (
    "slots.py",
    "boot.py",
    "main.py",
)  # last: until main.py stands, a board whose power is cut boots to its prompt


def wanted() -> str:
    """What package.json has to say. Installed with `--target /`: modules into the slot /a, as provisioning does."""
    version = re.search(r'^VERSION = "([^"]+)"', (FIRMWARE / "hedgenode" / "app.py").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    modules = sorted(
        path.relative_to(FIRMWARE).as_posix() for name in PACKAGES for path in (FIRMWARE / name).rglob("*.py")
    )
    rows = [json.dumps([f"a/{name}", name]) for name in modules] + [json.dumps([name, name]) for name in AT_THE_TOP]
    urls = ",\n    ".join(rows)
    return f'{{\n  "version": "{version[1]}",\n  "deps": [],\n  "urls": [\n    {urls}\n  ]\n}}\n'


def test_package_json_names_every_module_and_nothing_else():
    assert PACKAGE.read_text("utf-8") == wanted(), "write it anew: python host/tests/node/test_packaging.py"


def test_every_file_of_package_json_is_there_once():
    rows = json.loads(PACKAGE.read_text("utf-8"))["urls"]
    assert len({target for target, _ in rows}) == len(rows)
    for _, source in rows:
        assert (FIRMWARE / source).is_file(), source


def test_the_manifest_takes_every_package_and_both_files_that_start_it():
    packages, modules = [], []

    def package(name, files=None, base_path=".", opt=None):
        assert (FIRMWARE / base_path / name / "__init__.py").is_file(), name
        packages.append(name)

    def module(name, base_path=".", opt=None):
        assert (FIRMWARE / base_path / name).is_file(), name
        modules.append(name)

    def include(path, **options):
        raise AssertionError(f"{path} is not ours")

    exec((FIRMWARE / "manifest.py").read_text("utf-8"), {"package": package, "module": module, "include": include})  # noqa: S102
    assert sorted(packages) == sorted(PACKAGES)
    assert sorted(modules) == sorted(AT_THE_TOP)


def test_every_folder_of_a_package_is_a_package():
    for name in PACKAGES:
        for path in (FIRMWARE / name).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), path


@pytest.mark.timeout(150)  # a hundred files, one by one
def test_mpremote_installs_a_checkout_that_then_runs_as_a_node(nodes, micropython):
    async def story():
        kind = boards.load("ESP32_GENERIC_S3")
        board = VirtualBoard(kind, nodes.path / "bare", micropython, uid=bytes(8), clock=time.time)
        nodes.on_leaving(board.close)
        await board.start()
        await nodes.mpremote(board, "mip", "install", "--target", "/", str(PACKAGE))
        await nodes.mpremote(board, "fs", "cp", str(kind.board_py), ":/a/board.py")
        await nodes.reset_at_prompt(board, b"not provisioned")
        config = nodes.path / "config.cbor"
        config.write_bytes(cbor.encode({"v": 1, "name": "ivy", "short": 5, "id": b"\1" * 8, "fleet": b"\2" * 8}))
        await nodes.mpremote(board, "fs", "cp", str(config), ":/config.cbor", "+", "reset")
        assert (await nodes.hello(board))["name"] == "ivy"

    nodes.run(story(), within_s=120)


if __name__ == "__main__":
    PACKAGE.write_text(wanted(), "utf-8")
