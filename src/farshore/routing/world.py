"""One estate in one condition: every table that a packet may meet, each built when first asked for.

    Ground      what follows from the resources alone: who stands where, which peerings live. Shared by estates that
                share their resources, whatever is down or said outside.
    Settled     the tables of subnets, gateways, edges and sites. Shared by all conditions of a ground that differ only
                in machines: a table never notices that a machine has stopped (R25), unless that spoke BGP (R46).
    Exchange    what BGP has settled to (exchange.py). Shared wherever the same speakers say the same.
    World       all of it, under one `Outside`.

A proof makes thousands of worlds that differ in little and asks each for a few flows. So nothing here is computed
before it is needed, and what can be shared is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import Subnet, VirtualNetwork
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside, Site
from farshore.routing.bgp import Heard, by_prefix, shortest
from farshore.routing.branches import exchanged, unread_through_tunnels
from farshore.routing.doubts import Doubt, Doubts
from farshore.routing.effective import effective, of_families, user_routes
from farshore.routing.exchange import Exchange, converge
from farshore.routing.failures import Deciding, Health
from farshore.routing.gateways import instances, preferred, spoken_for
from farshore.routing.hub_bodies import unread_in_wans, virtual_hubs
from farshore.routing.hubs import hanging_on, hub_doubts, hub_prefix, hub_rows
from farshore.routing.index import Index
from farshore.routing.latest import Latest
from farshore.routing.peering import LivePeering, live_peerings
from farshore.routing.places import server_doubts, server_texts, table_doubts
from farshore.routing.prefixes import LongestMatch, covered
from farshore.routing.route_servers import RouteServer, heard_from_appliances, route_servers, speakers_of
from farshore.routing.security import virtual_network_tag
from farshore.routing.selection import choose, table
from farshore.routing.service_endpoints import paired_doubts
from farshore.routing.speakers import inputs_of, said_by
from farshore.routing.system import ANYWHERE, governed_endpoints, system_routes
from farshore.routing.values import Choice, EffectiveRoute, RouteSource, RouteState
from farshore.routing.vpn import Said, is_vpn, public_addresses, tunnel_routes


class Ground:
    """What follows from the resources alone."""

    def __init__(self, estate: Estate) -> None:
        self.resources = estate.resources
        self._estate = estate
        self.index = Index(estate)
        self.peerings = live_peerings(self.index)
        self.route_servers = route_servers(self.index, self.peerings)
        self.speaking = speakers_of(self.route_servers.values(), self.index)
        self._doubts: dict[Deciding, Doubts] = {}
        self.hubs = virtual_hubs(self.index)
        self.hanging = hanging_on(self.hubs)
        self.unread_in_wans = unread_in_wans(self.index, self.hubs)
        self.by_connection = {item[1].id.key: item for item in self.hanging.values()}
        self.spoken: dict[str, tuple[tuple[Network, str], ...]] = {}
        self._settled = Latest[tuple[object, ...], Settled](MOST_SETTLED)
        self.remote_of: dict[str, tuple[LivePeering, ...]] = {
            key: tuple(live for live in found if live.uses_remote_gateway) for key, found in self.peerings.items()
        }

    def spoken_for(self, network: VirtualNetwork) -> tuple[tuple[Network, str], ...]:
        """What a gateway of this network announces (R40)."""
        found = self.spoken.get(network.id.key)
        if found is None:
            found = tuple(spoken_for(network, self.peerings.get(network.id.key, ()), self.index))
            self.spoken[network.id.key] = found
        return found

    def doubts(self, deciding: Deciding) -> Doubts:
        """What nobody can read, where this decides who has failed."""
        found = self._doubts.get(deciding)
        if found is None:
            found = self._doubts[deciding] = Doubts(self._estate, self.index, deciding)
        return found

    def settled(self, outside: Outside, sites: tuple[Site, ...]) -> Settled:
        """The tables under these conditions: kept by what they depend on, the mappings by identity."""
        silent = frozenset(name for name in outside.down if name in self.speaking or not self._is_machine(name))
        parts = (
            sites,
            outside.advertised,
            outside.msee,
            outside.gateway_instances,
            outside.none_prefixes,
            outside.service_prefixes,
        )
        key = (silent, outside.stopped & self.speaking, *map(id, parts))
        return self._settled.get(key, lambda: Settled(parts))

    def _is_machine(self, name: str) -> bool:
        return name in self.index.nics or name in self.index.machines


class Settled:
    """Tables that were asked for so far; see the theory above. `parts` keeps alive what the key names by identity."""

    __slots__ = ("bgp", "exchange", "memo", "parts", "routes", "tables", "tags")

    def __init__(self, parts: tuple[object, ...]) -> None:
        self.parts = parts
        self.exchange: Exchange | None = None
        self.tables: dict[str, SubnetTable] = {}
        self.tags: dict[str, tuple[Network, ...]] = {}
        self.bgp: dict[str, tuple[EffectiveRoute, ...]] = {}
        self.routes: dict[str, dict[Network, tuple[Heard, ...]]] = {}
        self.memo: dict[Any, Any] = {}
        """Answers that other files of this package keep as long as these tables last."""


MOST_SETTLED = 64
MOST_GROUNDS = 32
_grounds = Latest[int, Ground](MOST_GROUNDS)


def ground_of(estate: Estate) -> Ground:
    """The ground of an estate's resources; the latest ones are kept, by the identity of the mapping."""
    return _grounds.get(id(estate.resources), lambda: Ground(estate))


