"""How requests are answered: the right method, checked parameters, parts, and a sentence for whatever goes wrong."""

from harness import raises
from like_micropython import run

from hedgenode.rules import roles
from hedgenode.rules.roles import PERSON, STEWARD
from hedgenode.tasks.admin import PART_BYTES, PART_ITEMS, Admin, Asker, Params, Refusal
from hedgenode.tasks.journal import Journal
from hedgewire import admin

# The methods of these tests: what stands in no list is refused to everybody.
roles._LEAST.update(dict.fromkeys(("echo", "rows", "refuse", "fail", "nonsense"), PERSON))


class _Clock:
    now_ms = 0

    def wall_s(self):
        return 800000000

    def uptime_ms(self):
        return self.now_ms


class _Methods:
    def __init__(self):
        self.methods = {
            "echo": self.echo,
            "rows": self.rows,
            "refuse": self.refuse,
            "fail": self.fail,
            "nonsense": self.nonsense,
        }

    async def echo(self, params, rows):
        return {"number": params.number("number", 3, 1, 10)}

    async def rows(self, params, rows):
        for i in range(params.number("count")):
            await rows.add([i], params.number("bytes", 0))

    async def refuse(self, params, rows):
        raise Refusal(admin.NOT_FOUND, "it is not there")

    async def fail(self, params, rows):
        raise {
            "attribute": AttributeError("no attribute"),
            "key": KeyError("missing"),
            "index": IndexError("out of range"),
            "zero": ZeroDivisionError("by zero"),
            "memory": MemoryError(),
            "full": OSError(28),
            "io": OSError(5),
        }[params.text("how")]

    async def nonsense(self, params, rows):
        return 1.5  # has no form on the wire


def _setup():
    journal = Journal(_Clock())
    return Admin((_Methods(),), journal), journal


def _ask(asked, method, params=None, seq=9):
    answers = []
    run(
        asked.handle(
            admin.request(seq, method, params or {}),
            Asker(STEWARD, lambda _, data: answers.append(admin.parse_answer(data))),
        )
    )
    for answer in answers:
        assert answer.seq == seq
    return answers


def _code(method, params=None):
    [answer] = _ask(_setup()[0], method, params)
    return answer.code, answer.result


def test_a_method_is_found_and_its_result_closes_the_answer():
    assert _code("echo", {"number": 7}) == (admin.DONE, {"number": 7})
    assert _code("echo") == (admin.DONE, {"number": 3})


def test_an_unknown_method_is_named():
    code, sentence = _code("fly")
    assert code == admin.UNKNOWN_METHOD
    assert "fly" in sentence


def test_what_is_no_request_is_not_answered():
    answers = []
    for data in (b"", b"\xff", admin.answer(1, 0, None), admin.event("log", [])):
        run(_setup()[0].handle(data, Asker(STEWARD, answers.append)))
    assert answers == []


def test_wrong_parameters_are_refused_by_name():
    for value in ("7", 0, 11, -1, None, [7], b"7", True):
        code, sentence = _code("echo", {"number": value})
        assert (code, "number" in sentence) == (admin.BAD_PARAMS, True), value
    assert _code("rows")[0] == admin.BAD_PARAMS


def test_a_refusal_carries_its_code():
    assert _code("refuse") == (admin.NOT_FOUND, "it is not there")


def test_every_failure_of_a_method_is_answered():
    for how, code in (
        ("attribute", admin.INTERNAL),
        ("key", admin.INTERNAL),
        ("index", admin.INTERNAL),
        ("zero", admin.INTERNAL),
        ("memory", admin.BUSY),
        ("full", admin.STORAGE_FULL),
        ("io", admin.INTERNAL),
    ):
        assert _code("fail", {"how": how})[0] == code, how


def test_a_result_that_cannot_be_sent_is_a_fault_of_ours_and_in_the_log():
    asked, journal = _setup()
    [answer] = _ask(asked, "nonsense")
    assert answer.code == admin.INTERNAL
    assert journal.after(0)[0][2] == "error"


def test_rows_come_in_parts_in_order_and_their_number_closes_them():
    for count in (0, 1, PART_ITEMS, PART_ITEMS + 1, 3 * PART_ITEMS):
        answers = _ask(_setup()[0], "rows", {"count": count})
        assert (answers[-1].code, answers[-1].result) == (admin.DONE, count or [])
        assert [answer.code for answer in answers[:-1]] == [admin.PART] * ((count + PART_ITEMS - 1) // PART_ITEMS)
        joined = []
        for answer in answers[:-1]:
            joined += answer.result
        assert joined == [[i] for i in range(count)]


def test_long_rows_make_small_parts():
    answers = _ask(_setup()[0], "rows", {"count": 4, "bytes": PART_BYTES // 2})
    assert [len(answer.result) for answer in answers[:-1]] == [2, 2]
    answers = _ask(_setup()[0], "rows", {"count": 2, "bytes": PART_BYTES * 2})
    assert [len(answer.result) for answer in answers[:-1]] == [1, 1]


def test_every_kind_of_parameter_is_checked():
    given = Params({"t": "text", "d": b"1234", "m": {"a": 1}, "l": [1], "f": False, "nothing": None})
    assert (given.text("t"), given.data("d"), given.data("d", 4)) == ("text", b"1234", b"1234")
    assert (given.mapping("m"), given.items("l"), given.flag("f", True), given.flag("absent", True)) == (
        {"a": 1},
        [1],
        False,
        True,
    )
    assert "t" in given
    assert "nothing" not in given
    for call in (
        lambda: given.text("d"),
        lambda: given.data("t"),
        lambda: given.data("d", 5),
        lambda: given.mapping("l"),
        lambda: given.items("m"),
        lambda: given.flag("t", True),
        lambda: given.text("absent"),
    ):
        assert raises(Refusal, call).code == admin.BAD_PARAMS


def test_the_journal_numbers_its_lines_and_forgets_the_oldest():
    journal = Journal(_Clock())
    for i in range(60):
        journal.say("info", "line %d" % i)
    kept = journal.after(0)
    assert len(kept) == 48
    assert kept[-1][0] == 60
    assert kept[0][3] == "line 12"
    assert [line[0] for line in journal.after(58)] == [59, 60]
    assert journal.next == 61


def test_one_follows_the_journal_until_the_time_is_over():
    clock = _Clock()
    journal = Journal(clock)
    first, second = [], []
    journal.follow(first.append, 1000)
    journal.say("info", "a")
    journal.follow(second.append, 1000)
    journal.say("info", "b")
    clock.now_ms = 1000
    journal.say("info", "c")
    assert [line[3] for line in first] == ["a"]
    assert [line[3] for line in second] == ["b"]


def test_a_log_line_is_short_and_never_fails_its_writer():
    def no_memory(line):
        raise MemoryError

    journal = Journal(_Clock(), no_memory)
    journal.follow(no_memory, 1000)
    journal.say("info", "x" * 500)
    assert len(journal.after(0)[0][3]) == 160
