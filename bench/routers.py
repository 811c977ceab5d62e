"""An estate's forwarding tables and access lists as plain routers' configurations: `python -m bench.routers FROM TO`.

For running another verifier beside Farshore on the same tables: one Cisco IOS file a router under TO/configs, the
layout that Batfish reads. All routers meet in one core network, 100.64.0.0/10, and know each other's routes as static
ones, so there is nothing left to converge.

    a subnet     its effective routes; its range on a stub interface, with its security group as an access list outward
    a network    a route for each of its subnets: where a VnetLocal or peering row leads
    a gateway    its subnet's rows, and for each prefix that it has learned the site that it chose
    a site       its prefixes on stub interfaces, and for each offered prefix the gateways that it would reach

What is left out, and said at the top of each file that lacks something: IPv6, groups of NICs and application security
groups (machine by machine, no router has them), what an appliance filters, and who holds an address.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from farshore.arm.decode import Network
from farshore.arm.network import Subnet, VirtualNetwork
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.routing.machines import Appliance, appliance_at
from farshore.routing.values import EffectiveRoute
from farshore.routing.world import World

CORE = IPv4Network("100.64.0.0/10")
INSIDE = ("vnetlocal", "vnetpeering", "vnetglobalpeering", "virtualnetwork")


@dataclass(slots=True)
class Router:
    """One configuration, as it grows."""

    name: str
    address: IPv4Address
    stubs: list[tuple[IPv4Network, str]] = field(default_factory=list)
    """A range on an interface, and the access list outward; empty for none."""
    routes: dict[IPv4Network, list[str]] = field(default_factory=dict)
    """By prefix the next hops: addresses in the core, or Null0."""
    lists: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The file."""
        lines = [f"! {remark}" for remark in self.remarks] + [f"hostname {self.name}", "!"]
        lines += ["interface Core0", f" ip address {self.address} {CORE.netmask}", "!"]
        for number, (prefix, checked) in enumerate(self.stubs):
            host = prefix[1] if prefix.prefixlen < 31 else prefix[0]
            lines += [f"interface Stub{number}", f" ip address {host} {prefix.netmask}"]
            lines += [f" ip access-group {checked} out"] if checked else []
            lines.append("!")
        for name, rules in self.lists.items():
            lines += [f"ip access-list extended {name}", *(f" {rule}" for rule in rules), "!"]
        for prefix, hops in sorted(self.routes.items()):
            lines += [f"ip route {prefix.network_address} {prefix.netmask} {hop}" for hop in dict.fromkeys(hops)]
        return "\n".join([*lines, "end", ""])


class Routers:
    """The routers of an estate, with nothing failed."""

    def __init__(self, estate: Estate) -> None:
        self._world = World(estate)
        self._made: dict[str, Router] = {}
        networks = list(self._world.index.networks.values())
        for network in networks:
            self._router(network.id.key, network.id.name)
            for subnet in network.subnets:
                self._router(subnet.id.key, f"{network.id.name}-{subnet.name}")
        for site in estate.sites:
            self._router(f"site:{site.name}", site.name)
        for network in networks:
            self._network(network)
        for site in estate.sites:
            self._site(site)

    def __iter__(self) -> Iterator[Router]:
        return iter(self._made.values())

    def _router(self, key: str, name: str) -> None:
        taken = {router.name for router in self._made.values()} if key not in self._made else set()
        unique = name.lower() if name.lower() not in taken else f"{name.lower()}-{len(self._made)}"
        self._made[key] = Router(unique, CORE[1 + len(self._made)])

    def _at(self, key: str) -> str:
        return str(self._made[key].address)

    def _network(self, network: VirtualNetwork) -> None:
        fabric = self._made[network.id.key]
        for subnet in network.subnets:
            for prefix in subnet.address_prefixes:
                if isinstance(prefix, IPv4Network):
                    fabric.routes[prefix] = [self._at(subnet.id.key)]
            self._subnet(network, subnet)

    def _subnet(self, network: VirtualNetwork, subnet: Subnet) -> None:
        router = self._made[subnet.id.key]
        group = self._world.estate.network_security_group(subnet.network_security_group)
        checked = ""
        if group is not None:
            checked = group.id.name
            body = self._world.estate.resources[group.id.key]
            router.lists[checked], left = _rules(body)
            router.remarks += [f"not written, of {checked}: {rule}" for rule in left]
        for prefix in subnet.address_prefixes:
            if isinstance(prefix, IPv4Network):
                router.stubs.append((prefix, checked))
        own = self._world.index.gateways.values()
        mine = [gateway for gateway in own if gateway.subnet is not None and gateway.subnet.key == subnet.id.key]
        for row in self._world.effective_routes(subnet.id):
            if row.state == "Active" and isinstance(row.address_prefix, IPv4Network):
                hops = self._hops(network, row)
                if hops and not (mine and row.next_hop_type == "VirtualNetworkGateway"):
                    router.routes.setdefault(row.address_prefix, []).extend(hops)
        for gateway in mine:
            for network_prefix, heard in self._world.gateway_routes(gateway).items():
                if isinstance(network_prefix, IPv4Network):
                    hops = [self._at(item.leads_to) for item in heard if item.leads_to in self._made]
                    router.routes.setdefault(network_prefix, hops or ["Null0"])

    def _hops(self, network: VirtualNetwork, row: EffectiveRoute) -> list[str]:
        kind = row.next_hop_type.lower()
        if kind in INSIDE:
            return [self._at(key) for key in self._holding(network, row.address_prefix)]
        if kind == "virtualnetworkgateway":
            gateway = self._world.index.gateways.get((row.by or "").lower())
            return [self._at(gateway.subnet.key)] if gateway is not None and gateway.subnet is not None else ["Null0"]
        if kind == "virtualappliance":
            found = [appliance_at(self._world, network, address) for address in row.next_hop_ip_addresses]
            held = [item.subnet.key for item in found if isinstance(item, Appliance) and item.why is None]
            return [self._at(key) for key in held] or ["Null0"]
        return ["Null0"]

    def _holding(self, network: VirtualNetwork, prefix: Network) -> list[str]:
        """The networks that a row inside Azure leads to: this one, or the peers whose range it is."""
        if any(_within(prefix, space) for space in network.address_space):
            return [network.id.key]
        peers = self._world.ground.peerings.get(network.id.key, ())
        return [
            peer.remote.id.key
            for peer in peers
            if peer.remote is not None and any(_within(prefix, space) for space in peer.remote.address_space)
        ]

    def _site(self, site: Site) -> None:
        router = self._made[f"site:{site.name}"]
        own = [prefix for prefix in site.prefixes if isinstance(prefix, IPv4Network)]
        widest = [one for one in own if not any(one != other and _within(one, other) for other in own)]
        router.stubs += [(prefix, "") for prefix in widest]
        table = self._world.exchange.sites.get(site.name)
        for prefix in {} if table is None else dict.fromkeys(offer.prefix for offer in table.offers):
            if table is not None and isinstance(prefix, IPv4Network):
                best = table.best(prefix.network_address)
                subnets = [self._world.index.gateways[offer.gateway].subnet for offer in best if offer.gateway]
                hops = [self._at(subnet.key) for subnet in subnets if subnet is not None]
                router.routes[prefix] = hops or ["Null0"]


