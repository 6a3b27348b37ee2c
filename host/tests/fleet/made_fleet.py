"""Values for the tests of plans: a fleet, a board, a firmware, made without files or ports."""

import hashlib
from dataclasses import replace

from hedgerow.fleet import boards, proposal
from hedgerow.fleet.charter import Charter, LaptopCertificate, Steward
from hedgerow.fleet.inventory import Inventory, NodeSpec, join
from hedgerow.fleet.keys import key_id
from hedgerow.fleet.people import Custodian
from hedgerow.fleet.roster import Enrolment, Roster
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.look import NodeFacts
from hedgerow.repl.copy import FileToCopy

S3, PICO = boards.load("ESP32_GENERIC_S3"), boards.load("RPI_PICO")
ROSA = Custodian("Rosa", b"R" * 32)
CHARTER = Charter("river", 1, (Steward("Ana", b"A" * 32),), 1)
FLEET = CHARTER.fleet_id
MINE = LaptopCertificate(FLEET, 1, "cafe", b"L" * 32, 20, 1, 20)
OAK, ELM = b"o" * 32, b"e" * 32

TEXT = """\
[fleet]
name = "river"
[[node]]
name = "oak"
board = "ESP32_GENERIC_S3"
custodian = "Rosa"
[[node]]
name = "elm"
board = "RPI_PICO"
[[node]]
name = "ash"
board = "ESP32_GENERIC_S3"
"""

FIRMWARE = FirmwareSet(
    "ESP32_GENERIC_S3",
    "0.1.0",
    6,
    (
        FileToCopy("/a/board.mpy", b"board"),
        FileToCopy("/a/hedgenode/app.mpy", b"app" * 1000),
        FileToCopy("/boot.py", b"boot"),
        FileToCopy("/main.py", b"main"),
    ),
)
PICO_FIRMWARE = replace(FIRMWARE, board="RPI_PICO")


def inventory(*enrolled: Enrolment, text: str = TEXT) -> Inventory:
    signed = frozenset((claim.digest, claim.laptop) for claim in enrolled)
    roster = Roster(frozenset([MINE]), frozenset(enrolled), signed)
    return join(proposal.parse(text), CHARTER, roster, {"Rosa": ROSA})


def enrolled(name: str = "oak", key: bytes = OAK, serial: int = 1, custodian: bytes | None = None) -> Enrolment:
    board = "RPI_PICO" if name == "elm" else "ESP32_GENERIC_S3"
    if name == "oak":
        custodian = custodian or ROSA.public
    return Enrolment(FLEET, key, serial, name, board, custodian, MINE.laptop, MINE.digest, serial)


def spec(name: str = "oak", *known: Enrolment) -> NodeSpec:
    found = inventory(*known).named(name)
    assert found is not None
    return found


def bare(machine: str = S3.machine, **changes) -> NodeFacts:
    facts = NodeFacts("PORT", "esp32", machine, None, "1.25.0", 6, 4096, 1_000_000, 2_000_000)
    return replace(facts, **changes)


def finished(known: Enrolment, firmware: FirmwareSet = FIRMWARE, **changes) -> NodeFacts:
    """A board that is the node as it was enrolled, and runs."""
    wanted = spec(known.name, known)
    facts = bare(
        machine=None,
        board_id=wanted.board.id,
        sizes={file.path: len(file.data) for file in firmware.files},
        sha256=dict(firmware.sha256),
        node_id=key_id(known.node),
        config=wanted.config(known),
        was_running=True,
    )
    return replace(facts, **changes)


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
