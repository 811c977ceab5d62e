"""Objectives as packets see them: every conversation, there and back, in the source as it stands (D36, D41, D82, R39).

A trace knows no intentions: it finds what no rule thought of. Where something on the way is an error already, these
findings are folded under it (`folding.py`); alone, they name the thing whose change mends the way.

Machines that nothing tells apart on the way (subnet, groups) are one class, and one of each is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from itertools import islice

from farshore.arm.connectivity import ExpressRouteCircuit
from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.assess.context import GATEWAY_SUBNET, Context
from farshore.assess.findings import Finding, error, info, rule, warning
from farshore.assess.objectives import SHARED, Conversation, Endpoint, can_survive, one_of_each, several
from farshore.assess.rules.connections import leading_nowhere
from farshore.assess.rules.sites import denied_part
from farshore.assess.ways import elements_of
from farshore.errors import InputError
from farshore.routing.context import routing_of
from farshore.routing.figures import describe
from farshore.routing.values import Disposition, Trace
from farshore.routing.verdicts import Verdict, arrived, judge

MOST_TRACES = 400
"""Of an objective, at most so many classes are traced; a proof looks at all of them."""


@rule("FS901", "An objective's flow does not arrive", "D41", "D82")
def not_delivered(context: Context) -> Iterator[Finding]:
    yield from _told(context, ("unreachable", "looped", "stale", "ambiguous", "wrong-owner"))


@rule("FS902", "A security group denies an objective's flow", "R42", "R43", "R45")
def denied(context: Context) -> Iterator[Finding]:
    yield from _told(context, ("denied",))


@rule("FS903", "An objective's flow passes the appliance by", "D41", "R36", "R37")
def bypass(context: Context) -> Iterator[Finding]:
    yield from _told(context, ("bypass",))


@rule("FS904", "An objective's flow and its reply go different ways", "R39", "E44")
def asymmetric(context: Context) -> Iterator[Finding]:
    yield from _told(context, ("asymmetric",))


@rule("FS905", "A flow that an objective forbids gets through", "R42")
def forbidden(context: Context) -> Iterator[Finding]:
    for talk, forward, back, verdict in _judged(context, deny=True):
        if verdict.kind in ("delivered", "bypass", "asymmetric") and arrived(forward):
            subject = forward.delivered_to or talk.destination.nic
            subnet = _subnet_of(context, subject)
            group = None if subnet is None else context.estate.subnet(subnet)
            own = None if group is None else group.network_security_group
            yield _with_way(
                context,
                talk,
                error(
                    own or subnet or f"objectives/{talk.objective.name}",
                    f"Objective {talk.objective.name} forbids {talk}, and it gets through",
                    *_lines(forward),
                    remedy="deny it in the security group of the destination",
                ),
                forward,
                back,
            )


@rule("FS906", "Whether an objective holds is not known", "R10", "R11")
def unknown(context: Context) -> Iterator[Finding]:
    for talk, forward, back, verdict in _judged(context):
        if verdict.kind == "unknown":
            trace = forward if verdict.direction == "forward" else back
            yield warning(
                f"objectives/{talk.objective.name}",
                f"Whether {talk} arrives is not known: {trace.because}",
                *trace.missing[:6],
                remedy="read the estate from Azure, with what is missing",
            )
            break


@rule("FS907", "An objective speaks of nobody", "D82")
def of_nobody(context: Context) -> Iterator[Finding]:
    if not context.machines:
        return
    for objective in context.objectives:
        if next(one_of_each(context, objective, lambda end: end.place), None) is None:
            yield error(
                f"objectives/{objective.name}",
                f"Objective {objective.name}, from {objective.from_} to {objective.to}, means no machine and no site",
                remedy="name a site, `machines`, a range that holds machines, or a machine",
            )


@rule("FS908", "An objective claims to survive what this topology can't", "D91", "D57", "E4", "D53")
def claims_too_much(context: Context) -> Iterator[Finding]:
    possible = can_survive(context.project.topology, keep=context.project.keep_addresses)
    built = several(context)
    circuits = [c for c in context.circuits if c.id in context.source_circuits]
    why = {
        "circuit": _by_side(context, "circuits", lambda circuit: circuit.id.key),
        "peering-location": _by_side(
            context, "peering locations", lambda circuit: (circuit.peering_location or circuit.id.key).lower()
        ),
        "appliance": "there is a single appliance, and a route to it stays when it is gone (R25)",
        "circuit-link": "no circuit of the source has routers on both links",
    }
    gives = {
        "circuit": "circuit" in built,
        "peering-location": "peering-location" in built,
        "appliance": _has_spare_appliance(context),
        "circuit-link": not circuits or any(_both_links(context, c.id) for c in circuits),
    }
    # A connection that leads nowhere is one circuit less.
    lost = frozenset(connection.id.key for connection in leading_nowhere(context))
    for objective in context.objectives:
        for claim in objective.survive:
            if not gives.get(claim, True):
                finding = error(
                    f"objectives/{objective.name}",
                    f"Objective {objective.name} claims to survive the loss of a {claim.replace('-', ' ')}, and can't",
                    why[claim],
                    *(() if claim in possible else (f"topology {context.project.topology}",)),
                    remedy=f"take {claim} out of survive, or build what it needs",
                )
                yield replace(finding, way=lost) if claim in possible and claim in SHARED else finding


def _by_side(context: Context, what: str, kind: Callable[[ExpressRouteCircuit], str]) -> str:
    """Of how many kinds each side's circuits are."""
    here, there = (
        len({kind(circuit) for circuit in context.circuits if circuit.id in side})
        for side in (context.source_circuits, context.target_circuits)
    )
    return f"{what} of the source: {here}, of the target: {there}"


