"""A plan says what is left to do, from what was seen; boards that must not become a node are refused in clear words."""

from dataclasses import replace

import made_fleet as made
import pytest

from hedgerow.errors import RefusedError, StorageError
from hedgerow.plans.provision import (
    Consent,
    CreateIdentity,
    Enrol,
    GiveDocuments,
    InstallFiles,
    RemoveFiles,
    Restart,
    Verify,
    WriteConfig,
    plan,
)

OTHER_FLEET = {"fleet": b"another.", "name": "birch", "custodian": None}


def kinds(steps: list) -> list[type]:
    return [type(step) for step in steps]


def test_a_bare_board_needs_everything_in_an_order_that_an_interruption_cannot_harm():
    steps = plan(made.spec(), made.bare(), made.FIRMWARE)
    assert kinds(steps) == [InstallFiles, CreateIdentity, Enrol, GiveDocuments, WriteConfig, Restart, Verify]


def test_a_node_that_is_right_and_runs_needs_nothing():
    oak = made.enrolled()
    assert plan(made.spec("oak", oak), made.finished(oak), made.FIRMWARE) == []


def test_a_node_that_is_right_but_was_stopped_is_started_again():
    oak = made.enrolled()
    seen = made.finished(oak, was_running=False, machine=made.S3.machine)
    assert kinds(plan(made.spec("oak", oak), seen, made.FIRMWARE)) == [Restart, Verify]


def test_only_files_that_differ_are_installed():
    oak = made.enrolled()
    seen = made.finished(oak)
    changed = replace(seen, sha256={**seen.sha256, "/main.py": made.digest(b"other")})
    steps = plan(made.spec("oak", oak), changed, made.FIRMWARE)
    assert kinds(steps) == [InstallFiles, Restart, Verify]
    assert [file.path for file in steps[0].files] == ["/main.py"]


def test_main_is_written_last_so_that_half_a_node_does_not_start(tmp_path):
    from hedgerow.plans import firmware

    files = [file.path for file in firmware.build(made.S3, cache=tmp_path).files]
    assert files[-2:] == ["/boot.py", "/main.py"]


def test_a_board_gets_what_it_can_use_and_nothing_else(tmp_path):
    from hedgerow.plans import firmware

    pico, esp = ({file.path for file in firmware.build(board, cache=tmp_path).files} for board in (made.PICO, made.S3))
    assert esp - pico >= {"/a/hedgenode/hal/espnow_radio.mpy", "/a/hedgenode/rules/exchange.mpy"}
    assert "/a/hedgenode/crypto/thumb25519.mpy" in pico - esp
    assert not {path for path in pico | esp if "reconcile" in path}
    whole = {file.path for file in firmware.build(made.PICO, cache=tmp_path, whole=True).files}
    assert whole >= pico | esp | {"/a/hedgewire/reconcile.mpy"}


def test_modules_that_the_firmware_lacks_are_removed_and_a_persons_own_files_stay():
    oak = made.enrolled()
    seen = made.finished(oak)
    more = {"/a/hedgenode/old.mpy": b"x", "/boot.py": seen.sha256["/boot.py"]}
    steps = plan(made.spec("oak", oak), replace(seen, sha256={**seen.sha256, **more}), made.FIRMWARE)
    assert steps[0] == RemoveFiles(("/a/hedgenode/old.mpy",))


def test_a_node_that_was_updated_goes_back_to_the_slot_that_provisioning_writes():
    oak = made.enrolled()
    seen = made.finished(oak)
    updated = {**seen.sha256, "/slots.0": b"x", "/slots.1": b"y", "/b/hedgenode/app.mpy": b"z"}
    steps = plan(made.spec("oak", oak), replace(seen, sha256=updated), made.FIRMWARE)
    assert steps[0] == RemoveFiles(("/slots.0", "/slots.1"))
    assert Restart in kinds(steps)


def test_after_an_interruption_before_enrolling_the_identity_is_kept():
    seen = made.bare(node_id=b"someid..", public=made.OAK, sha256=dict(made.FIRMWARE.sha256))
    assert kinds(plan(made.spec(), seen, made.FIRMWARE)) == [Enrol, GiveDocuments, WriteConfig, Restart, Verify]


