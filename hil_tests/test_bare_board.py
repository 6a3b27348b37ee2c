"""A board with MicroPython and nothing else: prompt, files, power, and what connecting must not do."""

from pathlib import Path

from hil_tests.benches import Bench
from hil_tests.mpremote_runs import mpremote


def test_it_answers_as_the_board_it_stands_for(bare_board: Bench) -> None:
    machine = mpremote(bare_board.port, "exec", "import os; print(os.uname().machine)").strip()
    assert bare_board.board.answers_as(machine)


def test_a_blank_board_has_no_files(bare_board: Bench) -> None:
    assert mpremote(bare_board.port, "exec", "import os; print(os.listdir('/'))").strip() in ("[]", "['boot.py']")


def test_a_file_comes_back_byte_for_byte(bare_board: Bench, scratch_file: Path, tmp_path: Path) -> None:
    copied_back = tmp_path / "back.bin"
    mpremote(bare_board.port, "fs", "cp", str(scratch_file), ":scratch.bin", timeout_s=30 * bare_board.patience)
    mpremote(bare_board.port, "fs", "cp", ":scratch.bin", str(copied_back), timeout_s=30 * bare_board.patience)
    assert copied_back.read_bytes() == scratch_file.read_bytes()


def test_connecting_does_not_reset(bare_board: Bench) -> None:
    mpremote(bare_board.port, "resume", "exec", "remembered = 'in RAM'")
    assert mpremote(bare_board.port, "resume", "exec", "print(remembered)").strip() == "in RAM"


def test_main_py_runs_after_power_on_and_ctrl_c_ends_it(bare_board: Bench) -> None:
    run_for_ever = "import time\\nn = 0\\nwhile True:\\n    n += 1\\n    time.sleep_ms(5)\\n"
    mpremote(bare_board.port, "exec", f"f = open('main.py', 'w'); f.write('{run_for_ever}'); f.close()")
    bare_board.cut_power()
    bare_board.power_on()
    assert int(mpremote(bare_board.port, "resume", "exec", "print(n)")) > 0


def test_a_file_survives_a_power_cut(bare_board: Bench) -> None:
    mpremote(bare_board.port, "exec", "f = open('kept', 'w'); f.write('x' * 5000); f.close()")
    bare_board.cut_power()
    bare_board.power_on()
    assert mpremote(bare_board.port, "exec", "print(len(open('kept').read()))").strip() == "5000"


def test_power_may_fail_in_the_middle_of_any_write(bare_board: Bench) -> None:
    mpremote(bare_board.port, "exec", "f = open('kept', 'w'); f.write('x' * 5000); f.close()")
    write_for_ever = "i = 0\nwhile True:\n f = open('new%d' % i, 'w')\n f.write('y' * 3000)\n f.close()\n i += 1"
    for writes in (1, 2, 3, 5, 8):
        bare_board.cut_power_after_flash_writes(writes)
        mpremote(bare_board.port, "exec", "--no-follow", write_for_ever)
        bare_board.wait_for_power_cut()
        bare_board.power_on()
        assert mpremote(bare_board.port, "exec", "print(open('kept').read() == 'x' * 5000)").strip() == "True", writes


def test_the_friendly_prompt_answers_a_person(bare_board: Bench, dut) -> None:
    dut.write("\r\x03")
    dut.expect_exact(">>> ", timeout=10)
    dut.write("print(6 * 7)\r")
    dut.expect_exact("42", timeout=10)
