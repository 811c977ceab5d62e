"""Is a flow and its reply good? One word for a pair of traces.

    ambiguous      two networks answer and nothing decides between them (E40)
    looped         a packet goes in circles
    stale          a machine took it that may run with old data (D92)
    wrong-owner    a machine took it that is not the promised one, or the reply came to another than had asked
    bypass         delivered, but not through the appliance that an objective names, in either direction
    asymmetric     delivered, but forward and back do not meet the same stateful things (R39, E44)
    unknown        something that decides is not known
    denied         a security group said no, forward or back
    unreachable    no way, no machine, or a dead hop
    delivered      the promised machine took it, and the reply came home

The first that applies is the answer, in this order: what is unsafe comes before what is only broken, since a proof
counts the two differently. Asymmetry alone does no harm; a stateful appliance or a site's firewall that sees only one
direction drops the flow. Where several stateful things share the traffic without sharing state, a reply may meet
another one than the flow did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from farshore.arm.ids import ResourceId, resource_id
from farshore.routing.prefixes import is_public
from farshore.routing.values import Disposition, Trace

_WORDS = {
    Disposition.AMBIGUOUS: "ambiguous",
    Disposition.LOOPED: "looped",
    Disposition.STALE: "stale",
    Disposition.WRONG_OWNER: "wrong-owner",
    Disposition.INSUFFICIENT_INFORMATION: "unknown",
    Disposition.DENIED: "denied",
}
UNSAFE = ("ambiguous", "looped", "stale", "wrong-owner", "bypass", "asymmetric")
"""The kinds that safety is about, worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a pair of traces comes to; `because` is one sentence."""

    kind: str
    because: str
    disposition: Disposition
    """How the trace that decided ended."""
    direction: str = "forward"
    """`forward` or `back`: which trace decided."""

    @property
    def good(self) -> bool:
        return self.kind == "delivered"

    @property
    def unsafe(self) -> bool:
        return self.kind in UNSAFE


def judge(
    forward: Trace,
    back: Trace,
    *,
    through: ResourceId | str | Iterable[ResourceId | str] | None = None,
    promised: ResourceId | str | None = None,
) -> Verdict:
    """The word for a flow and its reply.

    `through`: the appliance that both must pass, or several of which any will do (a source's and its target's); by NIC,
    machine or load balancer id. `promised`: the NIC that must be the one at the machine's end.
    """
    if promised is not None and forward.delivered_to is None and forward.disposition == Disposition.DELIVERED:
        # The site knows no closer way than its own summary: the flow never left it.
        because = f"it never left {forward.hops[-1].name}, which has no route to {_key(promised).rpartition('/')[2]}"
        return Verdict(kind="unreachable", because=because, disposition=Disposition.NO_ROUTE)
    for trace, direction in ((forward, "forward"), (back, "back")):
        if trace.disposition in (Disposition.AMBIGUOUS, Disposition.LOOPED, Disposition.STALE, Disposition.WRONG_OWNER):
            return _stopped(trace, direction)
    taken = forward.delivered_to
    if promised is not None and taken is not None and arrived(forward) and taken.key != _key(promised):
        because = "{} took it, promised is {}".format(*_apart(taken, _key(promised)))
        return Verdict(kind="wrong-owner", because=because, disposition=Disposition.WRONG_OWNER)
    if arrived(forward) and arrived(back):
        lost = _reply_lost(forward, back)
        if lost is not None:
            return lost
        unsafe = _bypass(forward, back, through) or _asymmetry(forward, back)
        if unsafe is not None:
            return unsafe
    elif arrived(forward):
        unsafe = _bypass(forward, None, through)
        if unsafe is not None:
            return unsafe
    for trace, direction in ((forward, "forward"), (back, "back")):
        if not arrived(trace):
            return _stopped(trace, direction)
    return Verdict(kind="delivered", because=forward.because, disposition=forward.disposition)


def _apart(one: ResourceId, other: str) -> tuple[str, str]:
    """Two ids as people say them: by name, and where both have the same (a copy has its source's), by group too."""
    names = one.name, other.rpartition("/")[2]
    if names[0].lower() != names[1]:
        return names
    groups = [id_.partition("/resourcegroups/")[2].partition("/")[0] for id_ in (one.key, other)]
    return f"{names[0]} in {groups[0]}", f"{names[0]} in {groups[1]}"


def arrived(trace: Trace) -> bool:
    """Whether a trace ended where it should: taken, or out to the internet that it was meant for."""
    return trace.disposition == Disposition.DELIVERED or (
        trace.disposition == Disposition.LEFT_ESTATE and is_public(trace.flow.destination_address)
    )


def _reply_lost(forward: Trace, back: Trace) -> Verdict | None:
    """The reply came to somebody else than who had asked: an address that is held, or a range announced, twice."""
    if not forward.hops or not back.hops:
        return None
    asked, got = forward.hops[0], back.hops[-1]
    if got.kind == "internet" and asked.kind != "site":
        return None
    if got.kind == "internet":
        # What leaves Azure for the internet takes an address of Azure's: nobody at the site would know it for a reply.
        because = f"the reply left for the internet, and never comes to {asked.name}"
        return Verdict(kind="unreachable", because=because, disposition=back.disposition, direction="back")
    if (asked.id or asked.name) == (got.id or got.name):
        return None
    because = f"the reply to {asked.name} came to {got.name}"
    return Verdict(kind="wrong-owner", because=because, disposition=Disposition.WRONG_OWNER, direction="back")


def _stopped(trace: Trace, direction: str) -> Verdict:
    kind = _WORDS.get(trace.disposition, "unreachable")
    return Verdict(kind=kind, because=trace.because, disposition=trace.disposition, direction=direction)


def _bypass(
    forward: Trace, back: Trace | None, through: ResourceId | str | Iterable[ResourceId | str] | None
) -> Verdict | None:
    if through is None:
        return None
    wanted = {_key(through)} if isinstance(through, ResourceId | str) else {_key(item) for item in through}
    missed = [
        (trace, direction)
        for trace, direction in ((forward, "forward"), (back, "back"))
        if trace is not None and not _meets(trace, wanted)
    ]
    # One direction alone through a stateful appliance is the asymmetry's to tell.
    if not missed or (back is not None and len(missed) == 1 and _keys(forward) != _keys(back)):
        return None
    trace, direction = missed[0]
    # An appliance and its counterpart in the target often have one name: it is said once.
    names = sorted({key.rpartition("/")[2] for key in wanted})
    because = f"{trace.flow.source_address} reaches {trace.flow.destination_address} past {' or '.join(names)}"
    return Verdict(kind="bypass", because=because, disposition=trace.disposition, direction=direction)


def _meets(trace: Trace, wanted: set[str]) -> bool:
    """Whether a way passes one of these appliances, by whatever id an objective may name them: where several share the
    traffic, whichever of them takes it."""
    for hop in trace.hops:
        alternatives = hop.any_of or (frozenset({str(hop.id).lower(), hop.state_key, hop.front}),)
        if hop.kind == "appliance" and all(wanted & names for names in alternatives):
            return True
    return False


def _asymmetry(forward: Trace, back: Trace) -> Verdict | None:
    there, home = _keys(forward), _keys(back)
    shared = next((key for key in (*there, *home) if "|" in key), None)
    if shared is not None:
        names = " and ".join(key.rpartition("/")[2] for key in shared.split("|"))
        because = f"{names} share the traffic but no state: a reply may meet the other one"
        return _asymmetric(because, forward)
    if sorted(there) == sorted(home):
        return None
    only_there = [key for key in there if key not in home]
    only_home = [key for key in home if key not in there]
    parts = []
    if only_there:
        parts.append(f"only the flow passes {_named(forward, only_there)}")
    if only_home:
        parts.append(f"only the reply passes {_named(back, only_home)}")
    return _asymmetric(
        ", ".join(parts) or "the flow and its reply pass stateful things a different number of times", forward
    )


def _asymmetric(because: str, trace: Trace) -> Verdict:
    return Verdict(kind="asymmetric", because=because, disposition=trace.disposition)


def _keys(trace: Trace) -> tuple[str, ...]:
    return trace.stateful_hops


def _named(trace: Trace, keys: list[str]) -> str:
    names = [hop.name for hop in trace.hops if hop.stateful and (hop.state_key or str(hop.id).lower()) in keys]
    return ", ".join(dict.fromkeys(names))


def _key(id_: ResourceId | str) -> str:
    """Raises `InputError` for what is no resource's id: a name alone would be met by nobody."""
    return id_.key if isinstance(id_, ResourceId) else resource_id(id_).key
