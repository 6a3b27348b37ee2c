"""What a node can afford with the battery it has. Knows millivolts and milliseconds, no pin and no panel."""

# One lithium-ion cell at rest: about 80, 40 and 10 percent. Nothing below 3.3 V but keeping the log alive.
FULL_MV = 3950
SAVE_MV = 3700
LOW_MV = 3500
SURVIVE_MV = 3300


class Plan:
    """The next step of a node."""

    def __init__(self, name, sleep_ms, sample_ms, may_relay, may_send):
        self.name = name  # "full", "save", "low", "survive": for the log
        self.sleep_ms = sleep_ms  # how long until it should look again
        self.sample_ms = sample_ms  # time between two samples
        self.may_relay = may_relay  # carry the messages of others
        self.may_send = may_send  # send its own

    def __repr__(self):
        return "Plan(%s, sleep %d ms)" % (self.name, self.sleep_ms)


def plan(battery_mv: "int | None", send_in_ms: "int | None", sample_ms: int) -> Plan:
    """The next step; battery None means powered by a cable, send None that nothing is queued."""
    if battery_mv is None or battery_mv >= SAVE_MV:
        stretch, name, relay, send = 1, "full" if battery_mv is None or battery_mv >= FULL_MV else "save", True, True
    elif battery_mv >= LOW_MV:
        stretch, name, relay, send = 2, "low", True, True
    elif battery_mv >= SURVIVE_MV:
        stretch, name, relay, send = 4, "low", False, True
    else:
        stretch, name, relay, send = 8, "survive", False, False
    sleep_ms = sample_ms * stretch
    if send and send_in_ms is not None:
        sleep_ms = min(sleep_ms, max(0, send_in_ms))
    return Plan(name, sleep_ms, sample_ms * stretch, relay, send)
