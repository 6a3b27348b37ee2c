"""Memberships survive restarts, and nothing of what they replaced does."""

from harness import raises
from test_store_keyslot import World

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import suite
from hedgenode.store.group_keys import BY_HAND, MAX_GROUPS, GroupKeys
from hedgewire import group

GROUP = b"bakers.."
SECRET = b"first secret of the group, 32 B."


def opened(world):
    return GroupKeys(world.open())


def member(world):
    keys = opened(world)
    keys.put("bakers", group.Chain(GROUP, 256, 256, SECRET), 1000)
    return keys


def test_a_membership_is_there_after_a_restart():
    world = World()
    member(world)
    [known] = opened(world).all()
    assert (known.name, known.since_s, known.origin) == ("bakers", 1000, BY_HAND)
    assert (known.chain.group, known.chain.epoch, known.chain.oldest, known.chain.secret) == (GROUP, 256, 256, SECRET)
    world.close()


def test_after_the_third_ratchet_the_first_secret_is_nowhere_in_flash():
    world = World()
    keys = member(world)
    assert world.chip.holds(SECRET)
    for epoch in (257, 258):
        keys.advance(suite, GROUP, epoch, 2000)
        assert world.chip.holds(SECRET)  # messages of the first epoch are still read
    keys.advance(suite, GROUP, 259, 3000)
    assert not world.chip.holds(SECRET)
    assert not world.copy().chip.holds(SECRET[:16])
    known = opened(world).find(GROUP)
    assert (known.chain.epoch, known.chain.oldest, known.since_s) == (259, 257, 3000)
    world.close()


def test_after_a_rekey_the_old_secret_is_nowhere_in_flash():
    world = World()
    keys = member(world)
    keys.put("bakers", group.Chain(GROUP, 512, 512, b"n" * 32), 2000, b"document")
    assert not world.chip.holds(SECRET)
    known = opened(world).find(GROUP)
    assert (known.chain.epoch, known.origin, len(opened(world).all())) == (512, b"document", 1)
    world.close()


def test_a_group_that_is_left_takes_its_key_along():
    world = World()
    keys = member(world)
    keys.put("other", group.Chain(b"other...", 256, 256, b"o" * 32), 1000)
    keys.remove(GROUP)
    assert not world.chip.holds(SECRET)
    assert [known.name for known in opened(world).all()] == ["other"]
    world.close()


def test_as_many_groups_as_promised_fit_and_one_more_is_announced():
    world = World()
    keys = opened(world)
    for number in range(MAX_GROUPS):
        group_id = b"group%03d" % number
        assert keys.has_room_for(group_id)
        keys.put("n" * 24, group.Chain(group_id, 0x7FFF00 + number, 0x7FFF00, SECRET), 0x3FFFFFFF, b"document")
    assert not keys.has_room_for(b"one more")
    assert keys.has_room_for(b"group003")
    assert len(opened(world).all()) == MAX_GROUPS
    world.close()


def test_lost_counters_end_the_present_epoch_and_a_generation_without_another_one_ends_the_group():
    world = World()
    keys = member(world)
    keys.put("last", group.Chain(b"last....", 511, 511, b"l" * 32), 1000)
    keys.skip(suite)
    [known] = opened(world).all()
    assert (known.name, known.chain.epoch, known.since_s) == ("bakers", 257, 1000)
    world.close()


def test_a_board_whose_flash_cannot_be_reached_keeps_no_keys():
    keys = GroupKeys(None)
    assert not keys.usable
    keys.skip(suite)
    raises(OSError, keys.put, "bakers", group.Chain(GROUP, 256, 256, SECRET), 0)
    assert keys.all() == []


def test_flash_that_refuses_leaves_what_was_known():
    world = World()
    keys = member(world)
    wrong = world.chip.writeblocks
    world.chip.writeblocks = lambda block, buffer, offset=0: wrong(block, bytes(len(buffer)), offset)
    raises(OSError, keys.advance, suite, GROUP, 257, 2000)
    world.chip.writeblocks = wrong
    assert keys.find(GROUP).chain.epoch == 256
    assert opened(world).find(GROUP).chain.epoch == 256
    world.close()
