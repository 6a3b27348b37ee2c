"""The audit names what differs, and nothing else."""

from hedgerow.plans.findings import Finding, Severity
from hil_tests.mpremote_runs import mpremote
from hil_tests.nodes import NAME, Node


def findings(node: Node) -> list[Finding]:
    """But for its ledger: a bench sets a node's flash back between tests, and a ledger is there to show just that."""
    return [one for one in node.audit() if one.severity > Severity.NOTE and not one.kind.startswith("ledger")]


def test_a_provisioned_node_has_no_findings(running_node: Node) -> None:
    assert findings(running_node) == []


def test_one_file_changed_behind_its_back_is_named_exactly(node: Node) -> None:
    changed = "/a/hedgenode/config.mpy"
    mpremote(node.bench.port, "exec", f"f = open('{changed}', 'ab'); f.write(b'x'); f.close()")
    mpremote(node.bench.port, "reset")
    node.wait_until_it_runs()
    [finding] = findings(node)
    assert (finding.node, finding.kind, finding.path) == (NAME, "modified", changed)


def test_a_file_that_does_not_belong_there_is_named(node: Node) -> None:
    mpremote(node.bench.port, "exec", "f = open('/a/extra.mpy', 'wb'); f.write(b'x'); f.close()")
    mpremote(node.bench.port, "reset")
    node.wait_until_it_runs()
    [finding] = findings(node)
    assert (finding.kind, finding.path) == ("extra", "/a/extra.mpy")
