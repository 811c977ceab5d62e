"""A flow and its reply, and the one word for both: who took it, what saw both directions, what went past (R38, R39).

What is unsafe comes before what is only broken. A stateful thing that sees one direction alone drops the flow (R39),
and so does a site's firewall on several routers that share the traffic (E44).
"""

from __future__ import annotations

from .groups import Packet
from .walker import End, Walker

NOBODY = End("nobody")
"""The reply to what nobody took."""


def conversation(walker: Walker, start: str, packet: Packet) -> tuple[End, End]:
    """`start`: a site's name or a NIC's."""
    there = walker.walk(start, packet)
    back = NOBODY if there.word != "delivered" else walker.walk(there.at, packet.reply(), there.passed)
    return there, back


def verdict(start: str, there: End, back: End, promised: str | None, through: str | None) -> str:
    """`promised`: the NIC that must take it. `through`: the appliance or load balancer that both must pass."""
    if "undecided" in (there.word, back.word):
        return "undecided"
    taken, home = there.word == "delivered", back.word == "delivered"
    if promised is not None and taken and not there.at.endswith("-nic"):
        # It never left the site.
        return "unreachable"
    for end in (there, back):
        if end.word in ("ambiguous", "looped"):
            return end.word
    if (taken and promised not in (None, there.at)) or (home and back.at != start):
        return "wrong-owner"
    past = [end for end in (there, back) if end.word == "delivered" and through not in (*end.crossed, *end.fronts)]
    unequal = sorted(there.guards) != sorted(back.guards)
    if through is not None and taken and past and not (home and len(past) == 1 and unequal):
        return "bypass"
    if taken and home:
        return "asymmetric" if unequal or there.torn or back.torn else "delivered"
    stopped = back if taken else there
    return stopped.word if stopped.word in ("denied", "unknown") else "unreachable"
