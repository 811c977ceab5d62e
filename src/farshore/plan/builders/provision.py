"""PROVISION: the target network, in an order that is safe at every moment (D85), and the same steps in FAILOVER where
the project does not want them ahead.

    groups, tables (d) -> networks, associations in the same put -> appliance -> gateway (a)
    hub sides of peerings (c) -> spoke sides with useRemoteGateways, after gateway, tables and appliance (c)
    sites prefer the primary, verified -> connection, last (b)

The article's order a, b, c, d is legal for Azure and not safe: between c and d a site reaches spokes past the
appliance. Here nothing is announced before the tables that catch it are on their subnets, and nothing is announced
twice before the sites know which of two networks they prefer (D51, D90).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import PEERINGS, PUBLIC_IP_ADDRESSES, VIRTUAL_NETWORK_GATEWAYS, Peering, VirtualNetwork
from farshore.estate.project import Link
from farshore.plan import actions, durations
from farshore.plan.builders import appliances, sites
from farshore.plan.carried import cards, fronts
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import StepKind


class NetworkBuilder:
    """The target network's steps. `build` runs twice, once a phase, and each time adds what belongs there."""

    def __init__(self, design: Design, draft: Draft) -> None:
        self.design, self.draft = design, draft
        self.made: dict[ResourceId, str] = {}
        """Step that puts a counterpart, by the source's id."""
        self.tables: dict[ResourceId, list[str]] = {}
        """Steps that bring the tables onto a source network's subnets."""
        self.appliances: list[str] = []
        self.sites: list[str] = []
        self.spokes: dict[ResourceId, str] = {}
        """Spoke sides with transit, by source peering."""
        self.connections: list[str] = []
        self._writes: dict[ResourceId, str] = {}
        """The last child write to a network: two at once are refused (L12, L16)."""

    def build(self, *, ahead: bool) -> None:
        def due(kind: str) -> bool:
            return (kind in self.design.ahead) is ahead

        if ahead:
            self._group()
            self._security_groups()
        if due("routeTables"):
            self._route_tables()
        if ahead:
            self._networks()
            fronts.build(self.design, self.draft, self.made)
        elif due("routeTables"):
            self._associations()
        if due("appliances"):
            self.appliances += appliances.build(self.design, self.draft, self.made)
        if due("gateway"):
            self._gateways()
        if due("peerings"):
            self._peerings()
        if ahead and "connection" in self.design.ahead:
            self.sites += sites.prefer_primary(self.design, self.draft)

    def build_transit(self) -> None:
        """A silent link becomes loud: the spokes use the hub's gateway (`link: silent`)."""
        if self.design.project.link is Link.SILENT and "peerings" in self.design.ahead:
            for network, peering in self._sides():
                if peering.use_remote_gateways:
                    self._spoke(network, peering, name=f"transit/{self._side(network, peering)}", silent=False)

    def build_silence(self, after: Iterable[str]) -> list[str]:
        """The link as it was before: the spokes stop using the target's gateway."""
        if self.design.project.link is not Link.SILENT or "peerings" not in self.design.ahead:
            return []
        steps = []
        for network, peering in self._sides():
            if peering.use_remote_gateways:
                self._spoke(network, peering, name=f"silence/{self._side(network, peering)}", silent=True, extra=after)
                steps.append(self.spokes[peering.id])
        return steps

    def build_connections(self, after: Iterable[str] = ()) -> None:
        """The connection, after everything that makes it safe (D85)."""
        tables = [step for steps in self.tables.values() for step in steps]
        for name, put, gateway, circuit in _connections(self.design):
            step = self.draft.put(
                f"connection/{name}",
                put,
                title=f"Connect the target's gateway to circuit {circuit.name}",
                after=[
                    *after,
                    self.made.get(gateway),
                    *tables,
                    *self.appliances,
                    *self.spokes.values(),
                    *self.sites,
                ],
                letter="b",
                shown={**put, "properties": {**put["properties"], "provisioningState": "Succeeded"}},
            )
            self.connections.append(step)

    def connection_ids(self) -> tuple[ResourceId, ...]:
        """The target's connections, in the order of `connections`."""
        ids = set(self.connections)
        return tuple(resource_id(step.subject) for step in self.draft.steps if step.id in ids)

    # Kinds of resources, in the order in which they are built. -----------------------------------------------------

    def _group(self) -> None:
        body = self.design.target.resource_group(self.design.machines[0].id)
        id_ = resource_id(str(body["id"]))
        if self.design.estate.get(id_) is None:
            self.made[id_] = self.draft.put(
                f"group/{id_.name}",
                body,
                title=f"Create the resource group {id_.name} in {body['location']}",
                forwarding=False,
            )

    def _security_groups(self) -> None:
        estate, target = self.design.estate, self.design.target
        after = list(self.made.values())
        wanted = [subnet.network_security_group for network in self.design.networks for subnet in network.subnets]
        wanted += [card.nic.network_security_group for machine in self.design.machines for card in machine.cards]
        groups = [group for id_ in dict.fromkeys(wanted) if (group := estate.network_security_group(id_)) is not None]
        members = dict.fromkeys(
            id_
            for group in groups
            for rule in group.security_rules
            for id_ in (
                *rule.source_application_security_groups,
                *rule.destination_application_security_groups,
            )
        ) | dict.fromkeys(cards.groups_of(self.design))
        for id_ in members:
            body = estate.get(id_) or {"id": id_.text, "name": id_.name}
            self.made[id_] = self.draft.put(
                f"application-security-group/{self.design.label(id_)}",
                target.application_security_group(body),
                title=f"Create the application security group {self.design.counterparts.of(id_).name}",
                after=after,
                forwarding=False,
            )
        for group in groups:
            body = target.security_group(estate.get(group.id) or {})
            self.made[group.id] = self.draft.put(
                f"security-group/{self.design.label(group.id)}",
                body,
                title=f"Create the security group {body['name']} as {group.id.name}",
                after=[*after, *(self.made[id_] for id_ in members)],
            )

    def _route_tables(self) -> None:
        estate = self.design.estate
        wanted = [subnet.route_table for network in self.design.networks for subnet in network.subnets]
        after = [step for id_, step in self.made.items() if not id_.pairs]
        for id_ in dict.fromkeys(wanted):
            source = None if id_ is None else estate.get(id_)
            if source is None or id_ is None:
                continue
            body = self.design.target.route_table(source)
            self.made[id_] = self.draft.put(
                f"route-table/{self.design.label(id_)}",
                body,
                title=f"Create the route table {body['name']} as {id_.name}",
                after=after,
                letter="d",
            )

    def _networks(self) -> None:
        tables = "routeTables" in self.design.ahead
        for network in self.design.networks:
            source = self.design.estate.get(network.id)
            assert source is not None
            body = self.design.target.virtual_network(
                source, tables=tables, storage=self.design.storage_subnets(network.id)
            )
            groups = [subnet.network_security_group for subnet in network.subnets]
            after = [step for id_, step in self.made.items() if not id_.pairs]
            after += [self.made[id_] for id_ in groups if id_ is not None and id_ in self.made]
            if tables:
                after += self._table_steps(network)
            step = self.draft.put(
                f"network/{self.design.label(network.id)}",
                body,
                title=("Complete" if self.design.counterparts.exists(network.id) else "Create")
                + f" the network {body['name']} with its subnets"
                + (", tables on them" if tables else ""),
                after=after,
            )
            self.made[network.id] = step
            self.tables[network.id] = [step]

    def _associations(self) -> None:
        """Tables that were not wanted ahead are put on their subnets one by one."""
        for network in self.design.networks:
            source = self.design.estate.get(network.id)
            assert source is not None
            self.tables[network.id] = []
            storage = {name.lower() for name in self.design.storage_subnets(network.id)}
            for subnet in network.subnets:
                if subnet.route_table is None or subnet.route_table not in self.made:
                    continue
                step = self.draft.put(
                    f"table-on/{self.design.label(network.id)}/{subnet.name}",
                    self.design.target.subnet(source, subnet.name, storage=subnet.name.lower() in storage),
                    title=f"Put the route table {self.design.counterparts.of(subnet.route_table).name} "
                    f"on subnet {subnet.name} of {self.design.counterparts.of(network.id).name}",
                    after=[self.made[subnet.route_table], self._writes.get(network.id)],
                    letter="d",
                )
                self._writes[network.id] = step
                self.tables[network.id].append(step)

    def _gateways(self) -> None:
        estate, target = self.design.estate, self.design.target
        for gateway in self.design.gateways:
            assert gateway.subnet is not None and gateway.subnet.parent is not None
            hub = gateway.subnet.parent
            publics = []
            for id_ in gateway.public_ip_addresses:
                source = estate.get(id_) or {"id": id_.text, "name": id_.name, "type": PUBLIC_IP_ADDRESSES}
                body = target.public_ip(source)
                publics.append(
                    self.draft.put(
                        f"public-ip/{self.design.label(id_)}",
                        body,
                        title=f"Create the public address {body['name']} for the gateway",
                        forwarding=False,
                        after=[step for made, step in self.made.items() if not made.pairs],
                    )
                )
            body = target.gateway(estate.get(gateway.id) or {})
            self.made[gateway.id] = self.draft.put(
                f"gateway/{self.design.label(hub)}",
                body,
                title=f"Create the ExpressRoute gateway {body['name']} in {self.design.counterparts.of(hub).name}",
                # D85: the gateway's subnet has its table before anything can come through it.
                after=[*self.tables.get(hub, []), *publics],
                letter="a",
                shown={
                    **body,
                    "type": VIRTUAL_NETWORK_GATEWAYS,
                    "properties": {**body["properties"], "provisioningState": "Succeeded"},
                },
            )

    def _peerings(self) -> None:
        sides = list(self._sides())
        hub_sides: dict[tuple[ResourceId, ResourceId], str] = {}
        for network, peering in sides:
            assert peering.remote_virtual_network is not None
            if peering.use_remote_gateways:
                continue
            step = self.draft.put(
                f"peering/{self._side(network, peering)}",
                self.design.target.peering(network.id, self._body(peering)),
                title=self._peering_title(network, peering),
                after=self._peering_after(network, peering),
                letter="c",
            )
            self._writes[network.id] = step
            hub_sides[network.id, peering.remote_virtual_network] = step
        silent = self.design.project.link is Link.SILENT and "peerings" in self.design.ahead
        for network, peering in sides:
            assert peering.remote_virtual_network is not None
            if peering.use_remote_gateways:
                hub_side = hub_sides.get((peering.remote_virtual_network, network.id))
                self._spoke(
                    network, peering, name=f"peering/{self._side(network, peering)}", silent=silent, hub=hub_side
                )

    def _spoke(
        self,
        network: VirtualNetwork,
        peering: Peering,
        *,
        name: str,
        silent: bool,
        hub: str | None = None,
        extra: Iterable[str] = (),
    ) -> None:
        """A spoke's side: transit only after the hub's side allows it (L30), the gateway stands, and every table and
        appliance is in its place."""
        assert peering.remote_virtual_network is not None
        gateways = [
            self.made.get(gateway.id)
            for gateway in self.design.gateways
            if gateway.subnet is not None and gateway.subnet.parent == peering.remote_virtual_network
        ]
        guards = [*self.tables.get(network.id, []), *self.tables.get(peering.remote_virtual_network, [])]
        step = self.draft.put(
            name,
            self.design.target.peering(network.id, self._body(peering), use_remote_gateways=False if silent else None),
            title=self._peering_title(network, peering) + (", silent" if silent else ""),
            after=[
                *extra,
                *self._peering_after(network, peering),
                hub,
                *(() if silent else (*gateways, *guards, *self.appliances)),
            ],
            letter="c",
        )
        self._writes[network.id] = step
        self.spokes[peering.id] = step

    # Helpers. ------------------------------------------------------------------------------------------------------

    def _sides(self) -> Iterable[tuple[VirtualNetwork, Peering]]:
        """Peerings between two mirrored networks, hub sides in order (D76: hub side first, so that transit exists)."""
        held = {network.id for network in self.design.networks}
        for network in self.design.networks:
            for peering in network.peerings:
                if peering.remote_virtual_network in held:
                    yield network, peering

    def _side(self, network: VirtualNetwork, peering: Peering) -> str:
        assert peering.remote_virtual_network is not None
        return f"{self.design.label(network.id)}-to-{self.design.label(peering.remote_virtual_network)}"

    def _peering_title(self, network: VirtualNetwork, peering: Peering) -> str:
        assert peering.remote_virtual_network is not None
        here = self.design.counterparts.of(network.id).name
        there = self.design.counterparts.of(peering.remote_virtual_network).name
        return f"Peer {here} with {there}"

    def _peering_after(self, network: VirtualNetwork, peering: Peering) -> list[str | None]:
        assert peering.remote_virtual_network is not None
        return [
            self.made.get(network.id),
            self.made.get(peering.remote_virtual_network),
            self._writes.get(network.id),
        ]

    def _body(self, peering: Peering) -> Body:
        body = self.design.estate.get(peering.id)
        assert body is not None and body["id"] and peering.id.is_a(PEERINGS)
        return body

    def _table_steps(self, network: VirtualNetwork) -> list[str]:
        tables = [subnet.route_table for subnet in network.subnets]
        return [self.made[id_] for id_ in dict.fromkeys(tables) if id_ is not None and id_ in self.made]


