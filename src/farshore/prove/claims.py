"""What is claimed of a flow at a moment, and what a pair of traces says about it.

Two kinds of claim (README, "What it promises, and what it does not"):

  safety        at every moment, and under every single failure: not ambiguous, not stale, no wrong owner, no loop, no
                bypass of the appliance that the objective names, no asymmetry through something stateful (none at all
                where the objective allows none); and nothing
                that decides is unknown: what can't be told is not called safe. An objective that denies is safe while
                the flow is not delivered.
  reachability  at the end of each phase; and at every moment at which the machines at the flow's ends run where they
                are promised and the plan's steps for their path are done; there also under the failures that the
                objective survives.

A machine that is suspended (`Suspend`) may be counted on again when it is promised again. Of a site that the scenario
has taken, with all of its routers, only safety is claimed: nobody is there to be served.

The steps for a machine's path are the network's steps of all phases up to the one that brings it to where it is
promised: before a promise has moved, none. Until they are done the machine is on its way, and what passes is its
recovery time; a flow between two machines is on its way until both have arrived.

Two intervals are exempt. In the first (D63) a single circuit has kept addresses, the disconnect of the lost region
failed (D62), the region is back, its connection still there: two networks answer, and the guard's DELETE, which no
other step of the network comes before, ends it. A plan without that DELETE has no such interval. The second is found by
a plan that is made in the middle of such a thing, and lasts until the steps that end it are done
(`Obligation.standing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import normal_location
from farshore.estate.counterparts import Counterparts
from farshore.estate.estate import Estate
from farshore.estate.project import Asymmetry, Objective, Topology
from farshore.estate.resolving import matches
from farshore.plan.design import addresses_of, appliance_addresses
from farshore.plan.effects import World
from farshore.plan.model import CONTROL_PLANE, DeleteResource, Plan, Promise, Restore, Suspend
from farshore.plan.scenario.outages import silent_sites
from farshore.prove.cuts import PHASES, Moment, Poset, members
from farshore.prove.flows import EndKind, PromisedFlow
from farshore.prove.slices import Slices
from farshore.routing.failures import Element
from farshore.routing.places import is_stale
from farshore.routing.values import Disposition, Trace
from farshore.routing.verdicts import Verdict, arrived, judge
from farshore.routing.world import World as Network

SAFETY = frozenset({"ambiguous", "looped", "stale", "wrong-owner", "bypass", "asymmetric", "unknown", "admitted"})
"""Kinds that no moment may show."""
_CIRCUIT = "/microsoft.network/expressroutecircuits/"
EXEMPT = frozenset({"ambiguous", "stale", "wrong-owner"})
"""Kinds that the exempt interval explains."""


class Claims:
    """The claims of one plan."""

    def __init__(self, plan: Plan, estate: Estate, poset: Poset, slices: Slices) -> None:
        self._plan = plan
        self._estate = estate
        self._poset = poset
        self._slices = slices
        self._names: dict[str, frozenset[str]] = {}
        self._moved: dict[str, frozenset[Address]] = {}
        self._accepted: dict[str, tuple[object, frozenset[str]]] = {}
        self._aside: tuple[object, frozenset[str]] | None = None

    def verdict(self, flow: PromisedFlow, world: World, forward: Trace, back: Trace) -> Verdict:
        """The word for a pair of traces of a promised flow."""
        if flow.objective.deny:
            return self._denied(forward)
        found = judge(
            forward, back, through=self._through(flow.objective, world), promised=_owner(flow, world, at_source=False)
        )
        home = _owner(flow, world, at_source=True)
        if found.good and home is not None and back.delivered_to is not None and back.delivered_to != home:
            because = f"{back.delivered_to.name} took the reply, promised is {home.name}"
            return Verdict(kind="wrong-owner", because=because, disposition=Disposition.WRONG_OWNER, direction="back")
        if found.good and flow.objective.asymmetry is Asymmetry.NONE:
            return _same_way(forward, back) or found
        return found

    def on_its_feet(self, flow: PromisedFlow, world: World, network: Network) -> bool:
        """Whether every machine at the flow's ends runs, with its promised data, where it is promised."""
        owners = (_owner(flow, world, at_source=True), _owner(flow, world, at_source=False))
        for owner in owners:
            if owner is None:
                continue
            nic = network.index.nics.get(owner.key)
            if nic is None or network.health.nic(nic) is not None or is_stale(network, nic):
                return False
        return True

    def path_done(self, flow: PromisedFlow, moment: Moment) -> bool:
        """Whether the plan's steps for the path of the machines at the flow's ends are done. Where one of them has
        moved and the other is still to follow in the same phase, the flow is on its way."""
        if any(self._suspended(machine, moment) for machine in flow.ends):
            return False
        promising = [item for machine in flow.ends for item in self._promising.get(machine, ())]
        last = max((level for bit, level, _ in promising if moment.done & bit), default=None)
        if last is None:
            return True
        wanted = sum({bit for bit, level, _ in promising if level <= last}) if len(flow.ends) > 1 else 0
        for _, level, needed in promising:
            if level <= last:
                wanted |= needed
        return not wanted & ~moment.done

    def nobody_there(self, flow: PromisedFlow, world: World) -> bool:
        """Whether the scenario has taken the site at an end of the flow."""
        silent = silent_sites(world.estate.sites, world.estate.outside.down)
        return any(end.kind is EndKind.SITE and end.name in silent for end in (flow.source, flow.destination))

    def survives(self, objective: Objective, element: Element, world: World) -> bool:
        """Whether the objective promises to go on without the element. What stands in for something that the scenario
        has taken, or that a site's step keeps from carrying, is the last of its kind: its loss would be a second
        failure, and nobody promises that."""
        gone = world.estate.outside.down | self._set_aside(world)
        return element.kind in objective.survive and not _stands_in(element, world.estate, gone)

    def _set_aside(self, world: World) -> frozenset[str]:
        """The circuits on which a site denies what it did not when the plan began."""
        sites = world.estate.sites
        if self._aside is None or self._aside[0] is not sites:
            begun = {router.name: set(router.filters) for site in self._estate.sites for router in site.routers}
            found = (
                router.circuit.key
                for site in sites
                for router in site.routers
                if any(item.action == "deny" for item in set(router.filters) - begun.get(router.name, set()))
            )
            self._aside = (sites, frozenset(found))
        return self._aside[1]

    def exempt(self, kind: str, moment: Moment, world: World) -> bool:
        """Whether this is the interval that is exempt (D63), or one that the plan found when it was made: what it
        owes from the beginning ends it."""
        if kind in EXEMPT and any(bits & ~moment.done for bits in self._standing):
            return True
        if kind not in EXEMPT or not moment.failed or self._plan.topology != Topology.SINGLE_CIRCUIT_KEPT_ADDRESSES:
            return False
        if not moment.done & self._returns:
            return False
        refused = (effect for index in members(moment.failed) for effect in self._poset.nodes[index].effects)
        return any(
            isinstance(effect, DeleteResource)
            and world.estate.get(effect.id) is not None
            and self._ends(effect, moment)
            for effect in refused
        )

    def _ends(self, refused: DeleteResource, moment: Moment) -> bool:
        """Whether what was refused is tried again, and no step of the network's that is still to be done comes before
        that (a moment knows nothing of other machines' steps)."""
        ahead = self._steps & self._slices.network & ~moment.done & ~moment.failed
        return any(
            refused in self._poset.nodes[index].effects and not self._poset.below[index] & ahead
            for index in members(ahead)
        )

    # Paths. --------------------------------------------------------------------------------------------------------

    @cached_property
    def _promising(self) -> dict[str, list[tuple[int, int, int]]]:
        """For each machine the nodes that promise it somewhere: bit, phase, and the steps for its path there."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        for index, node in enumerate(self._poset.nodes):
            phase = node.phase
            if phase is None:
                # An event promises what the phase that answers it will build.
                later = [n.phase for i, n in enumerate(self._poset.nodes) if self._poset.below[i] >> index & 1]
                phase = min((p for p in later if p is not None), key=PHASES.index, default=PHASES[-1])
            level = PHASES.index(phase)
            for effect in node.effects:
                if isinstance(effect, Promise):
                    found.setdefault(effect.machine.key, []).append((1 << index, level, self._steps_through(level)))
        return found

    def _suspended(self, machine: str, moment: Moment) -> bool:
        if machine in self._unsettled and not any(moment.done & bit for bit, _, _ in self._promising.get(machine, ())):
            return True
        return any(
            moment.done & suspending and not moment.done & promising
            for suspending, promising in self._suspending.get(machine, ())
        )

    @cached_property
    def _unsettled(self) -> frozenset[str]:
        """Machines that were on their way when the plan was made."""
        return frozenset(machine.id.key for machine in self._plan.machines if not machine.settled)

    @cached_property
    def _suspending(self) -> dict[str, list[tuple[int, int]]]:
        """For each machine the nodes that suspend it, each with those above it that promise it again."""
        found: dict[str, list[tuple[int, int]]] = {}
        for index, node in enumerate(self._poset.nodes):
            for effect in node.effects:
                if isinstance(effect, Suspend):
                    bits = (bit for bit, _, _ in self._promising.get(effect.machine.key, ()))
                    above = sum(bit for bit in bits if self._poset.below[bit.bit_length() - 1] >> index & 1)
                    found.setdefault(effect.machine.key, []).append((1 << index, above))
        return found

    def _steps_through(self, last: int) -> int:
        return sum(
            1 << index
            for index in members(self._slices.network & self._poset.all)
            if (phase := self._poset.nodes[index].phase) is not None and PHASES.index(phase) <= last
        )

    @cached_property
    def _standing(self) -> tuple[int, ...]:
        """For each obligation that is owed from the beginning the nodes that discharge it."""
        return tuple(
            sum(self._poset.bits[id_] for id_ in owed.discharged_by) for owed in self._plan.obligations if owed.standing
        )

    @cached_property
    def _steps(self) -> int:
        return sum(1 << index for index, node in enumerate(self._poset.nodes) if node.phase is not None)

    @cached_property
    def _returns(self) -> int:
        return sum(
            1 << index
            for index, node in enumerate(self._poset.nodes)
            if any(isinstance(effect, Restore) for effect in node.effects)
        )

    # Appliances. ---------------------------------------------------------------------------------------------------

    def _denied(self, forward: Trace) -> Verdict:
        if forward.disposition is Disposition.INSUFFICIENT_INFORMATION:
            return Verdict(kind="unknown", because=forward.because, disposition=forward.disposition)
        if arrived(forward):
            because = f"{forward.because}, which the objective denies"
            return Verdict(kind="admitted", because=because, disposition=forward.disposition)
        return Verdict(kind="delivered", because=f"kept out: {forward.because}", disposition=forward.disposition)

    def _through(self, objective: Objective, world: World) -> frozenset[str] | None:
        """Ids of every appliance that does: the one named, and what stands in its place in the target."""
        name, resources = objective.through, world.estate.resources
        if name is None:
            return None
        held = self._accepted.get(name)
        # Worlds that share their resources share the answer, and come one after another.
        if held is None or held[0] is not resources:
            held = self._accepted[name] = (resources, self._named(name) | frozenset(self._stand_ins(name, world)))
        return held[1]

    def _named(self, name: str) -> frozenset[str]:
        if name not in self._names:
            found = [id_.key for id_ in self._appliances(name)]
            project = self._estate.project
            if project is not None:
                found += [Counterparts(self._estate).of(id_).key for id_ in self._appliances(name)]
                there = [appliance.existing for appliance in project.appliances if appliance.source.key in found]
                found += [id_.key for id_ in there if id_ is not None]
            self._names[name] = frozenset(found)
        return self._names[name]

    def _stand_ins(self, name: str, world: World) -> Iterator[str]:
        """What holds an address in the target to which the named appliance's next hops move: NICs that forward, and
        load balancers, whatever they are called there."""
        project = self._estate.project
        if project is None:
            return
        if name not in self._moved:
            moved = appliance_addresses(self._estate, project)
            own = [address for id_ in self._appliances(name) for address in addresses_of(self._estate, id_)]
            self._moved[name] = frozenset(moved.get(address, address) for address in own)
        for nic in world.estate.network_interfaces:
            if nic.enable_ip_forwarding and nic.location == project.target.region:
                held = {item.private_ip_address for item in nic.ip_configurations}
                if held & self._moved[name]:
                    yield nic.id.key
        for key, body in world.estate.resources.items():
            if "/loadbalancers/" in key and normal_location(str(body.get("location"))) == project.target.region:
                id_ = resource_id(key)
                if not self._moved[name].isdisjoint(addresses_of(world.estate, id_)):
                    yield id_.key

    def _appliances(self, name: str) -> tuple[ResourceId, ...]:
        """What an objective's `through` names: a NIC, a load balancer, a firewall, or a machine by its NICs."""
        estate = self._estate
        found: list[ResourceId] = []
        for key, body in estate.resources.items():
            if "/microsoft.network/" in key and "/networksecuritygroups/" not in key:
                id_ = resource_id(str(body.get("id") or key))
                if matches(id_, name):
                    found.append(id_)
        for machine in estate.virtual_machines:
            if matches(machine.id, name):
                found += machine.network_interfaces
        return tuple(found) or ((resource_id(name),) if name.startswith("/") else ())


