"""Circuits: each link's edge is a BGP speaker, AS 12076 (E4, E9).

An edge hears the gateways connected to its circuit and the site's router on its link. It takes the shortest path.
Towards gateways it passes on what the site said, and what another gateway says for its own networks where both allow it
(E38), 65515 turned into 12076 (R48). Towards the site it passes on what gateways said, private numbers stripped (R48).
What the site's router says goes to the same link's edge of a circuit that Global Reach joins (E46), which tells it to
its own site alone.
It takes paths with its own number (E48). Where two gateways say the same prefix the kernel splits between them (E40).

Who said a route is remembered in communities of our own: (64600, n) gateway n, (64601, 0) a site's router, (64601, 1)
that of another circuit, by Global Reach, which the site sees as (64604, 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from farshore.arm.connectivity import ExpressRouteCircuit
from farshore.twin.bird import Session, into_kernel, protocol
from farshore.twin.draft import Draft, Host
from farshore.twin.gateways import MSEE, Gateway, inward
from farshore.twin.ground import SIDES, Ground
from farshore.twin.networks import FAMILIES

PRIVATE = "[64512..65534, 4200000000..4294967294]"


@dataclass
class Edge:
    """One link's Microsoft router."""

    circuit: ExpressRouteCircuit
    side: str
    host: Host
    number: int
    """The circuit's, among all."""
    gateways: list[tuple[Gateway, int]] = field(default_factory=list)
    """Connected ones, with the connection's weight."""
    reaches: list[Host] = field(default_factory=list)
    """The same link's edges of circuits that Global Reach joins to this one."""

    @property
    def families(self) -> tuple[int, ...]:
        peering = self.circuit.private_peering
        return FAMILIES if peering is not None and peering.ipv6_enabled else (4,)


def edges_of(ground: Ground, draft: Draft, gateways: dict[str, Gateway]) -> list[Edge]:
    """The edges that stand, wired to the gateways that are connected."""
    found = []
    numbers = {key: number for number, key in enumerate(sorted(ground.circuits))}
    for circuit in ground.circuits.values():
        for side in SIDES:
            if ground.edge(circuit):
                host = draft.host(f"circuit:{circuit.id.key}#{side}")
                found.append(Edge(circuit, side, host, numbers[circuit.id.key]))
    for connection in ground.connections.values():
        if connection.virtual_network_gateway1 is None or connection.peer is None:
            continue
        gateway = gateways.get(connection.virtual_network_gateway1.key)
        if gateway is None or not ground.connection(connection):
            continue
        for edge in found:
            if edge.circuit.id.key == connection.peer.key:
                edge.gateways.append((gateway, connection.routing_weight))
                for host in gateway.hosts:
                    inward(host, draft.wire(host, edge.host))
    _reach(ground, draft, found)
    return found


def _reach(ground: Ground, draft: Draft, edges: list[Edge]) -> None:
    """Global Reach, however many connections say it."""
    standing = {(edge.circuit.id.key, edge.side): edge for edge in edges}
    pairs = {
        tuple(sorted((edge.circuit.id.key, connection.peer.key)))
        for edge in edges
        for connection in (edge.circuit.private_peering.connections if edge.circuit.private_peering else ())
        if connection.peer is not None and ground.reach(connection)
    }
    for one, other in sorted(pairs):
        for side in SIDES:
            if (one, side) in standing and (other, side) in standing:
                first, second = standing[one, side], standing[other, side]
                draft.wire(first.host, second.host)
                first.reaches.append(second.host)
                second.reaches.append(first.host)


def speak(edge: Edge, routers: list[tuple[Host, int]]) -> None:
    """The configuration of an edge. `routers`: the site routers on its link, with their sites' numbers."""
    host = edge.host
    heard = [(number, gateway) for number, (gateway, _) in enumerate(edge.gateways) if gateway.speaks]
    for family in edge.families:
        host.bird += into_kernel(family, "source = RTS_BGP")
        for number, gateway in heard:
            others = [
                n
                for n, other in heard
                if n != number and other.view.allow_remote_vnet_traffic and gateway.view.allow_remote_vnet_traffic
            ]
            accept = f"bgp_community.empty; bgp_community.add((64600, {number})); accept;"
            for instance in gateway.hosts:
                session = Session(host, instance, family, MSEE, gateway.view.asn, accept, _towards(number, others))
                host.bird += protocol(session)
        for router, asn in routers:
            accept = "bgp_community.empty; bgp_community.add((64601, 0)); accept;"
            say = (
                f"if source = RTS_BGP && !((64601, 0) ~ bgp_community) then"
                f" {{ bgp_path.delete({PRIVATE});"
                " if (64601, 1) ~ bgp_community then { bgp_community.empty; bgp_community.add((64604, 1)); accept; }"
                " bgp_community.empty; accept; }"
            )
            session = Session(host, router, family, MSEE, asn, accept, say, more="allow local as 9;")
            host.bird += protocol(session)
        for other in edge.reaches:
            accept = "bgp_community.empty; bgp_community.add((64601, 1)); accept;"
            say = "if (64601, 0) ~ bgp_community then accept;"
            host.bird += protocol(Session(host, other, family, MSEE, MSEE, accept, say))


def _towards(number: int, others: list[int]) -> str:
    say = (
        f"if source != RTS_BGP || (64600, {number}) ~ bgp_community then reject;"
        " if (64601, 0) ~ bgp_community then { bgp_community.empty; accept; }"
    )
    for other in others:
        say += (
            f" if (64600, {other}) ~ bgp_community && bgp_path.len = 1 then"
            f" {{ bgp_path.empty; bgp_path.prepend({MSEE}); bgp_community.empty; accept; }}"
        )
    return say
