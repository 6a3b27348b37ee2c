"""The node in the layers: what it takes, reads and refuses, and that others' secrets stay others'."""

import asyncio

from like_micropython import run
from test_sealed import keys_of
from test_store_keyslot import World

from hedgenode import identity
from hedgenode.crypto import suite_long as suite
from hedgenode.crypto.steps import finish
from hedgenode.rules.exchange import Exchange
from hedgenode.rules.routing import Meetings
from hedgenode.store.bundles import BundleStore
from hedgenode.store.group_keys import GroupKeys
from hedgenode.store.ram import RamFiles
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.layers import Layers
from hedgewire import bundle, group, message, sealed

BASE = 974848
GROUP = b"bakers.."
SECRET = b"first secret of the group, 32 B."
TEXT = "the text that relays must not read"


class Clock:
    now_ms = 1000

    def uptime_ms(self):
        return self.now_ms

    def uptime_s(self):
        return self.now_ms // 1000

    def wall_s(self):
        return 0


class Identity:
    """An identity without a file: the same methods over a seed in memory."""

    def __init__(self, seed):
        self.public, keys = keys_of(seed)
        self.id = identity.key_id(self.public)
        self._secret, self.agreement_public = keys

    def agreement_secret_steps(self):
        yield
        return self._secret


class Node:
    """Store, exchange and layers of one node, in memory."""

    def __init__(self, short, secret=SECRET, files=None, groups_world=None):
        self.short = short
        self.clock = Clock()
        self.files = files or RamFiles()
        self.world = groups_world or World()
        self.groups = GroupKeys(self.world.open())
        if secret is not None and self.groups.find(GROUP) is None:
            self.groups.put("bakers", group.Chain(GROUP, 256, 256, secret), 0)
        self.journal = Journal(self.clock)
        self.store = BundleStore(self.files, "/bundles", 60000, 0, BASE + message.EVERYONE)
        self.identity = Identity(bytes((short,)) * 32)
        self.layers = Layers(self.files, self.groups, None, self.store, self.identity, self.clock, self.journal)
        self.exchange = Exchange(short, 1, BASE, self.store, Meetings(short), None, self.layers)

    def place(self, sequence, to=message.EVERYONE):
        return bundle.make(bundle.Eid(BASE + self.short, 1), bundle.Eid(BASE + to, 1), b"", sequence, 3600000)

    def group_bundle(self, sequence, text=TEXT):
        made = self.place(sequence)
        made.blocks[-1].data = self.layers.write_group(GROUP, made, message.encode_content(text))
        return bundle.encode(made)

    def takes(self, data):
        arrived = bundle.decode(data)
        return self.exchange.intake.accept(arrived, data, 1, self.clock.now_ms)

    def reads(self, data):
        held = bundle.decode(data)
        return self.layers.read_group(held, message.decode(held.payload).body)

    def restarted(self):
        files, world = self.files, self.world
        self.store.close()
        return Node(self.short, None, files, world)

    def settle(self):
        run(self.layers.step())

    def close(self):
        self.world.close()


def sealed_bundle(writer, sequence, reader, text=TEXT, to=message.EVERYONE):
    made = writer.place(sequence, to)
    content = message.encode_content(text)
    body = finish(
        sealed.seal_steps(suite, reader.public, reader.agreement_public, bytes((sequence,)) * 32, made, content)
    )
    made.blocks[-1].data = message.encode_closed(message.SEALED, body)
    return bundle.encode(made)


def test_a_member_reads_a_group_message_and_a_relay_carries_it():
    author, member, relay = Node(1), Node(2), Node(3, None)
    data = author.group_bundle(1)
    for node in (member, relay):
        assert node.takes(data)
        assert node.store.count() == 1
    known, epoch, content = member.reads(data)
    assert (known.name, epoch, content.text, content.author) == ("bakers", 256, TEXT, None)
    assert relay.reads(data) is None
    for stored in relay.files.contents.values():
        assert bytes(stored).find(TEXT.encode()) < 0
    for node in (author, member, relay):
        node.close()


def test_a_message_of_another_group_or_fleet_is_carried_and_not_read():
    stranger, member = Node(1, b"secret of some other group, 32 B"), Node(2)
    data = stranger.group_bundle(1)
    assert member.takes(data)
    assert member.reads(data) is None
    for node in (stranger, member):
        node.close()


def test_a_group_message_is_taken_once_however_it_comes_again():
    author, member = Node(1), Node(2)
    data = author.group_bundle(7)
    assert member.takes(data)
    bundle_id = bundle.bundle_id(bundle.decode(data))
    assert member.takes(data)  # still here: nothing to do
    assert member.store.remove(bundle_id, member.clock.now_ms)
    for number in range(300):  # as many as make the store forget that it had it
        member.store.add(b"x", b"%08d" % number, 9, 9, 1, 0, 3600000, member.clock.now_ms)
        member.store.remove(b"%08d" % number, member.clock.now_ms)
    assert not member.store.knows(bundle_id)
    assert not member.takes(data)
    assert any("second time" in line[3] for line in member.journal.after(0))
    for node in (author, member):
        node.close()


