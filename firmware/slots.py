"""Which of the two slots boots, /a or /b: what stands, and what is on trial. Runs before either, and imports neither.

A record lies in two copies, written in turn, each with a CRC: a power cut damages one of them at most, and the other
says what held before. A slot on trial has a counted number of starts. The application confirms it after a health check
(hedgenode/app.py); if that does not come, what stood before boots again.
"""

import binascii

PATHS = ("/slots.0", "/slots.1")
SLOTS = ("/a", "/b")
TRIES = 3  # a cut of power in the first one is no fault of the release
CONFIRM_WITHIN_MS = 180000
RELEASE_BYTES = 12  # sequence number (big-endian), first 8 bytes of the digest
NO_RELEASE = bytes(RELEASE_BYTES)  # installed by provisioning
_MARK = b"HS1"
_timer = None
_BYTES = 3 + 4 + 1 + 1 + 2 * RELEASE_BYTES + 4


class State:
    """number: how often the record was written; stands: index of the slot that is confirmed; tries: starts that the
    other slot has left, or None where it is not on trial; releases: of each slot (RELEASE_BYTES).
    """

    def __init__(self, number, stands, tries, releases):
        self.number = number
        self.stands = stands
        self.tries = tries
        self.releases = releases

    def __eq__(self, other):
        return isinstance(other, State) and encode(self) == encode(other)

    def __hash__(self):
        return hash(encode(self))


FIRST = State(0, 0, None, (NO_RELEASE, NO_RELEASE))


# ---- rules: nothing here reads or writes


def encode(state) -> bytes:
    """One copy of the record."""
    tries = 0xFF if state.tries is None else state.tries
    body = _MARK + state.number.to_bytes(4, "big") + bytes((state.stands, tries)) + b"".join(state.releases)
    return body + (binascii.crc32(body) & 0xFFFFFFFF).to_bytes(4, "big")


def decode(data) -> "State | None":
    """The state in one copy, None for anything that is not whole."""
    if data is None or len(data) != _BYTES or data[:3] != _MARK:
        return None
    if binascii.crc32(data[:-4]) & 0xFFFFFFFF != int.from_bytes(data[-4:], "big"):
        return None
    stands, tries = data[7], None if data[8] == 0xFF else data[8]
    if stands >= len(SLOTS) or (tries is not None and tries > TRIES):
        return None
    releases = data[9 : 9 + RELEASE_BYTES], data[9 + RELEASE_BYTES : -4]
    return State(int.from_bytes(data[3:7], "big"), stands, tries, releases)


def newest(copies) -> State:
    """The state that was written last. Without a whole copy: slot /a, as provisioning leaves it."""
    best = FIRST
    for copy in copies:
        state = decode(copy)
        if state is not None and state.number >= best.number:
            best = state
    return best


def at_start(state) -> "tuple[int, State]":
    """(slot that boots, state that has to be in flash before it does)."""
    if state.tries is None:
        return state.stands, state
    if state.tries > 0:
        return 1 - state.stands, State(state.number + 1, state.stands, state.tries - 1, state.releases)
    return state.stands, given_up(state)


def begun(state, release: bytes) -> State:
    """The slot that does not stand is on trial, with this release in it."""
    releases = (release, state.releases[1]) if state.stands == 1 else (state.releases[0], release)
    return State(state.number + 1, state.stands, TRIES, releases)


def confirmed(state) -> State:
    """What is on trial stands from now on."""
    return state if state.tries is None else State(state.number + 1, 1 - state.stands, None, state.releases)


def given_up(state) -> State:
    """What is on trial boots no more."""
    return state if state.tries is None else State(state.number + 1, state.stands, None, state.releases)


# ---- flash


class _Files:
    def open(self, path, mode):
        return open(path, mode)

    def sync(self, file):
        file.flush()


FLASH = _Files()


def load(files=FLASH) -> State:
    """What the record says."""
    return newest([_read(files, path) for path in PATHS])


def save(files, state) -> None:
    """Write over the older copy and read it back; OSError where flash did not take it."""
    path = PATHS[state.number % len(PATHS)]
    data = encode(state)
    file = files.open(path, "wb")
    try:
        file.write(data)
        files.sync(file)
    finally:
        file.close()
    if _read(files, path) != data:
        raise OSError(5, "%s did not read back as written" % path)


def start(files=FLASH) -> "tuple[str, bool]":
    """(path of the slot that boots, whether it is on trial). A start that cannot be counted is not tried."""
    before = load(files)
    slot, after = at_start(before)
    try:
        if after is not before:
            save(files, after)
    except OSError:
        return SLOTS[before.stands], False
    return SLOTS[slot], slot != after.stands


def watch() -> None:
    """Restart where the trial has not been settled in time: a release may hang before anything else looks after it."""
    global _timer
    import machine

    try:
        _timer = machine.Timer(0)  # not the one that feeds the watchdog
    except ValueError:
        _timer = machine.Timer(-1)  # the RP2040 numbers none
    _timer.init(period=CONFIRM_WITHIN_MS, mode=machine.Timer.ONE_SHOT, callback=lambda _: machine.reset())


def settle(good: bool, files=FLASH) -> None:
    """End the trial, if there is one."""
    if _timer is not None:
        _timer.deinit()
    before = load(files)
    after = confirmed(before) if good else given_up(before)
    if after is not before:
        save(files, after)


def _read(files, path):
    try:
        file = files.open(path, "rb")
    except OSError:
        return None
    try:
        return file.read()
    finally:
        file.close()