@rule("FS909", "An objective can't have its recovery point", "S25", "S29")
def recovery_point(context: Context) -> Iterator[Finding]:
    """A crash-consistent point is taken every five minutes, fixed (S25)."""
    for objective in context.objectives:
        if objective.recovery_point.total_seconds() < 300 and not objective.deny:
            yield info(
                f"objectives/{objective.name}",
                f"Objective {objective.name} allows {objective.recovery_point.total_seconds() / 60:g} minutes of lost"
                " writes; points are taken every 5, and only the latest data is newer",
            )


# Telling. ----------------------------------------------------------------------------------------------------------


def _told(context: Context, kinds: tuple[str, ...]) -> Iterator[Finding]:
    """One finding for each thing to mend."""
    seen: set[str] = set()
    for talk, forward, back, verdict in _judged(context):
        if verdict.kind not in kinds:
            continue
        trace = forward if verdict.direction == "forward" else back
        filtering = _filtering(context, forward, back) if verdict.kind == "asymmetric" else None
        subject = filtering or _to_mend(context, talk, forward, back, verdict)
        if subject.lower() in seen:
            continue
        seen.add(subject.lower())
        other = "" if verdict.direction == "forward" else "the reply of "
        finding = error(
            subject,
            f"{talk.objective.name}: {other}{talk} is {verdict.kind}: {verdict.because}",
            *_lines(trace),
            remedy=_remedy(verdict, subject, filtering=filtering is not None),
        )
        yield _with_way(context, talk, finding, forward, back)


def _judged(context: Context, *, deny: bool = False) -> Iterator[tuple[Conversation, Trace, Trace, Verdict]]:
    yield from context.remember(("judged", deny), lambda: tuple(_judge_all(context, deny=deny)))


def _judge_all(context: Context, *, deny: bool) -> Iterator[tuple[Conversation, Trace, Trace, Verdict]]:
    routing = routing_of(context.estate)
    for objective in context.objectives:
        if objective.deny is not deny:
            continue
        for talk in islice(one_of_each(context, objective, partial(_class, context)), MOST_TRACES):
            try:
                forward, back = routing.trace(talk.flow)
            except InputError as failure:
                # A reference that leads nowhere: a rule of its own names it, and the flow is unknown.
                forward = back = _unknown(talk, failure)
            through = objective.through if objective.through else None
            verdict = judge(forward, back, through=through, promised=talk.destination.nic)
            yield talk, forward, back, verdict


