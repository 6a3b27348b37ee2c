"""Knows how to read a bundle from the command line and how to print what is in it; knows nothing of its format."""

import string
import sys
from pathlib import Path
from typing import Annotated

import typer

from hedgerow import bundle_view
from hedgerow.bundle_view import BlockView, BundleView, Crc, PrimaryView
from hedgerow.cli.options import JsonOption, console, new_app, print_json
from hedgerow.errors import EXIT_FINDINGS, UsageError

LARGEST_BYTES = 16 * 1024 * 1024

app = new_app("Look inside a stored bundle.")


@app.callback()
def group() -> None:
    """Look inside a stored bundle."""


@app.command(epilog="Example: [cyan]hedgerow bundle show 9f8907...ff[/cyan]. Exit codes: 0 good, 1 damaged.")
def show(
    source: Annotated[str, typer.Argument(metavar="HEX|FILE", help="Hex digits, a file (raw or hex), or - for stdin.")],
    as_json: JsonOption = False,
) -> None:
    """Show a bundle's fields, the CRC state of each block, blocks that are unknown here, and damage by its offset."""
    view = bundle_view.inspect(read_source(source))
    if as_json:
        print_json(view.as_dict())
    else:
        for line in describe(view):
            console.print(line, markup=False, soft_wrap=True)
    if not view.good:
        raise typer.Exit(EXIT_FINDINGS)


def read_source(source: str) -> bytes:
    """The bytes that a person means. UsageError if there is no such file and it is no hex either."""
    if source == "-":
        return _hex_or_raw(sys.stdin.buffer.read(LARGEST_BYTES + 1), "what came from stdin")
    path = Path(source)
    try:
        if path.is_file():
            with path.open("rb") as file:
                return _hex_or_raw(file.read(LARGEST_BYTES + 1), source)
    except OSError as error:
        if _from_hex(source) is None:  # a long line of hex is no file name either: "file name too long"
            raise UsageError(f"cannot read {_shortened(source)}: {error.strerror}") from error
    found = _from_hex(source)
    if found is None:
        raise UsageError(
            f"{_shortened(source)} is neither a file nor hex",
            next_step="Give hex digits in pairs, the name of a file, or - to read from stdin.",
        )
    return found


def _hex_or_raw(content: bytes, name: str) -> bytes:
    if len(content) > LARGEST_BYTES:
        raise UsageError(f"{name} is larger than any bundle ({LARGEST_BYTES // 1024 // 1024} MB)")
    if content.isascii() and (found := _from_hex(content.decode())) is not None:
        return found
    return content


def _from_hex(text: str) -> bytes | None:
    """Bytes of hex digits, with spaces, colons, line ends and 0x in front as people paste them; None if it is not."""
    digits = "".join(text.split()).replace(":", "").removeprefix("0x").removeprefix("0X")
    if len(digits) % 2 or not set(digits) <= set(string.hexdigits):
        return None
    return bytes.fromhex(digits)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "...")


# ---- for people


def describe(view: BundleView) -> list[str]:
    """The lines that a person reads."""
    identity = f"Bundle {view.bundle_id.hex()}" if view.bundle_id else "Bundle whose id cannot be told"
    lines = [f"{identity}, {view.size_bytes} bytes: {'good' if view.good else 'DAMAGED'}"]
    lines += [f"  ✗ {finding.reason} (byte {finding.offset})" for finding in view.findings]
    if view.primary:
        lines += _describe_primary(view.primary)
    for block in view.blocks:
        lines += _describe_block(block)
    for one in view.unreadable:
        lines.append(f"Not readable, {bundle_view.size(one.data)} from byte {one.offset} on")
        lines.append(_field("hex", _some_hex(one.data)))
    return lines


def _describe_primary(view: PrimaryView) -> list[str]:
    primary = view.bundle
    lines = [
        f"Primary block, {_crc(view.crc)}",
        _field("destination", bundle_view.printable(str(primary.destination))),
        _field("source", bundle_view.printable(str(primary.source))),
        _field("report to", bundle_view.printable(str(primary.report_to))),
        _field("created", f"{bundle_view.created(primary)}, sequence {primary.sequence}"),
        _field("lifetime", bundle_view.duration(primary.lifetime_ms)),
    ]
    if primary.fragment_total is not None:
        lines.append(_field("fragment", f"from byte {primary.fragment_offset} of {primary.fragment_total}"))
    return lines + [_field("flag", name) for name in bundle_view.flag_names(primary.flags, bundle_view.BUNDLE_FLAGS)]


def _describe_block(view: BlockView) -> list[str]:
    block = view.block
    name = bundle_view.BLOCK_NAMES.get(block.type, f"unknown type {block.type}")
    lines = [f"Block {block.number}, {name}, {_crc(view.crc)}"]
    if view.meaning is not None:
        lines.append(_field("content", view.meaning))
    else:
        lines.append(_field("data", _some_hex(block.data)))
    return lines + [_field("flag", name) for name in bundle_view.flag_names(block.flags, bundle_view.BLOCK_FLAGS)]


def _field(name: str, value: str) -> str:
    return f"  {name:<12} {value}"


def _crc(crc: Crc) -> str:
    if crc.state == "absent":
        return "no CRC"
    return f"{crc.type} {'good' if crc.state == 'good' else 'WRONG'}"


def _some_hex(data: bytes, most: int = 64) -> str:
    if not data:
        return "(empty)"
    return data[:most].hex() + (f"... ({len(data)} bytes; --json has them all)" if len(data) > most else "")
