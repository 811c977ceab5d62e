"""A flow's way, hop by hop, until it is delivered or something stops it.

    site ─► router ─► circuit ─► gateway ─► (appliance) ─► machine          and the same road back

Each place decides by its own table, and nothing knows where the packet has been:

* A machine, and an appliance that forwards, decides by the effective table of its subnet.
* A gateway decides by the table of its GatewaySubnet for what comes in from a circuit or tunnel (R36), and by what it
  learned (E41) for what goes out.
* A circuit's edge decides by its own BGP table. Where equal routes lead to two networks it splits the traffic (E40).
* A site decides by preference, path and nothing else (E42).

Several live ways to one network are one trace: the hop names them all, and the walk goes on over the first. Two
networks that answer for one address, with nothing that decides between them, end the walk as `Ambiguous`, whether or
not there is a machine behind the second. An appliance must forward (R24) and run (R25); coming to one twice is a loop.
Each member of a load balancer's pool has a share (pools.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import NextHopType, VirtualNetwork
from farshore.estate.outside import Site
from farshore.routing.bgp import REACH, Heard, Link
from farshore.routing.choices import by_gateway, by_site
from farshore.routing.hops import dead, router_hop, speakers
from farshore.routing.index import Holder, network_key
from farshore.routing.machines import Appliance, appliance_at, exits_of, sharing
from farshore.routing.places import (
    addresses_unread,
    at_edges,
    far_end,
    is_stale,
    missing_in,
    next_hop_unread,
    open_to_internet,
    peer_of,
    site_is_connected,
    site_of,
    site_table,
    source_of,
    vpn_gateway_of,
)
from farshore.routing.pools import Balanced
from farshore.routing.sites import Offer
from farshore.routing.values import Choice, Disposition, EffectiveRoute, Flow, Hop, RouteSource, Trace
from farshore.routing.vpn import is_vpn

if TYPE_CHECKING:
    from farshore.routing.world import World


def trace_one_way(
    world: World, flow: Flow, *, established: frozenset[str] = frozenset(), start: Holder | None = None
) -> Trace:
    """The way of one flow. `established`: NICs (lower-case ids) that hold a flow record, whose groups let it pass.
    `start`: the NIC it leaves from, where the flow's source doesn't name one."""
    walk = _Walk(world, flow, established)
    site = world.estate.site(flow.source)
    if site is not None:
        return walk.at_site(site)
    if start is not None:
        return walk.leave(start)
    if flow.source.lower() == "internet":
        missing = open_to_internet(world, flow.destination_address)
        if missing:
            because = "what comes in from the internet by a public address is not followed"
            return walk.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=missing)
        return walk.end(Disposition.NO_ROUTE, f"nothing in the estate has a public address for {walk.destination}")
    holder, name = source_of(world, flow), flow.source.rsplit("/", 1)[-1]
    if holder is None or holder.address != flow.source_address:
        unread = walk.unread(f"which addresses {name} has", addresses_unread(world, flow.source))
        if unread is not None:
            return unread
    if holder is None:
        return walk.end(Disposition.NO_MACHINE, f"there is no {name} with {flow.source_address}")
    return walk.leave(holder)


class _Walk(Balanced):
    """One packet under way, place by place."""

    __slots__ = ()

    # Machines and appliances

    def leave(self, holder: Holder) -> Trace:
        """From a machine's NIC."""
        why = self.world.health.nic(holder.nic)
        if why is not None:
            self.hops.append(Hop(kind="machine", name=holder.nic.id.name, id=holder.nic.id, because=why))
            return self._silent(holder, why)
        unread = self.unread(f"whether {holder.nic.id.name} runs", self.world.doubts.of_nic(holder.nic))
        if unread is not None:
            return unread
        if not self.world.has_subnet(holder.subnet):
            # A network that a plan forgot to build: the machine is nowhere, which is an answer and no bad input.
            why = f"the subnet {holder.subnet.short} of {holder.nic.id.name} is not there"
            self.hops.append(Hop(kind="machine", name=holder.nic.id.name, id=holder.nic.id, because=why))
            return self.stopped(Disposition.NO_ROUTE, why)
        choice = self.world.choose(holder.subnet, self.destination)
        self.hops.append(Hop(kind="machine", name=holder.nic.id.name, id=holder.nic.id, choice=choice))
        return self.refused(holder, "Outbound") or self.follow(choice, holder.subnet)

    def follow(self, choice: Choice, subnet: ResourceId) -> Trace:
        """On by the row that a subnet's table chose."""
        missing = missing_in(self.world, subnet, self.destination)
        if missing:
            return self.end(
                Disposition.INSUFFICIENT_INFORMATION, f"the table of {subnet.short} is not known", missing=missing
            )
        network = self.world.index.networks[network_key(subnet)]
        row = choice.chosen
        if row is None:
            return self.stopped(Disposition.NO_ROUTE, f"no route to {self.destination} in {subnet.short}")
        kind = row.next_hop_type
        if kind == NextHopType.VNET_LOCAL:
            return self.deliver(network)
        if kind in (NextHopType.VNET_PEERING, NextHopType.VNET_GLOBAL_PEERING):
            peer = peer_of(self.world, network, row)
            return self._out_of_sight(row) if peer is None else self.deliver(peer)
        if kind == NextHopType.VIRTUAL_APPLIANCE:
            return self.to_appliance(network, row)
        if kind == NextHopType.VIRTUAL_NETWORK_GATEWAY:
            return self.to_gateway(network, row)
        return self._leave_by(kind, row, subnet)

    def _leave_by(self, kind: str, row: EffectiveRoute, subnet: ResourceId) -> Trace:
        if kind == NextHopType.INTERNET:
            self.hops.append(Hop(kind="internet", name="internet"))
            return self.stopped(Disposition.LEFT_ESTATE, "to the internet")
        if kind == NextHopType.VIRTUAL_NETWORK_SERVICE_ENDPOINT:
            self.hops.append(Hop(kind="endpoint", name=row.name or "service endpoint"))
            return self.end(Disposition.LEFT_ESTATE, f"to an Azure service by {row.name or 'its service endpoint'}")
        if kind == NextHopType.INTERFACE_ENDPOINT and row.by is not None:
            return self._to_endpoint(resource_id(row.by))
        if kind == NextHopType.NONE:
            return self.stopped(Disposition.NO_ROUTE, f"{row.address_prefix} has next hop None in {subnet.short}")
        because = f"{row.address_prefix} has next hop {kind}, which we know nothing about"
        return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=(f"where {kind} leads",))

    def _to_endpoint(self, endpoint: ResourceId) -> Trace:
        """A private endpoint takes it, while the region of its network is there."""
        self.hops.append(Hop(kind="endpoint", name=endpoint.name, id=endpoint))
        index = self.world.index
        network = index.network_of(index.raw(endpoint).id("properties.subnet"))
        if network is not None and not self.world.health.region(network.location):
            return self.end(Disposition.PATH_DEAD, f"region {network.location} is down")
        unread = None if network is None else self.unread("whether it works", self.world.doubts.stands(network))
        return unread or self.end(Disposition.DELIVERED, f"to {endpoint.short}", delivered_to=endpoint)

    def _out_of_sight(self, row: EffectiveRoute) -> Trace:
        name = (row.by or "its network").rpartition("/virtualNetworks/")[2]
        because = f"the network behind peering {name} is not in the estate"
        return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=(f"the network behind {name}",))

    def deliver(self, network: VirtualNetwork) -> Trace:
        """To the NIC that holds the address in one network."""
        world = self.world
        holders = world.index.at(network.id.key, self.destination)
        if not holders:
            return self.to_frontend(network)
        if len(holders) > 1:
            named = tuple(holder.nic.id.short for holder in holders)
            return self.end(Disposition.AMBIGUOUS, f"{self.destination} is held twice in {network.name}", missing=named)
        holder = holders[0]
        endpoint = world.index.endpoint_of.get(holder.nic.id.key)
        if endpoint is not None:
            return self._to_endpoint(endpoint)
        name, id_ = holder.nic.id.name, holder.nic.id
        why = world.health.nic(holder.nic)
        if why is not None:
            self.hops.append(Hop(kind="machine", name=name, id=id_, because=why))
            return self._silent(holder, why)
        unread = self.unread(f"whether {name} answers", world.doubts.of_nic(holder.nic))
        if unread is not None:
            return unread
        if not world.has_subnet(holder.subnet):
            return self.stopped(Disposition.NO_MACHINE, f"the subnet {holder.subnet.short} of {name} is not there")
        refused = self.refused(holder, "Inbound")
        if refused is not None:
            return refused
        self.hops.append(Hop(kind="machine", name=name, id=id_))
        if is_stale(world, holder.nic):
            because = f"{name} took it, and may run with old data"
            return self.end(Disposition.STALE, because, delivered_to=id_)
        return self.end(Disposition.DELIVERED, f"to {name} in {network.name}", delivered_to=id_)

    def _silent(self, holder: Holder, why: str) -> Trace:
        """The end at a machine where nothing answers, as far as can be read: where it stands doesn't matter then."""
        doubts = self.world.doubts
        missing = [text for text in doubts.of_nic(holder.nic) if text not in doubts.stands(holder.nic)]
        unread = self.unread(f"whether {holder.nic.id.name} answers", missing)
        return unread or self.end(dead(self.world, holder), why)

    def to_appliance(self, network: VirtualNetwork, row: EffectiveRoute) -> Trace:
        """To the next hop of a VirtualAppliance row. A user's has one; those that appliances gave a Route Server may be
        several, which share the traffic (R46): one that does not work loses its share."""
        found = [appliance_at(self.world, network, address) for address in row.next_hop_ip_addresses]
        standing = [item for item in found if isinstance(item, Appliance) and item.why is None]
        if not found:
            return self._over(network, "the route names no next hop")
        if len(standing) < len(found):
            return self._over(network, next(item for item in found if item not in standing))
        if len(standing) == 1:
            return self._over(network, standing[0])
        equal = sharing(standing)
        return self.of_equals([item.id.name for item in equal], [partial(self._over, network, item) for item in equal])

    def _over(self, network: VirtualNetwork, appliance: Appliance | str) -> Trace:
        """Over an appliance, and on by the table of its own subnet; or why there is none."""
        if isinstance(appliance, str):
            unread = self.unread("who stands at the next hop", next_hop_unread(self.world, network))
            return unread or self.end(Disposition.PATH_DEAD, appliance)
        unread = self.unread(f"whether {appliance.id.name} forwards", appliance.missing)
        if unread is not None:
            return unread
        if appliance.members:
            return self.over_members(appliance, self._by)
        return self._by(appliance)

    def _by(self, appliance: Appliance) -> Trace:
        """By one, whoever else has a share."""
        name, id_ = appliance.id.name, appliance.id
        if self.destination in appliance.own:
            return self.deliver(self.world.index.networks[network_key(appliance.subnet)])
        there = self.world.has_subnet(appliance.subnet)
        choice = self.world.choose(appliance.subnet, self.destination) if there else None
        hop = Hop(
            kind="appliance",
            name=", ".join(held.name for held in (id_, *appliance.others)),
            id=id_,
            others=appliance.others,
            any_of=appliance.any_of,
            choice=choice,
            because=appliance.why or "",
            stateful=appliance.stateful,
            state_key=appliance.state_key,
            front=appliance.front,
            hashed_by=appliance.hashed_by,
        )
        if appliance.why is not None:
            self.hops.append(hop)
            return self.end(Disposition.PATH_DEAD, appliance.why)
        refused = None if appliance.holder is None else self.refused(appliance.holder, "Inbound")
        if refused is not None:
            return refused
        self.hops.append(hop)
        if not self.first_time(id_.key):
            return self.end(Disposition.LOOPED, f"it comes to {name} again")
        exits = () if appliance.holder is None else exits_of(self.world, appliance.holder)
        if len(exits) < 2:
            return self._out_by(appliance.holder, appliance.subnet)
        return self._by_any(appliance, exits)

    def _out_by(self, holder: Holder | None, subnet: ResourceId) -> Trace:
        refused = None if holder is None else self.refused(holder, "Outbound")
        return refused or self.follow(self.world.choose(subnet, self.destination), subnet)

    def _by_any(self, appliance: Appliance, exits: tuple[Holder, ...]) -> Trace:
        """An appliance with several NICs: its own system decides by which it sends on, and we can't see into it."""
        return self.any_of(
            [partial(self._out_by, exit_, exit_.subnet) for exit_ in exits],
            f"{appliance.id.name} may send it on by any of its NICs, and they lead to different ends",
            f"by which NIC {appliance.state_key.rpartition('/')[2]} sends to {self.destination}",
        )

    # Gateways

    def to_gateway(self, network: VirtualNetwork, row: EffectiveRoute) -> Trace:
        """By a VirtualNetworkGateway row: to the gateway that gave it, or, by a user's row, to the VPN gateway."""
        gateway = None if row.by is None else self.world.index.gateways.get(row.by.lower())
        if row.source == RouteSource.USER:
            gateway = vpn_gateway_of(self.world, network)
            if gateway is None:
                because = (
                    f"{row.address_prefix} has next hop VirtualNetworkGateway, which only a VPN gateway can be (R21)"
                )
                return self.end(Disposition.PATH_DEAD, because)
        if gateway is None:
            return self._through_hub(row) or self._to_neighbour(network, row)
        unread = self.unread(f"what {gateway.id.name} does", self.world.doubts.gateways.get(gateway.id.key, ()))
        if unread is not None:
            return unread
        routes, choice = by_gateway(self.world, gateway, self.destination)
        self.hops.append(Hop(kind="gateway", name=gateway.id.name, id=gateway.id, choice=choice))
        if not self.first_time(f"out:{gateway.id.key}"):
            return self.end(Disposition.LOOPED, f"it comes to {gateway.id.name} again")
        if not self.world.works(gateway):
            return self.end(Disposition.PATH_DEAD, f"{gateway.id.name} does not work")
        if not routes:
            return self.stopped(Disposition.NO_ROUTE, f"{gateway.id.name} has learned no route to {self.destination}")
        if is_vpn(gateway):
            return self._through_tunnel(routes)
        return self.at_circuit([route.link for route in routes if route.link is not None])

    def _through_hub(self, row: EffectiveRoute) -> Trace | None:
        """By a virtual WAN hub's row: to a network that hangs on it, or to a branch, which is out of sight (R50)."""
        by = (row.by or "").lower()
        hanging = self.world.ground.by_connection.get(by)
        hub = self.world.ground.hubs.get(by) if hanging is None else hanging[0]
        if hub is None:
            return None
        self.hops.append(Hop(kind="gateway", name=hub.id.name, id=hub.id))
        if hanging is not None:
            network = self.world.index.networks.get(hanging[1].network)
            return self._out_of_sight(row) if network is None else self.deliver(network)
        because = f"what lies behind a branch of {hub.id.name} is not known"
        missing = (f"the branches of {hub.id.name}",)
        return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=missing)

    def _to_neighbour(self, network: VirtualNetwork, row: EffectiveRoute) -> Trace:
        """A Route Server's row: the next hop is the appliance that announced it (R46). Where that has the packet back,
        it alone knows what it announced."""
        found = (appliance_at(self.world, network, address) for address in row.next_hop_ip_addresses)
        again = next((item for item in found if isinstance(item, Appliance) and item.id.key in self.been), None)
        if again is not None:
            because = f"{again.id.name} announced {row.address_prefix} itself, and its own table leads back to it"
            missing = (f"where {again.id.name} sends what it announced",)
            return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=missing)
        as_user = replace(row, next_hop_type=NextHopType.VIRTUAL_APPLIANCE.value)
        return self.to_appliance(network, as_user)

    def _through_tunnel(self, routes: Sequence[Heard]) -> Trace:
        connection = self.world.index.connections.get(routes[0].connection)
        name = routes[0].said_by.rpartition("/")[2]
        self.hops.append(Hop(kind="tunnel", name=name, id=None if connection is None else connection.id))
        other = far_end(self.world, routes[0])
        if other is not None:
            return self.into_network(other)
        return self.end(Disposition.LEFT_ESTATE, f"through the tunnel {name}, to a neighbour that nobody described")

    def into_network(self, gateway: VirtualNetworkGateway) -> Trace:
        """Into a virtual network through its gateway: the GatewaySubnet's table decides (R36)."""
        subnet = gateway.subnet
        if subnet is None or self.world.index.subnet(subnet) is None:
            because = f"the subnet of {gateway.id.name} is not known"
            return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=(f"{gateway.id.short}, its subnet",))
        choice = self.world.choose(subnet, self.destination)
        self.hops.append(Hop(kind="gateway", name=gateway.id.name, id=gateway.id, choice=choice))
        if not self.first_time(f"in:{gateway.id.key}"):
            return self.end(Disposition.LOOPED, f"it comes to {gateway.id.name} again")
        return self.follow(choice, subnet)

    # Circuits and sites

    def at_circuit(self, links: Iterable[Link], *, by_reach: bool = False) -> Trace:
        """At the edges of these links, which are equal to whoever sent it here: their own tables decide (E40).
        `by_reach`: it came from another circuit (E46)."""
        unread = self.unread(f"who has {self.destination}", self.world.announced_doubts(self.destination))
        if unread is not None:
            return unread
        named = tuple(dict.fromkeys(links))
        heard = at_edges(self.world, named, self.destination)
        circuits = tuple(dict.fromkeys(circuit for circuit, _ in named))
        name = ", ".join(circuit.rsplit("/", 1)[-1] for circuit in circuits)
        because = f"{heard[0].prefix} from {speakers(heard)}" if heard else ""
        self.hops.append(Hop(kind="circuit", name=name, id=resource_id(circuits[0]), because=because))
        if not heard:
            return self.stopped(Disposition.NO_ROUTE, f"{name} has no route to {self.destination}")
        answering = tuple(dict.fromkeys(route.leads_to for route in heard))
        if len(answering) > 1:
            return self.ambiguous(heard[0].prefix, answering, name)
        if not self.first_time(f"edge:{'|'.join(circuits)}"):
            return self.end(Disposition.LOOPED, f"it comes to {name} again")
        by = heard[0].said_by
        if by.startswith(REACH):
            # Global Reach (E46): on the same link of the circuit that told it.
            told = [(route.said_by.removeprefix(REACH), route.link) for route in heard]
            return self.at_circuit([(circuit, link[1]) for circuit, link in told if link is not None], by_reach=True)
        if by_reach and by.startswith("/"):
            because = f"{heard[0].prefix} is of Azure there, and nobody has measured whether Global Reach leads to it"
            missing = (f"whether Global Reach leads through {name} into Azure",)
            return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=missing)
        if by.startswith("router:"):
            return self._down_to_site(heard)
        gateway = self.world.index.gateways.get(by)
        if gateway is None:
            return self.end(Disposition.LEFT_ESTATE, f"to the neighbour {by.removeprefix('peer:')} of {name}")
        return self.into_network(gateway)

    def _down_to_site(self, heard: Sequence[Heard]) -> Trace:
        """To the site whose routers said it; where a transit line makes it several, by any of them."""
        names = tuple(dict.fromkeys(route.said_by.removeprefix("router:") for route in heard))
        grouped: dict[str, list[str]] = {}
        for name in names:
            if "/" in name:
                grouped.setdefault(name.partition("/")[0], []).append(name)
        ways = []
        for routers in grouped.values():
            site = site_of(self.world, routers[0])
            assert site is not None, "a router that speaks has a site"
            ways.append((site, router_hop(site, tuple(name.partition("/")[2] for name in routers))))
        return self.of_equals([site.name for site, _ in ways], [partial(self._into, *way) for way in ways])

    def _into(self, site: Site, hop: Hop) -> Trace:
        self.hops.append(hop)
        return self.at_site(site)

    def at_site(self, site: Site) -> Trace:
        """At a site: home, or out again by the router that it prefers (E42)."""
        offers, choice = by_site(self.world, site, self.destination)
        self.hops.append(Hop(kind="site", name=site.name, choice=choice))
        unread = self.unread(f"who has {self.destination}", self.world.announced_doubts(self.destination))
        if unread is not None:
            return unread
        if not offers:
            return self._ends_at(site)
        if not self.first_time(f"site:{site.name}"):
            return self.end(Disposition.LOOPED, f"it comes to {site.name} again")
        answering = tuple(dict.fromkeys(offer.leads_to for offer in offers))
        circuits = tuple(dict.fromkeys(offer.link[0].rsplit("/", 1)[-1] for offer in offers))
        if len(answering) > 1:
            return self.ambiguous(offers[0].prefix, answering, ", ".join(circuits))
        if offers[0].line:
            return self._over_lines(offers)
        routers = tuple(dict.fromkeys(offer.router for offer in offers))
        self.hops.append(router_hop(site, routers))
        return self.at_circuit([offer.link for offer in offers])

    def _over_lines(self, offers: Sequence[Offer]) -> Trace:
        """By a site's own line to another."""
        names = list(dict.fromkeys(offer.line for offer in offers))
        sites = [next(site for site in self.world.estate.sites if site.name == name) for name in names]
        return self.of_equals(names, [partial(self.at_site, site) for site in sites])

    def _ends_at(self, site: Site) -> Trace:
        length = site_table(self.world, site).own(self.destination)
        if length > 0:
            return self.end(Disposition.DELIVERED, f"to {site.name}")
        if length == 0:
            self.hops.append(Hop(kind="internet", name="internet"))
            return self.end(Disposition.LEFT_ESTATE, f"to the internet through {site.name}")
        if not site_table(self.world, site).offers and not site_is_connected(self.world, site):
            return self.stopped(Disposition.PATH_DEAD, f"no router of {site.name} has a working link")
        return self.stopped(Disposition.NO_ROUTE, f"{site.name} is offered no route to {self.destination}")
