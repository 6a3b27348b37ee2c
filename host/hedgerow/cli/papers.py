"""Knows how a command reads documents from a file and hands them out: as a file, as lines of text, as codes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import console
from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet import packs
from hedgerow.fleet.documents import Document
from hedgewire.cbor import Damage

PaperArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="A file of documents, or a text with their lines; - reads standard input."),
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the documents to this file.")]
QrOption = Annotated[bool, typer.Option("--qr", help="Show them as QR codes on the terminal.")]
PngOption = Annotated[
    Path | None, typer.Option("--png", metavar="DIR", help="Write them as QR codes, one picture each, into a folder.")
]
TextOption = Annotated[bool, typer.Option("--text", help="Print them as lines of text, to send or to type.")]


def read_papers(path: Path) -> list[Document]:
    """The documents in a file. Raises UsageError for one that holds none."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    found = packs.unpack(data)
    if isinstance(found, Damage):
        raise UsageError(
            f"{path} holds no documents: {found.reason}", next_step="Ask for the file, or for all of its lines, again"
        )
    return found


def hand_out(found: list[Document], out: Path | None, *, qr: bool, png: Path | None, text: bool) -> None:
    """Give documents to whoever comes next, in every form that was asked for."""
    try:
        if out is not None:
            out.write_bytes(packs.pack(found))
        if png is not None:
            png.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{out or png} cannot be written: {error.strerror}") from error
    if not (qr or png or text):
        return
    lines = packs.to_text(found)
    for number, line in enumerate(lines, 1):
        if text:
            typer.echo(line)
        if qr or png:
            _draw(line, number, len(lines), png, on_terminal=qr)


def _draw(line: str, number: int, count: int, png: Path | None, *, on_terminal: bool) -> None:
    import segno  # only where codes are wanted

    code = segno.make(line, error="m")
    if on_terminal:
        console.print(f"Code {number} of {count}:")
        code.terminal(out=sys.stdout, compact=True)
    if png is not None:
        code.save(str(png / f"code-{number:02}-of-{count:02}.png"), scale=6)