def _unknown(talk: Conversation, failure: InputError) -> Trace:
    return Trace(
        flow=talk.flow,
        hops=(),
        disposition=Disposition.INSUFFICIENT_INFORMATION,
        because=failure.message,
        missing=(str(failure.value or failure.message),),
    )


def _class(context: Context, end: Endpoint) -> Hashable:
    return context.remember(("class", end.place, end.address, end.machine), lambda: _class_of(context, end))


def _class_of(context: Context, end: Endpoint) -> Hashable:
    nic = context.estate.network_interface(end.nic)
    if nic is None:
        return end.place, end.address
    subnets = tuple(item.subnet for item in nic.ip_configurations)
    groups = tuple(group for item in nic.ip_configurations for group in item.application_security_groups)
    rules = () if nic.network_security_group is None else (nic.network_security_group,)
    machine = context.estate.virtual_machine(end.machine)
    return subnets, groups, rules, None if machine is None else machine.power_state, _atom(context, end)


def _atom(context: Context, end: Endpoint) -> tuple[Network, ...]:
    """The user routes that hold the address: they part machines of one subnet."""
    return context.routed.all(end.address)


def _with_way(context: Context, talk: Conversation, finding: Finding, *traces: Trace) -> Finding:
    return replace(finding, way=elements_of(context, talk, *traces))


def _lines(trace: Trace) -> tuple[str, ...]:
    return tuple(describe(trace).splitlines()[:12])


def _remedy(verdict: Verdict, subject: str, *, filtering: bool) -> str:
    name = subject.rsplit("/", 1)[-1]
    if filtering:
        return f"remove the filter on {name} that parts a flow from its reply"
    if verdict.kind == "asymmetric" and "/connections/" in subject.lower():
        return f"give {name} the greatest weight of its gateway's connections: the site prefers its circuit"
    if verdict.kind == "asymmetric" and subject.startswith("sites/"):
        return f"have the site prefer {name}: replies come by its circuit"
    return {
        "denied": f"allow the flow in {name}",
        "bypass": f"lead it through the appliance in {name}",
        "asymmetric": f"lead both directions through the appliance: {name} is the one that does not",
        "ambiguous": "have the site prefer or deny one of the two offers",
    }.get(verdict.kind, f"mend {name}")


# What to mend. -----------------------------------------------------------------------------------------------------


def _to_mend(context: Context, talk: Conversation, forward: Trace, back: Trace, verdict: Verdict) -> str:
    if verdict.kind == "asymmetric" and forward.appliances == back.appliances:
        unlike = _unlike_circuits(context, forward, back)
        if unlike is not None:
            return unlike
    if verdict.kind in ("asymmetric", "bypass"):
        missing = forward if len(forward.appliances) <= len(back.appliances) else back
        place = _table_at(context, missing)
        if place is not None:
            return place
    trace = forward if verdict.direction == "forward" else back
    if verdict.disposition is Disposition.DENIED:
        for group in context.estate.network_security_groups:
            if group.id.short in trace.because or (trace.hops and group.id.short in trace.hops[-1].because):
                return group.id.text
    if verdict.disposition in (Disposition.NO_ROUTE, Disposition.LEFT_ESTATE, Disposition.LOOPED):
        place = _table_at(context, trace)
        if place is not None:
            return place
    if verdict.disposition is Disposition.NO_MACHINE:
        end = talk.destination if verdict.direction == "forward" else talk.source
        nic = context.estate.network_interface(end.nic)
        why = None if nic is None else routing_of(context.estate).world.health.nic(nic)
        # The machine is there and runs: the way came to another network than its own.
        place = _table_at(context, trace) if nic is not None and why is None else None
        if place is not None:
            return place
        if end.nic is not None:
            return end.nic.text
    for hop in reversed(trace.hops):
        if isinstance(hop.id, ResourceId):
            return hop.id.text
        if hop.kind == "router" and "/" in hop.name:
            site, _, router = hop.name.partition("/")
            return f"sites/{site}/routers/{router}"
    for end in (talk.source, talk.destination):
        if end.machine is None:
            return f"sites/{end.name}"
    return f"objectives/{talk.objective.name}"


