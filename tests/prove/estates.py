"""A small two-circuit estate and its far shore, piece by piece, and the steps that a plan over it can have.

    site -- ce1 -- circuit-a -- gw -- hub (nva) -- spoke (vm1, vm2)          eastasia
         -- ce2 -- circuit-b -- gw -- hub (nva) -- spoke                     southeastasia

Addresses are kept. Every piece of the far shore is a body of its own, so that a test can have it in the estate from the
start, or put it by a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from farshore.arm.ids import ResourceId, make_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Router, Site
from farshore.estate.project import Objective
from farshore.plan.model import (
    DeleteResource,
    Event,
    Lose,
    MachineState,
    Phase,
    PlannedMachine,
    Promise,
    PutResource,
    Restore,
    SetMachine,
    SetRouter,
    Step,
)
from prove.plans import SUBSCRIPTION, step

HUB, SPOKE, ONPREM = "10.10.10.0/24", "10.1.0.0/24", "192.168.0.0/16"
NVA = "10.10.10.10"
FAILOVER_DOWN = "region:eastasia"


def id_of(kind: str, name: str, group: str = "rg-a") -> ResourceId:
    provider = "Microsoft.Compute" if kind == "virtualMachines" else "Microsoft.Network"
    return make_id(SUBSCRIPTION, group, f"{provider}/{kind}", name)


@dataclass(frozen=True)
class Shore:
    """One region's network, body by body."""

    group: str
    region: str
    circuit: str

    def id(self, kind: str, name: str) -> ResourceId:
        return id_of(kind, name, self.group)

    def body(self, kind: str, name: str, properties: Body) -> Body:
        id_ = self.id(kind, name)
        return {
            "id": id_.text,
            "name": name,
            "type": id_.type,
            "location": self.region,
            "properties": {"provisioningState": "Succeeded", **properties},
        }

    def hub(self, *, table: bool = True) -> Body:
        edge: Body = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.10.10.128/25"}}
        if table:
            edge["properties"]["routeTable"] = {"id": self.id("routeTables", "rt-gw").text}
        subnets = [{"name": "nva", "properties": {"addressPrefix": "10.10.10.0/25"}}, edge]
        return self.body("virtualNetworks", "hub", {"addressSpace": {"addressPrefixes": [HUB]}, "subnets": subnets})

    def gateway_subnet_with_table(self) -> Body:
        return {
            "id": self.id("virtualNetworks", "hub").child("subnets", "GatewaySubnet").text,
            "name": "GatewaySubnet",
            "properties": {
                "addressPrefix": "10.10.10.128/25",
                "routeTable": {"id": self.id("routeTables", "rt-gw").text},
            },
        }

    def spoke(self, *, table: bool = True) -> Body:
        subnet: Body = {"name": "app", "properties": {"addressPrefix": SPOKE}}
        if table:
            subnet["properties"]["routeTable"] = {"id": self.id("routeTables", "rt-spoke").text}
        return self.body(
            "virtualNetworks", "spoke", {"addressSpace": {"addressPrefixes": [SPOKE]}, "subnets": [subnet]}
        )

    def spoke_subnet_with_table(self) -> Body:
        return {
            "id": self.id("virtualNetworks", "spoke").child("subnets", "app").text,
            "name": "app",
            "properties": {"addressPrefix": SPOKE, "routeTable": {"id": self.id("routeTables", "rt-spoke").text}},
        }

    def gateway_table(self) -> Body:
        return self._table("rt-gw", SPOKE, False)

    def spoke_table(self) -> Body:
        return self._table("rt-spoke", "0.0.0.0/0", True)

    def _table(self, name: str, prefix: str, off: bool) -> Body:
        route = {
            "name": "to-nva",
            "properties": {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": NVA},
        }
        return self.body("routeTables", name, {"disableBgpRoutePropagation": off, "routes": [route]})

    def nic(self, name: str, address: str, network: str, subnet: str, *, forwards: bool = False) -> Body:
        configuration = {
            "name": "ip",
            "properties": {
                "privateIPAddress": address,
                "privateIPAllocationMethod": "Static",
                "primary": True,
                "subnet": {"id": self.id("virtualNetworks", network).child("subnets", subnet).text},
            },
        }
        return self.body(
            "networkInterfaces",
            f"{name}-nic",
            {
                "ipConfigurations": [configuration],
                "enableIPForwarding": forwards,
                "virtualMachine": {"id": self.id("virtualMachines", name).text},
            },
        )

    def machine(self, name: str) -> Body:
        nic = {"id": self.id("networkInterfaces", f"{name}-nic").text}
        return self.body("virtualMachines", name, {"networkProfile": {"networkInterfaces": [nic]}})

    def appliance(self) -> list[Body]:
        return [self.nic("nva", NVA, "hub", "nva", forwards=True), self.machine("nva")]

    def gateway(self) -> Body:
        subnet = self.id("virtualNetworks", "hub").child("subnets", "GatewaySubnet")
        return self.body(
            "virtualNetworkGateways",
            "gw",
            {
                "gatewayType": "ExpressRoute",
                "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ"},
                "ipConfigurations": [{"name": "ip", "properties": {"subnet": {"id": subnet.text}}}],
            },
        )

    def peering(self, own: str, other: str) -> Body:
        return {
            "id": self.id("virtualNetworks", own).child("virtualNetworkPeerings", f"to-{other}").text,
            "name": f"to-{other}",
            "properties": {
                "remoteVirtualNetwork": {"id": self.id("virtualNetworks", other).text},
                "allowVirtualNetworkAccess": True,
                "allowForwardedTraffic": True,
                "allowGatewayTransit": own == "hub",
                "useRemoteGateways": own == "spoke",
                "peeringState": "Connected",
                "remoteAddressSpace": {"addressPrefixes": [SPOKE if other == "spoke" else HUB]},
            },
        }

    def connection(self) -> Body:
        return self.body(
            "connections",
            "cn",
            {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": self.id("virtualNetworkGateways", "gw").text},
                "peer": {"id": circuit_id(self.circuit).text},
            },
        )

    def network(self) -> list[Body]:
        """Everything but the connection and machines."""
        return [
            self.gateway_table(),
            self.spoke_table(),
            self.hub(),
            self.spoke(),
            *self.appliance(),
            self.gateway(),
            self.peering("hub", "spoke"),
            self.peering("spoke", "hub"),
        ]