class SubnetTable:
    """A subnet's effective rows, ready for look-ups."""

    __slots__ = ("_choices", "_match", "doubts", "paired", "rows", "unknown_tags")

    def __init__(
        self,
        rows: tuple[EffectiveRoute, ...],
        unknown_tags: tuple[str, ...],
        doubts: tuple[Doubt, ...] = (),
        paired: tuple[Doubt, ...] = (),
    ) -> None:
        """`paired`: what a service endpoint may cover (R22); unlike `doubts` no `VirtualNetwork` hangs on that."""
        self.rows = rows
        self.doubts = doubts
        self.paired = paired
        self.unknown_tags = unknown_tags
        self._match: LongestMatch[EffectiveRoute] = table(rows)
        self._choices: dict[Address, Choice] = {}

    def choose(self, address: Address) -> Choice:
        found = self._choices.get(address)
        if found is None:
            found = self._choices[address] = choose(self._match.all(address))
        return found


class World:
    """See the theory above."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.outside = estate.outside
        self.ground = ground_of(estate)
        self.index = self.ground.index
        self.health = Health(self.index, estate.outside)
        self.settled = self.ground.settled(estate.outside, estate.sites)
        self.memo: dict[Any, Any] = {}
        """Answers about machines that other files of this package keep for as long as the world lasts."""

    # Subnets

    def subnet_table(self, subnet: ResourceId) -> SubnetTable:
        """The effective table of a subnet, both families."""
        found = self.settled.tables.get(subnet.key)
        if found is None:
            network, own = self.subnet_in(subnet)
            user_table = self.estate.route_table(own.route_table)
            peerings = self.ground.peerings.get(network.id.key, ())
            hanging = self.ground.hanging.get(network.id.key)
            system = (*system_routes(network, own, peerings, self.index, self.outside), *hub_prefix(hanging, peerings))
            user, unknown = user_routes(user_table, self.outside.service_prefixes)
            services = own.service_endpoints, network.location, self.outside.service_prefixes
            propagated = user_table is None or not user_table.disable_bgp_route_propagation
            bgp = self.bgp_rows(network) if propagated else ()
            governed = governed_endpoints(self.index)
            doubts = table_doubts(self, network, own, propagated)
            doubts += tuple(map(Doubt, hub_doubts(self, hanging)))
            doubts += tuple(unread_through_tunnels(self, network)) if propagated else ()
            found = self.settled.tables[subnet.key] = SubnetTable(
                effective(system, bgp, user, governed),
                tuple(dict.fromkeys(unknown)),
                doubts,
                tuple(paired_doubts(*services)),
            )
        return found

    def has_subnet(self, subnet: ResourceId) -> bool:
        """Whether the estate holds a subnet that a NIC says it is in."""
        network = self.index.network_of(subnet)
        return network is not None and network.subnet(subnet.name) is not None

    def choose(self, subnet: ResourceId, address: Address) -> Choice:
        """What a subnet's table does with an address."""
        return self.subnet_table(subnet).choose(address)

    def effective_routes(self, id_: ResourceId) -> tuple[EffectiveRoute, ...]:
        """The rows of a NIC, or of a subnet."""
        subnet = self.subnet_of(id_)
        nic = self.index.nics.get(id_.key)
        if nic is None:
            _, own = self.subnet_in(subnet)
            families = frozenset(prefix.version for prefix in own.address_prefixes) or frozenset({4, 6})
        else:
            families = frozenset(address.version for address in self.index.addresses(nic.id)) or frozenset({4})
        return of_families(self.subnet_table(subnet).rows, families)

    def subnet_of(self, id_: ResourceId) -> ResourceId:
        """The subnet whose table a NIC has, or a subnet itself."""
        nic = self.index.nics.get(id_.key)
        if nic is None:
            return self.subnet_in(id_)[1].id
        subnet = None if nic.primary is None else nic.primary.subnet
        if subnet is None:
            raise InputError("This NIC is in no subnet", value=id_.text, expected="an ipConfiguration with a subnet")
        return subnet

    def takes_bgp(self, subnet: ResourceId) -> bool:
        """Whether a subnet's table has room for what gateways and Route Servers say (R37)."""
        network, own = self.subnet_in(subnet)
        user_table = self.estate.route_table(own.route_table)
        near = (network.id.key, *(live.remote_key for live in self.ground.remote_of.get(network.id.key, ())))
        told = any(key in self.index.gateways_in for key in near)
        told = told or any(server.network in near for server in self.ground.route_servers.values())
        return told and (user_table is None or not user_table.disable_bgp_route_propagation)

    def subnet_in(self, id_: ResourceId) -> tuple[VirtualNetwork, Subnet]:
        """A subnet and its network. Raises `InputError` where there is no such thing."""
        network = self.index.network_of(id_)
        own = None if network is None else network.subnet(id_.name)
        if network is None or own is None:
            raise InputError(
                "There is no such subnet or network interface in the estate",
                value=id_.text,
                expected="the id of a network interface, or of a subnet with its network",
            )
        return network, own

    def tag(self, subnet: ResourceId) -> tuple[Network, ...]:
        """What `VirtualNetwork` means in a subnet (R44)."""
        found = self.settled.tags.get(subnet.key)
        if found is None:
            found = self.settled.tags[subnet.key] = virtual_network_tag(self, subnet)
        return found

    @cached_property
    def has_groups(self) -> bool:
        """Whether there is any security group to ask."""
        return self.index.names_groups

    @property
    def doubts(self) -> Doubts:
        """What nobody can read."""
        return self.ground.doubts(self.health.deciding)

    def announced_doubts(self, address: Address) -> tuple[str, ...]:
        """What can't be read and may change who is announced to sites as having an address."""
        held = [texts for ranges, texts in self.doubtful_ranges if covered(address, ranges)]
        return tuple(dict.fromkeys(text for texts in held for text in texts))

    @cached_property
    def doubtful_ranges(self) -> tuple[tuple[tuple[Network, ...], tuple[str, ...]], ...]:
        """Ranges of which nobody can tell who announces them, and why: networks', and what gateways say of which
        something can't be read; a gateway that says nothing yet may say anything."""
        doubts = self.doubts
        found = list(doubts.announced)
        for key, missing in doubts.gateways.items():
            told = tuple(prefix for prefix, _ in self.announced(self.index.gateways[key]))
            found.append((ANYWHERE if key in doubts.anything or not told else told, missing))
        found += ((said, missing) for _, said, missing in server_doubts(self))
        for _, where, missing in server_texts(self):
            between = exchanged(self, where) if missing else ()
            found += [(between, missing)] if between else []
        return tuple(found)

    @cached_property
    def service_tags(self) -> Mapping[str, tuple[Network, ...]]:
        return {name.lower(): prefixes for name, prefixes in self.outside.service_prefixes.items()}

    # What a network's subnets get by BGP

    def bgp_rows(self, network: VirtualNetwork) -> tuple[EffectiveRoute, ...]:
        """The VirtualNetworkGateway rows of a network, before its own system routes have their say."""
        found = self.settled.bgp.get(network.id.key)
        if found is None:
            found = self.settled.bgp[network.id.key] = tuple(self._bgp_rows(network))
        return found

    def _bgp_rows(self, network: VirtualNetwork) -> Iterator[EffectiveRoute]:
        hanging = self.ground.hanging.get(network.id.key)
        where = [network.id.key, *(live.remote_key for live in self.ground.remote_of.get(network.id.key, ()))]
        taken: set[Network] = set()
        for key in where:
            for routes, gateway in self._sources(key):
                new = {prefix: heard for prefix, heard in routes.items() if prefix not in taken}
                taken.update(new)
                for prefix, heard in new.items():
                    yield EffectiveRoute(
                        source=RouteSource.VIRTUAL_NETWORK_GATEWAY.value,
                        state=RouteState.ACTIVE.value,
                        address_prefix=prefix,
                        next_hop_type="VirtualNetworkGateway",
                        next_hop_ip_addresses=self._row_hops(gateway, heard),
                        by=gateway,
                    )
        if hanging is not None:
            yield from (row for row in hub_rows(self, *hanging) if row.address_prefix not in taken)

    def _sources(self, network: str) -> Iterator[tuple[Mapping[Network, tuple[Heard, ...]], str]]:
        """ExpressRoute before VPN before Route Server (R19)."""
        gateways = self.index.gateways_in.get(network, ())
        for gateway in sorted(gateways, key=is_vpn):
            if self.works(gateway):
                yield self.gateway_routes(gateway), gateway.id.text
        for server in self.ground.route_servers.values():
            if server.network == network:
                yield self.server_routes(server), server.id.text

    def _row_hops(self, gateway: str, heard: tuple[Heard, ...]) -> tuple[Address, ...]:
        found = self.index.gateways.get(gateway.lower())
        if found is not None and is_vpn(found):
            if found.active_active:
                held = instances(found, self.index, self.outside, self.health)
                return tuple(address for address in held if address.version == heard[0].prefix.version)
            return public_addresses(found, self.index, self.outside)[:1]
        return tuple(dict.fromkeys(hop for route in heard for hop in route.next_hops))

    # Gateways

    def gateway_routes(self, gateway: VirtualNetworkGateway) -> Mapping[Network, tuple[Heard, ...]]:
        """What a gateway reaches beyond its own network: per prefix the routes it uses, by its own preference (E41)."""
        found = self.settled.routes.get(gateway.id.key)
        if found is None:
            found = self.settled.routes[gateway.id.key] = self.preferred_of(self.heard_by(gateway))
        return found

    def preferred_of(self, routes: Iterable[Heard]) -> dict[Network, tuple[Heard, ...]]:
        """What a gateway makes of what it heard, by prefix."""
        return {prefix: preferred(held) for prefix, held in by_prefix(routes).items()}

    def heard_by(self, gateway: VirtualNetworkGateway) -> tuple[Heard, ...]:
        """Everything that a gateway was told over its circuits or tunnels."""
        return self.tunnels(gateway) if is_vpn(gateway) else self.exchange.learned.get(gateway.id.key, ())

    def tunnels(self, gateway: VirtualNetworkGateway, *, bare: bool = False) -> tuple[Heard, ...]:
        """What a VPN gateway was told in its tunnels. `bare`: before Route Servers have told gateways anything."""
        own = {prefix for prefix, _ in self.announced(gateway)}
        said = partial(self._said_in_tunnels, bare)
        routes = tunnel_routes(gateway, self.index, self.outside, self.health, said)
        return tuple(route for route in routes if route.prefix not in own)

    def _said_in_tunnels(self, bare: bool, gateway: VirtualNetworkGateway, bgp: bool) -> tuple[Said, ...]:
        return () if self.propagation_off(gateway) else said_by(self, gateway, bare=bare or not bgp)

    def announced(self, gateway: VirtualNetworkGateway) -> tuple[tuple[Network, str], ...]:
        """The prefixes a gateway announces for virtual networks, and which network answers for each (R40)."""
        network = self.index.network_of(gateway.subnet)
        return () if network is None else self.ground.spoken_for(network)

    def server_routes(self, server: RouteServer) -> Mapping[Network, tuple[Heard, ...]]:
        heard = heard_from_appliances(server, self.outside, self.health)
        return {prefix: shortest(routes) for prefix, routes in by_prefix(heard).items()}

    def servers_for(self, network: str) -> Iterator[RouteServer]:
        """The Route Servers that exchange with the gateways of a network, and work."""
        for server in self.ground.route_servers.values():
            talks = server.network == network and server.branch_to_branch
            if talks and self.health.placed(server.id, server.location):
                yield server

    # The exchange over circuits

    @property
    def exchange(self) -> Exchange:
        """What BGP over circuits has settled to."""
        found = self.settled.exchange
        if found is None:
            found = self.settled.exchange = converge(inputs_of(self))
        return found

    @property
    def bare_exchange(self) -> Exchange:
        """The same before Route Servers have told gateways anything."""
        found: Exchange | None = self.settled.memo.get("bare exchange")
        if found is None:
            found = self.settled.memo["bare exchange"] = converge(inputs_of(self, bare=True))
        return found

    @cached_property
    def settles(self) -> bool:
        """Whether BGP comes to an end: it may not where sites pass on what they heard."""
        passes_on = any(site.links or any(router.readvertise for router in site.routers) for site in self.estate.sites)
        return not passes_on or self.exchange.settles

    def works(self, gateway: VirtualNetworkGateway) -> bool:
        """Whether a gateway of either kind speaks and carries traffic."""
        return self.health.gateway(gateway) and not self.propagation_off(gateway)

    def propagation_off(self, gateway: VirtualNetworkGateway) -> bool:
        """A GatewaySubnet whose table has propagation off: the gateway stops working (R23)."""
        subnet = self.index.gateway_subnet(gateway)
        user_table = None if subnet is None else self.estate.route_table(subnet.route_table)
        return user_table is not None and user_table.disable_bgp_route_propagation
