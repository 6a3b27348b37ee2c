"""Knows how an audit looks as a JUnit file: one test a node, failed by what should not wait unseen. Judges nothing.

Rigs and build servers show it as they show tests, and `hedgerow rig diff` tells what changed since the last one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from hedgerow.errors import FleetError, StorageError
from hedgerow.plans.findings import Finding, NodeReport, Severity

CLASS = "hedgerow.audit"
_UNFIT = {code: None for code in range(0x20) if code not in (0x9, 0xA, 0xD)} | {0xFFFE: None, 0xFFFF: None}


def of_audit(
    findings: Sequence[Finding], reports: Sequence[NodeReport], errors: Mapping[str, FleetError]
) -> ET.ElementTree:
    """One case for each node that reported or has a finding, and one for each port where none answered."""
    suite = ET.Element("testsuite", name="hedgerow audit")
    by_node: dict[str, list[Finding]] = {seen.name: [] for seen in reports}
    for finding in findings:
        by_node.setdefault(finding.node, []).append(finding)
    failures = 0
    for node, found in sorted(by_node.items()):
        case = ET.SubElement(suite, "testcase", classname=CLASS, name=_fit(node))
        bad = [one for one in found if one.severity > Severity.NOTE]
        if bad:
            failures += 1
            kinds = ", ".join(dict.fromkeys(one.kind for one in bad))
            ET.SubElement(case, "failure", message=_fit(kinds)).text = _fit("\n".join(map(_line, bad)))
        notes = [one for one in found if one.severity == Severity.NOTE]
        if notes:
            ET.SubElement(case, "system-out").text = _fit("\n".join(map(_line, notes)))
    for port, error in sorted(errors.items()):
        case = ET.SubElement(suite, "testcase", classname=CLASS, name=_fit(port))
        ET.SubElement(case, "error", message=type(error).__name__).text = _fit(str(error))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(len(errors)))
    whole = ET.Element("testsuites")
    whole.append(suite)
    ET.indent(whole)
    return ET.ElementTree(whole)


def write(tree: ET.ElementTree, path: Path) -> None:
    """Write it whole or not at all. Raises StorageError where the folder refuses."""
    begun = path.with_name(path.name + ".part")
    try:
        tree.write(begun, encoding="utf-8", xml_declaration=True)
        begun.replace(path)
    except OSError as refused:
        raise StorageError(f"cannot write {path}: {refused.strerror}") from refused


def _line(one: Finding) -> str:
    where = f" {one.path}" if one.path else ""
    return f"{one.severity.name.lower()} {one.kind}{where}: {one.what} -> {one.next_step}; {one.waits}."


def _fit(text: str) -> str:
    """Without what XML cannot hold: nodes may say anything."""
    return text.translate(_UNFIT).encode("utf-8", "replace").decode()
