"""A subnet's effective rows, said one after the other, and the one that takes a packet (R1 to R5, R14, R15).

    Default                 the own space, peers' spaces, Internet, and None for the reserved ranges
    VirtualNetworkGateway   what the network's gateways learned, or those it is a guest of (R29), ExpressRoute before
                            VPN and before what appliances told its Route Server (R19, R46); nothing inside the own or a
                            peer's space (R14), or with propagation off (R23)
    User                    the table; a service tag is as many rows as it has prefixes, and of equal ones an explicit
                            prefix is before a tag, a region's tag before the global one, and AzureCloud last (R18)

A User row makes what equals it Invalid, and a reserved row go. A gateway's row takes the place of Internet and reserved
rows. A 0/0 to an appliance, to a gateway or by BGP takes all reserved rows out (R3, R4). A private endpoint in the own
or a peer's network is a row of one address (R8), which a User row for its network makes Invalid where its subnet's
policies say so (R49). A service endpoint of the subnet is a row for each prefix that the service has in the network's
region (R5, R22), before whatever else there is, a user's longer one or BGP's (R14).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .bgp import Speech, covers, inside, length
from .words import REGIONS, SERVICES, Hub, Spoke, Table

RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
EVERYWHERE = ("0.0.0.0/0", "::/0")
RANK = ("Default", "VirtualNetworkGateway", "User")


@dataclass(frozen=True)
class Row:
    source: str
    prefix: str
    kind: str
    """The next hop's type in Azure's words."""
    leads: str = ""
    """A network, an appliance's address, `gateway N`, `vpn N`, `server N`; `paired`: a service's range in the region's
    pair, of which nobody has told whether a plain endpoint covers it (R22)."""
    state: str = "Active"


def rows(speech: Speech, network: Hub | Spoke, table: Table | None, services: tuple[str, ...] = ()) -> list[Row]:
    """The whole table of a subnet with this route table and these service endpoints."""
    near = [Row("Default", space, "VnetLocal", network.name) for space in network.spaces]
    for other, kind in peers(speech, network):
        near += [Row("Default", space, kind, other.name) for space in other.known]
    endpoints = [hub for hub in (network, *(other for other, _ in peers(speech, network))) if isinstance(hub, Hub)]
    learned = []
    if table is None or table.propagates:
        learned = [row for row in by_gateways(speech, network) if not _within(row, near)]
    user = _users(() if table is None else table.routes)
    taken, by_bgp = {row.prefix for row in user}, {row.prefix for row in learned}
    found = [replace(row, state="Invalid" if row.prefix in taken else "Active") for row in (*near, *learned)]
    for prefix in EVERYWHERE:
        if prefix not in by_bgp:
            found.append(Row("Default", prefix, "Internet", state="Invalid" if prefix in taken else "Active"))
    opened = "0.0.0.0/0" in by_bgp or any(row.prefix == "0.0.0.0/0" and row.kind != "None" for row in user)
    if not opened:
        found += [Row("Default", prefix, "None") for prefix in RESERVED if prefix not in taken | by_bgp]
    for hub in endpoints:
        if hub.endpoint_address is not None:
            prefix = f"{hub.endpoint_address}/32"
            governed = hub.endpoint == "Enabled" and any(
                length(row.prefix) > 0 and inside(prefix, row.prefix) for row in user
            )
            found.append(
                Row("Default", prefix, "InterfaceEndpoint", hub.name, state="Invalid" if governed else "Active")
            )
    for service in services:
        found += _endpoint(service, network.region)
    return found + user


def best(found: list[Row], address: str) -> Row:
    """A service endpoint's; else the longest prefix, then User before gateway before Default (R14)."""
    matching = [row for row in found if row.state == "Active" and covers(row.prefix, address)]
    matching = [row for row in matching if row.kind == "VirtualNetworkServiceEndpoint"] or matching
    return max(matching, key=lambda row: (length(row.prefix), RANK.index(row.source)))


def peers(speech: Speech, network: Hub | Spoke) -> list[tuple[Hub | Spoke, str]]:
    """The networks that this one is peered with (R28), and how their rows are called (R8)."""
    if isinstance(network, Hub):
        found: list[Hub | Spoke] = [s for s in speech.words.spokes if s.hub == network.number and s.connected]
    else:
        found = [speech.words.hubs[network.hub]] if network.connected else []
    return [(other, "VNetPeering" if other.region == network.region else "VNetGlobalPeering") for other in found]


def by_gateways(speech: Speech, network: Hub | Spoke) -> Iterator[Row]:
    """What the gateways in reach of a network have learned."""
    hub = network if isinstance(network, Hub) else speech.words.hubs[network.hub]
    if network is not hub and network not in speech.guests(hub):
        return
    told = {said.prefix for said in speech.told(hub)}
    yield from (
        Row("VirtualNetworkGateway", prefix, "VirtualNetworkGateway", f"gateway {hub.number}") for prefix in told
    )
    for prefix in speech.served(hub).keys() - told:
        yield Row("VirtualNetworkGateway", prefix, "VirtualNetworkGateway", f"server {hub.number}")
    for prefix in speech.by_tunnels(hub).keys() - told:
        yield Row("VirtualNetworkGateway", prefix, "VirtualNetworkGateway", f"vpn {hub.number}")


def _users(routes: tuple[tuple[str, str], ...]) -> list[Row]:
    found: list[Row] = []
    for name, hop in sorted(routes, key=lambda route: _rank(route[0])):
        plain = hop in ("None", "Internet", "VnetLocal", "VirtualNetworkGateway")
        for prefix in SERVICES.get(name, (name,)):
            state = "Invalid" if any(row.prefix == prefix for row in found) else "Active"
            found.append(Row("User", prefix, hop if plain else "VirtualAppliance", "" if plain else hop, state))
    return found


def _rank(name: str) -> int:
    """R18."""
    if name not in SERVICES:
        return 0
    return 1 + 2 * name.startswith("AzureCloud") + ("." not in name)


def _endpoint(service: str, region: str) -> list[Row]:
    """`Storage` covers its own region, `Storage.Global` all of them (R22)."""
    kind = "VirtualNetworkServiceEndpoint"
    base, _, everywhere = service.partition(".")
    if everywhere:
        held = {prefix for tag, prefixes in SERVICES.items() if tag.startswith(base) for prefix in prefixes}
        return [Row("Default", prefix, kind) for prefix in held]
    other = REGIONS[1 - REGIONS.index(region)] if base == "Storage" else ""
    paired = [Row("Default", prefix, kind, "paired") for prefix in SERVICES.get(f"{base}.{other}", ())]
    return [Row("Default", prefix, kind) for prefix in SERVICES[f"{base}.{region}"]] + paired


def _within(row: Row, near: list[Row]) -> bool:
    return any(inside(row.prefix, own.prefix) for own in near)