def _within(one: Network, other: Network) -> bool:
    return isinstance(one, IPv4Network) and isinstance(other, IPv4Network) and one.subnet_of(other)


def _rules(body: Any) -> tuple[list[str], list[str]]:
    """A group's rules inward as an access list's, and those that one can't say. What comes over ExpressRoute is what
    VirtualNetwork means (R44)."""
    held = [item["properties"] | {"name": item.get("name")} for item in body["properties"].get("securityRules") or ()]
    inward = sorted((rule for rule in held if rule["direction"] == "Inbound"), key=lambda rule: rule["priority"])
    lines: list[str] = []
    left: list[str] = []
    for rule in inward:
        found = list(_rule(rule))
        lines += found
        if not found:
            left.append(str(rule["name"]))
    return [*lines, "permit ip any any"], left


def _rule(rule: Any) -> Iterator[str]:
    if rule.get("sourceApplicationSecurityGroups") or rule.get("destinationApplicationSecurityGroups"):
        return
    action = "permit" if rule["access"] == "Allow" else "deny"
    protocol = {"*": "ip"}.get(rule["protocol"], str(rule["protocol"]).lower())
    for source in _texts(rule, "sourceAddressPrefix", "sourceAddressPrefixes"):
        for destination in _texts(rule, "destinationAddressPrefix", "destinationAddressPrefixes"):
            ends = _matcher(source), _matcher(destination)
            for port in _texts(rule, "destinationPortRange", "destinationPortRanges"):
                said = _ports(port)
                for named in ("tcp", "udp") if said and protocol == "ip" else (protocol,):
                    if None not in ends:
                        yield f"{action} {named} {ends[0]} {ends[1]}{said}"


def _texts(rule: Any, one: str, many: str) -> list[str]:
    return [*([rule[one]] if rule.get(one) else []), *(rule.get(many) or ())]


def _matcher(text: str) -> str | None:
    if text in ("*", "VirtualNetwork"):
        return "any"
    if not text[:1].isdigit():
        return None
    network = IPv4Network(text, strict=False)
    return f"host {network[0]}" if network.prefixlen == 32 else f"{network[0]} {network.hostmask}"


def _ports(text: str) -> str:
    low, _, high = text.partition("-")
    return "" if text == "*" else f" range {low} {high}" if high else f" eq {low}"


def written(estate: Estate, to: Path) -> int:
    """Writes the files; how many."""
    folder = to / "configs"
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for router in Routers(estate):
        (folder / f"{router.name}.cfg").write_text(router.text())
        count += 1
    return count


def main(source: str, to: str) -> None:
    """From a project folder to a new folder."""
    from farshore.estate.files import load

    _, estate = load(Path(source))
    print(f"{written(estate, Path(to)):,} routers in {to}/configs")


if __name__ == "__main__":
    main(*sys.argv[1:3])


__all__ = ["Router", "Routers", "written"]
