"""What a twin can't stand for, and what of an estate it therefore leaves out.

A twin that left something out in silence would agree with anything. So each thing is named with the reason, by the
estate that is built, and a flow whose way the engine leads there is not compared.
"""

from __future__ import annotations

from farshore.arm.decode import Reader
from farshore.arm.network import CONNECTIONS, VIRTUAL_HUBS, VIRTUAL_NETWORK_GATEWAYS
from farshore.estate.estate import Estate

ALWAYS = (
    "Azure's fabric: the twin follows what routing means; encapsulation, offload and their faults are not here",
    "delay, bandwidth and loss: wires are as quick as memory, so a gap measures BGP and not distance",
    "FastPath, network address translation, fragments and the largest packet",
    "BGP timers of Azure's: ours are short, and a lost wire is seen at once",
    "several NICs on one appliance: what comes in by a NIC goes out by it",
    "a load balancer's hash: one member stands for all, a member that forwards nothing before the others",
    "what is public: the internet and Azure's services have no host, a way there ends where it leaves",
)

_PRIVATE_ENDPOINTS = "Microsoft.Network/privateEndpoints"
_VIRTUAL_WANS = "Microsoft.Network/virtualWans"


def left_out(estate: Estate) -> dict[str, str]:
    """By id: what of this estate has no host, and why."""
    found = {}
    for body in estate.of_type(VIRTUAL_NETWORK_GATEWAYS):
        if (Reader(body).text("properties.gatewayType") or "Vpn").lower() != "expressroute":
            found[str(body["id"]).lower()] = "tunnels of VPN gateways are not built"
    for body in estate.of_type(CONNECTIONS):
        if (Reader(body).text("properties.connectionType") or "").lower() != "expressroute":
            found[str(body["id"]).lower()] = "tunnels of VPN gateways are not built"
    for body in estate.of_type(VIRTUAL_HUBS):
        found[str(body["id"]).lower()] = "Route Server and virtual WAN hubs are not built"
    for body in estate.of_type(_VIRTUAL_WANS):
        found[str(body["id"]).lower()] = "Route Server and virtual WAN hubs are not built"
    for body in estate.of_type(_PRIVATE_ENDPOINTS):
        found[str(body["id"]).lower()] = "private endpoints lead to services, which have no host"
    for advert in estate.outside.advertised:
        found[advert.to.partition("#")[0]] = "neighbours that only announce have no host"
    return found
