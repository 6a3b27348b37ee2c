"""What a person sees of nodes: tables, logs, messages, errors in sentences; `--json` alone on stdout."""

import json
import socket

import pytest
from fake_node import FakeNode, Refusal
from served import served

from hedgerow.cli import main, options
from hedgerow.cli import samples as samples_command
from hedgerow.cli.inbox import age
from hedgerow.cli.logs import Printer, told
from hedgerow.cli.samples import shown
from hedgerow.cli.send import recipient_and_text
from hedgerow.errors import UsageError
from hedgewire import admin

MAY_2026 = 831_733_381  # seconds since 2000


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Run `hedgerow WORDS`, outside any fleet's folder; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(options.console, "_width", 200)

    def command(*words: str):
        code = main.main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_samples_are_a_table_in_units_that_people_use(say):
    node = FakeNode()
    node.samples = [
        [1, 0, 5000, 2, {"temperature_c100": -712, "battery_mv": 3905}],
        [2, MAY_2026, 60_000, 2, {"soil": 7}],
    ]
    with served(node) as [url]:
        code, out, _ = say("samples", "-p", url)
    assert code == 0
    assert "°C" in out
    assert "-7.12" in out
    assert "3.90" in out or "3.91" in out
    assert "start 2 + 5 s" in out  # the clock was not set
    assert "2026-05-10" in out
    assert "soil" in out


def test_samples_as_csv_are_whole_and_exact(say):
    node = FakeNode()
    node.samples = [[n, MAY_2026 + n, n, 1, {"battery_mv": n}] for n in range(1, 201)]
    with served(node) as [url]:
        code, out, _ = say("samples", "beech", "-p", url, "--all", "--csv")
    lines = out.split()
    assert code == 0
    assert lines[0] == "seq,time,time_s,uptime_ms,boot,battery_mv"
    assert lines[1] == "1,2026-05-10T13:03:02Z,831733382,1,1,1"
    assert len(lines) == 201
    assert sum(method == "samples" for method, _ in node.asked) > 2  # a page at a time


def test_samples_as_json_are_json_alone(say):
    with served(FakeNode()) as [url]:
        code, out, err = say("samples", "-p", url, "--json", "--after", "3")
    assert code == 0
    assert [row["seq"] for row in json.loads(out)] == [4, 5]
    assert json.loads(out)[0]["values"] == {"battery_mv": 3904}
    assert err == ""


def test_csv_and_json_at_once_is_a_usage_error(say):
    assert say("samples", "--csv", "--json")[0] == 2


@pytest.mark.parametrize(
    ("channel", "value", "text"),
    [
        ("temperature_c100", -5, "-0.05"),
        ("pressure_pa", 101_325, "1013.2"),
        ("panel_ma10", 345, "34.5"),
        ("battery_mv", None, "-"),
        ("soil", 17, "17"),
    ],
)
def test_values_are_shown_in_the_unit_of_their_heading(channel, value, text):
    assert shown(channel, value) == text


def test_known_channels_stand_in_one_order_and_unknown_ones_behind():
    rows = [[1, 0, 0, 1, {"zinc": 1, "battery_mv": 1}], [2, 0, 0, 1, {"algae": 1, "temperature_c100": 1}]]
    assert samples_command.channels_of(rows) == ["temperature_c100", "battery_mv", "algae", "zinc"]


def test_a_log_has_time_level_in_words_and_shape_and_text(say):
    node = FakeNode()
    node.log = [[1, 3, "info", "up"], [2, MAY_2026, "error", "flash full [bold]"]]
    with served(node) as [url]:
        code, out, _ = say("logs", "-p", url)
    assert code == 0
    assert out.splitlines()[0].split() == ["3", "s", "·", "info", "up"]
    assert "2026-05-10 13:03:01 UTC  ✘ error    flash full [bold]" in out


def test_a_followed_log_shows_each_line_once_though_it_comes_twice(capsys):
    printer = Printer(0, as_json=False)
    printer.on_event("log", [1, 0, "info", "up"])
    printer.on_text(b"[info] up\r\ntemperature 21\r")
    printer.on_line([1, 0, "info", "up"])
    printer.on_text(b"\n")
    out = capsys.readouterr().out
    assert out.count("up") == 1
    assert "│ temperature 21" in out
    assert not printer.lost_touch.is_set()


def test_a_line_that_only_the_console_says_means_that_the_node_forgot_us():
    printer = Printer(0, as_json=True)
    printer.on_text(b"[info] node oak (1) is up, boot 2 after reset\r\n")
    assert printer.lost_touch.is_set()


def test_a_level_that_we_do_not_know_is_shown_all_the_same():
    assert "? fatal" in told([1, 0, "fatal", "x"])


def test_the_inbox_lets_the_least_heard_speak_first(say):
    node = FakeNode()
    node.messages = [
        [1, bytes(8), 5, 1000, 0, "one of many"],
        [2, bytes(8), 5, 1000, 0, "another of many"],
        [3, bytes(8), 9, 7_200_000, 0, "the only one"],
    ]
    with served(node) as [url]:
        code, out, _ = say("inbox", "-p", url)
        in_json = json.loads(say("inbox", "-p", url, "--json")[1])
    assert code == 0
    assert out.index("the only one") < out.index("one of many") < out.index("another of many")
    assert "9, 2 hours old, public, unsigned:" in out
    assert [row["from"] for row in in_json] == [9, 5, 5]


