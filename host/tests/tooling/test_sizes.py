"""Sizes that keep the tree readable: modules of about 400 lines, functions of about 50, no drawer for leftovers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted(
    path
    for folder in ("host/hedgerow", "firmware/hedgewire", "firmware/hedgenode")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
MODULE_LINES = 440
FUNCTION_LINES = 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_reader_can_hold_it_in_mind(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES, node.name


def test_nothing_is_called_utils():
    assert [path for path in SOURCES if path.stem in ("utils", "util", "helpers", "misc", "common")] == []


@pytest.mark.parametrize("package", ["hedgewire", "hedgenode"])
def test_no_folder_inside_a_firmware_package_shadows_it(package):
    assert list((ROOT / "firmware" / package).rglob(package)) == []
