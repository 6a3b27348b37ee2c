"""On the air a node follows its fleet's keys, and stays in touch with those who have not heard of new ones."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

import like_micropython  # noqa: F401

from hedgenode.crypto import suite
from hedgenode.rules.exchange import Exchange
from hedgenode.rules.routing import Meetings
from hedgenode.store.circles import Circle, Circles
from hedgenode.store.ram import RamFiles
from hedgenode.tasks.radio_keys import FORMER_S, RadioKeys
from hedgewire import group, link

FLEET = b"\xbe\xeffleet."
TAG = 0xBEEF
OTHER_GROUP = b"another."
SEEDS = (bytes(range(32)), bytes(range(1, 33)))


class _Membership:
    def __init__(self, chain):
        self.chain = chain


class _Layers:
    def __init__(self, chains):
        self.chains = chains
        self.now = 1000

    def memberships(self):
        return [_Membership(chain) for chain in self.chains]

    def now_s(self):
        return self.now


class _Store:
    def public_fingerprint(self):
        return 0

    def entries(self):
        return []


class _Journal:
    def __init__(self):
        self.lines = []

    def say(self, level, text):
        self.lines.append((level, text))


class _Node:
    def __init__(self, short, *chains):
        self.layers = _Layers(list(chains))
        self.files = RamFiles()
        self.counter = 0
        self.journal = _Journal()
        self.power_on(short)

    def power_on(self, short):
        self.exchange = Exchange(short, TAG, 1, _Store(), Meetings(short))
        circles = Circles(self.files, "/circles")
        self.keys = RadioKeys(FLEET, self.layers, circles, self._next, self.exchange, self.journal)

    def _next(self):
        self.counter += 1
        return self.counter

    def hello(self, tag=TAG):
        return self.keys.security.secure(link.encode_hello(tag, self.exchange.short, 0, []))

    def hears(self, other, tag=TAG):
        """The tag that the other's HELLO gets here, or None."""
        heard = self.keys.security.open(other.hello(tag))
        return None if heard is None else heard[1] << 8 | heard[2]

    def takes(self, *chains):
        self.layers.chains = list(chains)
        self.keys.refresh()


def chain(epoch=0, oldest=None, seed=0, id=FLEET):
    begun = group.Chain(id, epoch // group.STEPS * group.STEPS, epoch // group.STEPS * group.STEPS, SEEDS[seed])
    moved = begun.advanced(suite, epoch)
    return moved if oldest is None else group.Chain(id, epoch, oldest, begun.secret_at(suite, oldest))


def test_only_the_fleets_own_group_opens_the_air():
    one, two = _Node(1, chain(id=OTHER_GROUP)), _Node(2, chain(id=OTHER_GROUP))
    assert one.hello() is None
    two.takes(chain(id=OTHER_GROUP), chain())
    assert two.hello() is not None
    assert one.keys.security.open(two.hello()) is None
    one.takes(chain())
    assert one.hears(two) == TAG


def test_members_hear_each_other_while_one_is_up_to_eight_epochs_ahead():
    one = _Node(1, chain(5, 3))
    for epoch in (3, 4, 5, 6, 12, 13):
        assert one.hears(_Node(10 + epoch, chain(epoch))) == TAG, epoch
    for epoch in (2, 14):
        assert one.hears(_Node(10 + epoch, chain(epoch))) is None, epoch


def test_going_on_to_the_next_epoch_is_no_change_of_keys():
    one, two = _Node(1, chain(1)), _Node(2, chain(1))
    two.takes(chain(2))
    assert (one.hears(two), two.hears(one)) == (TAG, TAG)
    assert two.keys.guests == []


def test_who_has_not_heard_of_new_keys_stays_in_touch_and_shares_what_is_public():
    late, rekeyed, third = _Node(1, chain(1)), _Node(2, chain(1)), _Node(3, chain(1))
    for node in (rekeyed, third):
        node.takes(chain(256, seed=1))
    assert third.hears(rekeyed) == TAG
    assert late.hears(rekeyed) is None
    [guest] = rekeyed.keys.guests
    assert guest.public_only
    assert late.hears(rekeyed, guest.tag) == TAG
    assert rekeyed.hears(late) == guest.tag
    late.takes(chain(256, seed=1))
    assert late.hears(rekeyed) == TAG


def test_a_fresh_secret_of_the_same_generation_is_new_keys_too():
    one, two = _Node(1, chain(256)), _Node(2, chain(256))
    two.takes(chain(256, seed=1))
    assert one.hears(two) is None
    assert [guest.tag for guest in two.keys.guests] == [two.hears(one)]


def test_the_door_to_former_keys_outlives_a_restart_and_closes_in_time():
    late, rekeyed = _Node(1, chain(1)), _Node(2, chain(1))
    rekeyed.takes(chain(256, seed=1))
    rekeyed.power_on(2)
    assert rekeyed.hears(late) is not None
    rekeyed.layers.now += FORMER_S
    rekeyed.keys.refresh()
    assert rekeyed.keys.guests == []
    assert rekeyed.hears(late) is None


def test_a_node_that_leaves_the_group_is_mute():
    one = _Node(1, chain(1))
    one.takes()
    assert one.hello() is None


def test_flash_that_refuses_closes_the_door_and_says_so():
    late, rekeyed = _Node(1, chain(1)), _Node(2, chain(1))

    def refuse(path, mode):
        raise OSError(28)

    rekeyed.files.open = refuse
    rekeyed.takes(chain(256, seed=1))
    assert rekeyed.journal.lines[-1][0] == "warning"
    assert rekeyed.hears(late) is None


def test_another_fleet_is_a_circle_in_keys_of_both():
    ours, theirs = [0, bytes(range(32))], [0, bytes(range(32, 64))]
    one, other = _Node(1, chain(1)), _Node(1, chain(1, seed=1))
    Circles(one.files, "/circles").put(Circle(7, [theirs], ours, None))
    Circles(other.files, "/circles").put(Circle(9, [ours], theirs, None))
    one.power_on(1)
    other.power_on(1)
    assert one.hears(other, 9) == 7
    assert other.hears(one, 7) == 9
