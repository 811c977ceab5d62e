"""What corners are made of: a hub with a spoke behind an appliance, two hubs on a circuit, sites and routers."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Router, Site
from routing.small import Net, id_of

CORNERS: dict[str, tuple[Callable[[], Estate], frozenset[str]]] = {}


def corner(*words: str) -> Callable[[Callable[[], Estate]], Callable[[], Estate]]:
    def keep(make: Callable[[], Estate]) -> Callable[[], Estate]:
        CORNERS[make.__name__] = (make, frozenset(words))
        return make

    return keep


def router(name: str = "ce1", circuit: str = "er", preference: int = 100, prepend: int = 0) -> Router:
    return Router(
        name=name,
        circuit=resource_id(id_of("expressRouteCircuits", circuit)),
        local_preference=preference,
        prepend=prepend,
    )


def site(*routers: Router, prefixes: tuple[str, ...] = ("192.168.0.0/16",), name: str = "dc", asn: int = 65010) -> Site:
    return Site(name=name, asn=asn, prefixes=tuple(map(ip_network, prefixes)), routers=routers)


def hub(*routes: tuple[str, str], spoke: tuple[tuple[str, str], ...] | None = None, propagate: bool = False) -> Net:
    """A hub with a gateway and an appliance at 10.0.1.4, a spoke with two machines, one circuit. `routes`: of the
    GatewaySubnet; `spoke`: of the spoke's subnet, by default all to the appliance."""
    net = Net()
    gateway_routes = routes or (("10.1.0.0/24", "10.0.1.4"),)
    table = net.table("rt-gateway", *gateway_routes)
    net.network(
        "hub",
        "10.0.0.0/16",
        nva="10.0.1.0/24",
        GatewaySubnet={"addressPrefix": "10.0.255.0/27", "routeTable": table},
    )
    own = net.table("rt-spoke", *((("0.0.0.0/0", "10.0.1.4"),) if spoke is None else spoke), propagate=propagate)
    net.network("spoke", "10.1.0.0/24", app={"addressPrefix": "10.1.0.0/24", "routeTable": own})
    net.peer("hub", "spoke", lend=True)
    net.machine("fw", ("hub", "nva", "10.0.1.4"), forward=True)
    net.machine("vm1", ("spoke", "app", "10.1.0.4"))
    net.machine("vm2", ("spoke", "app", "10.1.0.5"))
    net.gateway("gw", "hub")
    net.circuit("er", "Hong Kong")
    net.connect("gw", "er")
    return net


def two_hubs(*, allow: bool = False, same_space: bool = False) -> Net:
    """Two hubs with a gateway each on one circuit."""
    net = Net()
    for number, name in enumerate(("one", "two")):
        base = 20 if same_space else 20 + number
        net.network(name, f"10.{base}.0.0/24", app=f"10.{base}.0.0/25", GatewaySubnet=f"10.{base}.0.224/27")
        net.machine(f"vm-{name}", (name, "app", f"10.{base}.0.{4 + number}"))
        net.gateway(f"gw-{name}", name, allowRemoteVnetTraffic=allow)
    net.circuit("er", "Hong Kong")
    net.connect("gw-one", "er")
    net.connect("gw-two", "er")
    return net


def two_circuits(weight: int = 0, other: int = 0) -> Net:
    net = hub()
    net.circuit("er2", "Singapore", third=1)
    net.bodies[id_of("connections", "gw-er")]["properties"]["routingWeight"] = weight
    net.connect("gw", "er2", weight=other)
    return net
