"""Labels as they come out of the printer: a machine scans every code, and a person finds every word."""

from io import BytesIO
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
import zxingcpp
from made_fleet import FLEET, ROSA
from PIL import Image

from hedgerow.cli.main import main
from hedgerow.fleet import founding, label
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.label import Card, Label
from hedgerow.report import label_files, labels
from hedgerow.report.labels import Code, Words

OAK = Label(b"o" * 32, 7, "oak", FLEET, ROSA.public)
CARD = Card("Rosa", bytes(range(32)))


def drawn(one: Label = OAK, custodian: str | None = "Rosa"):
    return labels.of_label(
        one,
        fleet="river",
        board="ESP32_GENERIC_S3",
        custodian=custodian,
        width=label_files.width,
        has=label_files.has_glyph,
    )


def card():
    return labels.of_card(CARD, node_names=["oak"], width=label_files.width, has=label_files.has_glyph)


def scanned(data: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(data)))
    return found.text


@pytest.mark.parametrize(("picture", "one"), [(drawn(), OAK), (card(), CARD)], ids=["label", "card"])
def test_a_machine_reads_a_printed_png(picture, one):
    assert label.read(scanned(label_files.png(picture))) == one


@pytest.mark.parametrize("harm", ["scratch", "small", "turned"])
def test_a_label_that_has_lived_outside_is_still_read(harm):
    image = Image.open(BytesIO(label_files.png(drawn()))).convert("L")
    if harm == "scratch":
        for across in range(12):
            image.paste(255, (180 + across, 60, 181 + across, 400))
    elif harm == "small":
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)
    else:
        image = image.rotate(17, expand=True, fillcolor=255)
    (found,) = zxingcpp.read_barcodes(image)
    assert label.read(found.text) == OAK


@pytest.mark.parametrize("picture", [drawn(), drawn(custodian=None), card()], ids=["label", "nobody's", "card"])
def test_everything_stays_on_the_label_and_nothing_covers_anything(picture):
    end_of_last = 0.0
    for mark in picture.marks:
        if isinstance(mark, Code):
            assert mark.x_mm + mark.side_mm <= labels.WIDTH_MM
            assert mark.side_mm / len(mark.modules) >= 0.45  # a phone camera reads that at arm's length
            left = mark.x_mm + mark.side_mm
        else:
            assert mark.x_mm >= left
            assert mark.x_mm + label_files.width(mark.text, mark.size_mm, mark.bold) <= labels.WIDTH_MM
            assert mark.y_mm - mark.size_mm * 0.8 >= end_of_last - 0.01
            end_of_last = mark.y_mm
            assert mark.y_mm + mark.size_mm * 0.25 <= labels.HEIGHT_MM


def test_a_person_reads_name_number_id_words_board_and_household():
    text = "\n".join(mark.text for mark in drawn().marks if isinstance(mark, Words))
    for wanted in ("oak", "node 7 of river", OAK.node_id.hex()[:4], "ESP32_GENERIC_S3, belongs to Rosa"):
        assert wanted in text
    assert OAK.fingerprint in " ".join(text.split())


def test_a_card_has_all_its_words_in_order():
    text = " ".join(mark.text for mark in card().marks if isinstance(mark, Words))
    assert [word for word in text.partition("the node.")[2].split() if not word.isdigit()] == CARD.words


def test_names_of_everywhere_are_drawn_as_well_as_the_font_can():
    assert labels.readable("Żółć Ünal Åsa", label_files.has_glyph).startswith(("Żółć", "Zółć"))
    assert labels.readable("花", label_files.has_glyph) == "?"
    assert drawn(custodian="伊藤 Ito")


def test_an_svg_stands_alone_and_can_be_read_aloud():
    root = ET.fromstring(label_files.svg(drawn()))
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == "Label of node oak"
    assert "oak" in [text.text for text in root.iter(f"{space}text")]


def test_a_sheet_has_every_label_and_begins_where_it_is_told(tmp_path):
    many = [drawn(Label(bytes([n]) * 32, n, f"node-{n}", FLEET)) for n in range(1, 16)]
    data = label_files.pdf(many, skip=3)
    assert data.count(b"/Type /Page\n") == 2
    assert data == label_files.pdf(many, skip=3)  # the same labels are the same file


def rendered(pdf: bytes):
    """The pages as a printer would see them."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=200 / 72).to_pil() for page in document]


def test_every_code_of_a_printed_sheet_is_read():
    made = [Label(bytes([n]) * 32, n, f"node-{n}", FLEET) for n in range(1, 16)]
    pages = rendered(label_files.pdf([drawn(one) for one in made]))
    found = [label.read(one.text) for page in pages for one in zxingcpp.read_barcodes(page)]
    assert sorted(found, key=lambda one: one.short) == made


# ---- the command


@pytest.fixture
def fleet(tmp_path):
    """A fleet folder with one enrolled node of Rosa's and one that has no board yet."""
    folder = tmp_path / "river"
    with founding.found(folder, "river", [], None):
        pass
    (folder / "fleet.toml").write_text(
        '[fleet]\nname = "river"\n[[node]]\nname = "oak"\nboard = "ESP32_GENERIC_S3"\ncustodian = "Rosa"\n'
        '[[node]]\nname = "elm"\nboard = "RPI_PICO"\n',
        encoding="utf-8",
    )
    with FleetFolder(folder) as opened:
        opened.enrol_as("oak", b"o" * 32)
    return folder


def run(fleet, tmp_path, *arguments: str) -> int:
    return main(["label", *arguments, "--fleet", str(fleet), "-o", str(tmp_path / "out")])


def test_pictures_of_every_node_that_has_a_board(fleet, tmp_path, capsys):
    assert run(fleet, tmp_path, "--all", "--format", "png") == 0
    assert "1 labels and 0 key cards." in capsys.readouterr().out
    found = label.read(scanned((tmp_path / "out" / "oak.png").read_bytes()))
    assert (found.name, found.short, found.public) == ("oak", 1, b"o" * 32)
    assert found.custodian is not None


def test_a_card_for_the_household_whose_key_lies_here(fleet, tmp_path, capsys):
    assert run(fleet, tmp_path, "oak", "--card", "--format", "png") == 0
    assert "delete the file" in capsys.readouterr().out
    found = label.read(scanned((tmp_path / "out" / "card-of-Rosa.png").read_bytes()))
    with FleetFolder(fleet) as opened:
        assert found == Card("Rosa", opened.secrets.custodians["Rosa"].seed)
        assert found.public == opened.custodians["Rosa"].public


def test_a_pdf_by_default_and_svg_when_asked(fleet, tmp_path):
    assert run(fleet, tmp_path, "oak") == 0
    assert (tmp_path / "out").read_bytes().startswith(b"%PDF")
    (tmp_path / "out").unlink()
    assert run(fleet, tmp_path, "oak", "--format", "svg") == 0
    assert (tmp_path / "out" / "oak.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], "no node was named"), (["ash"], "names no node ash"), (["elm"], "elm has no board yet")],
)
def test_mistakes_end_in_a_sentence(fleet, tmp_path, capsys, arguments, told):
    assert run(fleet, tmp_path, *arguments) == 2
    assert told in capsys.readouterr().err
