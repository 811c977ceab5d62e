"""The project in which the two regions have changed places, once a run has ended with its machines in the target.

    source, target         each the other; addresses.map, disk_encryption_sets, names and their pattern turned round
    sites                  as the plan has left them: they prefer what serves now
    appliances             the one that serves is the source's, and the old one is there already
    objectives, checks     of the same machines, by the ids and ranges that they have now
    placement              where each machine stood before

What stands in the old source is found as whatever stands in a target is (`estate/counterparts.py`). What can't be
turned round is in `notes`, by the key of farshore.yaml that it would have been said under: nothing is left out unsaid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import LOAD_BALANCERS, normal_location
from farshore.estate.checks import Check, Command, Script
from farshore.estate.counterparts import mapped_address, mapped_network
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.estate.project import (
    WHOLE,
    AddressMap,
    Appliance,
    Drill,
    Machines,
    Objective,
    Placement,
    Project,
    Target,
)
from farshore.estate.resolving import free_ranges, means
from farshore.estate.vaults import VAULTS, lies_in
from farshore.plan.carried import places
from farshore.plan.design import Design, addresses_of, appliance_nics
from farshore.plan.effects import apply, start
from farshore.plan.make import designed
from farshore.plan.model import Event, Plan, SetRouter, Step, order
from farshore.plan.scenario.scenario import scenario_named
from farshore.routing.prefixes import overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    project: Project
    notes: Mapping[str, tuple[str, ...]]
    """By key of farshore.yaml: sentences on what could not be turned round, or is not as one would think."""


def mirrored(begun: Estate, plan: Plan, now: Estate, name: str) -> Mirror:
    """`begun`: the estate that the plan was made for, under the project that is to be turned round; `now`: as it is
    since the plan was carried out."""
    assert begun.project is not None, "a plan is made for a project"
    return _Turning(begun, plan, now).done(begun.project, name)


@dataclass(slots=True)
class _Turning:
    """One project being turned round, and what there is to say of it."""

    begun: Estate
    plan: Plan
    now: Estate
    design: Design = field(init=False)
    moved: dict[ResourceId, ResourceId] = field(init=False)
    """Machines, by their ids then, to their ids now."""
    notes: dict[str, list[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.design = designed(self.begun, scenario_named(self.plan.scenario))
        self.moved = {machine.id: machine.planned.target_id for machine in self.design.machines}

    def done(self, project: Project, name: str) -> Mirror:
        target = self._target(project)
        turned = replace(
            project,
            name=name,
            source_region=project.target.region,
            target=target,
            address_map=tuple(AddressMap(from_=row.to, to=row.from_) for row in project.address_map),
            sites=self._sites(),
            appliances=self._appliances(project),
            machines=self._machines(project),
            disk_encryption_sets=self._encryption_sets(project),
            objectives=tuple(map(self._objective, project.objectives)),
            checks=tuple(map(self._check, project.checks)),
            raise_bandwidth=self._raises(project),
            file="farshore.yaml",
            lines=(),
            given=frozenset(),
        )
        self._programs(turned)
        turned = replace(turned, replace_vault=self._vaults(turned))
        turned = replace(turned, drill=self._drill(turned))
        return Mirror(project=turned, notes={key: tuple(said) for key, said in self.notes.items()})

    def _say(self, key: str, sentence: str) -> None:
        self.notes.setdefault(key, []).append(sentence)

    # Where. --------------------------------------------------------------------------------------------------------

    def _target(self, project: Project) -> Target:
        old = project.target
        of = old.names
        if of.count("{name}") != 1:
            of = WHOLE
            self._say("target", f"names were {old.names}, which no name can be read back from: they are used whole.")
        return Target(region=project.source_region, resource_group=self._group(old.region), names=old.of, of=of)

    def _group(self, lost: str) -> str:
        """The group of what stands in the old source, its hub's before others': one that is not located where the
        machines are now (L36)."""
        hubs = [gateway.id for gateway in self.design.gateways]
        networks = [network.id for network in self.design.networks]
        machines = [machine.id for machine in self.design.machines]
        if len({id_.group_id for id_ in machines}) > 1:
            names = sorted({str(id_.resource_group) for id_ in machines})
            self._say("target", f"Machines were in the groups {', '.join(names)}: all of them go back to this one.")
        counted = [
            id_ for ids in (hubs, machines, networks) for id_, _ in Counter(i.group_id for i in ids).most_common()
        ]
        groups = [id_ for id_ in counted if id_ is not None]
        good = [id_ for id_ in groups if normal_location((self.now.get(id_) or {}).get("location")) != lost]
        return (good or groups)[0].name

    def _sites(self) -> tuple[Site, ...]:
        """As the plan's last step leaves them."""
        both: tuple[Step | Event, ...] = (*self.plan.steps, *self.plan.events)
        nodes = {node.id: node for node in both}
        world = start(self.begun, self.plan)
        for id_ in order(self.plan.steps, self.plan.events):
            world = apply(world, [effect for effect in nodes[id_].effects if isinstance(effect, SetRouter)])
        return world.estate.sites

    # Appliances. ---------------------------------------------------------------------------------------------------

    def _appliances(self, project: Project) -> tuple[Appliance, ...]:
        found = []
        for appliance in project.appliances:
            there = self._serving(appliance.source)
            if there is None:
                self._say(
                    "appliances",
                    f"What stands for {appliance.source.name} in {project.target.region} was not found: name it here.",
                )
            elif self.now.get(appliance.source) is None:
                self._say("appliances", f"{appliance.source.name} is not there any more: a person deploys it anew.")
                found.append(Appliance(source=there, manual=True, stateful=appliance.stateful))
            else:
                found.append(Appliance(source=there, existing=appliance.source, stateful=appliance.stateful))
        return tuple(found)

    def _serving(self, source: ResourceId) -> ResourceId | None:
        """What stands for the source's appliance: the one that was named, its counterpart, or who has its address."""
        for appliance in self.design.project.appliances:
            if appliance.source == source and appliance.existing is not None:
                return appliance.existing if self.now.get(appliance.existing) is not None else None
        counterpart = self.design.counterparts.of(source)
        if counterpart != source and self.now.get(counterpart) is not None:
            return counterpart
        wanted = {mapped_address(self.design.project, address) for address in addresses_of(self.begun, source)}
        found = [id_ for id_ in self._fronts() if wanted & self._addresses(id_)]
        return found[0] if len(found) == 1 else None

    def _fronts(self) -> list[ResourceId]:
        """NICs that forward, and load balancers, of the region where the machines are now."""
        region = self.design.project.target.region
        nics = [n.id for n in self.now.network_interfaces if n.enable_ip_forwarding and n.location == region]
        bodies = [b for b in self.now.of_type(LOAD_BALANCERS) if normal_location(b.get("location")) == region]
        return [*nics, *(resource_id(str(body["id"])) for body in bodies)]

    def _addresses(self, id_: ResourceId) -> set[Address]:
        return set(addresses_of(self.now, id_))

    # Machines, and what is asked of them. --------------------------------------------------------------------------

    def _machines(self, project: Project) -> Machines:
        own = project.machines
        include, exclude = self._patterns(own.include), self._patterns(own.exclude)
        strangers = self._strangers(project, include, exclude)
        if strangers:
            names = ", ".join(id_.name for id_ in strangers)
            self._say("machines", f"Excluded, for they stood there before any run and are not this project's: {names}.")
        return replace(
            own,
            include=include,
            exclude=(*exclude, *(id_.text for id_ in strangers)),
            boot_order=tuple(map(self._patterns, own.boot_order)),
            consistency_groups=tuple(map(self._patterns, own.consistency_groups)),
            placement=tuple(self._placements()),
        )

    def _strangers(self, project: Project, include: Iterable[str], exclude: Iterable[str]) -> list[ResourceId]:
        """Machines that stood in the target on their own account."""
        serving = [there for a in project.appliances if (there := self._serving(a.source)) is not None]
        nics = [nic for id_ in serving for nic in appliance_nics(self.now, Appliance(source=id_))]
        ours = {*self.moved.values(), *(nic.virtual_machine for nic in nics)}
        return [
            vm.id
            for vm in self.now.virtual_machines
            if vm.location == project.target.region
            and vm.id not in ours
            and means(vm.id, include)
            and not means(vm.id, exclude)
        ]

    def _placements(self) -> Iterable[tuple[str, Placement]]:
        names = Counter(id_.name.lower() for id_ in self.moved.values())
        for machine in self.design.machines:
            place = places.standing(machine)
            for key in ("availability_set", "proximity_placement_group", "capacity_reservation_group"):
                id_ = getattr(place, key)
                if id_ is not None and self.now.get(id_) is None:
                    self._say("machines", f"{machine.label} was in {id_.short}, which is not there any more.")
                    place = replace(place, **{key: None})
            if place != Placement():
                there = machine.planned.target_id
                yield (there.name if names[there.name.lower()] == 1 else there.text), place

    def _encryption_sets(self, project: Project) -> tuple[tuple[ResourceId, ResourceId], ...]:
        found: dict[ResourceId, ResourceId] = {}
        for here, there in project.disk_encryption_sets:
            if there in found:
                self._say(
                    "disk_encryption_sets", f"{there.name} stood for {found[there].name} and for {here.name} too."
                )
            found.setdefault(there, here)
        return tuple(found.items())

    def _objective(self, objective: Objective) -> Objective:
        through = None if objective.through is None else self._serving(resource_id(objective.through))
        if objective.through is not None and through is None:
            self._say("objectives", f"{objective.name} was through {objective.through}, which nothing stands for now.")
        return replace(
            objective,
            from_=self._end(objective.from_),
            to=self._end(objective.to),
            through=None if through is None else through.text,
        )

    def _end(self, text: str) -> str:
        if "/" in text and not text.startswith("/"):
            return str(mapped_network(self.design.project, ip_network(text)))
        return self._pattern(text)

    def _check(self, check: Check) -> Check:
        asks = replace(check.asks, file=None) if isinstance(check.asks, Script) else check.asks
        return replace(check, asks=asks, machines=self._patterns(check.machines), asker=self._pattern(check.asker))

    def _patterns(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Names as they are; what is said by ids, the machines that it means."""
        found: dict[str, None] = {}
        for text in patterns:
            meant = [there.text for here, there in self.moved.items() if text.startswith("/") and means(here, [text])]
            found |= dict.fromkeys(meant or [text])
        return tuple(found)

    def _pattern(self, text: str) -> str:
        """A name as it is; an id as the machine's is now."""
        return next((there.text for here, there in self.moved.items() if here.key == text.lower()), text)

    # The rest. -----------------------------------------------------------------------------------------------------

    def _raises(self, project: Project) -> tuple[()]:
        for item in project.raise_bandwidth:
            self._say(
                "raise_bandwidth",
                f"{item.circuit.name} was to have {item.mbps} Mbps in a failover, and can't be lowered again (E6):"
                " which circuit is to grow when machines go the other way is not known.",
            )
        return ()

    def _drill(self, turned: Project) -> Drill:
        """The same ranges where nothing has them; the network of the drills before is in the other region."""
        drill = turned.drill
        taken = [prefix for network in self.now.virtual_networks for prefix in network.address_space]
        if drill.network is None and not any(overlap(one, other) for one in drill.address_space for other in taken):
            return drill
        said = "s are in use" if drill.network is None else f" of {drill.network.name} is in {turned.source_region}"
        self._say("drill", f"The range{said}: drills get others, that nothing has.")
        return Drill(address_space=free_ranges(turned, self.now))

    def _programs(self, turned: Project) -> None:
        commands = [("sites", change.command) for _, change in turned.site_changes]
        commands += [("dns", turned.dns.command)]
        commands += [("checks", check.asks.words) for check in turned.checks if isinstance(check.asks, Command)]
        for key, command in dict.fromkeys(commands):
            if command is not None and "/" in command[0] and not command[0].startswith("/"):
                self._say(key, f"{command[0]} is looked for beside this file: put a copy there.")

    def _vaults(self, turned: Project) -> bool:
        """Whether the vault of the run is to be replaced, because it is in what is the source now."""
        for body in self.now.of_type(VAULTS):
            id_ = resource_id(str(body["id"]))
            if id_ == self.design.recovery.vault and lies_in(self.now, id_, turned.source_region):
                self._say(
                    "replace_vault",
                    f"The vault {id_.name} is in {turned.source_region}, where it must not be (S10): farshore protect"
                    f" makes one in {turned.target.region}, and the machines are replicated nowhere from when they are"
                    " let go of until their first copies are made anew. The empty vault stays; deleting it is yours.",
                )
                return True
        return False
