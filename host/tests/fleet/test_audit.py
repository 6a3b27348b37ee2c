"""An audit names node, class and path of every difference, says what to do, and until when it can wait."""

from dataclasses import replace

import made_fleet as made
import pytest

from hedgerow.plans.audit import NODE_EPOCH_S, audit
from hedgerow.plans.audit_slots import KnownRelease
from hedgerow.plans.findings import DAY_S, Finding, NodeReport, Rules, Severity, is_bad

NOW_S = 1_800_000_000
RULES = Rules(NOW_S)
FIRMWARE = {"ESP32_GENERIC_S3": made.FIRMWARE, "RPI_PICO": made.PICO_FIRMWARE}
STATUS = {
    "battery_mv": 3900,
    "free_bytes": 900_000,
    "total_bytes": 2_000_000,
    "damaged": 0,
    "time_s": NOW_S - NODE_EPOCH_S,
}
OAK, ELM = made.enrolled(), made.enrolled("elm", made.ELM, 2)
WANTED = made.inventory(OAK, ELM)


def report(known=OAK, status=None, **changes) -> NodeReport:
    spec = made.spec(known.name, OAK, ELM)
    whole = NodeReport(
        NOW_S,
        "PORT",
        known.node_id,
        known.name,
        spec.board.id,
        "0.1.0",
        "1.25.0",
        dict(made.FIRMWARE.sha256),
        spec.config(known),
        {**STATUS, **(status or {})},
    )
    return replace(whole, **changes)


def found_in(*reports: NodeReport, wanted=WANTED, rules=RULES) -> list[Finding]:
    """Findings beside the note that ash of fleet.toml is not enrolled yet."""
    found = audit(wanted, list(reports), FIRMWARE, rules)
    return [finding for finding in found if finding.kind != "not enrolled"]


def the_finding(*reports: NodeReport, **more) -> Finding:
    (finding,) = found_in(*reports, **more)
    return finding


def test_a_fleet_as_it_should_be_has_no_findings():
    assert found_in(report(OAK), report(ELM)) == []


@pytest.mark.parametrize(
    ("sha256", "kind", "path"),
    [
        ({**made.FIRMWARE.sha256, "/a/hedgenode/app.mpy": b"x" * 32}, "modified", "/a/hedgenode/app.mpy"),
        ({**made.FIRMWARE.sha256, "/a/hedgenode/spy.mpy": b"x" * 32}, "extra", "/a/hedgenode/spy.mpy"),
        ({p: d for p, d in made.FIRMWARE.sha256.items() if p != "/boot.py"}, "missing", "/boot.py"),
    ],
)
def test_one_file_changed_behind_its_back_is_named_with_its_node(sha256, kind, path):
    finding = the_finding(report(OAK), report(ELM, sha256=sha256))
    assert (finding.node, finding.kind, finding.path) == ("elm", kind, path)


def test_a_persons_own_files_beside_the_firmware_are_no_drift():
    assert found_in(report(OAK, sha256={**made.FIRMWARE.sha256, "/notes.txt": b"x" * 32}), report(ELM)) == []


def test_an_older_version_is_one_finding_and_not_forty():
    finding = the_finding(report(OAK, app="0.0.9", sha256={"/a/hedgenode/app.mpy": b"x" * 32}), report(ELM))
    assert (finding.kind, finding.severity) == ("wrong firmware", Severity.WARNING)
    assert finding.until_s == NOW_S + 90 * DAY_S


def test_configuration_drift_names_the_setting_and_both_values():
    drifted = report(OAK)
    drifted = replace(drifted, config={**drifted.config, "sample_ms": 5, "log_level": 2})
    finding = the_finding(drifted, report(ELM))
    assert (finding.kind, finding.path) == ("configuration drift", "/config.cbor:sample_ms")
    assert "sample_ms is 5, fleet.toml says 900000" in finding.what


