"""A node's own ledger in flash: entries and signed heads in a log of bounded size. Knows no key; signs nothing.

Records of the log, each a CBOR array:
[1, seq, kind, previous, fields]                                  an entry, as hedgewire.ledger has it
[2, seq, digest, signature]                                       a signed head
[3, seq]                                                          a host has everything up to there
[0, seq, digest, head or null, kept seq, {kind: fields}]          begins a segment: what the ones before it end with
"""

from hedgenode.rules import ledger as rules
from hedgenode.store.segments import SegmentLog
from hedgewire import cbor, ledger
from hedgewire.cbor import Damage

SEGMENT_BYTES = 4080  # one block of LittleFS
MOST_SEGMENTS = 3  # where a host has the entries
MOST_SEGMENTS_UNKEPT = 8  # where none has
_PREAMBLE = 0
_HEAD = 2
_KEPT = 3


class LedgerStore:
    """`append` and `keep_head` return once the record is durable. `seq` and `digest` are those of the newest entry.

    `head` is the newest signed one, (seq, digest, signature) or None; `said` the last fields of each kind that a start
    asks for; `last` kind and fields of the newest entry. Call from one task.
    """

    def __init__(self, files, directory: str, writer: bytes, segment_bytes: int = SEGMENT_BYTES):
        self.seq = 0
        self.digest = ledger.genesis(writer)
        self.head = None
        self.kept_seq = 0
        self.said = {}
        self.last = (None, None)
        self._before = {}  # segment number -> the newest entry when it began
        most = MOST_SEGMENTS_UNKEPT + 2  # if nothing may be dropped, an entry is refused before the flash is full
        self._log = SegmentLog(files, directory, segment_bytes, most, self._preamble)
        self._mount()

    @property
    def damaged(self) -> int:
        return self._log.damaged

    @property
    def unsigned(self) -> int:
        """How many numbers no signed head covers yet."""
        return self.seq - (self.head[0] if self.head else 0)

    @property
    def first_seq(self) -> int:
        """The oldest entry that is still here, if any is."""
        numbers = self._log.numbers
        return self._before.get(numbers[0], 0) + 1 if numbers else 1

    def append(self, kind: str, fields: dict) -> int:
        """Keep one entry and return its number. OSError when flash refuses; then it is not kept."""
        return self._append(self.seq + 1, kind, fields)

    def keep_head(self, seq: int, digest: bytes, signature: bytes) -> None:
        """Keep a signed head. Hand it out only afterwards: what was shown must survive a power cut."""
        self._keep(cbor.encode((_HEAD, seq, digest, signature)))
        self.head = (seq, digest, signature)
        self._drop()

    def keep_kept(self, seq: int) -> None:
        """A host says that it holds everything up to that entry, and has read it back."""
        if self.kept_seq < seq <= self.seq:
            self._keep(cbor.encode((_KEPT, seq)))
            self.kept_seq = seq
            self._drop()

    def read(self, after_seq: int = 0, limit: int = 256):
        """Yield the bytes of entries, oldest first, at most `limit`."""
        numbers = list(self._log.numbers)
        for i in range(len(numbers)):
            if i + 1 < len(numbers) and self._before.get(numbers[i + 1], after_seq + 1) <= after_seq:
                continue
            if numbers[i] not in self._log.numbers:
                continue  # dropped while the reader was reading
            found = self._log.scan_segment(numbers[i])
            try:
                for _, record, _ in found:
                    entry = ledger.decode_entry(record)
                    if isinstance(entry, Damage) or entry.seq <= after_seq:
                        continue
                    if limit <= 0:
                        return
                    limit -= 1
                    yield record
            finally:
                found.close()

    def used_bytes(self) -> int:
        return self._log.used_bytes

    def close(self) -> None:
        self._log.close()

    # ---- inside

    def _append(self, seq, kind, fields):
        data = ledger.encode_entry(seq, kind, self.digest, fields)
        self._keep(data)
        self._take(seq, ledger.digest_of(data), kind, fields)
        self._drop()
        return seq

    def _keep(self, record):
        self._log.append(record)
        number = self._log.numbers[-1]
        if number not in self._before:
            self._before[number] = self.seq

    def _take(self, seq, digest, kind, fields):
        self.seq, self.digest, self.last = seq, digest, (kind, fields)
        if kind in rules.KINDS_AT_START:
            self.said[kind] = fields

    def _preamble(self):
        return cbor.encode((_PREAMBLE, self.seq, self.digest, self.head, self.kept_seq, self.said))

    def _drop(self):
        numbers = self._log.numbers
        last_seqs = [self._before.get(number, 0) for number in numbers[1:]] + [self.seq]
        signed_seq = self.head[0] if self.head else 0
        count = rules.segments_to_drop(last_seqs, signed_seq, self.kept_seq, MOST_SEGMENTS, MOST_SEGMENTS_UNKEPT)
        for number in numbers[:count]:
            try:
                self._log.drop_segment(number)
            except OSError:
                return  # what was to be kept is kept; the next entry tries again
            self._before.pop(number, None)

    def _mount(self):
        """Read the newest segment, which says what went before, and how the others begin; or all, where it does not."""
        numbers = list(self._log.numbers)
        if not numbers:
            return
        for number in numbers[:-1]:
            found = self._log.scan_segment(number)
            for _, record, _ in found:
                begun = _preamble_in(record)
                if begun is not None:
                    self._before[number] = begun[1]
                break
            found.close()
        if not self._scan(numbers[-1]):
            for number in numbers:
                self._scan(number)
        if not self._log.ends_whole:
            self._admit_loss()

    def _scan(self, number):
        """Take what a segment says; True if it says what went before it."""
        begun = None
        for _, record, _ in self._log.scan_segment(number):
            says = _preamble_in(record)
            if says is not None:
                begun = says
                self._before[number] = says[1]
                if says[1] >= self.seq:
                    _, self.seq, self.digest, head, self.kept_seq, self.said = says
                    self.head = None if head is None else tuple(head)
                continue
            entry = ledger.decode_entry(record)
            if not isinstance(entry, Damage):
                if entry.seq > self.seq:
                    self._take(entry.seq, entry.digest, entry.kind, entry.fields)
            else:
                self._take_other(cbor.decode(record))
        return begun is not None

    def _take_other(self, values):
        if isinstance(values, list) and values[0] == _HEAD:
            self.head = head = tuple(values[1:])
            if head[0] > self.seq:  # its entry is damaged, and known by its digest all the same
                self.seq, self.digest = head[0], head[1]
        elif isinstance(values, list) and values[0] == _KEPT:
            self.kept_seq = values[1]

    def _admit_loss(self):
        """The end of the log is damaged: entries may be gone that were signed and shown. Never use their numbers."""
        try:
            self._append(self.seq + rules.LOST_NUMBERS, rules.LOST, {"after": self.seq})
        except OSError:
            pass  # the flash is full; the damage is there at the next start, too


def _preamble_in(record) -> "tuple | None":
    values = cbor.decode(record)
    if isinstance(values, list) and len(values) == 6 and values[0] == _PREAMBLE:
        return tuple(values)
    return None
