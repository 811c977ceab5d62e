"""What routers show of their tables, in the API's own form: a NIC's effective routes, the MSEEs', the gateways'.

    effective                              a NIC's effective route table (R9; recorded fields)
    circuit_rows, circuit_summary          what the MSEE of one link knows (E11), and how much of it from whom
    gateway_learned, gateway_advertised    what a gateway was told by BGP, and what it tells
    gateway_peers                          whom it has heard

The routes are those that `farshore.routing` has of the lab's own resources at this moment (`lab/dataplane.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import dataplane
from farshore.lab.network import asns
from farshore.routing import BgpRoute

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


def effective(cloud: Cloud, nic: ResourceId) -> list[Body]:
    """Rows of a NIC's effective route table."""
    rows = []
    for row in dataplane.plane(cloud).routing.effective_routes(nic):
        shown: Body = {} if row.name is None else {"name": row.name}
        rows.append(
            {
                **shown,
                "disableBgpRoutePropagation": False,
                "source": str(row.source),
                "state": str(row.state),
                "hasBgpOverride": False,
                "addressPrefix": [str(row.address_prefix)],
                "nextHopType": str(row.next_hop_type),
                "nextHopIpAddress": [str(address) for address in row.next_hop_ip_addresses],
                "destinationServiceTags": [],
                "tagMap": {},
            }
        )
    return rows


# Circuits. -----------------------------------------------------------------------------------------------------------


def circuit_rows(cloud: Cloud, circuit: ResourceId, link: str) -> list[Body]:
    """What the MSEE of one link knows, by network."""
    routes = dataplane.plane(cloud).routing.learned_routes(circuit, link)
    return [
        {
            "network": str(route.network),
            "nextHop": _next_hop(route),
            "locPrf": "",
            "weight": 0,
            "path": " ".join(map(str, route.as_path)),
        }
        for route in sorted(routes, key=_order)
    ]


def circuit_summary(cloud: Cloud, circuit: ResourceId, link: str) -> list[Body]:
    """Neighbours of the MSEE of one link, and how many prefixes each told it."""
    routes = dataplane.plane(cloud).routing.learned_routes(circuit, link)
    counts = Counter((str(route.next_hop or route.by), _first(route)) for route in routes)
    return [
        {"neighbor": neighbor, "v": 4, "as": number, "upDown": "", "statePfxRcd": str(count)}
        for (neighbor, number), count in sorted(counts.items())
    ]


def link_is_up(cloud: Cloud, circuit: ResourceId, link: str) -> bool:
    down = dataplane.plane(cloud).estate.outside.down
    return circuit.key not in down and f"{circuit.key}#{link}" not in down


# Gateways. -----------------------------------------------------------------------------------------------------------


def gateway_learned(cloud: Cloud, gateway: ResourceId) -> list[Body]:
    return [_gateway_row(route) for route in dataplane.plane(cloud).routing.learned_routes(gateway)]


def gateway_advertised(cloud: Cloud, gateway: ResourceId, peer: str | None) -> list[Body]:
    """What a gateway tells a peer, or all of them."""
    routes = dataplane.plane(cloud).routing.advertised_routes(gateway, peer)
    if ((cloud.body(gateway) or {}).get("properties") or {}).get("gatewayType") == "ExpressRoute":
        return [_gateway_row(route) for route in routes]
    # Recorded of VPN gateways: whose the network is, and no path.
    told = {"nextHop": "Virtual Network", "origin": "Network", "weight": 0}
    return [{"localAddress": "", "network": str(route.network), **told} for route in routes]


def gateway_peers(cloud: Cloud, gateway: ResourceId) -> list[Body]:
    """BGP peers that a gateway has heard: of an ExpressRoute gateway the two MSEEs of each of its circuits."""
    routes = dataplane.plane(cloud).routing.learned_routes(gateway)
    counts = Counter(
        (str(route.source_peer or route.next_hop or route.by), _first(route))
        for route in routes
        if route.source_peer is not None or route.as_path
    )
    return [
        peer_row(neighbor, number, "Connected", routes=count) for (neighbor, number), count in sorted(counts.items())
    ]


def peer_row(neighbor: str, asn: int, state: str, *, routes: int) -> Body:
    """A neighbour as `getBgpPeerStatus` shows it; the lab counts no messages."""
    return {
        "localAddress": "",
        "neighbor": neighbor,
        "asn": asn,
        "state": state,
        "connectedDuration": "",
        "routesReceived": routes,
        "messagesSent": 0,
        "messagesReceived": 0,
    }


def route_row(route: BgpRoute, *, own: str, peer: str, origin: str, weight: int) -> Body:
    """A route as gateways and Route Servers show it; `own` is the address that heard or tells it."""
    return {
        "localAddress": own,
        "network": str(route.network),
        "nextHop": _next_hop(route),
        "sourcePeer": peer,
        "origin": origin,
        "asPath": "-".join(map(str, route.as_path)),
        "weight": weight,
    }


def is_of_a_site(route: BgpRoute) -> bool:
    """Whether a site's router has told it, and not one of Azure's gateways."""
    return bool(route.as_path) and asns.GATEWAYS not in route.as_path


def _gateway_row(route: BgpRoute) -> Body:
    origin = route.origin or ("EBgp" if route.as_path else "Network")
    peer = "" if route.source_peer is None else str(route.source_peer)
    return route_row(route, own="", peer=peer, origin=origin, weight=route.weight)


def _next_hop(route: BgpRoute) -> str:
    return "" if route.next_hop is None else str(route.next_hop)


def _first(route: BgpRoute) -> int:
    """The neighbour's own number."""
    return route.as_path[0] if route.as_path else 0


def _order(route: BgpRoute) -> tuple[int, int, int, str]:
    network = route.network
    return network.version, int(network.network_address), network.prefixlen, str(route.next_hop)
