"""One cable for two: people with a terminal or mpremote, and the tool with its frames."""

from hedgewire import admin
from hil_tests.mpremote_runs import mpremote
from hil_tests.nodes import Node
from hil_tests.serial_line import SerialLine, request

PROMPT = b">>> "


def line_to(node: Node) -> SerialLine:
    return SerialLine(node.bench.port, node.bench.patience)


def test_connecting_does_not_reset_a_running_node(running_node: Node) -> None:
    first = running_node.ask("hello")
    second = running_node.ask("hello")
    assert second["boots"] == first["boots"]
    assert second["uptime_ms"] > first["uptime_ms"]


def test_0x03_inside_a_frame_never_interrupts(running_node: Node) -> None:
    boots = running_node.ask("hello")["boots"]
    full_of_interrupts = request(3, "hello", {"ignored": b"\x03" * 200})
    assert full_of_interrupts.count(3) > 200
    with line_to(running_node) as line:
        line.write(full_of_interrupts)
        answer = line.hear_answer(3)
        assert answer is not None
        assert answer.code == admin.DONE
        assert answer.result["boots"] == boots
        line.write(request(4, "hello"))
        assert line.hear_answer(4) is not None
        assert PROMPT not in line.text


def test_text_and_frames_go_side_by_side(running_node: Node) -> None:
    with line_to(running_node) as line:
        line.write(b"\r" + request(6, "hello") + b"\r" + request(7, "status"))
        assert line.hear_answer(6) is not None
        assert line.hear_answer(7) is not None
        assert line.hear_text(b"Ctrl-C")
        assert PROMPT not in line.text


def test_noise_on_the_cable_hurts_nobody(running_node: Node) -> None:
    boots = running_node.ask("hello")["boots"]
    with line_to(running_node) as line:
        noise = bytes(byte for byte in range(256) if byte != 3) * 4
        line.write(noise)
        line.listen(0.3)  # silence ends what looks like a torn frame
        line.write(request(8, "hello"))
        answer = line.hear_answer(8)
    assert answer is not None
    assert answer.result["boots"] == boots


def test_ctrl_c_outside_a_frame_gives_the_prompt(node: Node) -> None:
    with line_to(node) as line:
        line.write(b"\x03")
        assert line.hear_text(PROMPT)
        line.write(b"print(6 * 7)\r")
        assert line.hear_text(b"42\r\n")


def test_ctrl_c_behind_a_torn_frame_still_interrupts(node: Node) -> None:
    with line_to(node) as line:
        line.write(request(5, "hello")[:-6] + b"\x03")
        assert line.hear_text(PROMPT)


def test_mpremote_works_on_a_running_node_and_the_node_resumes_after_reset(node: Node) -> None:
    boots = node.ask("hello")["boots"]
    assert mpremote(node.bench.port, "exec", "print(6 * 7)").strip() == "42"
    assert "config.cbor" in mpremote(node.bench.port, "fs", "ls")
    mpremote(node.bench.port, "reset")
    assert node.wait_until_it_runs()["boots"] == boots + 1
