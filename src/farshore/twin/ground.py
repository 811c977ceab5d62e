"""What the estate says, read for building: who stands where, which peerings live, what works.

A second reading of the same facts that `farshore.routing` reads, on purpose: a witness that asked the engine what to
build would only repeat it. Only the models of `arm` and the estate are shared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from farshore.arm import network as models
from farshore.arm.connectivity import CircuitConnection, Connection, ExpressRouteCircuit, VirtualNetworkGateway
from farshore.arm.decode import Address, Network, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.estate.estate import Estate

WORKS = ("succeeded", "updating")
SIDES = ("primary", "secondary")
AZURE_FIREWALLS = "Microsoft.Network/azureFirewalls"


@dataclass(frozen=True)
class Place:
    """An address of a NIC in a subnet."""

    nic: models.NetworkInterface
    subnet: ResourceId
    address: Address

    @property
    def network(self) -> str:
        return network_of(self.subnet)


@dataclass(frozen=True)
class Peered:
    """A peering that carries traffic (both halves Connected, R28), from one side."""

    half: models.Peering
    other_half: models.Peering | None
    remote: str
    prefixes: tuple[Network, ...]
    """The synced copy of the other's space (R31), or its named subnets (R32)."""

    @property
    def borrows(self) -> bool:
        """Whether this side uses the other's gateway (R29)."""
        other = self.other_half
        return self.half.use_remote_gateways and other is not None and other.allow_gateway_transit

    @property
    def lends(self) -> bool:
        other = self.other_half
        return self.half.allow_gateway_transit and other is not None and other.use_remote_gateways