def test_after_an_interruption_after_enrolling_only_the_configuration_is_written():
    oak = made.enrolled()
    seen = made.finished(oak, config=None, was_running=False, machine=made.S3.machine)
    assert kinds(plan(made.spec("oak", oak), seen, made.FIRMWARE)) == [WriteConfig, Restart, Verify]


def test_a_changed_setting_is_named():
    oak = made.enrolled()
    seen = made.finished(oak)
    drifted = replace(seen, config={**seen.config, "sample_ms": 1, "own_of_the_node": 5})
    assert plan(made.spec("oak", oak), drifted, made.FIRMWARE)[0] == WriteConfig(("sample_ms",))


def test_a_household_that_changes_is_enrolled_again():
    oak = made.enrolled(custodian=b"Z" * 32)
    steps = kinds(plan(made.spec("oak", oak), made.finished(made.enrolled()), made.FIRMWARE))
    assert steps[:3] == [Enrol, GiveDocuments, WriteConfig]


def test_a_node_that_lacks_a_document_is_given_it_and_nothing_else():
    wanted = replace(made.spec("oak", made.enrolled()), documents=(made.CHARTER.to_document(),))
    seen = made.finished(made.enrolled())
    assert kinds(plan(wanted, seen, made.FIRMWARE)) == [GiveDocuments, Restart, Verify]
    holding = replace(seen, documents=frozenset([made.CHARTER.digest[:8]]))
    assert plan(wanted, holding, made.FIRMWARE) == []


def test_the_wrong_board_is_refused_and_both_are_named():
    with pytest.raises(RefusedError) as caught:
        plan(made.spec(), made.bare(made.PICO.machine), made.FIRMWARE)
    said = str(caught.value)
    assert "ESP32_GENERIC_S3" in said
    assert made.PICO.machine in said
    assert "Nothing was changed" in said


def test_a_micropython_that_cannot_load_the_firmware_is_refused_with_the_button_to_hold():
    with pytest.raises(RefusedError) as caught:
        plan(made.spec(), made.bare(version="1.18.0", mpy=5), made.FIRMWARE)
    assert "1.18.0" in str(caught.value)
    assert made.S3.bootloader_help in str(caught.value)


def test_a_node_of_another_fleet_is_refused_until_somebody_says_so():
    seen = made.bare(config=OTHER_FLEET, node_id=b"someid..")
    with pytest.raises(RefusedError, match="--take-over"):
        plan(made.spec(), seen, made.FIRMWARE)
    assert Enrol("oak") in plan(made.spec(), seen, made.FIRMWARE, Consent(take_over=True))


def test_no_node_moves_against_its_custodian():
    seen = made.bare(config={**OTHER_FLEET, "custodian": b"rosasid."}, node_id=b"someid..")
    with pytest.raises(RefusedError, match="custodian"):
        plan(made.spec(), seen, made.FIRMWARE, Consent(take_over=True))
    consent = Consent(take_over=True, custodians=frozenset([b"rosasid."]))
    assert Enrol("oak") in plan(made.spec(), seen, made.FIRMWARE, consent)


def test_a_name_of_another_node_is_refused_unless_that_board_is_lost():
    oak = made.enrolled()
    with pytest.raises(RefusedError, match="--replace"):
        plan(made.spec("oak", oak), made.bare(node_id=b"someid.."), made.FIRMWARE)
    assert Enrol("oak") in plan(
        made.spec("oak", oak), made.bare(node_id=b"someid.."), made.FIRMWARE, Consent(replace=True)
    )


def test_an_erased_board_does_not_take_its_old_name_silently():
    oak = made.enrolled()
    with pytest.raises(RefusedError, match="erased"):
        plan(made.spec("oak", oak), made.bare(), made.FIRMWARE)


def test_a_node_of_our_own_is_not_renamed_by_a_wrong_port():
    oak = made.enrolled()
    with pytest.raises(RefusedError, match="this board is oak of your own fleet"):
        plan(made.spec("ash"), made.finished(oak), made.FIRMWARE)
    assert Enrol("ash") in plan(made.spec("ash"), made.finished(oak), made.FIRMWARE, Consent(take_over=True))


def test_a_full_flash_is_refused_before_the_first_byte():
    with pytest.raises(StorageError, match="no room"):
        plan(made.spec(), made.bare(free_bytes=8192), made.FIRMWARE)
