"""Two runs of tests side by side: what a person who upgrades must not miss, and what a file may do to us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.cli import main
from hedgerow.errors import UsageError
from hedgerow.report import rig
from hedgerow.report.rig import FAILED, PASSED, SKIPPED, Measured, Run, difference, read

ENDS = {PASSED: "", FAILED: "<failure/>", SKIPPED: "<skipped/>"}


def junit(path, cases, figures=()):
    """`cases`: name -> how it ended; `figures`: (test, property, value)."""
    lines = []
    for name, end in cases.items():
        said = "".join(f'<property name="{what}" value="{value}"/>' for test, what, value in figures if test == name)
        properties = f"<properties>{said}</properties>" if said else ""
        lines.append(f'<testcase classname="hil.test_a" name="{name}">{properties}{ENDS[end]}</testcase>')
    path.write_text(f'<?xml version="1.0"?><testsuites><testsuite>{"".join(lines)}</testsuite></testsuites>')
    return path


def test_what_breaks_what_heals_and_what_is_gone(tmp_path):
    before = read(junit(tmp_path / "a.xml", {"one": PASSED, "two": FAILED, "three": PASSED, "four": PASSED}))
    after = read(junit(tmp_path / "b.xml", {"one": FAILED, "two": PASSED, "three": SKIPPED, "five": FAILED}))
    found = difference(before, after)
    assert found.newly_failing == ["hil.test_a.one"]
    assert found.newly_passing == ["hil.test_a.two"]
    assert found.gone == ["hil.test_a.four"]
    assert found.added == ["hil.test_a.five"]
    assert found.breaks_something
    assert not difference(before, before).breaks_something


def test_figures_ten_percent_worse_are_told_in_their_own_direction(tmp_path):
    def run(name, boot, heap):
        figures = [("one", "figure:boot:ms:less", boot), ("one", "figure:heap free:bytes:more", heap)]
        return read(junit(tmp_path / name, {"one": PASSED}, figures))

    old = run("a.xml", 1000, 100_000)
    assert difference(old, run("b.xml", 1099, 90_100)).worse == []
    [slower] = difference(old, run("c.xml", 1100, 200_000)).worse
    assert (slower.name, slower.percent, slower.unit) == ("boot", 10.0, "ms")
    worse = difference(old, run("d.xml", 1500, 20_000)).worse
    assert [(one.name, one.percent) for one in worse] == [("heap free", 80.0), ("boot", 50.0)]
    assert [one.name for one in difference(old, run("e.xml", 1050, 100_000), worse_percent=5).worse] == ["boot"]


def test_two_images_in_one_run_are_told_apart(tmp_path):
    names = {"one[rp2-v1.22]": PASSED, "one[rp2-v1.25]": FAILED, "two[x-rp2-v1.22]": PASSED, "two[x-rp2-v1.25]": PASSED}
    path = junit(tmp_path / "run.xml", names | {"other": PASSED})
    old, new = read(path, "rp2-v1.22"), read(path, "rp2-v1.25")
    assert set(old.ended) == set(new.ended) == {"hil.test_a.one", "hil.test_a.two[x]"}
    assert difference(old, new).newly_failing == ["hil.test_a.one"]
    with pytest.raises(UsageError, match=r"no test on rp2-v1\.2\.$"):
        read(path, "rp2-v1.2")


@pytest.mark.parametrize(
    "text",
    ["", "no xml", "<testsuites>", "<testsuites/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "\x00"],
)
def test_what_is_no_run_is_refused_with_a_sentence(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(UsageError, match=r"a\.xml"):
        read(tmp_path / "a.xml")
    with pytest.raises(UsageError, match=r"none\.xml"):
        read(tmp_path / "none.xml")


RUNS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([PASSED, FAILED, SKIPPED]), min_size=1)


@given(RUNS, RUNS, st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 1e6)), st.floats(0.1, 10))
def test_a_run_differs_from_another_as_that_one_from_it(before, after, values, factor):
    def figures(times):
        return {(test, "x"): Measured(value * times, "s", False) for test, value in values.items()}

    one, other = Run(before, figures(1)), Run(after, figures(factor))
    there, back = difference(one, other), difference(other, one)
    assert (there.gone, there.added) == (back.added, back.gone)
    assert not set(there.newly_failing) & set(there.newly_passing)
    assert not (there.worse and back.worse), "what got worse one way got better the other"
    assert len(there.gone) + there.compared == len(before)


def test_the_command_says_it_in_lines_and_by_its_exit_code(tmp_path, capsys):
    before = junit(tmp_path / "a.xml", {"one": PASSED}, [("one", "figure:boot:ms:less", 1000)])
    after = junit(tmp_path / "b.xml", {"one": FAILED}, [("one", "figure:boot:ms:less", 2000)])
    assert main.main(["rig", "diff", str(before), str(before)]) == 0
    assert "1 test compared; nothing got worse." in capsys.readouterr().out
    assert main.main(["rig", "diff", str(before), str(after)]) == 1
    said = capsys.readouterr().out
    assert "✘ fails now: hil.test_a.one" in said
    assert "▲ 100 % worse: boot, 1000 -> 2000 ms (hil.test_a.one)" in said
    assert main.main(["rig", "diff", str(before)]) == 2
    assert rig.MOST_BYTES > 1_000_000