HOME = Shore("rg-a", "eastasia", "circuit-a")
FAR = Shore("rg-b", "southeastasia", "circuit-b")


def circuit_id(name: str) -> ResourceId:
    return id_of("expressRouteCircuits", name, "rg-circuits")


def circuit(name: str, location: str, number: int) -> Body:
    id_ = circuit_id(name)
    peering = {
        "name": "AzurePrivatePeering",
        "properties": {
            "peeringType": "AzurePrivatePeering",
            "state": "Enabled",
            "peerASN": 65010,
            "azureASN": 12076,
            "primaryPeerAddressPrefix": f"172.31.{number}.0/30",
            "secondaryPeerAddressPrefix": f"172.31.{number}.4/30",
        },
    }
    return {
        "id": id_.text,
        "name": name,
        "type": id_.type,
        "location": "japaneast",
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        "properties": {
            "serviceProviderProvisioningState": "Provisioned",
            "circuitProvisioningState": "Enabled",
            "provisioningState": "Succeeded",
            "serviceProviderProperties": {
                "peeringLocation": location,
                "serviceProviderName": "Partner",
                "bandwidthInMbps": 1000,
            },
            "peerings": [peering],
        },
    }


CE1 = Router(name="ce1", circuit=circuit_id("circuit-a"))
CE2 = Router(name="ce2", circuit=circuit_id("circuit-b"))


def site(*, prefer_home: bool = False, firewall: bool = True) -> Site:
    ce1 = replace(CE1, local_preference=200) if prefer_home else CE1
    return Site(
        name="datacenter",
        asn=65010,
        prefixes=(ip_network(ONPREM),),
        routers=(ce1, CE2),
        stateful_firewall=firewall,
    )