@pytest.mark.parametrize(
    ("age_ms", "text"),
    [(0, "just now"), (60_000, "1 minute old"), (7_200_000, "2 hours old"), (6 * 86_400_000, "6 days old")],
)
def test_ages_are_told_in_the_unit_that_keeps_them_short(age_ms, text):
    assert age(age_ms) == text


def test_a_message_is_posted_once_and_told_where_it_waits(say):
    node = FakeNode()
    with served(node) as [url]:
        code, out, _ = say("send", "9", "The ladder is back", "-p", url)
    assert code == 0
    assert "safe at beech" in out
    [(_, params)] = [asked for asked in node.asked if asked[0] == "post"]
    assert (params["to"], params["text"]) == (9, "The ladder is back")


def test_a_public_message_goes_to_everyone(say):
    node = FakeNode()
    with served(node) as [url]:
        code, out, _ = say("send", "--public", "Market on Sunday", "-p", url, "--json")
    assert code == 0
    assert json.loads(out)["to"] == 0xFFFF
    assert next(params["to"] for method, params in node.asked if method == "post") == 0xFFFF


def test_a_message_that_the_node_refuses_is_its_sentence_and_exit_4(say):
    with served(FakeNode()) as [url]:
        code, _, err = say("send", "9", "x" * 300, "-p", url)
    assert code == 4
    assert "beech: the message has 300 bytes, 200 are allowed." in err


def test_nobody_of_that_name_is_told_before_a_port_is_opened(say):
    code, _, err = say("send", "eldr", "hello", "-p", "socket://127.0.0.1:1")
    assert code == 2
    assert "nobody here is called 'eldr'" in err


@pytest.mark.parametrize(
    ("words", "to", "public"),
    [
        (["x"], None, False),
        (["a", "b", "c"], None, False),
        (["a", "b"], "c", False),
        (["a"], "b", True),
        ([" "], "b", False),
    ],
)
def test_words_that_could_mean_two_things_are_refused(words, to, public):
    with pytest.raises(UsageError):
        recipient_and_text(words, to, public)


# which node is meant


def test_a_node_is_found_among_several_ports_by_name_number_or_id(say):
    beech, oak = FakeNode(7, "beech"), FakeNode(8, "oak")
    with served(beech, oak) as [first, second]:
        for who in ("oak", "8", "0808"):
            code, _, err = say("logs", who, "-p", first, "-p", second)
            assert code == 0, err
    assert sum(method == "log" for method, _ in oak.asked) == 3
    assert not any(method == "log" for method, _ in beech.asked)


def test_several_nodes_and_no_name_is_a_question_back(say):
    with served(FakeNode(7, "beech"), FakeNode(8, "oak")) as [first, second]:
        code, _, err = say("logs", "-p", first, "-p", second)
    assert code == 2
    assert "beech (7)" in err
    assert "oak (8)" in err


def test_a_node_that_is_not_there_is_told_with_those_that_are(say):
    with served(FakeNode(7, "beech")) as [url]:
        code, _, err = say("logs", "oak", "-p", url)
    assert code == 3
    assert "oak does not answer" in err
    assert "beech (7)" in err


def test_a_port_where_nothing_listens_does_not_hide_the_node_on_the_next(say):
    unused = socket.create_server(("127.0.0.1", 0))
    number = unused.getsockname()[1]
    unused.close()
    with served(FakeNode()) as [url]:
        assert say("logs", "beech", "-p", f"socket://127.0.0.1:{number}", "-p", url)[0] == 0


def test_without_any_port_the_command_says_so(say, monkeypatch):
    monkeypatch.setattr("hedgerow.transports.ports.here", list)
    code, _, err = say("logs")
    assert code == 3
    assert "there is no port to ask" in err


# devices


def test_devices_name_the_node_and_its_fleet_behind_a_port(say):
    with served(FakeNode()) as [url]:
        code, out, _ = say("devices", "-p", url, "--probe")
        in_json = json.loads(say("devs", "-p", url, "--probe", "--json")[1])
    assert code == 0
    assert "✔ node beech (7), fleet f1ee7f1e" in out
    assert in_json[0]["node"]["name"] == "beech"
    assert in_json[0]["answering"] == "hedgerow"


def test_a_busy_or_missing_port_is_a_row_and_not_the_end(say):
    with served(FakeNode()) as [url]:
        code, out, _ = say("devices", "-p", "/dev/ttyNOWHERE3", "-p", url, "--probe")
    assert code == 0
    assert "✘ there is no such port" in out
    assert "✔ node beech" in out


def test_without_probe_no_port_is_opened(say):
    node = FakeNode()
    with served(node) as [url]:
        assert say("devices", "-p", url)[0] == 0
    assert node.asked == []


def test_a_node_that_refuses_dev_mode_is_told_with_its_sentence(say):
    node = FakeNode()
    node.methods["dev"] = lambda params: Refusal(admin.REFUSED, "the console is locked")
    with served(node) as [url]:
        code, _, err = say("dev", "-p", url)
    assert code == 4
    assert "beech: the console is locked" in err


def test_the_doctor_ends_with_the_code_of_what_it_found(say):
    code, out, _ = say("doctor", "--json")
    answer = json.loads(out)
    assert code == (0 if answer["good"] else 1)
    assert answer["good"] == (not any(check["level"] == "problem" for check in answer["checks"]))
