"""The record log against a plain list, with restarts, torn tails and flipped bits in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hedgenode.store.ram import RamFiles
from hedgenode.store.segments import HEADER_BYTES, TOKEN_SPAN, SegmentLog

SEGMENT_BYTES = 150


class SegmentsAgainstAList(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.files = RamFiles()
        self.model: list[tuple[int, bytes]] = []
        self.mount()

    def mount(self):
        self.log = SegmentLog(self.files, "/log", SEGMENT_BYTES)
        self.found = [(token, record) for token, record, _ in self.log.scan()]

    def name(self, number):
        return f"/log/{number:08d}.seg"

    @rule(record=st.binary(min_size=1, max_size=200))
    def append(self, record):
        token = self.log.append(record)
        assert all(token > earlier for earlier, _ in self.model)
        self.model.append((token, record))

    @rule(record=st.binary(min_size=1, max_size=60))
    def append_a_record_that_looks_like_a_frame(self, record):
        self.append(b"\xd7" + len(record).to_bytes(2, "little") + bytes(4) + record)

    @rule()
    def restart(self):
        self.mount()
        assert self.found == self.model

    @precondition(lambda self: len(self.log.numbers) > 1)
    @rule()
    def drop_the_oldest_segment(self):
        oldest = self.log.numbers[0]
        self.log.drop_segment(oldest)
        self.model = [(token, record) for token, record in self.model if token // TOKEN_SPAN != oldest]

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def flip_a_bit(self, data):
        at = data.draw(st.integers(0, len(self.model) - 1))
        token, record = self.model.pop(at)
        offset = data.draw(st.integers(0, HEADER_BYTES + len(record) - 1))
        self.files.contents[self.name(token // TOKEN_SPAN)][token % TOKEN_SPAN + offset] ^= 1 << data.draw(
            st.integers(0, 7)
        )
        assert self.log.read(token) is None
        self.mount()
        assert self.found == self.model
        assert self.log.damaged >= 1

    @precondition(lambda self: self.log.numbers)
    @rule(rubbish=st.binary(max_size=40))
    def tear_the_tail(self, rubbish):
        """A write was under way when power went: something, but no whole record, is behind the last one."""
        self.files.contents[self.name(self.log.numbers[-1])].extend(b"\xd7\xff" + rubbish)
        self.mount()
        assert self.found == self.model

    @invariant()
    def every_record_is_read_as_it_was_written(self):
        for token, record in self.model[-8:]:
            assert self.log.read(token) == record

    @invariant()
    def used_bytes_is_the_size_of_the_files(self):
        assert self.log.used_bytes == sum(len(data) for data in self.files.contents.values())


SegmentsAgainstAList.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestSegments = SegmentsAgainstAList.TestCase
