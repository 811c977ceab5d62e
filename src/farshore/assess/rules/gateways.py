"""ExpressRoute gateways: the one that is there and the one that will be (E20 to E28, D12, D38, D74)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from farshore.arm.connectivity import Connection, VirtualNetworkGateway
from farshore.assess.context import EXPRESS_ROUTE, GATEWAY_SUBNET, Context, Side
from farshore.assess.findings import Finding, error, info, rule, warning

SKUS = ("Standard", "HighPerformance", "UltraPerformance", "ErGw1AZ", "ErGw2AZ", "ErGw3AZ", "ErGwScale")
"""E21: what an ExpressRoute gateway's SKU can be. Compared without regard to case, because documents print `Az`."""

FASTPATH_SKUS = ("ultraperformance", "ergw3az", "ergwscale")
CIRCUITS = {"standard": 4, "ergw1az": 4, "highperformance": 8, "ergw2az": 8, "ultraperformance": 16, "ergw3az": 16}
"""E16, E27: connections to circuits for each SKU."""
SUCCEEDED = "succeeded"


@rule("FS301", "The source has no ExpressRoute gateway", "D38", "E20")
def none(context: Context) -> Iterator[Finding]:
    if not context.machines or context.express_route_gateways(context.source) or any(_homeless(context)):
        return
    for hub in context.source.hubs or context.source.networks[:1]:
        yield error(
            hub.id,
            f"{hub.name} has no ExpressRoute gateway: no site reaches the machines",
            f"networks in scope: {', '.join(network.name for network in context.source.networks)}",
            remedy="read the gateway into the estate, or create it",
        )


@rule("FS302", "A gateway has no ExpressRoute SKU", "E21", "E20")
def sku(context: Context) -> Iterator[Finding]:
    known = {name.lower() for name in SKUS}
    for _, gateway in _gateways(context):
        if gateway.sku is None or gateway.sku.lower() not in known:
            yield error(
                gateway.id,
                f"{gateway.id.name} has "
                + ("no SKU" if gateway.sku is None else f"the SKU {gateway.sku}, which is no ExpressRoute SKU"),
                f"sku.name is {gateway.sku}" if gateway.sku is not None else "sku.name is absent",
                "the target's gateway is made with the same SKU",
                remedy=f"set sku.name to one of {', '.join(SKUS)}",
            )


@rule("FS303", "A gateway is not provisioned", "E33", "L30", "L7")
def not_provisioned(context: Context) -> Iterator[Finding]:
    for side, gateway in _gateways(context):
        if gateway.provisioning_state.lower() != SUCCEEDED:
            what = "nothing can be connected to it" if side.is_target else "no site may reach the machines"
            yield error(
                gateway.id,
                f"{gateway.id.name} is {gateway.provisioning_state}: {what}",
                f"provisioningState is {gateway.provisioning_state}",
                remedy=f"wait until {gateway.id.name} is Succeeded"
                if gateway.provisioning_state.lower() in ("updating", "creating")
                else f"reset or recreate {gateway.id.name}",
            )


@rule("FS304", "A gateway does not stand where it should", "R35", "D38", "E32")
def misplaced(context: Context) -> Iterator[Finding]:
    for gateway in _homeless(context):
        yield error(
            gateway.id,
            f"{gateway.id.name} stands in no subnet: nothing uses it",
            "ipConfigurations show no subnet",
            remedy="read the gateway again, or give its configuration the GatewaySubnet",
        )
    for side, gateway in _gateways(context):
        subnet = gateway.subnet
        network = context.estate.virtual_network(None if subnet is None else subnet.parent)
        if subnet is not None and subnet.name.lower() != GATEWAY_SUBNET:
            yield error(
                gateway.id,
                f"{gateway.id.name} stands in {subnet.short}: a gateway needs the subnet GatewaySubnet",
                remedy="move the gateway to GatewaySubnet",
            )
        elif network is not None and subnet is not None and network.subnet(subnet.name) is None:
            yield error(
                gateway.id,
                f"{gateway.id.name} stands in {subnet.short}, which {network.name} does not have",
                remedy=f"restore GatewaySubnet in {network.name}, or read the estate again",
            )
        if network is not None and gateway.location != network.location:
            yield error(
                gateway.id,
                f"{gateway.id.name} is located in {gateway.location} and its network in {network.location}",
                f"{side.name} region {side.region}",
                remedy=f"recreate the gateway in {network.location}",
            )


@rule("FS305", "A network has two ExpressRoute gateways", "E22", "R34")
def two(context: Context) -> Iterator[Finding]:
    seen: dict[object, VirtualNetworkGateway] = {}
    for _, gateway in _gateways(context):
        where = None if gateway.subnet is None else gateway.subnet.parent
        if where is not None and where in seen:
            yield error(
                gateway.id,
                f"{where.name} has two ExpressRoute gateways: {seen[where].id.name} and {gateway.id.name}",
                "a network has at most one of each type",
                remedy="remove the one that is not true",
            )
        elif where is not None:
            seen[where] = gateway


