"""The audit names what differs, and nothing else."""

from hedgerow.plans.audit import Severity
from hil_tests.mpremote_runs import mpremote
from hil_tests.nodes import NAME, Node


def test_a_provisioned_node_has_no_findings(running_node: Node) -> None:
    assert [finding for finding in running_node.audit() if finding.severity > Severity.NOTE] == []


def test_one_file_changed_behind_its_back_is_named_exactly(node: Node) -> None:
    changed = "/a/hedgenode/config.mpy"
    mpremote(node.bench.port, "exec", f"f = open('{changed}', 'ab'); f.write(b'x'); f.close()")
    mpremote(node.bench.port, "reset")
    node.wait_until_it_runs()
    [finding] = [finding for finding in node.audit() if finding.severity > Severity.NOTE]
    assert (finding.node, finding.kind, finding.path) == (NAME, "modified", changed)


def test_a_file_that_does_not_belong_there_is_named(node: Node) -> None:
    mpremote(node.bench.port, "exec", "f = open('/a/extra.mpy', 'wb'); f.write(b'x'); f.close()")
    mpremote(node.bench.port, "reset")
    node.wait_until_it_runs()
    [finding] = [finding for finding in node.audit() if finding.severity > Severity.NOTE]
    assert (finding.kind, finding.path) == ("extra", "/a/extra.mpy")
