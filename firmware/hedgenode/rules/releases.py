"""Which release a node may take: each function answers None, or a sentence that says why not.

Runs on host and node alike, so that both refuse by one rule. A release has the attributes of hedgewire/release.py.
Checks no signature itself and opens no file.
"""

from hedgenode.rules.trust import lacking


def fleet_fault(release, fleet: bytes) -> "str | None":
    """Why a release says nothing to a node of this fleet."""
    return None if release.fleet == fleet else "it is a release of another fleet"


def signature_fault(charter, signers, revoked=()) -> "str | None":
    """Why this council has not decided on it: only the stewards in force say what runs on a node."""
    short = lacking(charter, signers, revoked)
    return "it lacks %d of %d signatures of the stewards in force" % (short, charter.threshold) if short else None


def board_fault(release, board: str) -> "str | None":
    """Why it is not for this board."""
    if board in release.boards:
        return None
    return "it is for the board %s, and this is a %s" % (" or ".join(release.boards), board)


def chip_fault(release, machine: str) -> "str | None":
    """Why it is not for the chip that `os.uname().machine` ends with, as in "Raspberry Pi Pico with RP2040"."""
    chip = machine.rpartition(" with ")[2]
    if _plain(chip) == _plain(release.chip):
        return None
    return "it is for the chip %s, and this is a %s" % (release.chip, chip)


def mpy_fault(release, mpy: int) -> "str | None":
    """Why a MicroPython whose `sys.implementation._mpy` is `mpy` cannot load its files.

    The sub-version counts for native code alone, and files without native code (arch 0) run on every chip.
    """
    version, sub, arch = release.mpy
    own_version, own_sub, own_arch = mpy & 0xFF, mpy >> 8 & 3, mpy >> 10
    if version == own_version and (arch == 0 or (sub, arch) == (own_sub, own_arch)):
        return None
    theirs, own = (version, sub, arch), (own_version, own_sub, own_arch)
    return "its files are .mpy %d.%d for arch %d, and the MicroPython here loads %d.%d for arch %d" % (theirs + own)


def sequence_fault(release, digest: bytes, running: int, running_digest=None) -> "str | None":
    """Why it may not follow the release that runs here: number 0 where the node was provisioned and never updated."""
    if release.sequence < running:
        return "it is release %d, which is old: release %d is here" % (release.sequence, running)
    if release.sequence == running and running_digest not in (None, digest):
        return "another release %d is here" % running
    return None


def complete_fault(release, found) -> "str | None":
    """Why the files that are there are not those of the release. `found`: path -> (size in bytes, SHA-256)."""
    for file in release.files:
        fault = file_fault(file, found.get(file[0]))
        if fault is not None:
            return fault
    known = {file[0] for file in release.files}
    return extra_fault(min((path for path in found if path not in known), default=None))


def file_fault(file, found) -> "str | None":
    """The same of one of its files. `found`: (size in bytes, SHA-256), None where it is missing."""
    if found is None:
        return "%s is missing" % file[0]
    return None if found == (file[1], file[2]) else "%s is not the one of the release" % file[0]


def extra_fault(path: "str | None") -> "str | None":
    """The same of a file that lies there and is none of it."""
    return None if path is None else "%s does not belong to it" % path


def size_fault(release, free_bytes: int, block_bytes: int) -> "str | None":
    """Why it does not fit: `free_bytes` is what is free once the slot that is to be written is empty."""
    blocks = sum([-(-file[1] // block_bytes) for file in release.files])
    # A folder takes two blocks of littlefs, and a write needs one that is not counted yet.
    blocks += 2 * len({file[0].rpartition("/")[0] for file in release.files}) + 1
    if blocks * block_bytes <= free_bytes:
        return None
    return "it needs %d bytes, and %d are free" % (blocks * block_bytes, free_bytes)


def _plain(chip):
    return chip.replace("-", "").lower().strip()