@pytest.mark.parametrize(
    ("status", "kind", "days"),
    [
        ({"battery_mv": 3350}, "low battery", 7),
        ({"battery_mv": 3100}, "low battery", 1),
        ({"free_bytes": 50_000}, "low space", 30),
        ({"damaged": 3}, "store damage", 7),
        ({"time_s": NOW_S - NODE_EPOCH_S - 3600}, "clock", None),
    ],
)
def test_the_state_of_a_node_is_judged_and_says_until_when_it_can_wait(status, kind, days):
    finding = the_finding(report(OAK, status), report(ELM))
    assert finding.kind == kind
    assert finding.until_s == (None if days is None else NOW_S + days * DAY_S)


@pytest.mark.parametrize(
    "status",
    [{"battery_mv": None}, {"battery_mv": 12}, {"time_s": 7}, {"time_s": None}, {"time_s": NOW_S - NODE_EPOCH_S - 100}],
)
def test_no_battery_and_a_clock_that_was_never_set_are_no_faults(status):
    assert found_in(report(OAK, status), report(ELM)) == []


def test_a_wrong_clock_is_a_note_for_nothing_but_the_times_of_samples_depends_on_it():
    finding = the_finding(report(OAK, {"time_s": NOW_S - NODE_EPOCH_S + 3 * DAY_S}), report(ELM))
    assert finding.what == "its clock is 3 days ahead"
    assert not is_bad([finding])


def test_a_node_not_seen_for_long_is_stale_and_one_never_seen_too():
    old = report(OAK, {"time_s": NOW_S - NODE_EPOCH_S - 40 * DAY_S}, time_s=NOW_S - 40 * DAY_S)
    assert [(finding.node, finding.kind) for finding in found_in(old)] == [("elm", "stale"), ("oak", "stale")]


def test_an_unknown_key_is_told_from_one_that_stands_in_a_nodes_place():
    unknown = report(OAK, node_id=b"unknown.", name="birch")
    impostor = report(OAK, node_id=b"impostor")
    assert the_finding(report(OAK), report(ELM), unknown).kind == "unknown key"
    finding = the_finding(impostor, report(ELM))
    assert (finding.node, finding.kind, finding.severity) == ("oak", "wrong identity", Severity.ERROR)


def test_conflicts_of_a_merge_are_findings():
    twin = made.enrolled("elm", b"t" * 32, 3)
    found = found_in(report(OAK), report(ELM), wanted=made.inventory(OAK, ELM, twin))
    assert "conflict" in {finding.kind for finding in found}


def test_a_node_that_is_not_enrolled_yet_is_a_note_that_changes_no_exit_code():
    found = audit(WANTED, [report(OAK), report(ELM)], FIRMWARE, RULES)
    assert [(finding.node, finding.kind) for finding in found] == [("ash", "not enrolled")]
    assert not is_bad(found)
    assert is_bad(audit(WANTED, [report(OAK)], FIRMWARE, RULES))


def test_every_finding_says_what_to_do_and_has_a_plain_form():
    found = found_in(report(OAK, {"battery_mv": 3000, "damaged": 1}, sha256={}), report(ELM, node_id=b"impostor"))
    assert found
    for finding in found:
        assert finding.next_step
        assert finding.waits
        assert set(finding.as_dict()) >= {"node", "class", "path", "severity", "what", "next_step", "waits", "until_s"}


def test_the_audit_does_not_depend_on_the_order_of_reports():
    reports = [report(OAK, {"damaged": 1}), report(ELM, sha256={})]
    assert found_in(*reports) == found_in(*reversed(reports))


# ---- releases: what runs, in whichever slot


def release(sequence, version="0.1.0", is_signed=True, **files) -> KnownRelease:
    below = {path.removeprefix("/a/"): sha for path, sha in made.FIRMWARE.sha256.items() if path.startswith("/a/")}
    sha256 = {**below, **{path.replace("_", "."): digest for path, digest in files.items()}}
    return KnownRelease(sequence, version, bytes([sequence]) * 32, ("ESP32_GENERIC_S3",), sha256, is_signed)


