"""A node's stores at work while power may go at any change of the flash. Knows what must hold afterwards.

`Witness.look(files)` is called with the flash as a power cut would leave it, in the middle of an operation: it mounts
the stores there and compares them with what was acknowledged before that operation and with what the operation meant.
"""

from hedgenode.store.bundles import BundleStore
from hedgenode.store.counters import Counters
from hedgenode.store.ram import RamFiles
from hedgenode.store.samples import SampleLog

BUNDLES = "/bundles"
SAMPLES = "/samples"
EVERYONE = 99
CAPACITY_BYTES = 12000
SEGMENT_BYTES = 2000
OWN = (1, 2, 3)
DESTINATIONS = (4, 5, EVERYONE)
STEP_MS = 1000


def bundle_of(number, size):
    """Bytes that no other bundle has, so that a mix-up shows."""
    line = b"bundle %05d " % number
    return (line * (size // len(line) + 1))[:size]


def id_of(number):
    return b"\xa5" + (number * 40503 & 0xFFFFFF).to_bytes(3, "big") + number.to_bytes(4, "big")


class Chance:
    """The same choices on every interpreter."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 75 + 74) % 65537
        return self._state % limit


def workload(operations, seed=1):
    """Yield (name, number, size) of one operation after another."""
    chance = Chance(seed)
    number = 0
    for _ in range(operations):
        dice = chance.below(100)
        back = chance.below(12)
        if dice < 40:
            number += 1
            yield "add", number, 60 + chance.below(400)
        elif dice < 58:
            yield "give", max(1, number - back), 1 + chance.below(3)
        elif dice < 70:
            yield "remove", max(1, number - back), 0
        elif dice < 90:
            yield "sample", number, 0
        elif dice < 95:
            yield "sequence", 0, 0
        elif dice < 98:
            yield "tidy", 0, 0
        else:
            yield "restart", 0, 0


class Stores:
    """What app.py builds, on the given files."""

    def __init__(self, files, root, now_ms):
        self.bundles = BundleStore(
            files, root + BUNDLES, CAPACITY_BYTES, now_ms, everyone=EVERYONE, seen=16, segment_bytes=SEGMENT_BYTES
        )
        self.samples = SampleLog(files, root + SAMPLES, 3000, 700)
        self.counters = Counters(files, root)

    def apply(self, name, number, size, now_ms):
        if name == "add":
            source, destination = OWN[number % 3], DESTINATIONS[number % 3]
            data = bundle_of(number, size)
            return self.bundles.add(data, id_of(number), source, destination, 6, 0, 90000, now_ms)
        if name == "give":
            return self.bundles.give(id_of(number), size, now_ms)
        if name == "remove":
            return self.bundles.remove(id_of(number), now_ms)
        if name == "sample":
            return self.samples.append(1000 + number, now_ms, 1, {"battery_mv": 3700 + number, "noise": -number})
        if name == "sequence":
            return self.counters.next_sequence()
        if name == "tidy":
            return self.bundles.tidy(now_ms)
        raise ValueError(name)

    def held(self):
        """{number: (copies, state, seq, size)} of the bundles."""
        found = {}
        for entry in self.bundles.entries():
            number = int.from_bytes(entry.id[4:], "big")
            assert entry.id == id_of(number), "an id that nobody gave"
            found[number] = (entry.copies, entry.state, entry.seq, entry.size)
        return found

    def sampled(self):
        return [sample[0] for sample in self.samples.read(0, 10000)]

    def close(self):
        self.bundles.close()
        self.samples.close()


class Witness:
    """Runs the workload on `files` and, ahead of it, on a twin in RAM that says what each operation intends."""

    def __init__(self, files, root=""):
        self._files = files
        self._root = root
        self._twin_files = RamFiles()
        self.now_ms = 0
        self.looks = 0
        self._operation = None
        self._before = self._after = {}
        self._samples_before = self._samples_after = []
        self._sequence = 0
        self._boots = 1
        self._removed = set()
        self._twin = Stores(self._twin_files, root, 0)
        self._stores = Stores(files, root, 0)

    def run(self, operations, seed=1):
        """Every operation is acknowledged alike by both; whoever owns `files` calls look() meanwhile."""
        acknowledged = 0
        for operation in workload(operations, seed):
            self.now_ms += STEP_MS
            self._operation = operation
            if operation[0] == "restart":
                self._restart()
                continue
            wanted = self._twin.apply(*operation, self.now_ms)
            self._after = self._twin.held()
            self._samples_after = self._twin.sampled()
            self._check_intention(operation)
            got = self._stores.apply(*operation, self.now_ms)
            assert got == wanted, (operation, got, wanted)
            acknowledged += 1 if got else 0
            if operation[0] == "sequence":
                assert got > self._sequence, "a number came twice"
                self._sequence = got
            for number in self._before:
                if number not in self._after:
                    self._removed.add(number)
            self._before, self._samples_before = self._after, self._samples_after
        self._operation = None
        assert self._stores.held() == self._after
        return acknowledged

    def _check_intention(self, operation):
        """The twin is a store like the other: what it may change in one operation is little."""
        name, number, _ = operation
        for other, was in self._before.items():
            gone = other not in self._after
            if name in ("add", "tidy"):
                assert gone or self._after[other] == was
            elif name in ("give", "remove") and other == number:
                assert gone == (name == "remove")
            else:
                assert not gone
                assert self._after[other] == was
        for other in self._after:
            assert other in self._before or (name == "add" and other == number)

    def _restart(self):
        self._twin.close()
        self._stores.close()
        self._boots += 1
        self._twin = Stores(self._twin_files, self._root, self.now_ms)
        self._stores = Stores(self._files, self._root, self.now_ms)
        assert self._stores.held() == self._before, "a restart changed the store"
        assert self._stores.sampled() == self._samples_before

    def look(self, files, root, damage_allowed=False):
        """Mount what the cut left behind and say what is wrong with it, if anything."""
        self.looks += 1
        label = (self.looks, self._operation)
        left = Stores(files, root, 0)
        self._look_at_bundles(left, label)
        found = left.sampled()
        assert found in (self._samples_before, self._samples_after) or (
            # Between the new sample and the end of the oldest segment.
            found[-len(self._samples_after) :] == self._samples_after
            and found[: len(self._samples_before)] == self._samples_before
        ), (label, found, self._samples_before, self._samples_after)
        assert left.samples.next_seq > max(self._samples_before or [0]), label
        assert left.counters.next_sequence() > self._sequence, label
        assert left.counters.boot in (self._boots, self._boots + 1), (label, left.counters.boot)
        if not damage_allowed:
            assert (left.bundles.damaged, left.samples.damaged) == (0, 0), label
        return left

    def _look_at_bundles(self, left, label):
        held = left.held()
        for number, now in held.items():
            was, intended = self._before.get(number), self._after.get(number)
            assert now in (was, intended), (label, number, now, was, intended)
            assert number not in self._removed, (label, number, "came back")
            assert left.bundles.get(id_of(number)) == bundle_of(number, now[3]), (label, number)
        for number in self._before:
            assert number in held or number not in self._after, (label, number, "is lost")
        for number in list(self._removed)[-4:]:
            assert number not in held, (label, number)

    def go_on(self, left, files, root):
        """A node goes on after a cut: what it takes now stays too."""
        now_ms = 5000
        assert left.bundles.add(bundle_of(90001, 120), id_of(90001), 1, 4, 6, 0, 90000, now_ms)
        seq = left.samples.append(1, now_ms, 2, {"battery_mv": 1})
        held = left.held()
        left.close()
        again = Stores(files, root, now_ms)
        assert again.held() == held
        assert 90001 in held
        assert again.sampled()[-1] == seq
        again.close()