def check_circuits(design: Design, draft: Draft) -> list[str]:
    """Read what the target's circuits show: a connection counts when its routes are there, not when ARM says
    Connected (E36)."""
    hubs = {gateway.subnet.parent for gateway in design.gateways if gateway.subnet is not None}
    silent = design.project.link is Link.SILENT and draft.phase.value == "provision"
    loud = [
        str(prefix)
        for network in design.networks
        if network.id in hubs or not silent
        for prefix in design.target.networks(network.address_space)
        if prefix in design.announced_there
    ]
    steps = []
    for circuit in design.target_circuits:
        steps.append(
            draft.add(
                f"circuit/{circuit.name}",
                actions.read_circuit(actions.expect_circuit(circuit, present=list(dict.fromkeys(loud)))),
                title=f"Read circuit {circuit.name}: the target's networks are announced on both links",
                subject=circuit,
                expected=durations.LOOK,
                kind=StepKind.CHECK,
                after=draft.ends(),
            )
        )
    return steps


def _connections(design: Design) -> Iterator[tuple[str, Body, ResourceId, ResourceId]]:
    """Each connection of the target's gateways: its step's name, its body, the source's gateway, the circuit.

    Where the source's gateway is on the circuit too, the target's connection is made after that one: its routing weight
    is what the sites' routers mirror (E41, E42). For another circuit the pattern is the connection with the highest
    weight."""
    for gateway in dict.fromkeys(connection.virtual_network_gateway1 for connection in design.connections):
        assert gateway is not None
        own = [connection for connection in design.connections if connection.virtual_network_gateway1 == gateway]
        by_circuit = {connection.peer: connection for connection in own}
        heaviest = max(own, key=lambda connection: connection.routing_weight)
        taken = {by_circuit[c].id for c in design.target_circuits if c in by_circuit}
        for circuit in design.target_circuits:
            pattern = by_circuit.get(circuit, heaviest)
            body = design.estate.get(pattern.id)
            assert body is not None
            name, put = design.label(pattern.id), design.target.connection(body, circuit)
            if pattern.peer != circuit and pattern.id in taken:
                name, put = f"{name}-{circuit.name}", _renamed(put, f"{put['name']}-{circuit.name}")
            if (there := design.counterparts.joined(gateway, circuit)) is not None:
                put = {**put, "id": there.text, "name": there.name}
            taken.add(pattern.id)
            yield name, put, gateway, circuit


def _renamed(body: Body, name: str) -> Body:
    id_ = resource_id(str(body["id"]))
    return {**body, "id": id_.text[: -len(id_.name)] + name, "name": name}
