"""The bundle store against a dictionary: whatever is done in whatever order, flash and memory agree with it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hedgenode.store.bundles import BundleStore
from hedgenode.store.index import MAX_COPIES
from hedgenode.store.ram import RamFiles

CAPACITY_BYTES = 9000
EVERYONE = 99
NEVER_MS = 10**11
STATES = ("stored", "delivered", "handed", "own")


class BundlesAgainstADictionary(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.files = RamFiles()
        self.now_ms = 0
        self.model = {}  # id -> [source, destination, copies, state, seq, data]
        self.gone = []
        self.next_number = 1
        self.mount()

    def mount(self):
        self.store = BundleStore(self.files, "/b", CAPACITY_BYTES, self.now_ms, EVERYONE, seen=8, segment_bytes=1200)

    def pick(self, data):
        return data.draw(st.sampled_from(sorted(self.model)))

    @rule(
        size=st.integers(0, 900),
        source=st.sampled_from((1, 2, 2**40)),
        destination=st.sampled_from((1, 7, EVERYONE)),
        copies=st.integers(0, 300),
        state=st.sampled_from(STATES),
    )
    def add(self, size, source, destination, copies, state):
        number = self.next_number
        self.next_number += 1
        bundle_id = b"\x00" + number.to_bytes(7, "big")
        data = (bundle_id * (size // 8 + 1))[:size]
        if self.store.add(data, bundle_id, source, destination, copies, 0, NEVER_MS, self.now_ms, state):
            seq = self.store.entry(bundle_id).seq
            assert all(seq > held[4] for held in self.model.values())
            self.model[bundle_id] = [source, destination, min(copies, MAX_COPIES), state, seq, data]
        self.take_note_of_what_was_shed(bundle_id)

    def take_note_of_what_was_shed(self, newcomer):
        shed = [bundle_id for bundle_id in self.model if self.store.entry(bundle_id) is None]
        if shed:
            assert self.store.used_bytes() > CAPACITY_BYTES // 4, "nothing is shed while there is room"
            assert newcomer not in shed
        for bundle_id in shed:
            del self.model[bundle_id]
            self.gone.append(bundle_id)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), copies=st.integers(0, 9))
    def give(self, data, copies):
        bundle_id = self.pick(data)
        held = self.model[bundle_id]
        assert self.store.give(bundle_id, copies)
        held[2] = max(0, held[2] - copies)
        if held[2] == 0 and held[3] != "delivered":
            held[3] = "handed"

    @precondition(lambda self: self.model)
    @rule(data=st.data(), state=st.sampled_from(STATES))
    def set_state(self, data, state):
        bundle_id = self.pick(data)
        assert self.store.set_state(bundle_id, state)
        self.model[bundle_id][3] = state

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data):
        bundle_id = self.pick(data)
        assert self.store.remove(bundle_id)
        del self.model[bundle_id]
        self.gone.append(bundle_id)

    @precondition(lambda self: self.gone)
    @rule()
    def what_went_is_not_taken_again(self):
        assert not self.store.add(b"again", self.gone[-1], 1, 7, 1, 0, NEVER_MS, self.now_ms)

    @rule(passed_ms=st.integers(0, 10**7))
    def time_passes(self, passed_ms):
        self.now_ms += passed_ms

    @rule()
    def tidy(self):
        self.store.tidy(self.now_ms)

    @rule(uptime_ms=st.integers(0, 10**6))
    def restart(self, uptime_ms):
        fingerprint = self.store.public_fingerprint()
        live_bytes = self.store._live_bytes
        self.now_ms = uptime_ms
        self.mount()
        assert self.store.public_fingerprint() == fingerprint
        assert self.store._live_bytes == live_bytes
        assert self.store.damaged == 0

    @invariant()
    def the_store_holds_what_the_dictionary_holds(self):
        found = {
            entry.id: [
                entry.source, entry.destination, entry.copies, entry.state, entry.seq, self.store.get(entry.id)
            ]
            for entry in self.store.entries()
        }  # fmt: skip
        assert found == self.model
        assert self.store.count() == len(self.model)
        assert self.store.used_bytes() <= CAPACITY_BYTES


BundlesAgainstADictionary.TestCase.settings = settings(max_examples=40, stateful_step_count=60)
TestBundles = BundlesAgainstADictionary.TestCase
