"""Edits that change nothing for any packet that is promised: nothing may be said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assess.bench import BOTH, NEAR, NEW, ONE, TWO
from assess.broken import CONNECTION, GATEWAY, HUB, NSG1, NSG2, RT1, RT2, RTG, SHIPPED, SPOKE1, SPOKE2, At, bind
from assess.paired import weigh

NVA = "10.10.10.10"
ELSEWHERE = "198.51.100.0/24"


@dataclass(frozen=True)
class Harmless:
    name: str
    example: str
    edit: Callable[[At], object]


def at_of(example: str) -> At:
    return At(SHIPPED, example)


def _written() -> Iterator[Harmless]:
    """What a person reads and no packet."""
    for number, name in enumerate((HUB, SPOKE1, RT1, NSG1, "nva-nic", "er-hongkong", GATEWAY, CONNECTION)):
        example = (TWO, NEAR, ONE, NEW)[number % 4]
        yield Harmless(
            f"tags on {name}", example, bind(lambda at, n: at.bench[at.name(n)].update(tags={"a": "b"}), name)
        )
    for table, example in ((RT1, TWO), (RT2, NEAR), (RTG, ONE)):
        yield Harmless(f"routes of {table} have other names", example, bind(_renamed, table, "routes"))
    for group, example in ((NSG1, NEW), (NSG2, TWO)):
        yield Harmless(f"rules of {group} have other names", example, bind(_renamed, group, "securityRules"))
    yield Harmless("peerings have other names", NEAR, bind(_renamed, HUB, "virtualNetworkPeerings"))
    yield Harmless("rules are described", ONE, lambda at: [_of(rule).update(description="why") for rule in _rules(at)])
    yield Harmless("another etag", NEW, lambda at: at.bench[HUB].update(etag='W/"1"'))
    yield Harmless("another resourceGuid", TWO, lambda at: at.properties(SPOKE1).update(resourceGuid="1"))
    yield Harmless("a property that nobody knows", NEAR, lambda at: at.properties(RT1).update(futureSetting=True))
    yield Harmless(
        "ids in capitals",
        ONE,
        lambda at: at.subnet(SPOKE1, "app").update(routeTable={"id": at.id(RT1).upper().replace("/SUB", "/sub")}),
    )


def _renamed(at: At, name: str, kind: str) -> None:
    for number, item in enumerate(at.properties(name)[kind]):
        item["name"] = f"renamed{number}"
        item.pop("id", None)


def _rules(at: At) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = at.properties(NSG1)["securityRules"]
    return found


def _of(item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = item["properties"]
    return found


def _ordered() -> Iterator[Harmless]:
    for name, kind, example in (
        (RTG, "routes", TWO),
        (NSG1, "securityRules", NEAR),
        (HUB, "subnets", ONE),
        (HUB, "virtualNetworkPeerings", NEW),
    ):
        yield Harmless(
            f"{kind} of {name} in another order",
            example,
            bind(lambda at, n, k: at.properties(n)[k].reverse(), name, kind),
        )
    yield Harmless("resources in another order", TWO, lambda at: at.bench.resources.reverse())


def _unused() -> Iterator[Harmless]:
    """What stands there and nothing uses."""
    yield Harmless(
        "a table on no subnet",
        TWO,
        lambda at: at.bench.add(
            "Microsoft.Network/routeTables", "rt-spare", properties={"disableBgpRoutePropagation": True, "routes": []}
        ),
    )
    yield Harmless(
        "a table on no subnet that leads astray",
        NEAR,
        lambda at: at.bench.add(
            "Microsoft.Network/routeTables",
            "rt-astray",
            properties={"routes": [{"name": "r", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}]},
        ),
    )
    yield Harmless(
        "a security group on no subnet",
        ONE,
        lambda at: at.bench.add(
            "Microsoft.Network/networkSecurityGroups", "nsg-spare", properties={"securityRules": []}
        ),
    )
    yield Harmless(
        "a public address of nobody",
        NEW,
        lambda at: at.bench.add(
            "Microsoft.Network/publicIPAddresses", "pip-spare", sku={"name": "Standard"}, properties={}
        ),
    )
    yield Harmless("a network that nothing joins", TWO, bind(_network, "lonely", "10.77.0.0/24", "eastasia"))
    yield Harmless("a network in a third region", NEAR, bind(_network, "far", "10.78.0.0/24", "japaneast"))
    yield Harmless("an empty subnet of the hub", ONE, bind(_subnet, HUB, "spare", "10.10.10.64/27", "10.10.10.0/26"))
    yield Harmless(
        "a storage account of somebody else",
        NEW,
        lambda at: at.bench.add("Microsoft.Storage/storageAccounts", "stother", location="japaneast", properties={}),
    )
    yield Harmless("a load balancer of nobody", TWO, lambda at: _balancer(at))
    yield Harmless(
        "a NIC of nobody",
        NEAR,
        lambda at: at.bench.copy_of("web1-nic", "spare-nic")["properties"].update(
            virtualMachine=None,
            ipConfigurations=[
                {
                    "name": "ip",
                    "properties": {
                        "privateIPAddress": "10.1.0.99",
                        "privateIPAllocationMethod": "Static",
                        "subnet": {"id": f"{at.id(SPOKE1)}/subnets/app"},
                        "primary": True,
                    },
                }
            ],
        ),
    )


def _network(at: At, name: str, prefix: str, location: str) -> None:
    subnet = {"name": "default", "properties": {"addressPrefix": prefix}}
    properties = {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet], "virtualNetworkPeerings": []}
    at.bench.add("Microsoft.Network/virtualNetworks", name, location=location, properties=properties)


def _subnet(at: At, network: str, name: str, prefix: str, nva: str) -> None:
    at.subnet(network, "nva").update(addressPrefix=nva)
    at.properties(network)["subnets"].append({"name": name, "properties": {"addressPrefix": prefix}})


def _balancer(at: At) -> None:
    placed = {"privateIPAddress": "10.10.10.30", "subnet": {"id": f"{at.id(HUB)}/subnets/nva"}}
    front = {"name": "f", "properties": placed}
    at.bench.add(
        "Microsoft.Network/loadBalancers",
        "lb-spare",
        sku={"name": "Standard"},
        properties={"frontendIPConfigurations": [front], "backendAddressPools": []},
    )


def _same_meaning() -> Iterator[Harmless]:
    """The same said in another way, or said twice."""
    yield Harmless(
        "a spoke's route in two halves", TWO, bind(_split, RTG, "10.1.0.0/24", ("10.1.0.0/25", "10.1.0.128/25"))
    )
    # Without the whole beside them the halves would not do: only 0.0.0.0/0 takes the reserved None routes out (R3).
    yield Harmless(
        "the default route's halves beside it",
        NEAR,
        bind(_halves_beside, RT1),
    )
    yield Harmless(
        "a route inside another, to the same place",
        ONE,
        lambda at: at.add_route(RT1, "192.168.4.0/24", "VirtualAppliance", NVA),
    )
    yield Harmless(
        "a route for what nobody speaks to", NEW, lambda at: at.add_route(RT1, ELSEWHERE, "VirtualAppliance", NVA)
    )
    yield Harmless("a black hole for what nobody speaks to", TWO, lambda at: at.add_route(RT2, ELSEWHERE, "None"))
    yield Harmless("an allow rule twice", NEAR, bind(_rule, "again", 4000, "Allow", "192.168.0.0/16"))
    yield Harmless("a deny rule that comes too late", ONE, bind(_rule, "late", 4001, "Deny", "192.168.0.0/16"))
    yield Harmless("a deny rule about others", NEW, bind(_rule, "others", 4002, "Deny", ELSEWHERE))
    yield Harmless(
        "an endpoint more",
        TWO,
        lambda at: at.subnet(SPOKE1, "app")["serviceEndpoints"].append({"service": "Microsoft.Sql"}),
    )
    yield Harmless(
        "a flag of a peering said that is the default",
        NEAR,
        lambda at: at.peering(SPOKE2, HUB).update(doNotVerifyRemoteGateways=False),
    )


def _halves_beside(at: At, table: str) -> None:
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        at.add_route(table, half, "VirtualAppliance", NVA)


def _split(at: At, table: str, prefix: str, halves: tuple[str, str]) -> None:
    at.drop_route(table, prefix)
    for half in halves:
        at.add_route(table, half, "VirtualAppliance", NVA)


def _rule(at: At, name: str, priority: int, access: str, source: str) -> None:
    properties = {
        "priority": priority,
        "direction": "Inbound",
        "access": access,
        "protocol": "Tcp",
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
    }
    _rules(at).append({"name": name, "properties": properties})


def _idle() -> Iterator[Harmless]:
    """Preferences where there is nothing to choose between, and ranges that nobody uses."""
    yield Harmless(
        "a weight on the only connection", TWO, lambda at: at.properties(CONNECTION).update(routingWeight=10)
    )
    yield Harmless("a prepend on the only circuit", ONE, lambda at: at.bench.router("ce1").update(prepend=2))
    yield Harmless(
        "a preference on the only router", NEW, lambda at: at.bench.router("ce1").update(local_preference=150)
    )
    yield Harmless(
        "weights in the same order", BOTH, lambda at: weigh(at.bench, 30, 20, second=f"{CONNECTION}-singapore")
    )
    yield Harmless(
        "a preference that is higher still", BOTH, lambda at: at.bench.router("ce1").update(local_preference=300)
    )
    yield Harmless("a prepend on the second circuit", BOTH, lambda at: at.bench.router("ce2").update(prepend=3))
    yield Harmless("a filter that allows", TWO, bind(_filter, "in", "10.0.0.0/8", "allow"))
    yield Harmless("a filter about others", NEAR, bind(_filter, "in", ELSEWHERE, "deny"))
    yield Harmless("a filter outwards about others", NEW, bind(_filter, "out", "172.20.0.0/16", "deny"))
    yield Harmless("a range of the site that nobody is promised", ONE, _more_of_the_site)
    yield Harmless(
        "a range inside the site's summary",
        NEAR,
        lambda at: at.bench.project["sites"][0]["prefixes"].append("192.168.7.0/24"),
    )
    yield Harmless("a circuit that is wider", ONE, lambda at: _provider(at).update(bandwidthInMbps=2000))
    yield Harmless("a gateway that is bigger", NEW, lambda at: at.properties(GATEWAY).update(sku=_SKU))
    yield Harmless(
        "a machine that is bigger",
        TWO,
        lambda at: at.properties("web1").update(hardwareProfile={"vmSize": "Standard_D4s_v5"}),
    )


def _more_of_the_site(at: At) -> None:
    """The objective speaks of the old range only."""
    at.bench.project["sites"][0]["prefixes"].append(ELSEWHERE)
    for objective in at.bench.project["objectives"]:
        if objective["from"] == "datacenter":
            objective["from"] = "192.168.0.0/16"


_SKU = {"name": "ErGw2AZ", "tier": "ErGw2AZ"}


def _provider(at: At) -> dict[str, Any]:
    found: dict[str, Any] = at.properties("er-hongkong")["serviceProviderProperties"]
    return found


def _filter(at: At, direction: str, prefix: str, action: str) -> None:
    at.bench.router("ce1")["filters"].append({"direction": direction, "prefix": prefix, "action": action})


def _project() -> Iterator[Harmless]:
    yield Harmless("the project has another name", NEAR, lambda at: at.bench.project.update(name="other"))
    yield Harmless("one boot group", ONE, lambda at: at.bench.project["machines"].update(boot_order=[]))
    yield Harmless("another seed", NEW, lambda at: at.bench.project.update(lab={"seed": 7, "speed": "jump"}))
    yield Harmless(
        "an objective has more time",
        TWO,
        lambda at: at.bench.project["objectives"][0].update(recovery_time_minutes=90),
    )
    yield Harmless(
        "machines are named one by one",
        NEW,
        lambda at: at.bench.project["machines"].update(include=["db1", "file1", "web1", "web2", "app1", "app2"]),
    )


HARMLESS: tuple[Harmless, ...] = (*_written(), *_ordered(), *_unused(), *_same_meaning(), *_idle(), *_project())