_ELSEWHERE = frozenset({"circuit", "peering-location"})


def _stands_in(element: Element, estate: Estate, down: frozenset[str]) -> bool:
    """Whether what is gone was there beside the element, for one to do without the other: the other link or instance,
    another circuit or the router on it, another appliance behind the same load balancer."""
    if not down:
        return False
    if element.kind == "appliance":
        return not _pools_of(estate, element.down).isdisjoint(_pools_of(estate, down - element.down))
    owners = {name.partition("#")[0] for name in element.down if "#" in name}
    lost = [name for name in down if not name.startswith(("region:", CONTROL_PLANE))]
    if owners and any(name.partition("#")[0] in owners for name in lost):
        return True
    circuits = any(name.startswith(("location:", "router:")) or _CIRCUIT in name.partition("#")[0] for name in lost)
    return circuits and element.kind in _ELSEWHERE


def _pools_of(estate: Estate, names: frozenset[str]) -> frozenset[str]:
    """The pools of load balancers that NICs and machines of these names are in."""
    return frozenset(
        pool.key
        for nic in estate.network_interfaces
        if nic.id.key in names or (nic.virtual_machine is not None and nic.virtual_machine.key in names)
        for item in nic.ip_configurations
        for pool in item.load_balancer_backend_address_pools
    )


def _owner(flow: PromisedFlow, world: World, *, at_source: bool) -> ResourceId | None:
    """The NIC that must be the one at an end; None for a site or the internet."""
    end = flow.source if at_source else flow.destination
    if end.kind is EndKind.MACHINE:
        return world.promises[end.name]
    return resource_id(end.name) if end.kind is EndKind.HOST else None


def _same_way(forward: Trace, back: Trace) -> Verdict | None:
    """Asymmetric, where the reply passes other things than the flow, stateful or not; None where it is the same way."""
    there, home = ([(hop.kind, hop.name) for hop in trace.hops[1:-1]] for trace in (forward, back))
    if there == home[::-1]:
        return None
    only = [name for _, name in dict.fromkeys(hop for hop in there if hop not in home)]
    other = [name for _, name in dict.fromkeys(hop for hop in home if hop not in there)]
    parts = [f"only the flow passes {', '.join(only)}"] if only else []
    parts += [f"only the reply passes {', '.join(other)}"] if other else []
    because = (", ".join(parts) or "the flow and its reply pass the same things in another order") + ", and none may"
    return Verdict(kind="asymmetric", because=because, disposition=back.disposition, direction="back")