def test_what_was_taken_is_known_after_a_restart():
    author, member = Node(1), Node(2)
    messages = [author.group_bundle(number) for number in range(1, 20)]
    for data in messages:
        assert member.takes(data)
    member.clock.now_ms += 900 * 1000
    member.settle()
    member = member.restarted()
    for data in messages:
        member.store.remove(bundle.bundle_id(bundle.decode(data)), member.clock.now_ms)
    for number in range(300):
        member.store.add(b"x", b"%08d" % number, 9, 9, 1, 0, 3600000, member.clock.now_ms)
        member.store.remove(b"%08d" % number, member.clock.now_ms)
    for data in messages:
        assert not member.takes(data)
    assert member.takes(author.group_bundle(20))
    for node in (author, member):
        node.close()


def test_a_full_store_does_not_make_a_message_count_as_taken():
    author, member = Node(1), Node(2)
    data = author.group_bundle(1)
    member.store.add = lambda *arguments: False
    assert not member.takes(data)
    del member.store.add
    assert member.takes(data)
    for node in (author, member):
        node.close()


def test_a_forged_message_moves_no_window():
    author, member = Node(1), Node(2)
    data = bytearray(author.group_bundle(1 << 20))
    data[-2] ^= 1  # the tag
    assert member.takes(bytes(data))
    assert member.reads(bytes(data)) is None
    assert member.takes(author.group_bundle(2))
    for node in (author, member):
        node.close()


def test_a_node_refuses_its_own_message_that_comes_back_when_it_has_forgotten_it():
    author = Node(1)
    assert not author.takes(author.group_bundle(1))
    author.close()


def test_members_follow_one_that_went_on_and_old_epochs_end():
    author, member = Node(1), Node(2)
    first = author.group_bundle(1)
    author.groups.advance(suite, GROUP, 259, 0)
    assert author.reads(first) is None
    assert member.reads(first) is not None
    assert member.takes(author.group_bundle(2))
    assert member.groups.find(GROUP).chain.epoch == 256
    member.settle()
    assert member.groups.find(GROUP).chain.epoch == 259
    assert member.reads(first) is None
    assert not member.world.chip.holds(SECRET)
    for node in (author, member):
        node.close()


def test_an_epoch_ends_after_a_week_of_uptime():
    member = Node(2)
    member.clock.now_ms += 7 * 24 * 3600 * 1000
    member.settle()
    assert member.groups.find(GROUP).chain.epoch == 257
    member.settle()
    assert member.groups.find(GROUP).chain.epoch == 257
    member.close()


def test_what_is_sealed_to_the_node_is_opened_there_and_nowhere_else():
    author, reader, relay = Node(1), Node(2), Node(3)
    data = sealed_bundle(author, 1, reader.identity)
    held = bundle.decode(data)
    body, bundle_id = message.decode(held.payload).body, bundle.bundle_id(held)
    for node in (reader, relay):
        assert node.takes(data)
        node.settle()
    assert run(reader.layers.read_sealed(held, body, bundle_id)).text == TEXT
    assert run(relay.layers.read_sealed(held, body, bundle_id)) is None
    for node in (author, reader, relay):
        node.close()


def test_a_persons_message_is_not_opened_by_the_node_that_carries_it():
    author, carrier = Node(1), Node(2)
    person = Identity(b"p" * 32)
    data = sealed_bundle(author, 1, person, to=2)  # addressed to that very node, where the person reads
    held = bundle.decode(data)
    assert carrier.takes(data)
    carrier.settle()
    assert run(carrier.layers.read_sealed(held, message.decode(held.payload).body, b"id")) is None
    for stored in carrier.files.contents.values():
        assert bytes(stored).find(TEXT.encode()) < 0
    for node in (author, carrier):
        node.close()


def test_a_sealed_message_that_is_played_again_is_removed():
    author, reader = Node(1), Node(2)
    data = sealed_bundle(author, 1, reader.identity)
    bundle_id = bundle.bundle_id(bundle.decode(data))
    assert reader.takes(data)
    reader.settle()
    reader.store.remove(bundle_id, reader.clock.now_ms)
    for number in range(300):
        reader.store.add(b"x", b"%08d" % number, 9, 9, 1, 0, 3600000, reader.clock.now_ms)
        reader.store.remove(b"%08d" % number, reader.clock.now_ms)
    assert reader.takes(data)  # nobody pays half a second at the door
    assert reader.store.entry(bundle_id) is not None
    reader.settle()
    assert reader.store.entry(bundle_id) is None
    for node in (author, reader):
        node.close()


def test_a_message_of_the_first_release_and_one_of_no_known_kind_pass():
    member = Node(2)
    for number, payload in enumerate((message.encode(message.PUBLIC, "hi"), b"\x83\x03\x00\x61\x78", b"", b"\xff")):
        made = Node.place(member, number + 1)
        made.source = bundle.Eid(BASE + 1, 1)
        made.blocks[-1].data = payload
        assert member.takes(bundle.encode(made)), number
    member.settle()
    member.close()


def test_the_task_comes_back_in_time():
    member = Node(2)
    promises = []

    async def story():
        task = asyncio.create_task(member.layers.run(promises.append))
        await asyncio.sleep_ms(20)
        task.cancel()

    run(story())
    assert promises == [5000]
    member.close()
