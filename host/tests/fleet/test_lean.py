"""Modules with fewer names do the same; where that cannot be told, they are refused with a sentence."""

import builtins
from dataclasses import replace

import made_fleet as made
import pytest

from hedgerow.errors import UsageError
from hedgerow.plans import firmware
from hedgerow.plans.lean import Spoken, lean, short_names

NOTHING = Spoken.by([])
PAGE = '''
"""Knows _pages."""
import struct
_SIZE = 4 * 8
_KIND = "page"
_EARLY = 3
WIDTH = _SIZE + 2
LATE = 1

def early():
    return _late

_late = 5

class Page:
    """One."""

    def __init__(self, first_row, rows=2):
        self._first_row = first_row
        self.rows = rows
        self.size = _SIZE

    def size_of(self, size_of, *more_rows, **facts):
        def _inner(row_number):
            return row_number + size_of + self._first_row + WIDTH
        return _inner(len(more_rows)), sorted(facts), _KIND, LATE

    def rows_by(self, struct_name):
        return struct.calcsize(struct_name), [one_row + self._first_row for one_row in range(self.rows)]

def _made(first_row: int) -> Page:
    return Page(first_row, rows=3)

def result():
    page = _made(7)
    return page.size_of(1, 2, 3, wide=1), page.rows_by("<IH"), early(), page.size
'''


def run(source):
    scope = {"const": lambda value: value, "__builtins__": builtins}
    exec(source, scope)  # noqa: S102 - the point of the test
    return scope


def test_a_lean_module_does_the_same_with_other_names():
    made_lean = lean(PAGE, "page", Spoken.by([PAGE, "import page; page.LATE"]))
    assert run(made_lean)["result"]() == run(PAGE)["result"]()
    for name in ("_first_row", "_late", "_made", "_inner", "row_number", "struct_name"):
        assert name not in made_lean
    assert "LATE = 1" in made_lean


def test_two_modules_share_their_short_names():
    one, other = (lean(f"_{name} = [1]\ndef f(): return _{name}\n", name, NOTHING) for name in ("pears", "plums"))
    assert one == other


def test_constants_that_nobody_else_names_vanish_and_others_stay():
    assert lean("_FEW = 3\nMANY = 2\n", "m", NOTHING).splitlines() == ["_a = const(3)", "_MANY = const(2)"]
    shared = Spoken.by(["MANY = 2", "from m import MANY"])
    assert lean("MANY = 2\n", "m", shared) == "MANY = 2"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return _X\n_X = 1",  # the compiler would not know it yet
        "_X = 1\ndef f():\n    global _X\n    _X = 2",
        "_X = 1\n_X = 2",
        "_X = [1]",
        "_X = 1 / 2",
        "_X = len('abc')",
        "_S = 'a'\n_X = _S * 2",
    ],
)
def test_what_the_compiler_could_not_put_in_place_stays_a_variable(source):
    assert lean(source, "m", NOTHING).count("const") == source.count("_S =")


def test_an_argument_that_somebody_gives_by_name_keeps_its_name():
    source = "def open_page(page_number, other_number):\n    return page_number + other_number"
    assert lean(source, "m", Spoken.by([source, "open_page(1, other_number=2)"])) == (
        "def open_page(_a, other_number):\n    return _a + other_number"
    )


def test_an_argument_never_gets_a_name_that_somebody_gives_or_that_means_something_else():
    source = "def f(first):\n    _here = 1\n    return first + _here + _there\n_there = [2]"
    assert "def f(_c)" in lean(source, "m", NOTHING)
    assert "def f(_d)" in lean(source, "m", Spoken.by(["g(_c=1)"]))


def test_what_a_test_looks_into_keeps_its_name():
    source = "class A:\n\n    def __init__(self):\n        self._rows = self._more = 1"
    assert "self._rows = self._" in lean(source, "m", Spoken.by([source], ["a._rows"]))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("from other import _secret", "imports the private name '_secret'"),
        ("def f(other):\n    return other._secret", "m:2 uses the private name '_secret'"),
        ("_secret = 1\ngetattr(f, '_secret')", "in a string"),
        ("import other\nclass A(other.B):\n    def f(self):\n        self._x = 1", "class of another module"),
    ],
)
def test_a_private_name_that_is_not_the_modules_own_affair_is_refused(source, why):
    with pytest.raises(UsageError, match="private") as refused:
        lean(source, "m", NOTHING)
    assert why in str(refused.value)


def test_a_table_tells_who_reads_a_traceback_what_the_short_names_are():
    source = (
        "class A:\n    def __init__(self):\n        self._rows = []\n    def _more(self):\n        return self._rows\n"
    )
    table = short_names(source)
    assert set(table) == {"_rows", "_more"}
    made_lean = lean(source, "m", NOTHING)
    for name, instead in table.items():
        assert made_lean.count(instead) == source.count(name)


def test_only_boards_with_little_memory_get_lean_modules(tmp_path):
    def names(board):
        [file] = [file for file in firmware.build(board, cache=tmp_path).files if file.path.endswith("store/ids.mpy")]
        return b"_table" in file.data

    assert not names(made.PICO)
    assert names(replace(made.PICO, heap_bytes=firmware.LEAN_BELOW_HEAP_BYTES))


def test_a_module_that_does_not_compile_is_refused_in_the_compilers_words(tmp_path):
    for name in firmware.AS_SOURCE:
        (tmp_path / name).write_text("")
    (tmp_path / "hedgewire").mkdir()
    (tmp_path / "hedgewire" / "broken.py").write_text("def f(:\n")
    with pytest.raises(UsageError, match="does not compile"):
        firmware.build(made.PICO, tmp_path, tmp_path / "cache")
