"""What follows what in a ledger, what a node notes at its start, what may go. Knows no key and no file.

The same rules judge on the node, on a laptop and offline: host/hedgerow/fleet/verdict.py imports them.
"""

LOST = "lost"
# After damage at the end of the log the node cannot know how many entries it had: it leaves out more numbers than a
# segment holds, so that it never signs a second entry under a number that it may have signed already.
LOST_NUMBERS = 1024
# What `at_start` compares with; the store carries their last fields along when old entries go.
KINDS_AT_START = ("enrolled", "moved", "updated", "configured", "charter", "restarted")
_NOTED_IN_A_ROW = 4  # restarts by the watchdog
_THINNED_TO = 8  # then one in 2 ** 8 at least

# How what is shown stands to what is known.
NEXT = "next"  # it follows at once
SAME = "same"
LATER = "later"  # it may follow; what lies between is not known
OLDER = "older"  # as somebody's newest word this is a rollback
FORK = "fork"  # both cannot be of one ledger


def of_entry(last_seq: int, last_digest: bytes, seq: int, previous: bytes, kind: str = "") -> str:
    """How an entry stands to the newest one that is known. An entry `lost` leaves out numbers and says so."""
    if seq <= last_seq:
        return OLDER
    if previous == last_digest and (seq == last_seq + 1 or kind == LOST):
        return NEXT
    return FORK if seq == last_seq + 1 else LATER


def of_head(known_seq: int, known_digest: bytes, seq: int, digest: bytes) -> str:
    """How a signed head stands to another one of the same writer, by these two alone."""
    if seq == known_seq:
        return SAME if digest == known_digest else FORK
    return LATER if seq > known_seq else OLDER


def segments_to_drop(last_seqs, signed_seq: int, kept_seq: int, most: int, most_unkept: int) -> int:
    """How many of the oldest segments may go. `last_seqs`: the number of the last entry of each, oldest first.

    Only what a signed head covers goes. While a host lacks them (`kept_seq`: up to where one has it all), entries may
    take up to `most_unkept` segments; beyond that the oldest go in any case, for newer entries matter more, and the
    chain itself shows that something is missing.
    """
    count = 0
    for last_seq in last_seqs[:-1]:
        left = len(last_seqs) - count
        if last_seq > signed_seq or left <= most or (last_seq > kept_seq and left <= most_unkept):
            break
        count += 1
    return count


def at_start(said: dict, facts: dict) -> list:
    """The (kind, fields) to note when a node has started, from what its ledger last said of each kind and what is.

    `facts`: fleet, short, charter, app, slot (digest of the program files), config (digest), boot, watchdog (whether
    that restarted it). A restart by the watchdog is noted; a node that restarts again and again notes ever fewer.
    """
    notes = []
    enrolled = {"fleet": facts["fleet"], "short": facts["short"]}
    left = (said.get("enrolled") or enrolled)["fleet"]
    if left != facts["fleet"]:
        moved = {"left": left, "fleet": facts["fleet"], "short": facts["short"]}
        if said.get("moved") != moved:
            notes.append(("moved", moved))
    if said.get("enrolled") != enrolled:
        notes.append(("enrolled", enrolled))
    updated = {"app": facts["app"], "slot": facts["slot"]}
    if said.get("updated") != updated:
        notes.append(("updated", updated))
    if (said.get("configured") or {}).get("config") != facts["config"]:
        notes.append(("configured", {"config": facts["config"]}))
    known = (said.get("charter") or {}).get("version", 0) if left == facts["fleet"] else 0
    if known < facts["charter"]:
        notes.append(("charter", {"version": facts["charter"]}))
    if facts["watchdog"]:
        notes += restarted(said, facts["boot"])
    return notes


def restarted(said: dict, boot: int) -> list:
    """What to note of a restart by the watchdog: the first few in a row, then ever fewer, up to one in 256."""
    last = said.get("restarted") or {"boot": 0, "run": 0}
    passed = boot - last["boot"]
    every = 1 << min(max(0, last["run"] - _NOTED_IN_A_ROW), _THINNED_TO)
    if passed < every:
        return []
    return [("restarted", {"boot": boot, "run": 1 if passed > 2 * every else last["run"] + 1})]


def worth_noting(kind: str, fields: dict, last_kind: "str | None", last_fields: "dict | None") -> bool:
    """Whether an entry says something new. Two audits by the same one in a row are one: asking must not fill flash."""
    return not (kind == "audited" and last_kind == kind and last_fields == fields)
