"""An internal load balancer in front of the source's appliance."""

from __future__ import annotations

from .bench import Bench

NVA, BALANCED = "10.10.10.10", "10.10.10.20"


def balanced(bench: Bench, *, members: bool, existing: str | None = None) -> None:
    """Tables of the source lead to a balancer, whose pool holds the appliance or nobody. `existing`: what stands in its
    place in the target, else a person brings it."""
    balancer = bench.add(
        "Microsoft.Network/loadBalancers",
        "ilb",
        sku={"name": "Standard"},
        properties={"provisioningState": "Succeeded"},
    )
    front, pool = f"{balancer['id']}/frontendIPConfigurations/f", f"{balancer['id']}/backendAddressPools/p"
    subnet = {"id": f"{bench['Source-Hub-vNet']['id']}/subnets/nva"}
    placed = {"privateIPAddress": BALANCED, "privateIPAllocationMethod": "Static", "subnet": subnet}
    rule = {
        "protocol": "All",
        "frontendPort": 0,
        "backendPort": 0,
        "frontendIPConfiguration": {"id": front},
        "backendAddressPool": {"id": pool},
    }
    balancer["properties"] |= {
        "frontendIPConfigurations": [{"id": front, "name": "f", "properties": placed}],
        "backendAddressPools": [{"id": pool, "name": "p", "properties": {}}],
        "loadBalancingRules": [{"name": "ha", "properties": rule}],
    }
    if members:
        bench.ip("rg-source/nva-nic")["loadBalancerBackendAddressPools"] = [{"id": pool}]
    for table in ("rt-source-vnet1", "rt-source-vnet2", "rt-source-gateway"):
        for route in bench.properties(table)["routes"]:
            if route["properties"].get("nextHopIpAddress") == NVA:
                route["properties"]["nextHopIpAddress"] = BALANCED
    target = "manual" if existing is None else {"existing": existing}
    bench.project["appliances"] = [{"source": balancer["id"], "target": target, "stateful": True}]
    for objective in bench.project["objectives"]:
        objective["through"] = balancer["id"]