@rule("FS306", "A gateway of another type has an ExpressRoute connection", "E20", "E32")
def wrong_type(context: Context) -> Iterator[Finding]:
    for connection in context.estate.connections:
        gateway = context.estate.virtual_network_gateway(connection.virtual_network_gateway1)
        if gateway is None or gateway.gateway_type.lower() == EXPRESS_ROUTE:
            continue
        if connection.connection_type.lower() == EXPRESS_ROUTE or connection.peer is not None:
            yield error(
                gateway.id,
                f"{gateway.id.name} is of type {gateway.gateway_type}, and {connection.id.name} joins it to a circuit",
                f"gatewayType is {gateway.gateway_type}",
                remedy="an ExpressRoute connection needs a gateway with gatewayType ExpressRoute",
            )


@rule("FS307", "A gateway's public address is of SKU Basic", "E25", "L35")
def basic_address(context: Context) -> Iterator[Finding]:
    for _, gateway in _gateways(context):
        for id_ in gateway.public_ip_addresses:
            name = context.index.raw(id_).text("sku.name")
            if name is not None and name.lower() == "basic":
                yield warning(
                    id_,
                    f"{id_.name} of {gateway.id.name} is a Basic public IP address, which gateways no longer take",
                    "Basic addresses were retired on 30 September 2025; the target's is made Standard",
                    remedy="move the gateway to a Standard, static address",
                )


@rule("FS308", "The target has no gateway yet", "D12", "D24", "E24")
def absent_in_target(context: Context) -> Iterator[Finding]:
    if not context.express_route_gateways(context.source) or context.express_route_gateways(context.target):
        return
    ahead = context.project.provisions_ahead("gateway")
    slow = "up to 45 minutes"
    if ahead:
        yield info(
            "provision_ahead",
            f"The target has no ExpressRoute gateway: the plan creates it before a disaster ({slow})",
        )
    else:
        yield warning(
            "provision_ahead",
            f"The target's gateway is created only after the disaster, and takes {slow}",
            "Site Recovery makes no gateways",
            remedy="add gateway to provision_ahead",
        )


@rule("FS309", "FastPath is on with a gateway SKU that has none", "E27", "E31")
def fastpath(context: Context) -> Iterator[Finding]:
    for side in context.sides:
        for connection in context.connections(side):
            gateway = context.estate.virtual_network_gateway(connection.virtual_network_gateway1)
            if gateway is None or gateway.sku is None or not connection.express_route_gateway_bypass:
                continue
            if gateway.sku.lower() not in FASTPATH_SKUS:
                yield error(
                    connection.id,
                    f"{connection.id.name} has FastPath, which {gateway.sku} does not offer",
                    "expressRouteGatewayBypass is true",
                    remedy="switch FastPath off, or use UltraPerformance or ErGw3AZ",
                )
            elif context.steered:
                yield warning(
                    connection.id,
                    f"{connection.id.name} has FastPath: traffic to the hub's own machines skips the gateway and the"
                    " GatewaySubnet's table",
                    remedy="check that nothing in the hub is meant to be behind the appliance",
                )


@rule("FS310", "A gateway has more circuits than its SKU allows", "E16", "E27")
def too_many_circuits(context: Context) -> Iterator[Finding]:
    for side, gateway in _gateways(context):
        most = CIRCUITS.get((gateway.sku or "").lower())
        joined = [c for c in context.connections(side) if c.virtual_network_gateway1 == gateway.id]
        if most is not None and len(joined) > most:
            yield error(
                gateway.id,
                f"{gateway.id.name} has {len(joined)} connections to circuits; {gateway.sku} allows {most}",
                remedy="resize the gateway or remove connections",
            )
            continue
        places = Counter(_location(context, connection) for connection in joined)
        for place, count in sorted(places.items()):
            if place and count > SAME_LOCATION:
                yield error(
                    gateway.id,
                    f"{gateway.id.name} has {count} connections to circuits at {place}; any gateway takes"
                    f" {SAME_LOCATION} from one peering location",
                    remedy="connect circuits of other peering locations, or remove connections",
                )


SAME_LOCATION = 4
"""E16."""


def _location(context: Context, connection: Connection) -> str:
    circuit = context.estate.express_route_circuit(connection.peer)
    return "" if circuit is None else circuit.peering_location or ""


def _gateways(context: Context) -> Iterator[tuple[Side, VirtualNetworkGateway]]:
    for side in context.sides:
        for gateway in context.express_route_gateways(side):
            yield side, gateway


def _homeless(context: Context) -> Iterator[VirtualNetworkGateway]:
    """ExpressRoute gateways of the source region that show no subnet."""
    for gateway in context.estate.virtual_network_gateways:
        here = gateway.location == context.project.source_region
        if here and gateway.gateway_type.lower() == EXPRESS_ROUTE and gateway.subnet is None:
            yield gateway
