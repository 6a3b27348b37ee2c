"""fleet.toml is read with its mistakes pointed at: line, column, the line itself, a hint."""

import tomllib

import pytest
from jsonschema import Draft202012Validator

from hedgerow.errors import UsageError
from hedgerow.fleet import proposal, toml_positions
from hedgerow.fleet.problems import FileProblems

GOOD = """\
[fleet]
name = "river"

[defaults]
sample_ms = 60_000
hello_ms = 5000

[[node]]
name = "oak"
board = "ESP32_GENERIC_S3"
custodian = "Rosa"
sensors = [
    { driver = "sht31", address = 0x44 },
    { driver = "ina219", bus = 0, address = 0x40 },
]

[[node]]
name = "elm"
board = "RPI_PICO"
sample_ms = 1000
"""


def problems_of(text: str) -> list:
    with pytest.raises(FileProblems) as caught:
        proposal.parse(text)
    return caught.value.problems


def test_a_node_has_its_own_settings_then_the_defaults_then_ours():
    oak, elm = proposal.parse(GOOD).nodes
    assert (oak.settings["sample_ms"], elm.settings["sample_ms"]) == (60000, 1000)
    assert oak.settings["hello_ms"] == 5000
    assert oak.settings["copies"] == 6
    assert oak.settings["sensors"][0] == {"driver": "sht31", "bus": 0, "address": 0x44}
    assert oak.custodian == "Rosa"


def test_the_radio_is_what_the_board_has():
    oak, elm = proposal.parse(GOOD).nodes
    assert (oak.settings["radio"], elm.settings["radio"]) == ("espnow", "none")


def test_radio_none_in_the_defaults_holds_for_every_board():
    oak, _ = proposal.parse(GOOD.replace("[defaults]", '[defaults]\nradio = "none"')).nodes
    assert oak.settings["radio"] == "none"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "column", "words"),
    [
        ("hello_ms = 5000", "helo_ms = 5000", 6, 1, "did you mean hello_ms?"),
        ("hello_ms = 5000", 'hello_ms = "5000"', 6, 12, "a whole number"),
        ("hello_ms = 5000", "hello_ms = 5", 6, 12, "the least is 100"),
        ("hello_ms = 5000", "hello_ms = true", 6, 12, "a whole number"),
        ('board = "RPI_PICO"', 'board = "RPI_PIKO"', 19, 9, "did you mean RPI_PICO?"),
        ('board = "RPI_PICO"', 'bord = "RPI_PICO"', 19, 1, "did you mean board?"),
        ('board = "RPI_PICO"', "", 17, 1, "needs board"),
        ('board = "RPI_PICO"', 'board = "RPI_PICO"\nradio = "espnow"', 20, 9, "has no espnow"),
        ('board = "RPI_PICO"', 'board = "RPI_PICO"\nradio = "lora"', 20, 9, "known are espnow, none"),
        ('board = "RPI_PICO"', 'board = "RPI_PICO"\nlatitude = 51', 20, 1, "names no places"),
        ('name = "elm"', 'name = "oak"', 18, 8, "line 9 uses it already"),
        ('name = "elm"', 'name = "El Mirador"', 18, 8, "Lower-case letters"),
        ("address = 0x40", "address = 0x400", 14, 45, "the most is 119"),
        ("address = 0x44", "adress = 0x44", 13, 25, "did you mean address?"),
        ('"ina219"', '"ina291"', 14, 16, "did you mean ina219?"),
        ("[[node]]", "[[nodes]]", 8, 1, "did you mean node?"),
        ("[fleet]\n", "[fleat]\n", 1, 1, "did you mean fleet?"),
    ],
)
def test_a_mistake_is_pointed_at_with_a_hint(right, wrong, line, column, words):
    text = GOOD.replace(right, wrong, 1)
    found = problems_of(text)
    assert (line, column) in [(problem.line, problem.column) for problem in found]
    with pytest.raises(FileProblems) as caught:
        proposal.parse(text)
    assert words in str(caught.value)
    assert f"{line} | {text.splitlines()[line - 1]}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [("[fleet]\nname = oak\n", 2), ("[fleet\n", 1), ('[fleet]\nname = "oak', 2), ("a = 1\na = 2\n", 2)],
)
def test_what_is_no_toml_is_pointed_at_too(text, line):
    (problem,) = problems_of(text)
    assert problem.line == line
    assert "not TOML" in problem.message


