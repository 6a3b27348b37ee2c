"""An audit for build servers: a test a node, failed by what must not go unseen, whatever a node says of itself."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import LinkError
from hedgerow.plans.findings import Finding, NodeReport, Severity
from hedgerow.report import junit, rig

REPORT = NodeReport(0, "PORT", b"12345678", "oak", "RPI_PICO", "0.1.0", "1.25.0", {}, {}, {})
MODIFIED = Finding(
    "oak", "modified", Severity.ERROR, "its bytes differ", "provision it again", "it should not wait", "/a/app.mpy"
)
NOTE = Finding("elm", "stale", Severity.NOTE, "its report is old", "ask it", "it can wait for the next visit")


def written(tmp_path, *given) -> rig.Run:
    junit.write(junit.of_audit(*given), tmp_path / "audit.xml")
    return rig.read(tmp_path / "audit.xml")


def test_each_node_is_a_test_and_says_what_is_wrong_what_to_do_and_until_when(tmp_path):
    reports = [REPORT, replace(REPORT, name="elm")]
    run = written(tmp_path, [MODIFIED, NOTE], reports, {"/dev/ttyX": LinkError("no answer")})
    assert run.ended == {
        "hedgerow.audit.oak": rig.FAILED,
        "hedgerow.audit.elm": rig.PASSED,
        "hedgerow.audit./dev/ttyX": rig.FAILED,
    }
    text = (tmp_path / "audit.xml").read_text()
    for said in ("modified /a/app.mpy: its bytes differ", "provision it again", "it should not wait", "no answer"):
        assert said in text
    assert 'tests="3" failures="1" errors="1"' in text


def test_two_audits_are_compared_like_two_runs_of_tests(tmp_path):
    before = written(tmp_path, [], [REPORT], {})
    after = written(tmp_path, [MODIFIED], [REPORT], {})
    assert rig.difference(before, after).newly_failing == ["hedgerow.audit.oak"]


@given(st.text(), st.text())
def test_whatever_a_node_says_the_file_stays_one_that_can_be_read(tmp_path_factory, name, what):
    tmp_path = tmp_path_factory.mktemp("audit")
    run = written(tmp_path, [replace(MODIFIED, node=name, what=what)], [replace(REPORT, name=name)], {})
    assert list(run.ended.values()) == [rig.FAILED]
