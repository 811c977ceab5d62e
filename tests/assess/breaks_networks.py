"""Networks, broken: tables, GatewaySubnets, appliances, peerings, endpoints, groups, names of subnets, gateways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .broken import (
    ANYWHERE,
    BARE,
    BY_NAME,
    GATEWAY,
    HANDMADE,
    HUB,
    NSG1,
    NSG2,
    PAIRS,
    PLANNED,
    RT1,
    RT2,
    RTG,
    SHIPPED,
    SPOKE1,
    SPOKE2,
    TARGETS,
    WITH_GATEWAY,
    At,
    Break,
    bind,
    own,
    peering_from,
    put,
    subnet_of,
)

NVA = "10.10.10.10"


def _tables_of_spokes() -> Iterator[Break]:
    for table, spoke, other in ((RT1, SPOKE1, "10.2.0.0/24"), (RT2, SPOKE2, "10.1.0.0/24")):
        of = own(table)

        def default(at: At, table: str = table) -> dict[str, Any]:
            return at.route(table, "0.0.0.0/0")

        def longer(at: At, kind: str, prefix: str, hop: str | None = None, table: str = table) -> None:
            at.add_route(table, prefix, kind, hop)

        yield Break(f"no 0/0 in {table}", bind(lambda at, t: at.drop_route(t, "0.0.0.0/0"), table), of)
        yield Break(f"no route at all in {table}", bind(lambda at, t: at.routes(t).clear(), table), of)
        yield Break(
            f"propagation on in {table}",
            put(bind(lambda at, t: at.properties(t), table), disableBgpRoutePropagation=False),
            of,
        )
        yield Break(
            f"propagation not said in {table}",
            put(bind(lambda at, t: at.properties(t), table), disableBgpRoutePropagation=None),
            of,
        )
        for kind in ("Internet", "None", "VnetLocal", "VirtualNetworkGateway"):
            yield Break(f"0/0 to {kind} in {table}", put(default, nextHopType=kind, nextHopIpAddress=None), of)
        yield Break(
            f"0/0 to nobody in {table}",
            bind(lambda at, d: d(at).update(nextHopIpAddress=at.address("10.10.10.11")), default),
            of,
        )
        yield Break(
            f"0/0 to a machine in {table}", bind(lambda at, d: d(at).update(nextHopIpAddress="10.3.0.4"), default), of
        )
        yield Break(f"only 10/8 in {table}", put(default, addressPrefix="10.0.0.0/8"), of)
        yield Break(f"only half of everything in {table}", put(default, addressPrefix="0.0.0.0/1"), of)
        yield Break(
            f"a site's part past the appliance in {table}",
            bind(longer, "VirtualNetworkGateway", "192.168.0.0/16"),
            of,
        )
        yield Break(
            f"a site's part dropped in {table}",
            bind(longer, "None", "192.168.4.0/24"),
            of,
        )
        yield Break(
            f"the other spoke straight in {table}",
            bind(longer, "VnetLocal", other),
            of,
        )
        yield Break(
            f"no table on {spoke}",
            put(bind(lambda at, s: at.subnet(s, "app"), spoke), routeTable=None),
            subnet_of(spoke, "app"),
            (SHIPPED,),
        )
        yield Break(
            f"no table on {spoke}, announced",
            put(bind(lambda at, s: at.subnet(s, "app"), spoke), routeTable=None),
            subnet_of(spoke, "app"),
            (PLANNED,),
            PAIRS,
        )


def _tables_of_gateway_subnets() -> Iterator[Break]:
    of = own(RTG)
    for prefix, half in (("10.1.0.0/24", "10.1.0.0/25"), ("10.2.0.0/24", "10.2.0.0/25")):

        def route(at: At, prefix: str = prefix) -> dict[str, Any]:
            return at.route(RTG, prefix)

        yield Break(f"GatewaySubnet without {prefix}", bind(lambda at, p: at.drop_route(RTG, p), prefix), of)
        yield Break(
            f"GatewaySubnet with half of {prefix}",
            bind(lambda at, r, h: r(at).update(addressPrefix=at.address(h)), route, half),
            of,
        )
        yield Break(
            f"GatewaySubnet with a wider {prefix}",
            bind(lambda at, r: r(at).update(addressPrefix="10.0.0.0/8"), route),
            of,
        )
        for kind in ("Internet", "None", "VnetLocal"):
            yield Break(
                f"GatewaySubnet sends {prefix} to {kind}", put(route, nextHopType=kind, nextHopIpAddress=None), of
            )
        yield Break(
            f"GatewaySubnet sends {prefix} to nobody",
            bind(lambda at, r: r(at).update(nextHopIpAddress=at.address("10.10.10.99")), route),
            of,
        )
        yield Break(
            f"GatewaySubnet sends a part of {prefix} elsewhere",
            bind(lambda at, h: at.add_route(RTG, h, "VnetLocal"), half),
            of,
        )
    yield Break("GatewaySubnet without either spoke", lambda at: at.drop_route(RTG, "10.1.0.0/24", "10.2.0.0/24"), of)
    yield Break("GatewaySubnet with an empty table", lambda at: at.routes(RTG).clear(), of)
    yield Break(
        "GatewaySubnet with propagation off", put(lambda at: at.properties(RTG), disableBgpRoutePropagation=True), of
    )
    yield Break("GatewaySubnet with 0/0", lambda at: at.add_route(RTG, "0.0.0.0/0", "VirtualAppliance", NVA), of)
    yield Break(
        "GatewaySubnet with a route to itself",
        lambda at: at.add_route(RTG, "10.10.10.0/24", "VirtualAppliance", NVA),
        of,
    )
    yield Break(
        "GatewaySubnet without a table",
        put(lambda at: at.subnet(HUB, "GatewaySubnet"), routeTable=None),
        subnet_of(HUB, "GatewaySubnet"),
        (SHIPPED,),
    )
    yield Break(
        "GatewaySubnet without a table, announced",
        put(lambda at: at.subnet(HUB, "GatewaySubnet"), routeTable=None),
        subnet_of(HUB, "GatewaySubnet"),
        (PLANNED,),
        PAIRS,
    )
    yield Break(
        "GatewaySubnet with a group",
        lambda at: at.subnet(HUB, "GatewaySubnet").update(networkSecurityGroup={"id": at.id(NSG1)}),
        subnet_of(HUB, "GatewaySubnet"),
    )
    for size in (28, 29):
        yield Break(
            f"GatewaySubnet of /{size}",
            put(lambda at: at.subnet(HUB, "GatewaySubnet"), addressPrefix=f"10.10.10.128/{size}"),
            subnet_of(HUB, "GatewaySubnet"),
            (SHIPPED,),
        )


def _appliance() -> Iterator[Break]:
    for table in (RT1, RT2):
        yield Break(
            f"the NVA's subnet with {table}",
            bind(lambda at, t: at.subnet(HUB, "nva").update(routeTable={"id": at.id(t)}), table),
            subnet_of(HUB, "nva"),
        )
    yield Break(
        "the NVA without forwarding", put(lambda at: at.properties("nva-nic"), enableIPForwarding=False), own("nva-nic")
    )
    yield Break(
        "the NVA's forwarding not said",
        put(lambda at: at.properties("nva-nic"), enableIPForwarding=None),
        own("nva-nic"),
    )
    yield Break(
        "the NVA without a machine",
        _without_machine,
        own("nva-nic"),
        (SHIPPED,),
    )
    yield Break(
        "the NVA's subnet with the GatewaySubnet's table",
        lambda at: at.subnet(HUB, "nva").update(routeTable={"id": at.id(RTG)}),
        subnet_of(HUB, "nva"),
    )
    yield Break(
        "the GatewaySubnet with a spoke's table",
        lambda at: at.subnet(HUB, "GatewaySubnet").update(routeTable={"id": at.id(RT1)}),
        subnet_of(HUB, "GatewaySubnet"),
    )
    yield Break(
        "a spoke with the GatewaySubnet's table",
        lambda at: at.subnet(SPOKE2, "app").update(routeTable={"id": at.id(RTG)}),
        subnet_of(SPOKE2, "app"),
    )
    yield Break(
        "0/0 to an appliance without address",
        put(lambda at: at.route(RT1, "0.0.0.0/0"), nextHopIpAddress=None),
        own(RT1),
    )
    yield Break(
        "the NVA at another address",
        lambda at: at.bench.ip(at.name("nva-nic")).update(privateIPAddress=at.address("10.10.10.11")),
        own("nva-nic"),
        (SHIPPED, PLANNED, HANDMADE, BARE),
    )
    yield Break(
        "the NVA with a dynamic address",
        lambda at: at.bench.ip("rg-source/nva-nic").update(privateIPAllocationMethod="Dynamic"),
        own("nva-nic"),
        (SHIPPED,),
    )
    yield Break(
        "the NVA deallocated",
        lambda at: at.properties("nva")["instanceView"].update(statuses=[{"code": "PowerState/deallocated"}]),
        own("nva"),
        (SHIPPED,),
    )


def _peerings() -> Iterator[Break]:
    for spoke in (SPOKE1, SPOKE2):
        for own_, remote in ((HUB, spoke), (spoke, HUB)):
            of = peering_from(own_, remote)

            def half(at: At, own_: str = own_, remote: str = remote) -> dict[str, Any]:
                return at.peering(own_, remote)

            what = f"{own_} to {remote}"
            yield Break(f"{what} without forwarded traffic", put(half, allowForwardedTraffic=False), of)
            yield Break(f"{what}: forwarded traffic not said", put(half, allowForwardedTraffic=None), of)
            yield Break(f"{what} without access", put(half, allowVirtualNetworkAccess=False), of)
            yield Break(f"{what} is Disconnected", put(half, peeringState="Disconnected"), of)
            yield Break(f"{what} is Initiated", put(half, peeringState="Initiated"), of)
            yield Break(f"{what} is not in sync", put(half, peeringSyncLevel="LocalAndRemoteNotInSync"), of)
            yield Break(
                f"{what} has an old copy",
                put(
                    half,
                    remoteAddressSpace={"addressPrefixes": ["10.9.0.0/24"]},
                    remoteVirtualNetworkAddressSpace={"addressPrefixes": ["10.9.0.0/24"]},
                ),
                of,
            )
            yield Break(f"{what} is missing", bind(_unpeer, own_, remote), own(own_), (SHIPPED,))
        out, back = peering_from(HUB, spoke), peering_from(spoke, HUB)
        yield Break(
            f"no gateway transit to {spoke}",
            put(bind(lambda at, s: at.peering(HUB, s), spoke), allowGatewayTransit=False),
            out,
        )
        yield Break(
            f"gateway transit to {spoke} not said",
            put(bind(lambda at, s: at.peering(HUB, s), spoke), allowGatewayTransit=None),
            out,
        )
        yield Break(
            f"{spoke} uses no remote gateway",
            put(bind(lambda at, s: at.peering(s, HUB), spoke), useRemoteGateways=False),
            back,
            (SHIPPED, *WITH_GATEWAY),
        )
        yield Break(
            f"{spoke}: remote gateway not said",
            put(bind(lambda at, s: at.peering(s, HUB), spoke), useRemoteGateways=None),
            back,
            (SHIPPED, *WITH_GATEWAY),
        )
        yield Break(
            f"the hub uses a gateway of {spoke}",
            put(bind(lambda at, s: at.peering(HUB, s), spoke), useRemoteGateways=True),
            out,
            (SHIPPED, *WITH_GATEWAY),
        )


def _subnets_and_groups() -> Iterator[Break]:
    for spoke, group in ((SPOKE1, NSG1), (SPOKE2, NSG2)):

        def app(at: At, spoke: str = spoke) -> dict[str, Any]:
            return at.subnet(spoke, "app")

        yield Break(f"no endpoint in {spoke}", put(app, serviceEndpoints=None), subnet_of(spoke, "app"))
        yield Break(f"endpoints of {spoke} empty", put(app, serviceEndpoints=[]), subnet_of(spoke, "app"))
        yield Break(
            f"another endpoint in {spoke}",
            put(app, serviceEndpoints=[{"service": "Microsoft.Sql"}]),
            subnet_of(spoke, "app"),
        )
        yield Break(
            f"{spoke}'s subnet renamed",
            bind(lambda at, s: _rename(at, s, "app", "workload"), spoke),
            subnet_of(spoke, "workload"),
            TARGETS,
        )
        yield Break(f"{group} denies the site", bind(lambda at, g: _deny(at, g), group), own(group))
    yield Break(
        "a spoke with the other's range as well",
        lambda at: at.properties(SPOKE2)["addressSpace"]["addressPrefixes"].append(at.address("10.1.0.0/24")),
        own(SPOKE2),
        (SHIPPED, HANDMADE, BARE),
    )
    yield Break(
        "a subnet outside its network",
        lambda at: at.subnet(SPOKE1, "app").update(addressPrefix="10.99.0.0/25"),
        subnet_of(SPOKE1, "app"),
    )
    yield Break(
        "the NVA's subnet renamed", lambda at: _rename(at, HUB, "nva", "firewall"), subnet_of(HUB, "firewall"), TARGETS
    )
    yield Break(
        "the target's network with another range",
        lambda at: at.properties(SPOKE2).update(addressSpace={"addressPrefixes": ["10.77.0.0/24"]}),
        own(SPOKE2),
        BY_NAME,
    )
    yield Break(
        "the target's network in a third region",
        lambda at: at.bench[at.name(SPOKE1)].update(location="japaneast"),
        own(SPOKE1),
        BY_NAME,
    )


def _gateways() -> Iterator[Break]:
    where = (SHIPPED, *WITH_GATEWAY)
    for name in ("VpnGw1", "VpnGw2AZ", "Basic", "ErGw9AZ", ""):
        yield Break(
            f"gateway of SKU {name or 'nothing'}",
            bind(lambda at, n: at.properties(GATEWAY).update(sku={"name": n, "tier": n}), name),
            own(GATEWAY),
            where,
        )
    yield Break(
        "gateway in no subnet", put(lambda at: at.properties(GATEWAY), ipConfigurations=[]), own(GATEWAY), where[:1]
    )
    yield Break("gateway without sku", put(lambda at: at.properties(GATEWAY), sku=None), own(GATEWAY), where)
    yield Break("gateway with an empty sku", put(lambda at: at.properties(GATEWAY), sku={}), own(GATEWAY), where)
    yield Break(
        "gateway with a sku that says nothing", lambda at: at.properties(GATEWAY).update(sku=None), own(GATEWAY), where
    )
    yield Break(
        "gateway failed", put(lambda at: at.properties(GATEWAY), provisioningState="Failed"), own(GATEWAY), where
    )
    yield Break(
        "gateway in another region",
        lambda at: at.bench[at.name(GATEWAY)].update(location="japaneast"),
        own(GATEWAY),
        where,
    )


def _without_machine(at: At) -> None:
    at.bench.remove(at.name("nva"))
    at.properties("nva-nic").pop("virtualMachine")


def _unpeer(at: At, network: str, remote: str) -> None:
    wanted = at.id(remote).lower()
    peerings = at.properties(network)["virtualNetworkPeerings"]
    peerings[:] = [p for p in peerings if p["properties"]["remoteVirtualNetwork"]["id"].lower() != wanted]


def _rename(at: At, network: str, old: str, new: str) -> None:
    """The subnet and all that refers to it."""
    before, after = f"{at.id(network)}/subnets/{old}", f"{at.id(network)}/subnets/{new}"
    body = at.bench.child_body(at.name(network), "subnets", old)
    body["name"], body["id"] = new, after
    for nic in at.bench.resources:
        for item in nic.get("properties", {}).get("ipConfigurations", ()):
            subnet = item.get("properties", {}).get("subnet", {})
            if str(subnet.get("id", "")).lower() == before.lower():
                subnet["id"] = after


def _deny(at: At, group: str) -> None:
    rule = {
        "protocol": "*",
        "access": "Deny",
        "priority": 100,
        "direction": "Inbound",
        "sourceAddressPrefix": "192.168.0.0/16",
    }
    rest = {"destinationAddressPrefix": "*", "sourcePortRange": "*", "destinationPortRange": "*"}
    for item in at.properties(group)["securityRules"]:
        item["properties"]["priority"] += 100
    at.properties(group)["securityRules"].insert(0, {"name": "deny-site", "properties": rule | rest})


BREAKS = (
    *_tables_of_spokes(),
    *_tables_of_gateway_subnets(),
    *_appliance(),
    *_peerings(),
    *_subnets_and_groups(),
    *_gateways(),
)
assert all(row.grounds and set(row.grounds) <= set(ANYWHERE) for row in BREAKS)
