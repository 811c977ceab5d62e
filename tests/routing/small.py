"""Small estates by hand: a few words a thing, bodies as Azure shows them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside, Site
from farshore.routing import Flow

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/"


def id_of(kind: str, *names: str) -> str:
    """`id_of("virtualNetworks/subnets", "hub", "nva")`."""
    tail = "/".join(f"{part}/{name}" for part, name in zip(kind.split("/"), names, strict=True))
    return f"{GROUP}Microsoft.Compute/{tail}" if kind == "virtualMachines" else f"{GROUP}Microsoft.Network/{tail}"


class Net:
    """Collects bodies."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}

    def estate(self, *sites: Site, outside: Outside | None = None) -> Estate:
        built = Estate.from_resources(list(self.bodies.values())).with_sites(sites)
        return built if outside is None else built.with_outside(outside)

    def add(self, kind: str, *names: str, location: str = "eastasia", **properties: Any) -> str:
        own = id_of(kind, *names)
        properties.setdefault("provisioningState", "Succeeded")
        self.bodies[own] = {"id": own, "name": names[-1], "location": location, "properties": properties}
        return own

    def network(self, name: str, *space: str, location: str = "eastasia", **subnets: Any) -> None:
        """Subnets by name: a prefix, or a dict of properties."""
        made = []
        for subnet, given in subnets.items():
            properties = {"addressPrefix": given} if isinstance(given, str) else given
            made.append({"name": subnet, "properties": properties})
        space_ = {"addressPrefixes": list(space)}
        self.add(
            "virtualNetworks", name, location=location, addressSpace=space_, subnets=made, virtualNetworkPeerings=[]
        )

    def peer(self, one: str, other: str, *, lend: bool = False, state: str = "Connected", **flags: Any) -> None:
        """Both halves; `lend`: the first one's gateway."""
        for own, far, properties in (
            (one, other, {"allowGatewayTransit": lend}),
            (other, one, {"useRemoteGateways": lend}),
        ):
            half = {
                "remoteVirtualNetwork": {"id": id_of("virtualNetworks", far)},
                "peeringState": state,
                "allowForwardedTraffic": True,
                **properties,
                **flags,
            }
            peerings = self.bodies[id_of("virtualNetworks", own)]["properties"]["virtualNetworkPeerings"]
            peerings.append({"name": f"to-{far}", "properties": half})

    def table(self, name: str, *routes: tuple[str, str], propagate: bool = True) -> dict[str, str]:
        """Routes as (prefix, next hop): an address, or a next hop type. The reference to put on a subnet."""
        made = []
        for prefix, hop in routes:
            properties: dict[str, Any] = {"addressPrefix": prefix, "nextHopType": hop}
            if hop[0].isdigit() or ":" in hop:
                properties |= {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
            made.append({"name": prefix.replace("/", "-"), "properties": properties})
        return {"id": self.add("routeTables", name, routes=made, disableBgpRoutePropagation=not propagate)}

    def machine(self, name: str, *nics: tuple[str, str, str], forward: bool = False, location: str = "eastasia") -> str:
        """NICs as (network, subnet, address); the first is `name-nic`, then `name-nic2`."""
        held = []
        for number, (network, subnet, address) in enumerate(nics, 1):
            held.append(
                self.add(
                    "networkInterfaces",
                    f"{name}-nic{'' if number == 1 else number}",
                    location=location,
                    enableIPForwarding=forward,
                    virtualMachine={"id": id_of("virtualMachines", name)},
                    ipConfigurations=[
                        {
                            "name": "a",
                            "properties": {
                                "privateIPAddress": address,
                                "privateIPAllocationMethod": "Static",
                                "subnet": {"id": id_of("virtualNetworks/subnets", network, subnet)},
                                "primary": True,
                            },
                        }
                    ],
                )
            )
        profile = {"networkInterfaces": [{"id": id_} for id_ in held]}
        self.add("virtualMachines", name, location=location, networkProfile=profile)
        return held[0]

    def gateway(self, name: str, network: str, *, kind: str = "ExpressRoute", **properties: Any) -> str:
        subnet = {"id": id_of("virtualNetworks/subnets", network, "GatewaySubnet")}
        location = self.bodies[id_of("virtualNetworks", network)]["location"]
        return self.add(
            "virtualNetworkGateways",
            name,
            location=location,
            gatewayType=kind,
            ipConfigurations=[{"name": "default", "properties": {"subnet": subnet}}],
            **properties,
        )

    def circuit(self, name: str, place: str, third: int = 0) -> ResourceId:
        peering = {
            "peeringType": "AzurePrivatePeering",
            "state": "Enabled",
            "primaryPeerAddressPrefix": f"172.16.{third}.0/30",
            "secondaryPeerAddressPrefix": f"172.16.{third}.4/30",
        }
        return resource_id(
            self.add(
                "expressRouteCircuits",
                name,
                peerings=[{"name": "AzurePrivatePeering", "properties": peering}],
                serviceProviderProvisioningState="Provisioned",
                serviceProviderProperties={"peeringLocation": place},
            )
        )

    def connect(self, gateway: str, circuit: str, weight: int = 0) -> str:
        return self.add(
            "connections",
            f"{gateway}-{circuit}",
            connectionType="ExpressRoute",
            virtualNetworkGateway1={"id": id_of("virtualNetworkGateways", gateway)},
            peer={"id": id_of("expressRouteCircuits", circuit)},
            routingWeight=weight,
        )


def flow(source: str, source_address: str, destination: str, port: int | None = 443) -> Flow:
    return Flow(
        source=source,
        source_address=ip_address(source_address),
        destination_address=ip_address(destination),
        destination_port=port,
    )
