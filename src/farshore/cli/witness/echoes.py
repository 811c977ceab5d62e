"""A flow's ping and its traceroute, beside what the engine says of ICMP between the same ends.

The ping is judged as any flow is (compare.py). Groups see another protocol, without ports, so that it may be refused
where TCP is let through, and the other way round.

A traceroute's hops are compared with the engine's, one by one. A network's host is the twin's own detail and may keep
silent: it has no route for what it says itself where only its subnets have one. So may a place from which nothing of
its own comes to whoever asked, as where ranges collide. Any other place on the way of a ping that was answered must
answer too; where a ping was lost, what did answer must stand in its place.

Each probe takes one of the equal ways by itself: a traceroute that went another than its ping is counted apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.cli.witness.compare import ICMP, Compared, Names, by_several_sites, compare, listed, plain, short

if TYPE_CHECKING:
    from farshore.routing import Flow, Routing, Trace
    from farshore.twin.observe import Observed


def compare_echoes(
    routing: Routing, machines: dict[str, str], flow: Flow, seen: Observed, left_out: frozenset[str]
) -> tuple[Compared, Compared]:
    """The ping and the traceroute that went with a flow."""
    echo = replace(flow, protocol=ICMP, destination_port=None)
    ping = compare(routing, machines, echo, seen.pinged, left_out)
    apart, forward, names = ping.apart, ping.forward, Names(machines)
    if ping.differs:
        apart = "its ping differs already"
    elif forward.disposition == "Ambiguous" or by_several_sites(seen.pinged.ahead):
        apart = "one of equal ways, and a trace shows another"
    differs = "" if apart else _hops_differ(forward, seen, names)
    shared = any(len(places) > 1 for places in names.hops(forward))
    if differs and shared and (_went_elsewhere(seen) or ping.kind not in ("delivered", "stale")):
        # Of a ping that is not delivered both ways nobody compares by which of the equal ways it went.
        apart, differs = "one of equal ways, and a trace shows another", ""
    return ping, Compared(echo, ping.kind, forward, differs, apart)


def _went_elsewhere(seen: Observed) -> bool:
    return any(hosts and passed not in hosts for hosts, passed in zip(seen.traced, seen.pinged.way[1:], strict=False))


def _hops_differ(forward: Trace, seen: Observed, names: Names) -> str:
    # Whoever asks is the first of the engine's hops, and no hop of a traceroute.
    expected = names.hops(forward)[1:]
    answered = seen.pinged.answered_by is not None
    told: list[frozenset[str]] = []
    for hosts, passed in zip(seen.traced, seen.pinged.way[1:], strict=False):
        if not hosts and answered and not passed.startswith("network:") and passed not in seen.mute:
            return f"{short(passed)} passed the ping and is no hop of the traceroute: {_shown(seen)}"
        hop = frozenset(name for host in hosts or (passed,) for name in plain([host]))
        if hop and (not told or told[-1] != hop):
            told.append(hop)
    same = all(places & hop for places, hop in zip(expected, told, strict=False))
    if same and (not answered or len(expected) == len(told)):
        return ""
    says = " ".join("|".join(sorted(map(short, places))) for places in expected)
    return f"engine {says or '-'}; traceroute {_shown(seen)}"


def _shown(seen: Observed) -> str:
    return " ".join(listed(hosts, "|") or "*" for hosts in seen.traced) or "-"
