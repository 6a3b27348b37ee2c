"""When a ledger is signed, and when its head is shown to whom. Knows no entry and no key.

What is to be remembered is a list or a dict of the caller's: this code is in memory only while it is used.
"""

SIGN_EVERY = 16  # entries that one signature covers at most
SIGN_AFTER_S = 6 * 3600  # an entry is not left unsigned for longer, so that neighbours can vouch for it
WITNESS_EVERY = 4  # entries that a ledger grows between two counter-signatures of one neighbour
OFFERS = 3  # of one head to a neighbour that does not answer: firmware before this one never does
OFFER_AGAIN_S = 300
NEAR_S = 120  # whoever was heard within that is worth a frame
MAX_ASKED = 16
SIGNATURES_A_DAY = 12
CHECKS_A_DAY = 48  # a stranger can waste these: a check costs half a second of a Pico
DAY_S = 86400


def sign_due(unsigned: int, asked: bool, waited_s: int) -> bool:
    """Whether to sign now: when 16 entries wait, when somebody asks, or when the oldest has waited long enough."""
    return unsigned > 0 and (asked or unsigned >= SIGN_EVERY or waited_s >= SIGN_AFTER_S)


class Budget:
    """How many counter-signatures and checks of others' signatures a day may still cost.

    `used` is [second when the day began, signatures, checks], at first [0, 0, 0].
    """

    def __init__(self, used: list):
        self._used = used

    def may_check(self, now_s: int) -> bool:
        """Take one check; False where the day has none left."""
        used = self._used
        if now_s - used[0] >= DAY_S or now_s < used[0]:
            used[:] = [now_s, 0, 0]
        used[2] += 1
        return used[2] <= CHECKS_A_DAY

    def may_sign(self) -> bool:
        """Take one signature of the day of the last check."""
        self._used[1] += 1
        return self._used[1] <= SIGNATURES_A_DAY


class Asking:
    """Which neighbours were shown our head, and which have answered.

    `asked` is short -> [seq, offers so far, second of the last one, answered], at first empty.
    """

    def __init__(self, asked: dict):
        self._asked = asked

    def due(self, seq: int, peers: dict, now_s: int) -> bool:
        """Whether to show our signed head to who is near. `peers`: short -> second when it was heard."""
        due = False
        for short, heard_s in peers.items():
            if now_s - heard_s > NEAR_S:
                continue
            asked = self._asked.get(short)
            if asked is None or seq >= asked[0] + (WITNESS_EVERY if asked[3] else 1):
                if asked is None and len(self._asked) >= MAX_ASKED:
                    del self._asked[min(self._asked, key=lambda other: self._asked[other][2])]
                asked = self._asked[short] = [seq, 0, now_s - OFFER_AGAIN_S, False]
            if not asked[3] and asked[1] < OFFERS and now_s - asked[2] >= OFFER_AGAIN_S:
                due = True
        return due

    def shown(self, peers: dict, now_s: int) -> None:
        """Our head went to all that are near."""
        for short, heard_s in peers.items():
            asked = self._asked.get(short)
            if asked is not None and now_s - heard_s <= NEAR_S:
                asked[1] += 1
                asked[2] = now_s

    def waits_for(self, short: int) -> bool:
        """Whether an answer of that neighbour is one that we asked for."""
        asked = self._asked.get(short)
        return asked is not None and not asked[3]

    def answered(self, short: int) -> None:
        if short in self._asked:
            self._asked[short][3] = True
