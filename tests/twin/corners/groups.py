"""Corners of security groups."""

from __future__ import annotations

from farshore.estate.estate import Estate
from routing.small import Net, id_of
from twin.corners.base import corner, hub, router, site


@corner("delivered", "denied")
def groups_of_every_kind() -> Estate:
    """Ports, ranges, plural prefixes, application groups, both groups of a NIC, the order of priorities (R42, R43)."""
    net = hub()
    web = net.add("applicationSecurityGroups", "web")
    for name in ("vm1-nic", "vm2-nic"):
        properties = net.bodies[id_of("networkInterfaces", name)]["properties"]["ipConfigurations"][0]["properties"]
        properties["applicationSecurityGroups"] = [{"id": web}] if name == "vm1-nic" else []
    of_subnet = _group(
        net,
        "nsg-subnet",
        (100, "Inbound", "Allow", "Tcp", ["192.168.0.0/17", "10.0.0.0/16"], "*", ["443", "8000-8100"]),
        (200, "Inbound", "Deny", "*", ["192.168.0.0/16"], "*", ["*"]),
        (300, "Outbound", "Deny", "Tcp", ["10.1.0.5/32"], "192.168.128.0/17", ["400-500"]),
    )
    of_nic = _group(net, "nsg-nic", (100, "Inbound", "Deny", "Tcp", ["VirtualNetwork"], "ASG", ["443"]))
    rule = net.bodies[of_nic]["properties"]["securityRules"][0]["properties"]
    del rule["destinationAddressPrefix"]
    rule["destinationApplicationSecurityGroups"] = [{"id": web}]
    subnet = net.bodies[id_of("virtualNetworks", "spoke")]["properties"]["subnets"][0]["properties"]
    subnet["networkSecurityGroup"] = {"id": of_subnet}
    for name in ("vm1-nic", "vm2-nic"):
        net.bodies[id_of("networkInterfaces", name)]["properties"]["networkSecurityGroup"] = {"id": of_nic}
    return net.estate(site(router(), prefixes=("192.168.0.0/17", "192.168.128.0/17")))


@corner("delivered", "denied")
def a_group_that_goes_by_the_tag() -> Estate:
    """VirtualNetwork holds what the gateway learned and what routes name (R44): with a spoke's table without 0/0 and
    a peering that does not let forwarded traffic in, an appliance's own group refuses what it should pass on (R45)."""
    net = hub()
    group = _group(net, "nsg-fw", (100, "Inbound", "Allow", "Tcp", ["VirtualNetwork"], "VirtualNetwork", ["*"]))
    more = net.bodies[group]["properties"]["securityRules"]
    more.append(_rule(200, "Inbound", "Deny", "*", ["*"], "*", ["*"]))
    net.bodies[id_of("networkInterfaces", "fw-nic")]["properties"]["networkSecurityGroup"] = {"id": group}
    net.network("far", "10.2.0.0/24", app="10.2.0.0/24")
    net.peer("hub", "far", allowVirtualNetworkAccess=False)
    net.machine("vm-far", ("far", "app", "10.2.0.4"))
    return net.estate(site(router()))


def _group(net: Net, name: str, *rules: tuple[int, str, str, str, list[str], str, list[str]]) -> str:
    return net.add("networkSecurityGroups", name, securityRules=[_rule(*rule) for rule in rules])


def _rule(
    priority: int, direction: str, access: str, protocol: str, sources: list[str], to: str, ports: list[str]
) -> dict[str, object]:
    return {
        "name": f"rule-{priority}",
        "properties": {
            "priority": priority,
            "direction": direction,
            "access": access,
            "protocol": protocol,
            "sourceAddressPrefixes": sources,
            "destinationAddressPrefix": to,
            "sourcePortRange": "*",
            "destinationPortRanges": ports,
        },
    }


@corner("delivered", "denied")
def large_tables() -> Estate:
    """Four hundred routes (R34) and as many rules."""
    net = hub(spoke=(*((f"10.{200 + n // 200}.{n % 200}.0/24", "None") for n in range(399)), ("0.0.0.0/0", "10.0.1.4")))
    rules = [
        (100 + n, "Inbound", "Deny", "Tcp", [f"192.168.{n % 250}.{n // 250 * 16}/28"], "*", ["443"]) for n in range(400)
    ]
    group = _group(net, "nsg-large", *rules)
    net.bodies[id_of("networkInterfaces", "vm1-nic")]["properties"]["networkSecurityGroup"] = {"id": group}
    return net.estate(site(router()))
