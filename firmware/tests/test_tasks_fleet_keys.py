"""Keys that come as documents: who may give them, who finds one, and that an old one never comes back."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

import council
from council import FIRST, FLEET, LEAVING, digest_of, public_of, seed_of, signed
from test_store_keyslot import FOLDER, BlockFiles, Chip, PowerCut

from hedgenode.crypto import suite, suite_long, x25519
from hedgenode.crypto.linksec import link_keys
from hedgenode.crypto.sha512 import digest_steps
from hedgenode.crypto.steps import finish
from hedgenode.store.circles import Circles
from hedgenode.store.group_keys import GroupKeys
from hedgenode.store.keyslot import KeySlots
from hedgenode.store.trust import TrustStore
from hedgenode.tasks import fleet_keys, moves
from hedgewire import circle, document, group, rekey

SEED = bytes(range(16))
THERE = digest_of(LEAVING)[:8]
LAP = council.certificate()


class Holder:
    """An identity whose seed is at hand."""

    def __init__(self, name):
        self.public = public_of(name)
        self._seed = seed_of(name)

    def agreement_secret_steps(self):
        secret = bytearray((yield from digest_steps(self._seed))[:32])
        secret[0] &= 248
        secret[31] = secret[31] & 127 | 64
        return bytes(secret)

    @property
    def agreement_public(self):
        return x25519.from_ed25519(self.public)


class Layers:
    def __init__(self, groups, identity):
        self.groups = groups
        self.identity = identity

    def now_s(self):
        return 1000


class Journal:
    def say(self, level, text):
        pass


class Ledger:
    def __init__(self):
        self.notes = []

    def note(self, kind, fields):
        self.notes.append((kind, fields))


class Node:
    """What fleet_keys asks of a node: flash, keys in slots, an identity."""

    def __init__(self, files=None):
        self.files = files or BlockFiles(Chip())
        self.config = {"fleet": FLEET}
        self.start()
        self.journal = Journal()
        self.ledger = Ledger()
        self.radio_keys = None
        store = TrustStore(self.files, fleet_keys.TRUST, FLEET, public_of("node"))
        if store.charters:
            return
        for body in (FIRST, LAP):
            assert finish(store.put_steps(signed(body, "ana", "ben"))) is None

    def start(self):
        """What it finds in flash when the power is back."""
        self.layers = Layers(GroupKeys(KeySlots(self.files, self.files.chip, FOLDER)), Holder("node"))

    def put(self, body, *names):
        return finish(fleet_keys.put_steps(self, document.decode(signed(body, *names))))

    def epoch(self, group_id=FLEET):
        known = self.layers.groups.find(group_id)
        return None if known is None else known.chain.epoch


def agreement(name):
    return x25519.from_ed25519(public_of(name))


def key(epoch=256, members=("node", "other"), seed=SEED, fleet=FLEET, group_id=FLEET, name="fleet"):
    publics = [agreement(member) for member in members]
    made = finish(rekey.make_steps(suite_long, fleet, group_id, name, epoch, seed, seed_of("once"), publics))
    return document.make(rekey.KIND, {key: made[key] for key in made if key not in ("kind", "v")})


def test_a_laptop_gives_the_first_key_and_only_stewards_the_next_one():
    node = Node()
    assert "lacks 2 of 2" in node.put(key(), "eve")[1]
    assert node.put(key(), "lap") == (True, None)
    assert node.epoch() == 256
    assert "lacks 2 of 2" in node.put(key(512), "lap")[1]
    assert "lacks 1 of 2" in node.put(key(512), "ana", "lap")[1]
    assert node.epoch() == 256
    assert node.put(key(512), "ana", "ben") == (True, None)
    assert node.epoch() == 512
    assert node.layers.groups.find(FLEET).chain.secret == group.first_secret(suite, FLEET, FLEET, 512, SEED)


def test_an_old_key_does_not_come_back_and_one_for_others_changes_nothing():
    node = Node()
    node.put(key(512), "ana", "ben")
    assert node.put(key(256), "ana", "ben") == (False, None)
    assert node.put(key(768, members=("other",)), "ana", "ben") == (True, None)  # worth passing on
    assert node.epoch() == 512
    assert not node.files.chip.holds(group.first_secret(suite, FLEET, FLEET, 256, SEED))


def test_a_member_that_has_gone_on_is_not_set_back_by_a_copy_for_a_newcomer():
    node = Node()
    node.put(key(), "ana", "ben")
    node.layers.groups.advance(suite, FLEET, 259, 2000)
    for extra in range(8):  # one of them sorts before the first
        node.put(key(members=("node", "newcomer-%d" % extra)), "lap")
    assert node.epoch() == 259


def test_a_key_of_another_fleet_or_a_torn_one_is_refused():
    node = Node()
    assert "another fleet" in node.put(key(fleet=THERE), "ana", "ben")[1]
    assert "makes no sense" in node.put(document.make(rekey.KIND, {"fleet": FLEET}), "ana", "ben")[1]
    whole = document.decode(signed(key(), "ana", "ben"))
    forged = document.encode(whole.body, [(public, bytes(64)) for public, _ in whole.signatures])
    refusal = finish(fleet_keys.put_steps(node, document.decode(forged)))[1]
    assert "signature is wrong" in refusal
    assert node.epoch() is None


def neighbour(epoch=1, members=("node",), seed=SEED):
    group_id = circle.circle_id(FLEET, THERE)
    publics = [agreement(member) for member in members]
    made = finish(rekey.make_steps(suite_long, FLEET, group_id, "circle", 0, seed, seed_of("once"), publics))
    return council.neighbour(epoch=epoch, ephemeral=made["ephemeral"], members=made["members"])


def held(node):
    return [(one.tag, one.epochs, one.spoken) for one in Circles(node.files, moves.CIRCLES_PATH).all()]


def test_a_neighbour_is_heard_under_its_own_key_and_spoken_to_under_ours():
    node = Node()
    assert "no steward and no laptop" in node.put(neighbour(), "eve", "node")[1]
    assert held(node) == []
    assert node.put(neighbour(), "lap") == (True, None)
    heard, spoken = [[1, link_keys(circle.secret(suite, SEED, THERE, FLEET, 1, speaker))] for speaker in (THERE, FLEET)]
    assert held(node) == [(THERE[0] << 8 | THERE[1], [heard], spoken)]
    assert node.put(neighbour(), "lap") == (False, None)


def test_a_later_word_about_a_neighbour_takes_the_place_of_the_earlier_and_not_the_other_way():
    node = Node()
    node.put(neighbour(3, seed=b"t" * 16), "ana")
    before = held(node)
    assert node.put(neighbour(2), "ana") == (False, None)
    assert held(node) == before
    node.put(neighbour(4), "ana")
    assert held(node)[0][1][0][0] == 4
    assert len(held(node)) == 1


def test_a_neighbour_document_for_others_gives_this_node_nothing():
    node = Node()
    assert node.put(neighbour(members=("other",)), "lap") == (True, None)
    assert node.put(council.neighbour(epoch=9), "lap") == (True, None)  # a name and a charter, no key
    assert held(node) == []


def test_a_new_key_stands_in_the_ledger_and_the_same_paper_is_passed_on_again():
    node = Node()
    node.put(key(), "ana", "ben")
    node.put(key(512), "ana", "ben")
    assert [(kind, fields["epoch"]) for kind, fields in node.ledger.notes] == [("rekeyed", 256), ("rekeyed", 512)]
    assert node.put(key(512), "ana", "ben") == (True, None)
    assert len(node.ledger.notes) == 2


def test_a_power_cut_at_every_write_leaves_the_old_key_or_the_new_one_and_the_same_paper_finishes_it():
    calm = Node()
    calm.put(key(), "ana", "ben")
    image, places = bytes(calm.files.chip.image), dict(calm.files.places)
    contents = {path: bytes(data) for path, data in calm.files.contents.items()}
    before = calm.files.chip.changes
    calm.put(key(512), "ana", "ben")
    changes = calm.files.chip.changes - before
    assert changes > 0
    old, new = [group.first_secret(suite, FLEET, FLEET, epoch, SEED) for epoch in (256, 512)]
    for number in range(1, changes + 1):
        files = BlockFiles(Chip(image), contents, places)
        node = Node(files)
        assert node.epoch() == 256
        files.chip.cut, files.chip.part = files.chip.changes + number, 2
        try:
            node.put(key(512), "ana", "ben")
        except PowerCut:
            pass
        files.chip.cut = None
        node.start()
        assert node.epoch() in (256, 512), number
        assert node.put(key(512), "ana", "ben")[1] is None
        assert node.epoch() == 512
        assert files.chip.holds(new)
        assert not files.chip.holds(old)