def estate(extra: Sequence[Body] = (), *, machines: Sequence[str] = ("vm1",), prefer_home: bool = False) -> Estate:
    """The home shore with its machines and connection, both circuits, the site, and whatever else is given."""
    bodies = [circuit("circuit-a", "Hong Kong", 1), circuit("circuit-b", "Singapore", 2)]
    bodies += [*HOME.network(), HOME.connection()]
    for number, name in enumerate(machines):
        bodies += [HOME.nic(name, f"10.1.0.{4 + number}", "spoke", "app"), HOME.machine(name)]
    return Estate.from_resources([*bodies, *extra]).with_sites((site(prefer_home=prefer_home),))


def planned(name: str = "vm1", address: str = "10.1.0.4") -> PlannedMachine:
    item = make_id(SUBSCRIPTION, "rg-b", "Microsoft.RecoveryServices/vaults", "vault")
    return PlannedMachine(
        id=HOME.id("virtualMachines", name),
        nic=HOME.id("networkInterfaces", f"{name}-nic"),
        address=address,
        target_id=FAR.id("virtualMachines", name),
        target_nic=FAR.id("networkInterfaces", f"{name}-nic"),
        target_address=address,
        item=item,
        reverse_item=item,
        managed=True,
    )


def reach(**fields: Any) -> Objective:
    given: dict[str, Any] = {"name": "site to machines", "from_": "datacenter", "to": "machines", "through": "nva-nic"}
    return Objective(**(given | fields))


# Steps. ------------------------------------------------------------------------------------------------------------


def put(id_: str, *bodies: Body, after: Sequence[str] = (), phase: Phase = Phase.PROVISION) -> Step:
    return step(id_, *(PutResource(body=body) for body in bodies), after=after, phase=phase)


def prefer(*, after: Sequence[str] = (), phase: Phase = Phase.PROVISION) -> Step:
    return step(
        "prefer",
        SetRouter(site="datacenter", router=replace(CE1, local_preference=200)),
        SetRouter(site="datacenter", router=replace(CE2, prepend=3)),
        after=after,
        phase=phase,
    )


def fence(*, after: Sequence[str] = ("disaster",)) -> Step:
    denied = Filter(direction="in", prefix=ip_network("10.0.0.0/8"), action="deny")
    router = replace(CE1, local_preference=200, filters=(denied,))
    return step("fence", SetRouter(site="datacenter", router=router), after=after, phase=Phase.FAILOVER)


def connect(*, after: Sequence[str] = (), phase: Phase = Phase.PROVISION) -> Step:
    return put("connect", FAR.connection(), after=after, phase=phase)


def disaster(machines: Sequence[PlannedMachine], *, after: Sequence[str] = ()) -> Event:
    promises = [Promise(machine=machine.id, nic=machine.target_nic) for machine in machines]
    return Event(
        id="disaster",
        title="eastasia is lost",
        after=tuple(after),
        effects=(Lose(elements=(FAILOVER_DOWN,)), *promises),
    )


def failover(machine: PlannedMachine, *, after: Sequence[str] = ("disaster",)) -> Step:
    name = machine.id.name
    return put(
        f"failover-{name}",
        FAR.nic(name, machine.target_address, "spoke", "app"),
        FAR.machine(name),
        after=after,
        phase=Phase.FAILOVER,
    )


def returns(machines: Sequence[PlannedMachine], *, after: Sequence[str]) -> Event:
    stale = [SetMachine(id=machine.id, state=MachineState.STALE) for machine in machines]
    return Event(
        id="return", title="eastasia returns", after=tuple(after), effects=(Restore(elements=(FAILOVER_DOWN,)), *stale)
    )


def deallocate(machine: PlannedMachine, *, after: Sequence[str] = ("return",)) -> Step:
    return step(
        f"deallocate-{machine.id.name}",
        SetMachine(id=machine.id, state=MachineState.STOPPED),
        after=after,
        phase=Phase.RETURN,
    )


def disconnect(*, after: Sequence[str] = ("disaster",), may_fail: bool = True, name: str = "disconnect") -> Step:
    phase = Phase.FAILOVER if may_fail else Phase.RETURN
    return step(name, DeleteResource(id=HOME.id("connections", "cn")), after=after, phase=phase, may_fail=may_fail)
