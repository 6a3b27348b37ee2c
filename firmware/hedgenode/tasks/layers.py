"""The node as a member of groups and as the reader of what is sealed to it. Sends nothing and shows nothing to anybody.

What is sealed to a person is never opened here: this node knows one key, its own. Messages for groups that it is no
member of, and those sealed to others, are bytes to it. A node without groups does not even load what they need.
"""

import asyncio

from hedgenode.crypto.loaded import forget
from hedgenode.crypto.steps import finish_politely
from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import bundle, message

ARRIVALS_PATH = "/store/arrivals"
_STEP_MS = 5000
_SAVE_AFTER_TAKEN = 16  # the ids of the last ones are in the store's own memory of what it has seen
_SAVE_EVERY_S = 900
_MAX_WAITING = 8
_OPENED_KEPT = 4  # contents of sealed messages kept in RAM: to open one costs half a second of a Pico


class Layers:
    """`identity` is an Identity or None; `bundles` the BundleStore.

    `groups` is a GroupKeys, or None where there are none yet: then `make_groups()` gives one when it is needed.
    """

    def __init__(self, files, groups, make_groups, bundles, identity, clock, journal):
        self._groups = groups
        self._make_groups = make_groups
        self.identity = identity
        self._files = files
        self._bundles = bundles
        self._clock = clock
        self._journal = journal
        self._arrivals = None
        self._saved_s = clock.uptime_s()
        self._ahead = {}  # group id -> epoch that an authentic message came from
        self._waiting = []  # ids of messages that may be sealed to this node and were not looked at yet
        self._opened = []  # (id, content)
        self._at_the_door = None  # (id, group or None, epoch) of the bundle that was admitted last
        self._keys = None  # X25519 (secret, public) of the identity, once needed
        if groups is not None and groups.damaged:
            journal.say("error", "the keys of this node's groups are lost; provision it again")

    @property
    def groups(self):
        """The GroupKeys, made if there was none."""
        if self._groups is None:
            self._groups = self._make_groups()
        return self._groups

    def memberships(self) -> list:
        return [] if self._groups is None else self._groups.all()

    @property
    def arrivals(self):
        """What was taken: loaded with the first message that counts."""
        if self._arrivals is None:
            from hedgenode.rules.arrivals import Arrivals

            self._arrivals = Arrivals()
            self._arrivals.from_bytes(read_whole(self._files, ARRIVALS_PATH) or b"")
        return self._arrivals

    def now_s(self) -> int:
        """The store's clock: it goes on over restarts."""
        return self._bundles.clock_s(self._clock.uptime_ms())

    # ---- what arrives

    def admits(self, arrived, bundle_id) -> bool:
        """Whether to take a bundle; False for a group message that this node has taken before.

        Cheap enough to be asked for every bundle: the tag of a group message is checked only where its hint fits.
        """
        self._at_the_door = None
        said = _closed(arrived)
        if said is None:
            return True
        if said.layer == message.SEALED:
            if self._is_for_this_node(arrived, said.body):
                self._at_the_door = (bundle_id, None, 0)
            return True
        opened = self._open_group(arrived, said.body)
        if opened is None:
            return True
        if not self.arrivals.is_new(arrived.source.node, arrived.sequence):
            self._journal.say("warning", "a message of group %s came a second time; refused" % opened[0].name)
            return False
        self._at_the_door = (bundle_id, opened[0].chain.group, opened[1])
        return True

    def entered(self, arrived, bundle_id) -> None:
        """The bundle that was admitted last is safe in the store: from now on another one like it is refused."""
        if self._at_the_door is None or self._at_the_door[0] != bundle_id:
            return
        _, group_id, epoch = self._at_the_door
        self._at_the_door = None
        if group_id is None:
            if len(self._waiting) < _MAX_WAITING:
                self._waiting.append(bundle_id)
            return
        self._take(arrived)
        known = self.groups.find(group_id)
        if known is not None and epoch > max(known.chain.epoch, self._ahead.get(group_id, 0)):
            self._ahead[group_id] = epoch

    def _take(self, arrived):
        """True the first time that an authentic message of that source and number comes."""
        source, number = arrived.source.node, arrived.sequence
        if not self.arrivals.is_new(source, number):
            return False
        self.arrivals.take(source, number)
        if self.arrivals.taken >= _SAVE_AFTER_TAKEN:
            self._save()
        return True

    # ---- reading and writing

    def read_group(self, held, body) -> "tuple | None":
        """(Membership, epoch, message.Content) of a group message that this node can read, else None."""
        opened = self._open_group(held, body)
        if opened is None:
            return None
        content = message.decode_content(opened[2])
        return None if isinstance(content, message.Damage) else (opened[0], opened[1], content)

    async def read_sealed(self, held, body, bundle_id) -> "message.Content | None":
        """What was sealed to this node, else None. Half a second of a Pico where the hint fits, nothing where not."""
        if not self._is_for_this_node(held, body):
            return None
        raw = dict(self._opened).get(bundle_id)
        if raw is None:
            raw = await self._unseal(held, body)
            if raw is None:
                return None
            self._opened = (self._opened + [(bundle_id, raw)])[-_OPENED_KEPT:]
        content = message.decode_content(raw)
        return None if isinstance(content, message.Damage) else content

    def write_group(self, group_id: bytes, made, content: bytes) -> "bytes | None":
        """The payload of a group message in that bundle of this node's own, None if it is no member."""
        from hedgenode.crypto import suite
        from hedgewire import group

        known = self.groups.find(group_id) if self.memberships() else None
        if known is None or not group.can_seal(made):
            return None
        body = group.seal(suite, known.chain, made, content)
        self._take(made)
        return message.encode_closed(message.GROUP, body)

    def _open_group(self, held, body):
        if not self.memberships():
            return None
        from hedgenode.crypto import suite
        from hedgewire import group

        for known in self.memberships():
            opened = group.open_body(suite, known.chain, held, body)
            if opened is not None:
                return known, opened[0], opened[1]
        return None

    def _is_for_this_node(self, held, body):
        if self.identity is None:
            return False
        from hedgewire import sealed

        fits = sealed.hint(self.identity.public, bundle.primary_block(held))
        return body[: sealed.HINT_BYTES] == fits

    async def _unseal(self, held, body):
        from hedgenode.crypto import suite_long
        from hedgewire import sealed

        keys = await self.agreement_keys()
        raw = await finish_politely(sealed.open_steps(suite_long, self.identity.public, keys, held, body))
        forget()
        return raw

    async def agreement_keys(self) -> "tuple[bytes, bytes]":
        """X25519 (secret, public) of this node."""
        if self._keys is None:
            secret = await finish_politely(self.identity.agreement_secret_steps())
            self._keys = (secret, self.identity.agreement_public)
        return self._keys

    # ---- in between

    async def run(self, promise):
        """Follow the others to their epoch, begin new ones, look at what may be sealed to this node."""
        while True:
            promise(_STEP_MS)
            await asyncio.sleep_ms(_STEP_MS)
            try:
                await self.step()
            except OSError as e:
                self._journal.say("error", "keys of groups: flash refuses: %s" % e)

    async def step(self) -> None:
        if self.memberships():
            self._go_on()
        while self._waiting:
            await self._look_at(self._waiting.pop(0))
        if (
            self._arrivals is not None
            and self._arrivals.taken
            and self._clock.uptime_s() - self._saved_s >= _SAVE_EVERY_S
        ):
            self._save()

    def _go_on(self):
        from hedgenode.crypto import suite
        from hedgenode.rules import epochs

        now_s = self.now_s()
        for group_id, epoch in list(self._ahead.items()):
            self.groups.advance(suite, group_id, epoch, now_s)
            del self._ahead[group_id]
            self._journal.say("info", "a group went on to epoch %d, as another member had" % epoch)
        for known in self.memberships():
            epoch = known.chain.epoch
            if epochs.is_due(epoch, known.since_s, now_s):
                self.groups.advance(suite, known.chain.group, epoch + 1, now_s)
                self._journal.say("info", "group %s went on to epoch %d" % (known.name, epoch + 1))

    async def _look_at(self, bundle_id):
        """Open what may be sealed to this node once; a second coming of it is let go."""
        held = bundle.decode(self._bundles.get(bundle_id) or b"")
        if isinstance(held, bundle.Damage):
            return
        said = _closed(held)
        if said is None or await self.read_sealed(held, said.body, bundle_id) is None or self._take(held):
            return
        self._journal.say("warning", "a message sealed to this node came a second time; removed")
        self._bundles.remove(bundle_id, self._clock.uptime_ms())

    def _save(self):
        self._saved_s = self._clock.uptime_s()
        write_atomic(self._files, ARRIVALS_PATH, self.arrivals.to_bytes())


def _closed(held):
    """The group or sealed Message in a bundle, None for every other bundle."""
    if held.destination.service != message.TEXT:
        return None
    said = message.decode(held.payload)
    if isinstance(said, message.Damage) or said.version != message.LAYERED or said.layer == message.PUBLIC:
        return None
    return said
