"""One flow: what the engine says, what the twin has seen, and whether that is the same.

The engine's hops are put in the twin's names. A gateway's instances, a circuit's links and the fabric of networks are
the twin's own detail: they are left out of its ways. Where the engine says that one of several may take a packet, the
one that took it must be among them.

What the engine calls     must show in the twin as
    delivered             the same answerer, and the same hosts on both ways
    stale                 the same answerer
    denied                no answer, and a group's refusal at the same machine
    asymmetric            no answer, and a stateful host that knew no flow; or, where several routers share the traffic
                          but no state, as many routers ahead of the packet
    ambiguous             several networks ahead of the packet, by the kernel's own routes
    looped                no answer, and a host that saw the packet twice
    wrong-owner           no answer for whoever asked
    unreachable           no answer, nothing refused it, and it came as far
    unknown               nothing: the engine makes no claim, and the flow is counted apart

A ping is compared the same way (echoes.py), but where a firewall sees only the request: it drops a conversation, of
which it misses the half, and not an echo, whose reply comes home by another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId

if TYPE_CHECKING:
    from farshore.routing import Flow, Routing, Trace, Verdict
    from farshore.twin.observe import Ahead, Fate

ICMP = "icmp"


@dataclass(frozen=True)
class Compared:
    """How one flow compares. Neither `differs` nor `apart`: they agree."""

    flow: Flow
    kind: str
    """The engine's word."""
    forward: Trace
    """The engine's way there."""
    differs: str = ""
    """What is not the same, in a sentence."""
    apart: str = ""
    """Why the two can't be compared."""


def compare(routing: Routing, machines: dict[str, str], flow: Flow, fate: Fate, left_out: frozenset[str]) -> Compared:
    """One flow. `machines`: by NIC or firewall, the machine that has it; `left_out`: ids that have no host."""
    from farshore.routing import judge

    forward, back = routing.trace(flow)
    verdict = judge(forward, back)
    names = Names(machines)
    apart = _apart(verdict, (forward, back), left_out)
    differs = "" if apart else _difference(verdict, forward, back, fate, names)
    return Compared(flow, verdict.kind, forward, differs, apart)


def _apart(verdict: Verdict, traces: tuple[Trace, Trace], left_out: frozenset[str]) -> str:
    if verdict.kind == "unknown":
        return "the engine makes no claim"
    balanced = [{key for key in trace.stateful_hops if "/loadbalancers/" in key} for trace in traces]
    if verdict.kind == "asymmetric" and balanced[0] != balanced[1]:
        return "which member a load balancer takes is chance, and the twin has one"
    for trace in traces:
        for hop in trace.hops:
            if hop.front and len(hop.any_of) > 1 + len(hop.others):
                return "a load balancer's members come to different ends, and the twin has one of them"
            if hop.kind in ("tunnel", "endpoint"):
                return f"a {hop.kind} has no host in the twin"
            if isinstance(hop.id, ResourceId) and hop.id.key in left_out:
                return f"{hop.id.name} has no host in the twin"
    return ""


def _difference(verdict: Verdict, forward: Trace, back: Trace, fate: Fate, names: Names) -> str:
    kind = verdict.kind
    undecided = [
        (trace, ahead)
        for trace, ahead in ((forward, fate.ahead), (back, fate.ahead_back))
        if trace.disposition == "Ambiguous"
    ]
    if kind == "ambiguous":
        return _undecided(undecided)
    if any(len(ahead.networks) > 1 for ahead in (fate.ahead, fate.ahead_back)):
        return f"the twin splits the traffic between {listed(fate.ahead.networks | fate.ahead_back.networks)}"
    shared = {key for key in (*forward.stateful_hops, *back.stateful_hops) if "|" in key}
    if kind == "asymmetric" and shared:
        routers = fate.ahead.routers | fate.ahead_back.routers
        return "" if len(routers) > 1 else "the engine sees several routers share the traffic, the twin sees one"
    echoed = forward.flow.protocol == ICMP and set(back.stateful_hops) <= set(forward.stateful_hops)
    if kind in ("delivered", "stale") or (kind == "asymmetric" and echoed):
        return _delivered(forward, back, fate, names)
    if fate.answered_by is not None:
        return f"the engine says {kind} ({verdict.because}), but {short(fate.answered_by)} answered"
    return _lost(verdict, forward, back, fate, names)


def _undecided(found: Sequence[tuple[Trace, Ahead]]) -> str:
    for trace, ahead in found:
        if len(ahead.networks) < 2:
            return f"the engine says that nothing decides ({trace.because}), the twin knows one way"
    return ""


def _delivered(forward: Trace, back: Trace, fate: Fate, names: Names) -> str:
    expected = names.taker(forward)
    if fate.answered_by is None:
        why = f", refused at {short(fate.denied_at)}" if fate.denied_at else ""
        why += f", no state at {short(fate.stateless_at)}" if fate.stateless_at else ""
        went = f"there {listed(fate.way, ' ')}, back {listed(fate.back, ' ') or 'nowhere'}"
        return f"the engine says that {short(expected)} answers, nobody did{why}: {went}"
    if fate.answered_by != expected:
        return f"the engine says that {short(expected)} answers, {short(fate.answered_by)} did"
    for trace, way, ahead, word in (
        (forward, fate.way, fate.ahead, "way there"),
        (back, fate.back, fate.ahead_back, "way back"),
    ):
        wrong = names.unlike(trace, way, whole=True)
        if wrong and not by_several_sites(ahead):
            return f"the {word} differs: {wrong}"
    return ""


