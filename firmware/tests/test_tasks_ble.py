"""The door over Bluetooth opens to who knocks right, one visitor at a time, and shuts behind everybody."""

import asyncio

from like_micropython import run

from hedgenode.rules.power import LOW_MV, SURVIVE_MV, plan
from hedgenode.tasks import ble
from hedgewire import beacon, frame

FLEET = bytes(8)
PUBLIC = bytes(range(32))


class Air:
    """What hal.ble.Peripheral is to the task; `visit` and `write` are the other side."""

    def __init__(self):
        self.connection = None
        self.shown = []  # what was advertised; None for hiding
        self.dropped = 0
        self.taken = []
        self.said = b""
        self._incoming = b""

    @property
    def waits(self):
        return bool(self._incoming)

    def advertise(self, data, interval_ms):
        self.shown.append(data)

    def hide(self):
        self.shown.append(None)

    def read(self):
        data, self._incoming = self._incoming, b""
        return data

    def forget(self):
        self._incoming = b""

    def write(self, data):
        self.said += bytes(data)
        return True

    def tell_taken(self, count):
        self.taken.append(count)
        return True

    def drop(self):
        if self.connection is not None:
            self.dropped += 1
        self.connection = None

    def visit(self, *writes):
        self.connection = 1
        self._incoming += b"".join(writes)

    def more(self, data):
        self._incoming += data

    def knock(self):
        return beacon.knock(FLEET, PUBLIC, beacon.parse(self.shown[-1][7:])[0])


class Door:
    def __init__(self):
        self.heard = []
        self.sends = []

    async def handle(self, kind, payload, send):
        self.heard.append((kind, payload))
        self.sends.append(send)
        send(frame.ANSWER, b"answer to " + payload)


class Hardware:
    def __init__(self, millivolts):
        self.millivolts = millivolts

    def battery_mv(self):
        return self.millivolts


def tell(story, millivolts=None):
    """Run the task beside a story about (air, door, task)."""

    async def both():
        air, door = Air(), Door()
        task = ble.BleTask(air, door, FLEET, PUBLIC, Hardware(millivolts), plan)
        running = asyncio.create_task(task.run(lambda within_ms: None))
        try:
            await asyncio.sleep_ms(1)
            await story(air, door, task)
        finally:
            running.cancel()

    run(both(), 20)


async def until(condition):
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep_ms(10)
    raise AssertionError("it did not come")


def test_who_knocks_right_is_answered():
    async def story(air, door, task):
        knock = air.knock()
        air.visit(knock)
        await until(lambda: air.taken == [0])
        air.more(frame.encode(frame.REQUEST, b"one") + frame.encode(frame.SEALED, b"two"))
        await until(lambda: len(door.heard) == 2)
        assert door.heard == [(frame.REQUEST, b"one"), (frame.SEALED, b"two")]
        assert air.said == frame.encode(frame.ANSWER, b"answer to one") + frame.encode(frame.ANSWER, b"answer to two")

    tell(story)


def test_who_knocks_wrong_or_says_more_before_the_door_is_open_is_shown_out():
    async def story(air, door, task):
        knock = air.knock()
        for word in (bytes(8), knock[:7] + b"\x00", knock + frame.encode(frame.REQUEST, b"one")):
            air.visit(word)
            await until(lambda: air.connection is None)
            await until(lambda: air.shown[-1] is not None)
        assert (door.heard, air.taken, task.strangers) == ([], [], 3)

    tell(story)


def test_a_visit_makes_the_next_advertisement_another_one():
    async def story(air, door, task):
        air.visit(bytes(8))
        await until(lambda: len(air.shown) == 2)
        assert air.shown[0] != air.shown[1]

    tell(story)


def test_a_visitor_that_says_nothing_is_shown_out():
    async def story(air, door, task):
        air.visit()
        await until(lambda: air.dropped == 1)
        assert task.strangers == 1

    before, ble.KNOCK_MS = ble.KNOCK_MS, 100
    try:
        tell(story)
    finally:
        ble.KNOCK_MS = before


def test_a_visitor_that_asks_nothing_any_more_leaves_the_door_to_others():
    async def story(air, door, task):
        air.visit(air.knock())
        await until(lambda: air.dropped == 1)
        assert task.strangers == 0

    before, ble.QUIET_MS = ble.QUIET_MS, 100
    try:
        tell(story)
    finally:
        ble.QUIET_MS = before


def test_what_is_said_later_to_a_visitor_who_left_reaches_nobody():
    async def story(air, door, task):
        air.visit(air.knock())
        await until(lambda: air.taken == [0])
        air.more(frame.encode(frame.REQUEST, b"follow"))
        await until(lambda: door.sends)
        air.drop()
        await until(lambda: len(air.shown) == 2)
        said = air.said
        air.visit(air.knock())
        door.sends[0](frame.EVENT, b"a line of the log")
        assert air.said == said

    tell(story)


def test_the_visitor_is_told_how_much_was_taken_before_its_window_is_full():
    async def story(air, door, task):
        air.visit(air.knock())
        await until(lambda: air.taken == [0])
        written = 0
        while written < 4000:  # as long as the window has room
            assert written + 200 - air.taken[-1] <= beacon.WINDOW_BYTES
            air.more(b"x" * 200)
            written += 200
            await until(lambda: not air.waits)
        assert air.taken == sorted(air.taken)

    tell(story)


def test_a_low_battery_keeps_the_node_hidden():
    async def story(air, door, task):
        assert air.shown == [None]

    tell(story, SURVIVE_MV)


def test_a_battery_that_still_carries_for_others_shows_it():
    async def story(air, door, task):
        assert air.shown[0] is not None

    tell(story, LOW_MV)