def updated(one: KnownRelease, other: KnownRelease | None = None, known=OAK, slots=None, files=None) -> NodeReport:
    """A node that runs one release from /b, with what was before it in /a."""
    there = {path: sha for path, sha in made.FIRMWARE.sha256.items() if not path.startswith("/a/")}
    there |= one.in_slots["/b"] | (made.FIRMWARE.sha256 if other is None else other.in_slots["/a"])
    says = {
        "running": "/b", "stands": "/b", "tries": None, "sequence": one.sequence, "digest": one.digest[:8],
        "other_sequence": other.sequence if other else 0, "other_digest": other.digest[:8] if other else bytes(8),
    }  # fmt: skip
    return report(known, app=one.version, sha256={**there, **(files or {})}, slots={**says, **(slots or {})})


def found_of(*reports: NodeReport, known) -> list[tuple[str, str | None, Severity]]:
    found = audit(WANTED, [*reports, report(ELM)], FIRMWARE, RULES, releases=known)
    return [(one.kind, one.path, one.severity) for one in found if one.node == "oak"]


TWO, THREE = release(2, "9.0.0", app_mpy=b"2" * 32), release(3, "9.1.0", app_mpy=b"3" * 32)


def test_a_node_that_was_rightly_updated_has_no_drift_whatever_this_tool_carries():
    assert found_of(updated(TWO), known=[TWO]) == []
    assert found_of(updated(THREE, TWO), known=[TWO, THREE]) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/b/app.mpy": b"x" * 32}, ("modified", "/b/app.mpy", Severity.ERROR)),
        ({"/b/spy.mpy": b"x" * 32}, ("extra", "/b/spy.mpy", Severity.WARNING)),
        ({"/a/spy.mpy": b"x" * 32}, ("fallback", "/a", Severity.NOTE)),
    ],
)
def test_what_differs_in_the_running_slot_is_drift_and_in_the_other_a_note(files, expected):
    assert found_of(updated(THREE, TWO, files=files), known=[TWO, THREE]) == [expected]


def test_a_missing_file_of_the_running_slot_is_named():
    whole = updated(TWO)
    left = {path: sha for path, sha in whole.sha256.items() if path != "/b/app.mpy"}
    assert found_of(replace(whole, sha256=left), known=[TWO]) == [("missing", "/b/app.mpy", Severity.ERROR)]


def test_during_a_trial_the_fallback_must_be_whole():
    trial = {"stands": "/a", "tries": 2}
    assert found_of(updated(THREE, TWO, slots=trial), known=[TWO, THREE]) == [("on trial", None, Severity.NOTE)]
    broken = updated(THREE, TWO, slots=trial, files={"/a/app.mpy": b"x" * 32})
    assert found_of(broken, known=[TWO, THREE])[0] == ("fallback", "/a", Severity.WARNING)


def test_a_node_is_stale_where_the_stewards_signed_a_newer_release_and_not_before():
    assert found_of(updated(TWO), known=[TWO, THREE]) == [("stale", None, Severity.WARNING)]
    assert found_of(updated(TWO), known=[TWO, replace(THREE, is_signed=False)]) == []
    assert found_of(updated(TWO), known=[TWO, replace(THREE, boards=("RPI_PICO",))]) == []


def test_a_node_from_a_cable_hears_of_a_release_as_a_note_unless_it_has_the_same_files():
    by_cable = {"running": "/a", "stands": "/a", "tries": None, "sequence": 0, "digest": bytes(8)}
    assert found_of(report(OAK, slots=by_cable), known=[TWO]) == [("stale", None, Severity.NOTE)]
    assert found_of(report(OAK, slots=by_cable), known=[release(1)]) == []


def test_a_release_that_this_laptop_lacks_cannot_be_judged_and_a_twin_of_its_number_is_an_error():
    assert found_of(updated(THREE), known=[TWO]) == [("unknown release", None, Severity.WARNING)]
    twin = replace(THREE, digest=b"t" * 32)
    assert found_of(updated(THREE), known=[twin]) == [("wrong firmware", None, Severity.ERROR)]


def test_a_node_too_short_of_memory_to_say_which_slot_runs_is_not_called_drifted():
    whole = updated(TWO)
    found = found_of(replace(whole, slots=None, sha256={**whole.sha256, "/slots.0": b"r" * 32}), known=[TWO])
    assert found == [("slot not told", None, Severity.NOTE)]