class Ground:
    """See the theory above. Keys are lower-case ids."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.down = estate.outside.down
        self.networks = {item.id.key: item for item in estate.virtual_networks}
        self.nics = {item.id.key: item for item in estate.network_interfaces}
        self.machines = {item.id.key: item for item in estate.virtual_machines}
        self.gateways = {item.id.key: item for item in estate.virtual_network_gateways}
        self.circuits = {item.id.key: item for item in estate.express_route_circuits}
        self.connections = {item.id.key: item for item in estate.connections}

    # What works

    def region(self, location: str) -> bool:
        return f"region:{location}" not in self.down

    def stands(self, network: str) -> bool:
        """Whether a network's part of the fabric is there."""
        return network in self.networks and self.region(self.networks[network].location)

    def edge(self, circuit: ExpressRouteCircuit) -> bool:
        """Provisioned, private peering enabled, its location working (E33)."""
        peering = circuit.private_peering
        return (
            peering is not None
            and peering.state.lower() == "enabled"
            and circuit.service_provider_provisioning_state.lower() == "provisioned"
            and circuit.circuit_provisioning_state.lower() == "enabled"
            and circuit.id.key not in self.down
            and f"location:{(circuit.peering_location or '').lower()}" not in self.down
        )

    def link(self, circuit: ExpressRouteCircuit, side: str) -> bool:
        """Whether the customer's side of a link works; the edge on it may stand without."""
        return self.edge(circuit) and f"{circuit.id.key}#{side}" not in self.down

    def instances(self, gateway: VirtualNetworkGateway) -> tuple[int, ...]:
        """The instances of a gateway that work (E26): two, unless something is down."""
        if (
            gateway.provisioning_state.lower() not in WORKS
            or gateway.id.key in self.down
            or not self.region(gateway.location)
        ):
            return ()
        return tuple(number for number in (0, 1) if f"{gateway.id.key}#{number}" not in self.down)

    def connection(self, connection: Connection) -> bool:
        return connection.provisioning_state.lower() in WORKS and connection.id.key not in self.down

    def reach(self, connection: CircuitConnection) -> bool:
        """Global Reach that is there and connected (E46)."""
        return (
            connection.provisioning_state.lower() in WORKS
            and connection.status.lower() == "connected"
            and connection.id.key not in self.down
        )

    def router(self, site: str, router: str) -> bool:
        return f"router:{site}/{router}".lower() not in self.down

    def runs(self, nic: models.NetworkInterface) -> bool:
        """Whether something answers behind a NIC: attached to a machine that runs, in a region that is there."""
        key = self.machine_of.get(nic.id.key)
        if key is None or not self.region(nic.location) or {nic.id.key, key} & self.down:
            return False
        if {nic.id.key, key} & self.estate.outside.stopped:
            return False
        machine = self.machines.get(key)
        if machine is None:
            return True
        if machine.power_state is None and machine.provisioning_state.lower() == "creating":
            return False
        return machine.power_state not in ("deallocated", "deallocating", "stopped", "stopping")

    # Who stands where

    @cached_property
    def machine_of(self) -> dict[str, str]:
        """By NIC, from whichever side says it."""
        found = {nic.key: key for key, machine in self.machines.items() for nic in machine.network_interfaces}
        for key, nic in self.nics.items():
            if nic.virtual_machine is not None:
                found[key] = nic.virtual_machine.key
        return found

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(
            Place(nic, item.subnet, item.private_ip_address)
            for nic in self.nics.values()
            for item in nic.ip_configurations
            if item.subnet is not None and item.private_ip_address is not None
        )

    @cached_property
    def at(self) -> dict[tuple[str, Address], list[Place]]:
        """By network and address."""
        found = defaultdict(list)
        for place in self.places:
            found[place.network, place.address].append(place)
        return dict(found)

    def subnet(self, id_: ResourceId) -> models.Subnet | None:
        network = self.networks.get(network_of(id_))
        return None if network is None else network.subnet(id_.name)

    @cached_property
    def peered(self) -> dict[str, tuple[Peered, ...]]:
        """By network: its living peerings."""
        return {key: tuple(self._peered(network)) for key, network in self.networks.items()}

    def _peered(self, network: models.VirtualNetwork) -> Iterator[Peered]:
        for half in network.peerings:
            if half.remote_virtual_network is None or half.peering_state.lower() != "connected":
                continue
            remote = self.networks.get(half.remote_virtual_network.key)
            if remote is None:
                yield Peered(half, None, half.remote_virtual_network.key, half.remote_address_space)
                continue
            answers = [
                item
                for item in remote.peerings
                if item.remote_virtual_network is not None and item.remote_virtual_network.key == network.id.key
            ]
            if not answers or answers[0].peering_state.lower() != "connected":
                continue
            if half.peer_complete_vnets:
                prefixes = half.remote_address_space or remote.address_space
            else:
                named = [remote.subnet(name) for name in half.remote_subnet_names]
                prefixes = tuple(p for subnet in named if subnet is not None for p in subnet.address_prefixes)
            yield Peered(half, answers[0], remote.id.key, prefixes)

    # Gateways and circuits

    def gateways_in(self, network: str) -> Iterator[VirtualNetworkGateway]:
        """The ExpressRoute gateways of a network."""
        for gateway in self.gateways.values():
            if gateway.subnet is not None and network_of(gateway.subnet) == network and is_expressroute(gateway):
                yield gateway

    def users_of(self, network: str) -> Iterator[str]:
        """The networks that use a network's gateway: itself, and the peered ones that borrow it (R29)."""
        yield network
        for item in self.peered.get(network, ()):
            if item.lends and item.remote in self.networks:
                yield item.remote

    def announced(self, network: str) -> tuple[Network, ...]:
        """What a gateway of a network tells its circuits (R40, R13)."""
        own = self.networks[network]
        summary = Reader(self.estate.resources[network]).networks("properties.summarizedGatewayPrefixes")
        said = list(summary or own.address_space)
        for item in self.peered.get(network, ()):
            if item.lends:
                said += item.prefixes
        return tuple(dict.fromkeys(said))

    def speaks(self, gateway: VirtualNetworkGateway) -> bool:
        """A GatewaySubnet whose table has propagation off keeps its gateway from working (R23)."""
        subnet = None if gateway.subnet is None else self.subnet(gateway.subnet)
        table = None if subnet is None else self.estate.route_table(subnet.route_table)
        return table is None or not table.disable_bgp_route_propagation

    @cached_property
    def frontends(self) -> tuple[tuple[ResourceId, str, Address], ...]:
        """Load balancers with the network and address of each frontend."""
        found = []
        for body in self.estate.of_type(models.LOAD_BALANCERS):
            for item in Reader(body).items("properties.frontendIPConfigurations"):
                subnet, address = item.id("properties.subnet"), item.address("properties.privateIPAddress")
                if subnet is not None and address is not None:
                    found.append((resource_id(str(body["id"])), network_of(subnet), address))
        return tuple(found)

    def frontend(self, network: str, address: Address) -> ResourceId | None:
        """The load balancer that holds an address in a network."""
        return next((id_ for id_, where, held in self.frontends if (where, held) == (network, address)), None)

    def members(self, balancer: ResourceId, front: Address) -> Iterator[Place]:
        """Whom a load balancer leads one of its frontends to, in a stable order: those whose NICs name its pools, and
        those whom the pools name, by an address in a network or by a NIC's configuration. A NIC stands once."""
        pools: dict[str, list[Place]] = defaultdict(list)
        for place, item in self._configurations.values():
            for pool in item.load_balancer_backend_address_pools:
                pools[pool.key].append(place)
        read = Reader(self.estate.resources[balancer.key])
        for pool_ in read.items("properties.backendAddressPools"):
            pools[f"{balancer.key}/backendaddresspools/{str(pool_.text('name')).lower()}"] += self._in_pool(pool_)
        behind = self._pools_behind(balancer, front)
        found: dict[str, Place] = {}
        for key, held in sorted(pools.items()):
            if key.startswith(balancer.key + "/") and (behind is None or key in behind):
                for place in held:
                    if place.address.version == front.version:
                        found.setdefault(place.nic.id.key, place)
        yield from found.values()

    @cached_property
    def _configurations(self) -> dict[str, tuple[Place, models.IpConfiguration]]:
        """By the lower-case id of a NIC's configuration."""
        return {
            f"{nic.id.key}/ipconfigurations/{item.name.lower()}": (
                Place(nic, item.subnet, item.private_ip_address),
                item,
            )
            for nic in self.nics.values()
            for item in nic.ip_configurations
            if item.subnet is not None and item.private_ip_address is not None
        }

    def _in_pool(self, pool: Reader) -> Iterator[Place]:
        """Whom a pool names itself."""
        ids = list(pool.ids("properties.backendIPConfigurations"))
        for item in pool.items("properties.loadBalancerBackendAddresses"):
            address, network = item.address("properties.ipAddress"), item.id("properties.virtualNetwork")
            network = network or pool.id("properties.virtualNetwork")
            configuration = item.id("properties.networkInterfaceIPConfiguration")
            if configuration is not None:
                ids.append(configuration)
            elif address is not None and network is not None:
                yield from self.at.get((network.key, address), ())[:1]
        for id_ in ids:
            if id_.key in self._configurations:
                yield self._configurations[id_.key][0]

    def _pools_behind(self, balancer: ResourceId, front: Address) -> set[str] | None:
        """The pools that rules name for a frontend, by lower-case id; None where the load balancer has no rules."""
        read = Reader(self.estate.resources[balancer.key])
        rules = list(read.items("properties.loadBalancingRules"))
        fronts = {
            f"{balancer.key}/frontendipconfigurations/{str(item.text('name')).lower()}"
            for item in read.items("properties.frontendIPConfigurations")
            if item.address("properties.privateIPAddress") == front
        }
        found = set()
        for rule in rules:
            named = rule.id("properties.frontendIPConfiguration")
            if named is not None and named.key in fronts:
                one = rule.id("properties.backendAddressPool")
                every = (*rule.ids("properties.backendAddressPools"), *(() if one is None else (one,)))
                found |= {id_.key for id_ in every}
        return found if rules else None


def network_of(subnet: ResourceId) -> str:
    """The key of the network that a subnet is part of."""
    return subnet.key.rsplit("/", 2)[0]


def is_expressroute(gateway: VirtualNetworkGateway) -> bool:
    return gateway.gateway_type.lower() == "expressroute"


def covers(prefixes: tuple[Network, ...], address: Address) -> bool:
    return any(prefix.version == address.version and address in prefix for prefix in prefixes)


def inside(inner: Network, outer: Network) -> bool:
    """Whether `outer` contains all of `inner`."""
    low, high = int(outer.network_address), int(outer.broadcast_address)
    return inner.version == outer.version and low <= int(inner.network_address) and int(inner.broadcast_address) <= high