def by_several_sites(ahead: Ahead) -> bool:
    """Whether a line between sites makes ways by several of them equal: a trace shows one, a packet takes another."""
    return len({router.partition("/")[0] for router in ahead.routers}) > 1


def _lost(verdict: Verdict, forward: Trace, back: Trace, fate: Fate, names: Names) -> str:
    kind = verdict.kind
    trace, way = (forward, fate.way) if verdict.direction == "forward" else (back, fate.back)
    if kind == "denied":
        where = names.last(trace)
        return (
            ""
            if fate.denied_at in where
            else f"the engine has it refused at {listed(where)}, the twin {short(fate.denied_at)}"
        )
    if fate.denied_at is not None:
        return f"the engine says {kind} ({verdict.because}), in the twin a group at {short(fate.denied_at)} refused it"
    if kind == "asymmetric":
        return (
            ""
            if fate.stateless_at is not None
            else f"the engine says asymmetric ({verdict.because}), no host missed a flow"
        )
    # Where its way goes on to a dead end or in circles, a host that has seen one direction only may drop it before.
    missed = set(forward.stateful_hops) ^ set(back.stateful_hops)
    if fate.stateless_at is not None and any(short(fate.stateless_at) in key for key in missed):
        return ""
    if kind == "looped":
        return "" if len(set(way)) < len(way) else "the engine says that it loops, no host saw it twice"
    if kind == "unreachable":
        if fate.stateless_at is not None:
            return f"the engine says unreachable ({verdict.because}), {short(fate.stateless_at)} knew no flow"
        wrong = names.unlike(trace, way, whole=False)
        return f"it ends elsewhere: {wrong}" if wrong else ""
    return ""


class Names:
    """The engine's hops in the twin's names."""

    def __init__(self, machines: dict[str, str]) -> None:
        self._machines = machines

    def taker(self, trace: Trace) -> str:
        """The host that answers where a trace was delivered."""
        if trace.delivered_to is None:
            return f"site:{trace.hops[-1].name.lower()}"
        return self._machine(trace.delivered_to.key)

    def last(self, trace: Trace) -> frozenset[str]:
        """What the trace's last hop may be."""
        return self.hops(trace)[-1] if trace.hops else frozenset()

    def unlike(self, trace: Trace, way: Sequence[str], *, whole: bool) -> str:
        """How a way is unlike a trace, or nothing. Not `whole`: one may have seen one place more than the other, since
        a dead hop is told by the engine and passed by nobody."""
        expected, seen = self.hops(trace), plain(way)
        pairs = zip(expected, seen, strict=False)
        same = all(place in those for those, place in pairs)
        if same and (len(expected) == len(seen) if whole else abs(len(expected) - len(seen)) <= 1):
            return ""
        says = " ".join("|".join(sorted(map(short, those))) for those in expected)
        return f"engine {says or '-'}; twin {listed(seen, ' ') or '-'}"

    def hops(self, trace: Trace) -> list[frozenset[str]]:
        """Its places, each with the hosts that it may be."""
        found: list[frozenset[str]] = []
        for hop in trace.hops:
            those = self._hop(hop.kind, hop.name, hop.id, hop.others)
            if those and (not found or found[-1] != those):
                found.append(those)
        return found

    def _hop(
        self, kind: str, name: str, id_: ResourceId | str | None, others: tuple[ResourceId, ...]
    ) -> frozenset[str]:
        if kind in ("machine", "appliance") and isinstance(id_, ResourceId):
            return frozenset(self._machine(held.key) for held in (id_, *others))
        if kind == "gateway" and isinstance(id_, ResourceId):
            return frozenset({f"gateway:{id_.key}"})
        if kind == "circuit" and isinstance(id_, ResourceId):
            # A hop names all circuits that are equal, and has the id of the first.
            return frozenset(f"circuit:{part.lower()}" for part in name.split(", "))
        if kind == "router":
            site = str(id_).partition(":")[2].partition("/")[0]
            return frozenset(f"router:{site}/{part}".lower() for part in name.split(", "))
        return frozenset({f"site:{name.lower()}"}) if kind == "site" else frozenset()

    def _machine(self, key: str) -> str:
        return f"machine:{self._machines.get(key, key)}"


def plain(way: Sequence[str]) -> list[str]:
    """A way without the twin's own detail."""
    found: list[str] = []
    for host in way:
        kind, _, rest = host.partition(":")
        name = rest.partition("#")[0]
        if kind == "network":
            continue
        plain = f"{kind}:{name.rpartition('/')[2]}" if kind == "circuit" else f"{kind}:{name}"
        if not found or found[-1] != plain:
            found.append(plain)
    return found


def short(host: str | None) -> str:
    return "nobody" if host is None else host.rpartition("/")[2].rpartition(":")[2]


def listed(hosts: Sequence[str] | frozenset[str], between: str = ", ") -> str:
    return between.join(short(host) for host in (hosts if isinstance(hosts, Sequence) else sorted(hosts)))
