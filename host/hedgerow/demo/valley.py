"""The contact plan of the demo: six gardens in a valley, and a bicycle that passes them. Numbers only, no process.

Only neighbours are ever in reach of each other, one pair at a time. So no link, and at no moment a chain of links,
joins the first garden to the last: what gets there was stored on the way.
"""

from hedgerow.virtual.contacts import Contact

STAY_S = 2.4  # how long two nodes are in reach: a few HELLOs and one handover
RIDE_S = 0.4  # nobody in reach
NIGHT_S = 9.0  # a long pause behind the relay that loses its power


def ride(nodes: int, cut_at: int) -> list[Contact]:
    """Down the valley (who meets whom becomes known), then up again with the message; the plan in seconds.

    The night falls after node `cut_at` had the chance to take the message over.
    """
    down = [(a, a + 1) for a in range(nodes - 1, 1, -1)]
    up = [(a, a + 1) for a in range(1, nodes)]
    plan = []
    at_s = 0.0
    for a, b in down + up:
        plan.append(Contact(at_s, f"node-{a}", f"node-{b}", True))
        at_s += STAY_S
        plan.append(Contact(at_s, f"node-{a}", f"node-{b}", False))
        at_s += RIDE_S
        if (a, b) == (cut_at - 1, cut_at) and len(plan) // 2 > len(down):
            at_s += NIGHT_S
    return plan


def rounds(nodes: int, cut_at: int, count: int) -> list[Contact]:
    """Several rides, one after the other: what a lossy or slow moment missed, the next ride makes good."""
    one = ride(nodes, cut_at)
    length_s = one[-1].at_s + RIDE_S
    return [Contact(c.at_s + n * length_s, c.a, c.b, c.up) for n in range(count) for c in one]
