"""The log of records: durable, numbered, and honest about damage."""

from harness import raises, remove_folder, scratch_folder

from hedgenode.store.files import Flash
from hedgenode.store.ram import RamFiles
from hedgenode.store.segments import HEADER_BYTES, TOKEN_SPAN, SegmentLog


def _record(number):
    return b"record %03d" % number


def _filled(files, count, segment_bytes=200, **options):
    log = SegmentLog(files, "/log", segment_bytes, **options)
    tokens = [log.append(_record(i)) for i in range(count)]
    return log, tokens


def _again(files, segment_bytes=200):
    log = SegmentLog(files, "/log", segment_bytes)
    return log, [(token, record) for token, record, _ in log.scan()]


def test_what_was_appended_is_read_by_its_token_and_found_by_a_scan_in_order():
    files = RamFiles()
    log, tokens = _filled(files, 50)
    assert len(log.numbers) > 3
    assert tokens == sorted(tokens)
    assert [log.read(token) for token in tokens] == [_record(i) for i in range(50)]
    assert log.read(tokens[7], 7) == b"007"
    again, found = _again(files)
    assert found == [(tokens[i], _record(i)) for i in range(50)]
    assert again.used_bytes == log.used_bytes == 50 * (HEADER_BYTES + 10)


def test_the_same_holds_for_a_real_directory():
    folder = scratch_folder()
    log = SegmentLog(Flash(), folder, 200)
    tokens = [log.append(_record(i)) for i in range(50)]
    log.close()
    log = SegmentLog(Flash(), folder, 200)
    assert [token for token, _, _ in log.scan()] == tokens
    log.drop_segment(log.numbers[0])
    assert log.read(tokens[0]) is None
    assert log.read(tokens[-1]) == _record(49)
    log.close()
    remove_folder(folder)


def test_a_log_goes_on_in_its_newest_segment_only_behind_a_whole_end():
    files = RamFiles()
    log, _ = _filled(files, 3)
    again, _ = _again(files)
    again.append(b"more")
    assert len(again.numbers) == 1

    unscanned = SegmentLog(files, "/log", 200)
    unscanned.append(b"nobody looked at the end")
    assert len(unscanned.numbers) == 2

    files.contents["/log/00000002.seg"].extend(b"\xd7\x09")  # torn
    torn, found = _again(files)
    torn.append(b"behind nothing torn")
    assert len(torn.numbers) == 3
    assert torn.damaged == 1
    assert len(found) == 5
    assert len(_again(files)[1]) == 6


def test_a_torn_tail_of_any_length_costs_only_its_own_record():
    files = RamFiles()
    _, tokens = _filled(files, 3)
    whole = bytes(files.contents["/log/00000001.seg"])
    for cut in range(1, HEADER_BYTES + 10):
        files.contents["/log/00000001.seg"] = bytearray(whole[:-cut])
        log, found = _again(files)
        assert [token for token, _ in found] == tokens[:2], cut
        assert log.damaged == 1, cut


def test_any_damaged_byte_costs_one_record_and_is_never_served():
    files = RamFiles()
    _, tokens = _filled(files, 6)
    name = "/log/00000001.seg"
    for at in range(len(files.contents[name])):
        files.contents[name][at] ^= 0x10
        log, found = _again(files)
        hurt = at // (HEADER_BYTES + 10)
        assert [token for token, _ in found] == tokens[:hurt] + tokens[hurt + 1 :], at
        assert log.damaged == 1, at
        assert log.read(tokens[hurt]) is None, at
        files.contents[name][at] ^= 0x10


def test_a_frame_that_a_message_carries_inside_does_not_pass_for_a_record():
    files = RamFiles()
    log = SegmentLog(files, "/log", 200)
    log.append(b"first")
    forged = bytes(files.contents["/log/00000001.seg"])
    token = log.append(b"message with " + forged)
    name = "/log/00000001.seg"
    files.contents[name][token % TOKEN_SPAN] ^= 1  # its frame is damaged, so the scan looks inside
    _, found = _again(files)
    assert [record for _, record in found] == [b"first"]


def test_a_record_larger_than_a_segment_gets_one_of_its_own():
    files = RamFiles()
    log, _ = _filled(files, 2)
    large = bytes(range(256)) * 100
    token = log.append(large[:1], large[1:])
    after = log.append(b"after")
    assert log.read(token) == large
    assert token % TOKEN_SPAN == 0
    assert after // TOKEN_SPAN > token // TOKEN_SPAN
    _, found = _again(files)
    assert [record for _, record in found][-2:] == [large, b"after"]
    cut = [(record, length) for _, record, length in log.scan(4)]
    assert cut[-2] == (large[:4], len(large))


def test_every_new_segment_begins_with_the_preamble():
    files = RamFiles()
    log = SegmentLog(files, "/log", 100, 0, lambda: b"preamble")
    for i in range(20):
        log.append(_record(i))
    for number in log.numbers:
        assert [record for _, record, _ in log.scan_segment(number)][0] == b"preamble"
    log.drop_segment(log.numbers[-1])  # the newest: another preamble is written first
    assert [record for _, record, _ in log.scan_segment(log.numbers[-1])] == [b"preamble"]


def test_a_log_of_bounded_length_says_when_it_is_full_and_goes_on_after_a_drop():
    log, _ = _filled(RamFiles(), 22, 200, max_segments=2)
    error = raises(OSError, log.append, _record(99))
    assert error.args[0] == 28
    log.drop_segment(log.numbers[0])
    assert log.read(log.append(_record(99))) == _record(99)


class _FullFiles(RamFiles):
    """Takes what it has room for and refuses the rest with ENOSPC, half of a write already done."""

    def __init__(self, room):
        RamFiles.__init__(self)
        self.room = room

    def sync(self, file):
        self.room -= 1
        if self.room < 0:
            raise OSError(28)


def test_what_flash_refused_is_not_in_the_log_and_hurts_nothing_else():
    files = _FullFiles(3)
    log = SegmentLog(files, "/log", 200)
    tokens = [log.append(_record(i)) for i in range(3)]
    for i in range(3):
        raises(OSError, log.append, _record(10 + i))
    files.room = 10
    tokens.append(log.append(_record(3)))
    assert tokens[3] // TOKEN_SPAN > tokens[2] // TOKEN_SPAN
    assert [log.read(token) for token in tokens] == [_record(i) for i in range(4)]


def test_misuse_raises():
    log = SegmentLog(RamFiles(), "/log", 200)
    raises(ValueError, log.append, b"")
    raises(ValueError, log.append, bytes(70000))
    raises(ValueError, SegmentLog, RamFiles(), "/log", TOKEN_SPAN + 1)
