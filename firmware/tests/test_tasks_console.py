"""The cable: bytes in any order and any pieces; who gets what, and when a Ctrl-C counts."""

import asyncio

from like_micropython import run

from hedgenode.tasks.console import MAX_FRAME_BYTES, MAX_WAITING, ConsoleTask
from hedgewire import admin, frame

HELLO = frame.encode(frame.REQUEST, admin.request(1, "hello", {}))


class _Cable:
    """What arrives is queued; what is written is kept."""

    def __init__(self):
        self.incoming = bytearray()
        self.written = b""

    def byte(self):
        if not self.incoming:
            return None
        first = self.incoming[0]
        self.incoming = self.incoming[1:]
        return first

    def write(self, data):
        self.written += bytes(data)


class _Door:
    """Answers after a moment, so that requests can pile up."""

    def __init__(self, takes_s=0.0):
        self.asked = []
        self._takes_s = takes_s

    async def handle(self, kind, data, send):
        self.asked.append((kind, data))
        await asyncio.sleep(self._takes_s)
        if kind == frame.SEALED:
            send(frame.SEALED, bytes(reversed(data)))
            return
        send(frame.ANSWER, admin.answer(admin.parse_request(data).seq, admin.DONE, {}))


class _Bench:
    def __init__(self, locked=False, takes_s=0.0):
        self.cable = _Cable()
        self.door = _Door(takes_s)
        self.console = ConsoleTask(self.cable, self.door, "oak", locked)
        self.promises = {"listen": [], "answer": []}

    def put(self, *pieces, listen_s=0.06):
        """Let the pieces arrive one after the other; returns the console afterwards."""

        async def story():
            self.console._asked = asyncio.Event()  # CPython's belongs to one event loop
            listening = asyncio.create_task(self.console.listen(self.promises["listen"].append))
            answering = asyncio.create_task(self.console.answer(self.promises["answer"].append))
            for piece in pieces:
                self.cable.incoming += piece
                await asyncio.sleep(listen_s)
            for task in (listening, answering):
                task.cancel()

        run(story())
        return self.console

    def answers(self):
        return [
            admin.parse_answer(data).seq for kind, data in frame.Decoder(9000).feed(self.cable.written) if kind == 2
        ]


def _request_full_of(byte):
    made = frame.encode(frame.REQUEST, admin.request(1, "hello", {"x": bytes((byte,)) * 40}))
    assert made.count(bytes((byte,))) >= 40
    return made


def test_a_frame_is_answered():
    bench = _Bench()
    assert not bench.put(HELLO).interrupted
    assert bench.answers() == [1]


def test_a_frame_may_come_in_pieces_with_pauses_shorter_than_the_idle_time():
    bench = _Bench()
    bench.put(*[HELLO[i : i + 3] for i in range(0, len(HELLO), 3)], listen_s=0.02)
    bench.put(b"")
    assert bench.answers() == [1]


def test_ctrl_c_outside_a_frame_interrupts_and_leaves_the_rest_to_the_prompt():
    bench = _Bench()
    assert bench.put(b"\r\x03print(1)").interrupted
    assert bytes(bench.cable.incoming) == b"print(1)"


def test_ctrl_c_inside_a_frame_is_data():
    bench = _Bench()
    assert not bench.put(_request_full_of(3)).interrupted
    assert len(bench.door.asked) == 1


def test_ctrl_c_between_two_frames_interrupts():
    assert _Bench().put(HELLO + b"\x03" + HELLO).interrupted


def test_a_torn_frame_with_a_ctrl_c_interrupts_after_silence_only():
    bench = _Bench()
    assert not bench.put(HELLO[:-4] + b"\x03", listen_s=0.03).interrupted
    assert bench.put(b"", listen_s=0.4).interrupted


def test_a_frame_behind_a_torn_one_is_heard():
    bench = _Bench()
    bench.put(HELLO[:-4], HELLO, listen_s=0.3)
    assert bench.answers() == [1]


def test_a_locked_console_answers_frames_and_ignores_ctrl_c():
    bench = _Bench(locked=True)
    assert not bench.put(b"\x03\r\x03" + HELLO).interrupted
    assert bench.answers() == [1]
    assert b"locked" in bench.cable.written


def test_enter_tells_a_person_what_runs_here():
    bench = _Bench()
    bench.put(b"\r")
    assert b"Hedgerow node oak" in bench.cable.written
    assert b"Ctrl-C" in bench.cable.written


def test_garbage_is_survived():
    bench = _Bench(locked=True)
    state = 1
    noise = bytearray()
    for _ in range(3000):
        state = state * 16807 % 2147483647
        noise.append(state & 0xFF)
    bench.put(bytes(noise), b"", listen_s=0.4)
    bench.put(HELLO)
    assert bench.answers() == [1]


def test_a_frame_that_is_too_long_costs_itself_only():
    bench = _Bench()
    bench.put(frame.encode(frame.REQUEST, b"\x01" * (MAX_FRAME_BYTES + 300)), listen_s=0.3)
    bench.put(b"", HELLO, listen_s=0.2)
    assert bench.answers() == [1]


def test_more_requests_than_can_wait_are_dropped_not_kept():
    bench = _Bench(takes_s=0.02)
    frames = [frame.encode(frame.REQUEST, admin.request(seq, "hello", {})) for seq in range(20)]
    bench.put(b"".join(frames), b"", listen_s=0.3)
    seqs = bench.answers()
    assert MAX_WAITING <= len(seqs) <= MAX_WAITING + 2
    assert seqs == sorted(seqs)


def test_listening_always_promises_and_answering_only_while_somebody_waits():
    bench = _Bench()
    bench.put(b"")
    assert all(bench.promises["listen"])
    assert bench.promises["answer"] == [None]
    bench.put(HELLO)
    assert bench.promises["answer"][-1] is None
    assert [within_ms for within_ms in bench.promises["answer"] if within_ms]


def test_a_sealed_frame_is_answered_as_the_door_says():
    bench = _Bench(locked=True)
    bench.put(frame.encode(frame.SEALED, b"sealed"))
    assert bench.door.asked == [(frame.SEALED, b"sealed")]
    assert (frame.SEALED, b"delaes") in frame.Decoder(9000).feed(bench.cable.written)


def test_frames_that_are_no_questions_are_left_alone():
    bench = _Bench()
    for kind in (frame.ANSWER, frame.EVENT, frame.LINK, 6, 255):
        bench.put(frame.encode(kind, b"x"))
    assert bench.door.asked == []