def _unlike_circuits(context: Context, forward: Trace, back: Trace) -> str | None:
    """Where a site and a gateway choose different circuits: the choice that should mirror the other (E42). It is the
    gateway's, by a connection's weight, where the site chose one circuit; else the site's, by a router's preference."""
    inward, outward = (forward, back) if forward.hops and forward.hops[0].kind == "site" else (back, forward)
    there, again = _circuits_on(inward), _circuits_on(outward)
    gateway = next((hop.id for hop in inward.hops if hop.kind == "gateway"), None)
    if not there or not again or there == again:
        return None
    if len(there) == 1:
        for connection in context.estate.connections:
            joins = connection.virtual_network_gateway1 == gateway and connection.peer is not None
            if joins and connection.peer is not None and connection.peer.name in there:
                return connection.id.text
    for site in context.estate.sites:
        for router in site.routers:
            if site.name == inward.hops[0].name and router.circuit.name in again:
                return f"sites/{site.name}/routers/{router.name}"
    return None


def _filtering(context: Context, forward: Trace, back: Trace) -> str | None:
    """The router whose filter makes a site and a gateway choose different circuits: it does not accept the flow's
    prefix where the gateway answers, or does not announce the site's where the site asks."""
    inward, outward = (forward, back) if forward.hops and forward.hops[0].kind == "site" else (back, forward)
    there, again = _circuits_on(inward), _circuits_on(outward)
    site = context.estate.site(inward.hops[0].name) if inward.hops and there and again and there != again else None
    for router in () if site is None else site.routers:
        for direction, circuits, address in (
            ("in", again - there, inward.flow.destination_address),
            ("out", there - again, inward.flow.source_address),
        ):
            if router.circuit.name in circuits and denied_part(router, direction, ip_network(address)) is not None:
                assert site is not None
                return f"sites/{site.name}/routers/{router.name}"
    return None


def _circuits_on(trace: Trace) -> frozenset[str]:
    return frozenset(name for hop in trace.hops if hop.kind == "circuit" for name in hop.name.split(", "))


def _table_at(context: Context, trace: Trace) -> str | None:
    """The table (or subnet without one) where a way last chose by a subnet's table."""
    for hop in reversed(trace.hops):
        id_ = hop.id if isinstance(hop.id, ResourceId) else None
        if hop.choice is None or id_ is None:
            continue
        by = hop.choice.chosen.by if hop.choice.chosen is not None else None
        if by is not None and "/routetables/" in by.lower():
            return by
        subnet_id = _subnet_of(context, id_)
        if hop.kind == "gateway":
            network = context.index.network_of(getattr(context.estate.virtual_network_gateway(id_), "subnet", None))
            subnet_id = None if network is None else network.id.child("subnets", GATEWAY_SUBNET)
        subnet = context.estate.subnet(subnet_id)
        if subnet is not None:
            return (subnet.route_table or subnet.id).text
    return None


def _subnet_of(context: Context, id_: ResourceId | None) -> ResourceId | None:
    nic = context.estate.network_interface(id_)
    primary = None if nic is None else nic.primary
    return None if primary is None else primary.subnet


# What a topology gives. --------------------------------------------------------------------------------------------


def _both_links(context: Context, circuit: ResourceId) -> bool:
    links = {link for s in context.estate.sites for r in s.routers if r.circuit == circuit for link in r.links}
    return {"primary", "secondary"} <= links


def _has_spare_appliance(context: Context) -> bool:
    """Two members behind a load balancer; an Azure Firewall minds itself."""
    for address in context.source.appliances:
        for network in context.source.networks:
            front = context.frontend_at(network, address)
            if front is not None and (front.kind == "azureFirewall" or len(front.members) > 1):
                return True
    return False
