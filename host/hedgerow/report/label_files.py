"""Knows how a drawn label becomes SVG, PNG or a PDF of sheets; knows nothing of nodes.

The font is Bitstream Vera, which comes with reportlab: Latin letters, embedded, the same on every machine.
"""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from hedgerow.report.labels import HEIGHT_MM, WIDTH_MM, Code, Picture

DPI = 300
COLUMNS, ROWS = 2, 7
A_SHEET = COLUMNS * ROWS
_LEFT_MM, _TOP_MM, _COLUMN_MM = 4.65, 15.15, 101.6  # of the first label, and from one column to the next
_FONTS = Path(reportlab.__file__).parent / "fonts"
_FILES = {False: _FONTS / "Vera.ttf", True: _FONTS / "VeraBd.ttf"}
_NAMES = {False: "Vera", True: "Vera-Bold"}


def width(text: str, size_mm: float, bold: bool) -> float:
    """How wide a text is, in millimetres."""
    _register()
    return pdfmetrics.stringWidth(text, _NAMES[bold], size_mm)


def has_glyph(character: str) -> bool:
    """Whether the font can draw it."""
    _register()
    font = pdfmetrics.getFont(_NAMES[False])
    return ord(character) in font.face.charToGlyph  # pyright: ignore[reportAttributeAccessIssue]


def svg(picture: Picture) -> str:
    """One label as a picture that stands alone; whoever shows it uses a font of their own."""
    size = f'width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(picture.title)}</title>",
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>',
    ]
    for mark in picture.marks:
        if isinstance(mark, Code):
            side = mark.side_mm / len(mark.modules)
            path = "".join(f"M{x} {y}h1v1h-1z" for x, y in _dark(mark))
            out.append(f'<path transform="translate({mark.x_mm} {mark.y_mm}) scale({side:.6f})" d="{path}"/>')
        else:
            weight = ' font-weight="bold"' if mark.bold else ""
            length = width(mark.text, mark.size_mm, mark.bold)
            out.append(
                f'<text x="{mark.x_mm}" y="{mark.y_mm:.3f}" font-size="{mark.size_mm:.3f}"{weight} '
                f'font-family="Verdana, DejaVu Sans, sans-serif" textLength="{length:.2f}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(mark.text)}</text>'
            )
    return "\n".join([*out, "</svg>\n"])


def png(picture: Picture) -> bytes:
    """One label as pixels, at the resolution of a label printer. A module of the code is a whole number of pixels."""
    scale = DPI / 25.4
    image = Image.new("1", (round(WIDTH_MM * scale), round(HEIGHT_MM * scale)), 1)
    draw = ImageDraw.Draw(image)
    for mark in picture.marks:
        if isinstance(mark, Code):
            side = int(mark.side_mm * scale / len(mark.modules))
            spare = (mark.side_mm * scale - side * len(mark.modules)) / 2
            left, top = round(mark.x_mm * scale + spare), round(mark.y_mm * scale + spare)
            for x, y in _dark(mark):
                corner = (left + x * side, top + y * side)
                draw.rectangle((*corner, corner[0] + side - 1, corner[1] + side - 1), fill=0)
        else:
            font = ImageFont.truetype(_FILES[mark.bold], mark.size_mm * scale)
            draw.text((mark.x_mm * scale, mark.y_mm * scale), mark.text, font=font, fill=0, anchor="ls")
    file = io.BytesIO()
    image.save(file, "PNG", dpi=(DPI, DPI))
    return file.getvalue()


def pdf(pictures: Sequence[Picture], *, skip: int = 0, title: str = "Labels") -> bytes:
    """Sheets of A4 with fourteen labels each; `skip` leaves the first places of the first sheet empty."""
    _register()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True)
    canvas.setTitle(title)
    for place, picture in enumerate(pictures, skip):
        if place > skip and place % A_SHEET == 0:
            canvas.showPage()
        row, column = divmod(place % A_SHEET, COLUMNS)
        _draw(canvas, picture, _LEFT_MM + column * _COLUMN_MM, _TOP_MM + row * HEIGHT_MM)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw(canvas: Canvas, picture: Picture, left_mm: float, top_mm: float) -> None:
    height = A4[1]
    for mark in picture.marks:
        x, y = (left_mm + mark.x_mm) * mm, height - (top_mm + mark.y_mm) * mm
        if isinstance(mark, Code):
            side = mark.side_mm * mm / len(mark.modules)
            path = canvas.beginPath()
            for across, down in _dark(mark):
                path.rect(x + across * side, y - (down + 1) * side, side, side)
            canvas.drawPath(path, stroke=0, fill=1)
        else:
            canvas.setFont(_NAMES[mark.bold], mark.size_mm * mm)
            canvas.drawString(x, y, mark.text)


def _dark(code: Code) -> list[tuple[int, int]]:
    return [(x, y) for y, row in enumerate(code.modules) for x, module in enumerate(row) if module]


def _register() -> None:
    if _NAMES[False] not in pdfmetrics.getRegisteredFontNames():
        for bold, name in _NAMES.items():
            pdfmetrics.registerFont(TTFont(name, _FILES[bold]))
