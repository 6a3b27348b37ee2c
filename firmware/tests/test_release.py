"""Releases: vectors, damage, and that a node refuses what it must not run, each with a sentence."""

from council import FIRST, FLEET, digest_of, public_of, publics, statement
from harness import assert_damage, vectors

from hedgenode.rules import releases as rules
from hedgenode.store.ram import RamFiles
from hedgewire import document, release
from hedgewire.cbor import Damage

OTHER = b"\x77" * 8
FILES = [["board.mpy", 100, b"b" * 32], ["hedgenode/app.mpy", 5000, b"a" * 32]]
PICO = "Raspberry Pi Pico with RP2040"


def made(**changes):
    says = {"fleet": FLEET, "sequence": 3, "version": "0.2.0", "boards": ["RPI_PICO"], "chip": "RP2040"}
    says.update({"mpy": [6, 0, 0], "files": FILES})
    says.update(changes)
    body = release.make(says)
    found = release.read(document.understand(body))
    assert isinstance(found, release.Release), found
    return found


def test_the_vectors_are_read():
    for case in vectors("release")["releases"]:
        paper = document.decode(bytes.fromhex(case["hex"]))
        says = release.read(paper.fields)
        assert digest_of(paper.body).hex() == case["digest"], case["name"]
        for name in ("sequence", "version", "boards", "chip", "mpy"):
            assert getattr(says, name) == case["fields"][name], (case["name"], name)
        assert says.fleet.hex() == case["fields"]["fleet"]
        assert [[path, size, digest.hex()] for path, size, digest in says.files] == case["fields"]["files"]
        assert [public for public, _ in paper.signatures] == sorted(public_of(name) for name in case["signed_by"])


def test_damage_is_named():
    for case in vectors("release")["damaged"]:
        assert_damage(release.read(document.decode(bytes.fromhex(case["hex"])).fields), case)
    assert isinstance(release.read(document.understand(FIRST)), Damage)


def on_flash(data):
    """The same bytes as an open file."""
    files = RamFiles()
    files.open("/release.cbor", "wb").write(data)
    return files.open("/release.cbor", "rb")


def test_a_node_reads_in_one_go_what_a_host_decodes():
    for case in vectors("release")["releases"]:
        data = bytes.fromhex(case["hex"])
        paper = document.decode(data)
        wanted = release.read(paper.fields)
        body, signatures = release.open_envelope(on_flash(data))
        assert (body, signatures) == (paper.body, paper.signatures), case["name"]
        found = release.unroll(body)
        for name in ("fleet", "sequence", "version", "boards", "chip", "mpy"):
            assert getattr(found, name) == getattr(wanted, name), (case["name"], name)
        assert list(found.files) == wanted.files == list(found.files)
        for path, _, _ in wanted.files:
            assert found.has(path)
            assert not found.has(path[1:])
        assert not found.has("nothing.mpy")


def test_a_node_refuses_every_damage_that_a_host_refuses():
    for case in vectors("release")["damaged"]:
        opened = release.open_envelope(on_flash(bytes.fromhex(case["hex"])))
        assert isinstance(opened, Damage) or isinstance(release.unroll(opened[0]), Damage), case["name"]
    assert isinstance(release.unroll(FIRST), Damage)
    data = bytes.fromhex(vectors("release")["releases"][0]["hex"])
    for at in range(len(data)):
        short = release.open_envelope(on_flash(data[:at]))
        assert isinstance(short, Damage), at
    assert isinstance(release.open_envelope(on_flash(data + b"\0")), Damage)
    long = document.encode(b"x" * (release.MAX_BYTES + 1))
    assert release.open_envelope(on_flash(long)).reason == "it is too long"
    twice = release.make({"files": [FILES[0], FILES[0]]})
    assert release.unroll(twice).reason == "release: files"


def test_paths_lead_nowhere_else():
    for good in ("board.mpy", "hedgenode/rules/trust.mpy", "a/__init__.mpy", "a.b.mpy"):
        assert release.is_path(good), good
    for wrong in ("", ".mpy", "x/.mpy", "a.mpy/", "./a.mpy", "a/../b.mpy", "a\\b.mpy", "a\0.mpy", "x" * 61 + ".mpy", 7):
        assert not release.is_path(wrong), wrong


