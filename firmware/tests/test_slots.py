"""Two slots: which one boots, whatever was written last and wherever the power went."""

from cut_files import CutFiles, PowerCutError

import slots
from hedgenode.store.ram import RamFiles

OLD, NEW = b"\0\0\0\1oldold!!", b"\0\0\0\2newnew!!"
STANDS = slots.State(6, 0, None, (OLD, slots.NO_RELEASE))


def on_flash(*states):
    files = RamFiles()
    for state in states:
        slots.save(files, state)
    return files


def test_without_a_record_slot_a_boots_and_nothing_is_written():
    files = RamFiles()
    assert slots.start(files) == ("/a", False)
    assert files.contents == {}


def test_a_copy_comes_back_and_a_damaged_one_says_nothing():
    for state in (STANDS, slots.begun(STANDS, NEW), slots.FIRST):
        data = slots.encode(state)
        assert slots.decode(data) == state
        for at in range(len(data)):
            for bit in range(8):
                assert slots.decode(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]) is None
            assert slots.decode(data[:at]) is None
    assert slots.decode(None) is None


def test_a_trial_boots_the_other_slot_a_counted_number_of_times_then_what_stood():
    files = on_flash(STANDS, slots.begun(STANDS, NEW))
    for _ in range(slots.TRIES):
        assert slots.start(files) == ("/b", True)
    for _ in range(3):
        assert slots.start(files) == ("/a", False)
    assert slots.load(files).releases == (OLD, NEW)


def test_what_is_confirmed_stands_and_the_next_trial_is_in_the_other_slot():
    files = on_flash(STANDS, slots.begun(STANDS, NEW))
    assert slots.start(files) == ("/b", True)
    slots.settle(True, files)
    slots.settle(False, files)  # there is no trial any more
    assert slots.start(files) == ("/b", False)
    slots.save(files, slots.begun(slots.load(files), OLD))
    assert slots.start(files) == ("/a", True)
    slots.settle(False, files)
    assert slots.start(files) == ("/b", False)


def test_a_start_that_cannot_be_counted_boots_what_stands():
    class Full(RamFiles):
        def open(self, path, mode):
            if "w" in mode:
                raise OSError(28)
            return super().open(path, mode)

    files = Full()
    files.contents = on_flash(STANDS, slots.begun(STANDS, NEW)).contents
    assert slots.start(files) == ("/a", False)


def life(files):
    """One update that is confirmed and one that fails; yields the state that holds before and after each step."""
    before = slots.load(files)
    for step in (
        lambda: slots.save(files, slots.begun(slots.load(files), NEW)),
        lambda: slots.start(files),
        lambda: slots.settle(True, files),
        lambda: slots.start(files),
        lambda: slots.save(files, slots.begun(slots.load(files), OLD)),
        lambda: slots.start(files),
        lambda: slots.start(files),
        lambda: slots.start(files),
        lambda: slots.start(files),
    ):
        yield before, step
        before = slots.load(files)


def test_a_cut_at_every_change_leaves_what_held_before_or_what_was_meant():
    cut = 0
    changes = 0
    while True:
        changes += 1
        files = CutFiles(dict(on_flash(STANDS).contents), changes)
        try:
            for before, step in life(files):
                meant = follow(before)
                step()
                assert slots.load(files) in (before,) + meant
        except PowerCutError:
            cut += 1
            left = RamFiles()
            left.contents = files.contents
            found = slots.load(left)
            assert found in (before,) + meant, (changes, found.number)
            # And the node boots, counts on, and comes to rest in a slot that holds a release.
            for _ in range(slots.TRIES + 1):
                path, _ = slots.start(left)
            assert path == slots.SLOTS[found.stands]
            continue
        break
    assert cut > 10


def follow(state):
    """All that one step may make of a state."""
    begun = (slots.begun(state, NEW), slots.begun(state, OLD))
    return begun + (slots.at_start(state)[1], slots.confirmed(state))  # noqa: RUF005 - MicroPython has no *x here