def test_all_mistakes_are_told_at_once_in_the_order_of_lines():
    text = GOOD.replace("hello_ms", "helo_ms").replace("0x40", '"0x40"').replace('name = "elm"', "")
    assert [problem.line for problem in problems_of(text)] == [6, 14, 17]


def test_the_mistakes_are_there_for_programs_as_well():
    with pytest.raises(UsageError) as caught:
        proposal.parse(GOOD.replace("hello_ms", "helo_ms"))
    assert caught.value.as_dict()["problems"][0]["line"] == 6
    assert caught.value.exit_code == 2


def test_the_pointer_stands_under_the_mistake():
    with pytest.raises(FileProblems) as caught:
        proposal.parse(GOOD.replace("RPI_PICO", "RPI_PIKO"))
    _, shown, pointer = str(caught.value).splitlines()
    assert shown.index('"RPI_PIKO"') == pointer.index("^")


def test_the_first_text_of_a_fleet_is_valid_and_keeps_its_name():
    assert proposal.parse(proposal.first_text('Fluß "Süd"')).name == 'Fluß "Süd"'


def test_an_appended_node_is_read_back():
    settings = {"sample_ms": 1000, "sensors": [{"driver": "sht31", "address": 0x44}]}
    text = proposal.first_text("river") + proposal.node_text("ash", "ESP32_GENERIC", settings, "Rosa")
    (ash,) = proposal.parse(text).nodes
    assert (ash.name, ash.board.id, ash.custodian) == ("ash", "ESP32_GENERIC", "Rosa")
    assert ash.settings["sample_ms"] == 1000


def test_all_nodes_of_a_fleet_speak_under_its_key_or_none():
    keyed = '[fleet]\nname = "river"\n[defaults]\nradio_security = "fleet"\n'
    big = '[[node]]\nname = "ash"\nboard = "ESP32_GENERIC_S3"\n'
    small = '[[node]]\nname = "elm"\nboard = "ESP32_GENERIC"\n'
    mute = small + 'radio = "none"\n'
    assert [node.settings["radio_security"] for node in proposal.parse(keyed + big + mute).nodes] == ["fleet", "fleet"]
    (problem,) = problems_of(keyed + big + small)
    assert (problem.line, "no memory" in problem.message) == (10, True)
    (problem,) = problems_of(keyed + big + 'radio_security = "open"\n')
    assert problem.line == 8
    assert proposal.parse(keyed.replace('"fleet"', '"open"') + small).nodes[0].settings["radio_security"] == "open"


def test_the_schema_is_a_schema_and_its_defaults_obey_it():
    Draft202012Validator.check_schema(proposal.schema())
    for setting in ("sample_ms", "hello_ms", "copies", "console", "watchdog_ms", "radio_channel", "radio_security"):
        Draft202012Validator(proposal.schema()["$defs"][setting]).validate(proposal.default(setting))


TRICKY = '''\
# [[not]] = "a table"
top = """
[in.a] = "string"
""" # end
"quoted key".inner = 'x # y'
dates = [1979-05-27, 07:32:00] # comment ]
[a.b]
c = { d = [1, { e = "}" }], f = "," }
[[a.list]]
g = """a \\""" quote"""
[[a.list]]
  h = [
    "one", # ] "
    """two""",
  ]
[a.list.under]
i = -1.5e3
'''


def test_positions_are_right_in_every_corner_of_toml():
    tomllib.loads(TRICKY)
    found = toml_positions.find(TRICKY)
    lines = TRICKY.splitlines()
    expected = {
        ("top",): '"""',
        ("quoted key", "inner"): "'x # y'",
        ("dates", 1): "07:32:00",
        ("a", "b"): "[a.b]",
        ("a", "b", "c", "d", 1, "e"): '"}"',
        ("a", "b", "c", "f"): '","',
        ("a", "list", 0, "g"): '"""a',
        ("a", "list", 1, "h", 0): '"one"',
        ("a", "list", 1, "h", 1): '"""two"""',
        ("a", "list", 1, "under", "i"): "-1.5e3",
    }
    for path, start in expected.items():
        line, column = found.values[path]
        assert lines[line - 1][column - 1 :].startswith(start), path