def test_the_head_of_an_mpy_says_for_whom_it_is():
    assert release.mpy_head(b"M\x06\x00\x1f...") == [6, 0, 0]
    assert release.mpy_head(b"M\x06\x1e\x1f") == [6, 2, 7]
    for none in (b"", b"M\x06\x00", b"print('hello')"):
        assert release.mpy_head(none) is None


def test_a_release_of_another_fleet_is_refused():
    assert rules.fleet_fault(made(), FLEET) is None
    assert rules.fleet_fault(made(fleet=OTHER), FLEET) == "it is a release of another fleet"


def test_as_many_stewards_as_the_charter_asks_for_must_have_signed():
    charter = statement(FIRST)
    assert rules.signature_fault(charter, publics("ana", "cy")) is None
    for signers in ((), ("ana",), ("ana", "dora", "lap")):
        assert "signatures of the stewards in force" in rules.signature_fault(charter, publics(*signers)), signers
    revoked = {digest_of(public_of("cy"))[:8]}
    assert "1 of 2 signatures" in rules.signature_fault(charter, publics("ana", "cy"), revoked)


def test_another_board_or_chip_is_refused():
    assert rules.board_fault(made(boards=["RPI_PICO", "RPI_PICO_W"]), "RPI_PICO_W") is None
    assert rules.board_fault(made(), "RPI_PICO_W") == "it is for the board RPI_PICO, and this is a RPI_PICO_W"
    assert rules.chip_fault(made(), PICO) is None
    s3 = made(chip="ESP32-S3")
    assert rules.chip_fault(s3, "Generic ESP32S3 module with ESP32S3") is None
    assert rules.chip_fault(s3, "Generic ESP32 module with ESP32") == "it is for the chip ESP32-S3, and this is a ESP32"
    assert rules.chip_fault(s3, PICO) is not None
    assert rules.chip_fault(s3, "") is not None


def test_what_the_micropython_here_cannot_load_is_refused():
    for mpy, own, loads in (
        ([6, 0, 0], 6, True),
        ([6, 0, 0], 6 | 3 << 8 | 10 << 10, True),  # bytecode runs under every sub-version and on every chip
        ([6, 3, 10], 6 | 3 << 8 | 10 << 10, True),
        ([6, 2, 10], 6 | 3 << 8 | 10 << 10, False),
        ([6, 3, 7], 6 | 3 << 8 | 10 << 10, False),
        ([7, 0, 0], 6, False),
        ([5, 0, 0], 6, False),
    ):
        assert (rules.mpy_fault(made(mpy=mpy), own) is None) == loads, (mpy, own)
    assert "the MicroPython here loads 6.3 for arch 10" in rules.mpy_fault(made(mpy=[7, 0, 0]), 6 | 3 << 8 | 10 << 10)


def test_numbers_only_grow():
    mine, other = b"m" * 32, b"o" * 32
    assert rules.sequence_fault(made(), mine, 0) is None
    assert rules.sequence_fault(made(), mine, 2, other) is None
    assert rules.sequence_fault(made(), mine, 3, mine) is None  # the same again: an update that goes on
    assert rules.sequence_fault(made(), mine, 3, other) == "another release 3 is here"
    assert rules.sequence_fault(made(), mine, 4, other) == "it is release 3, which is old: release 4 is here"


def test_what_is_missing_changed_or_too_much_is_named():
    found = {path: (size, digest) for path, size, digest in FILES}
    assert rules.complete_fault(made(), found) is None
    assert rules.complete_fault(made(), {"board.mpy": found["board.mpy"]}) == "hedgenode/app.mpy is missing"
    for size, digest in ((101, b"b" * 32), (100, b"c" * 32)):
        changed = dict(found)
        changed["board.mpy"] = (size, digest)
        assert rules.complete_fault(made(), changed) == "board.mpy is not the one of the release"
    found["hedgenode/x.mpy"] = (1, b"x" * 32)
    assert rules.complete_fault(made(), found) == "hedgenode/x.mpy does not belong to it"


def test_what_does_not_fit_is_refused_before_anything_is_written():
    # Files of 1 and 2 blocks, two folders of two blocks each, and one block to write with.
    assert rules.size_fault(made(), 8 * 4096, 4096) is None
    assert rules.size_fault(made(), 8 * 4096 - 1, 4096) == "it needs 32768 bytes, and 32767 are free"
