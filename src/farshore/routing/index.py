"""What stands where: one pass over an estate's resources, for everything that routing asks again and again.

An index depends on the resources alone, not on what is down or what sites do, so that estates which share their
resources share it. Who holds an address is asked inside one virtual network: the same address may exist in two
networks, in a source and its target above all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TypeVar

from farshore.arm import compute, connectivity, network
from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.routing.balancers import Behind, Frontend, Fronts, Holder, network_key, of_firewall

__all__ = ["AZURE_FIREWALLS", "PRIVATE_ENDPOINTS", "Frontend", "Holder", "Index", "network_key"]

Model = TypeVar("Model")

AZURE_FIREWALLS = "Microsoft.Network/azureFirewalls"
PRIVATE_ENDPOINTS = "Microsoft.Network/privateEndpoints"


class Index:
    """See the theory above. Everything in it is keyed by lower-case ids."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._keys: dict[str, list[str]] = defaultdict(list)
        for key in sorted(estate.resources):
            self._keys[_kind(key)].append(key)
        self.networks = self._views(network.VIRTUAL_NETWORKS, network.virtual_network)
        self.nics = self._views(network.NETWORK_INTERFACES, network.network_interface)
        self.machines = self._views(compute.VIRTUAL_MACHINES, compute.virtual_machine)
        self.gateways = self._views(network.VIRTUAL_NETWORK_GATEWAYS, connectivity.virtual_network_gateway)
        self.circuits = self._views(network.EXPRESS_ROUTE_CIRCUITS, connectivity.express_route_circuit)
        self.connections = self._views(network.CONNECTIONS, connectivity.connection)
        self.machine_of = self._machines_by_nic()
        self.holders = self._holders_by_address()
        self.endpoint_of = self._endpoints_by_nic()
        self.gateways_in = self._gateways_by_network()
        self._frontends: dict[tuple[str, Address], Frontend] | None = None

    def bodies(self, kind: str) -> list[Body]:
        """Bodies of one type, children that Azure does not nest included, in id order."""
        return [self.estate.resources[key] for key in self._keys.get(kind.lower(), ())]

    def _views(self, kind: str, decode: Callable[[Body], Model]) -> dict[str, Model]:
        keys = self._keys.get(kind.lower(), ())
        return {key: view for key in keys if (view := self.estate.view(resource_id(key), decode)) is not None}

    def network_of(self, id_: ResourceId | None) -> network.VirtualNetwork | None:
        """The network of a subnet, or of a NIC (by its primary configuration)."""
        if id_ is None:
            return None
        nic = self.nics.get(id_.key)
        if nic is not None:
            return self.network_of(nic.primary.subnet) if nic.primary is not None else None
        return self.networks.get(network_key(id_))

    def subnet(self, id_: ResourceId | None) -> network.Subnet | None:
        found = self.network_of(id_)
        return None if found is None or id_ is None else found.subnet(id_.name)

    def gateway_subnet(self, gateway: connectivity.VirtualNetworkGateway) -> network.Subnet | None:
        return self.subnet(gateway.subnet)

    @cached_property
    def names_groups(self) -> bool:
        """Whether a subnet or NIC names a security group, readable or not."""
        subnets = (subnet for held in self.networks.values() for subnet in held.subnets)
        if any(subnet.network_security_group is not None for subnet in subnets):
            return True
        if any(nic.network_security_group is not None for nic in self.nics.values()):
            return True
        markers = [held.unknown for held in self.networks.values()] + [held.unknown for held in self.nics.values()]
        return any("networkSecurityGroup" in path for paths in markers for path in paths)

    def raw(self, id_: ResourceId) -> Reader:
        """The body behind a view, for the few fields that no model holds."""
        return Reader(self.estate.resources.get(id_.key, {}))

    def at(self, network_key: str, address: Address) -> tuple[Holder, ...]:
        """The NICs that hold an address in one network."""
        return tuple(self.holders.get((network_key, address), ()))

    def addresses(self, nic: ResourceId) -> tuple[Address, ...]:
        """The private addresses of a NIC."""
        found = self.nics.get(nic.key)
        items = () if found is None else found.ip_configurations
        return tuple(item.private_ip_address for item in items if item.private_ip_address is not None)

    def frontend(self, network_key: str, address: Address) -> Frontend | None:
        """The load balancer or firewall that holds an address in one network."""
        if self._frontends is None:
            self._frontends = dict(self._all_frontends())
        return self._frontends.get((network_key, address))

    def _machines_by_nic(self) -> dict[str, str]:
        """From either side: hand-written estates often show only one of them."""
        found = {
            nic: key for key, machine in self.machines.items() for nic in (n.key for n in machine.network_interfaces)
        }
        for key, nic in self.nics.items():
            if nic.virtual_machine is not None:
                found[key] = nic.virtual_machine.key
        return found

    def _endpoints_by_nic(self) -> dict[str, ResourceId]:
        return {
            nic.key: resource_id(str(body["id"]))
            for body in self.bodies(PRIVATE_ENDPOINTS)
            for nic in Reader(body).ids("properties.networkInterfaces")
        }

    def _holders_by_address(self) -> dict[tuple[str, Address], list[Holder]]:
        found: dict[tuple[str, Address], list[Holder]] = defaultdict(list)
        for nic in self.nics.values():
            for item in nic.ip_configurations:
                if item.subnet is not None and item.private_ip_address is not None:
                    where = network_key(item.subnet)
                    holder = Holder(nic=nic, subnet=item.subnet, address=item.private_ip_address)
                    found[(where, item.private_ip_address)].append(holder)
        return dict(found)

    def _gateways_by_network(self) -> dict[str, tuple[connectivity.VirtualNetworkGateway, ...]]:
        found: dict[str, list[connectivity.VirtualNetworkGateway]] = defaultdict(list)
        for gateway in self.gateways.values():
            if gateway.subnet is not None:
                found[network_key(gateway.subnet)].append(gateway)
        return {key: tuple(items) for key, items in found.items()}

    def _all_frontends(self) -> Fronts:
        behind = Behind(self.nics, self.holders)
        for body in self.bodies(network.LOAD_BALANCERS):
            yield from behind.of_balancer(resource_id(str(body["id"])), body)
        for body in self.bodies(AZURE_FIREWALLS):
            yield from of_firewall(resource_id(str(body["id"])), body)


@lru_cache(maxsize=65536)
def _kind(key: str) -> str:
    return resource_id(key).type.lower()
