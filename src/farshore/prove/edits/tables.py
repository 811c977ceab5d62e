"""Edits of route tables: propagation, each route's next hop or prefix, a route taken away, a route that is missing.

Where a route could lead: to the appliances that there are, which is where other tables lead and who forwards. Which
prefixes could be missing: everything, and the ranges of the other networks and sites.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.prove.edits.values import Edit, changed, children_of, properties_of, with_property

OFF = "disableBgpRoutePropagation"


def _table(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    yield with_property(id_, body, OFF, not properties_of(body).get(OFF, False))
    yield from _missing(estate, id_, body)
    hops = appliance_addresses(estate, body)
    routes = children_of(body, "routes")
    for place, route in enumerate(routes):
        name = str(route.get("name", place))
        held = properties_of(route)
        for hop in hops:
            if held.get("nextHopIpAddress") != hop or held.get("nextHopType") != "VirtualAppliance":
                words = f"lead route {name} of {id_.short} ({held.get('addressPrefix')}) to the appliance at {hop}"
                change = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
                yield changed(id_, body, _route_with(place, change), words)
    for place, route in enumerate(routes):
        name, held = str(route.get("name", place)), properties_of(route)
        yield changed(id_, body, _without(place), f"take route {name} ({held.get('addressPrefix')}) out of {id_.short}")
    for place, route in enumerate(routes):
        name = str(route.get("name", place))
        for prefix in prefixes(estate):
            if prefix != properties_of(route).get("addressPrefix"):
                words = f"make the prefix of route {name} of {id_.short} {prefix}"
                yield changed(id_, body, _route_with(place, {"addressPrefix": prefix}), words)


def _missing(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """One route more; and all that another table has and this one has not, which is how a lost table is restored."""
    there = {properties_of(route).get("addressPrefix") for route in children_of(body, "routes")}
    for hop in appliance_addresses(estate, body):
        for prefix in prefixes(estate):
            if prefix not in there:
                words = f"add a route {prefix} to the appliance at {hop} to {id_.short}"
                yield changed(id_, body, _with_route(prefix, hop), words)
    around = [prefix for prefix in _of_peers(estate, id_) if prefix not in there]
    for hop in appliance_addresses(estate, body) if len(around) > 1 else ():
        words = f"add routes {', '.join(around)} to the appliance at {hop} to {id_.short}"
        yield changed(id_, body, _with_each(around, hop), words)
    for other in estate.route_tables:
        if other.id.key == id_.key:
            continue
        held = estate.get(other.id) or {}
        more = [r for r in children_of(held, "routes") if properties_of(r).get("addressPrefix") not in there]
        if len(more) > 1:
            words = f"add to {id_.short} what {other.id.name} has: " + ", ".join(
                f"{properties_of(r).get('addressPrefix')} to {properties_of(r).get('nextHopIpAddress')}" for r in more
            )
            yield changed(id_, body, _with_routes(more), words)


def _of_peers(estate: Estate, table: ResourceId) -> tuple[str, ...]:
    """The ranges of the networks that are peered with one that has the table."""
    found: dict[str, None] = {}
    for network in estate.virtual_networks:
        if any(subnet.route_table == table for subnet in network.subnets):
            for peering in network.peerings:
                far = estate.virtual_network(peering.remote_virtual_network)
                found |= dict.fromkeys(() if far is None else map(str, far.address_space))
    return tuple(found)


def appliance_addresses(estate: Estate, near: Body | None = None) -> tuple[str, ...]:
    """Addresses that routes lead to or that forward: those of the same region first."""
    here = str((near or {}).get("location", "")).lower()
    found: dict[str, bool] = {}
    for nic in estate.network_interfaces:
        if nic.enable_ip_forwarding:
            for item in nic.ip_configurations:
                if item.private_ip_address is not None:
                    address = str(item.private_ip_address)
                    found[address] = found.get(address, False) or nic.location == here
    for table in estate.route_tables:
        for route in table.routes:
            if route.next_hop_ip_address is not None:
                address = str(route.next_hop_ip_address)
                found[address] = found.get(address, False)
    return tuple(sorted(found, key=lambda address: not found[address]))


def prefixes(estate: Estate) -> tuple[str, ...]:
    """What a route might be about: everything, networks and sites."""
    found = {"0.0.0.0/0": None}
    for network in estate.virtual_networks:
        found |= dict.fromkeys(map(str, network.address_space))
    for site in estate.sites:
        found |= dict.fromkeys(map(str, site.prefixes))
    return tuple(found)


def _route_with(place: int, values: dict[str, str]) -> Any:
    return lambda properties: properties["routes"][place]["properties"].update(values)


def _without(place: int) -> Any:
    return lambda properties: properties["routes"].pop(place)


def _with_route(prefix: str, hop: str) -> Any:
    name = "to-" + prefix.replace("/", "-").replace(":", "-")
    route = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
    return lambda properties: properties.setdefault("routes", []).append({"name": name, "properties": route})


def _with_each(wanted: list[str], hop: str) -> Any:
    def edit(properties: dict[str, Any]) -> None:
        for prefix in wanted:
            _with_route(prefix, hop)(properties)

    return edit


def _with_routes(routes: list[dict[str, Any]]) -> Any:
    plain = [{"name": route.get("name"), "properties": dict(properties_of(route))} for route in routes]
    return lambda properties: properties.setdefault("routes", []).extend(plain)


EDITS = {"microsoft.network/routetables": _table}
