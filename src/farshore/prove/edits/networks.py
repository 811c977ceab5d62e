"""Edits of networks: a peering's flags and state, a half of it that is missing, a subnet's references and range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import VirtualNetwork
from farshore.estate.estate import Change, Estate
from farshore.prove.edits.values import (
    Edit,
    both,
    changed,
    children_of,
    deleted,
    properties_of,
    reference,
    with_property,
)

FLAGS = ("allowVirtualNetworkAccess", "allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways")
DEFAULTS = {"allowVirtualNetworkAccess": True}
GATEWAY_SUBNET = "gatewaysubnet"


def _peering(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    properties = properties_of(body)
    for flag in FLAGS:
        yield with_property(id_, body, flag, not properties.get(flag, DEFAULTS.get(flag, False)))
    remote = reference(properties, "remoteVirtualNetwork")
    there = estate.virtual_network(resource_id(remote)) if remote else None
    if there is not None:
        space = {"addressPrefixes": [str(prefix) for prefix in there.address_space]}

        def synchronised(found: dict[str, Any]) -> None:
            found["peeringSyncLevel"] = "FullyInSync"
            for key in ("remoteAddressSpace", "remoteVirtualNetworkAddressSpace"):
                if key in found or key == "remoteAddressSpace":
                    found[key] = space

        yield changed(id_, body, synchronised, f"synchronise {id_.short} with the address space of {there.name}")
        back = _half(estate, there, id_.parent)
        if back is not None:
            yield both(deleted(id_), deleted(back))
    for network in estate.virtual_networks:
        if id_.parent is not None and network.id.key not in (id_.parent.key, remote.lower()):
            space = {"addressPrefixes": [str(prefix) for prefix in network.address_space]}
            edit = with_property(id_, body, "remoteVirtualNetwork", {"id": network.id.text})
            put = edit.changes[0].put
            assert put is not None
            yield with_property(id_, put, "remoteAddressSpace", space, edit.text)


def _half(estate: Estate, network: VirtualNetwork, other: ResourceId | None) -> ResourceId | None:
    """The peering of a network that leads to another."""
    for body in children_of(estate.get(network.id) or {}, "virtualNetworkPeerings"):
        if other is not None and reference(properties_of(body), "remoteVirtualNetwork").lower() == other.key:
            return network.id.child("virtualNetworkPeerings", str(body.get("name")))
    return None


def _network(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    own = estate.virtual_network(id_)
    if own is None:
        return
    yield from _halves(estate, own)
    here = list(map(str, own.address_space))
    for space in _remembered(estate, own):
        if space != here:
            words = f"make the address space of {id_.short} {', '.join(space)}, as its peers have it"
            yield with_property(id_, body, "addressSpace.addressPrefixes", space, words)
    for prefix in here:
        if len(here) > 1:
            rest = [item for item in here if item != prefix]
            words = f"take {prefix} out of the address space of {id_.short}"
            yield with_property(id_, body, "addressSpace.addressPrefixes", rest, words)
    for other in estate.virtual_networks:
        for extra in other.address_space:
            if str(extra) not in here and other.id != id_:
                words = f"add {extra} to the address space of {id_.short}"
                yield with_property(id_, body, "addressSpace.addressPrefixes", [*here, str(extra)], words)


def _remembered(estate: Estate, own: VirtualNetwork) -> Iterator[list[str]]:
    """The network's address space as its peers learned it: what it was before somebody changed it."""
    for other in estate.virtual_networks:
        for peering in other.peerings:
            if peering.remote_virtual_network == own.id and peering.remote_address_space:
                yield list(map(str, peering.remote_address_space))


def _halves(estate: Estate, own: VirtualNetwork) -> Iterator[Edit]:
    """Peerings that are missing: a half whose other half is there; else both, as with a hub."""
    for other in estate.virtual_networks:
        if other.id == own.id or _half(estate, own, other.id) is not None:
            continue
        back = _half(estate, other, own.id)
        if back is not None:
            yield _peered(own, other, properties_of(estate.get(back) or {}))
    for other in estate.virtual_networks:
        if other.id == own.id or _half(estate, own, other.id) or _half(estate, other, own.id):
            continue
        if other.location == own.location and _is_hub(other) != _is_hub(own):
            there = {"allowForwardedTraffic": True, "allowGatewayTransit": _is_hub(other)}
            there["useRemoteGateways"] = _is_hub(own)
            home = {**there, "allowGatewayTransit": _is_hub(own), "useRemoteGateways": _is_hub(other)}
            yield both(_peered(own, other, there), _peered(other, own, home))


def _is_hub(network: VirtualNetwork) -> bool:
    return any(subnet.name.lower() == GATEWAY_SUBNET for subnet in network.subnets)


def _peered(own: VirtualNetwork, other: VirtualNetwork, back: Any) -> Edit:
    """The half that fits the other half: what one offers the other takes (R14)."""
    id_ = own.id.child("virtualNetworkPeerings", f"{own.name}-to-{other.name}")
    properties = {
        "remoteVirtualNetwork": {"id": other.id.text},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": bool(back.get("allowForwardedTraffic", False)),
        "allowGatewayTransit": bool(back.get("useRemoteGateways", False)),
        "useRemoteGateways": bool(back.get("allowGatewayTransit", False)),
        "peeringState": "Connected",
        "peeringSyncLevel": "FullyInSync",
        "remoteAddressSpace": {"addressPrefixes": [str(prefix) for prefix in other.address_space]},
        "provisioningState": "Succeeded",
    }
    body = {"id": id_.text, "name": id_.name, "properties": properties}
    taken = [f"{flag} {str(properties[flag]).lower()}" for flag in FLAGS[1:]]
    text = f"peer {own.name} with {other.name} ({', '.join(taken)})"
    return Edit(subject=own.id.text, text=text, changes=(Change(put=body),))


def _subnet(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    properties = properties_of(body)
    held = reference(properties, "routeTable").lower()
    location = str((estate.get(id_.parent) or {}).get("location", "")).lower() if id_.parent else ""
    groups = [g.id for g in estate.network_security_groups]
    if reference(properties, "networkSecurityGroup"):
        yield with_property(id_, body, "networkSecurityGroup", None, f"take the security group off {id_.short}")
    for table in sorted(estate.route_tables, key=lambda table: _fits(estate, table.id, id_)):
        if table.id.key != held and str((estate.get(table.id) or {}).get("location", "")).lower() == location:
            words = f"give {id_.short} the route table {table.id.name}"
            yield with_property(id_, body, "routeTable", {"id": table.id.text}, words)
    if held:
        yield with_property(id_, body, "routeTable", None, f"take the route table off {id_.short}")
    yield from _endpoints(estate, id_, body)
    for group in groups:
        if group.key != reference(properties, "networkSecurityGroup").lower():
            words = f"give {id_.short} the security group {group.name}"
            yield with_property(id_, body, "networkSecurityGroup", {"id": group.text}, words)
    yield from _names(estate, id_, body)
    yield from _ranges(estate, id_, body)


def _fits(estate: Estate, table: ResourceId, subnet: ResourceId) -> tuple[bool, str]:
    """Tables that are on no subnet first: the one that was taken off is among them."""
    used = {s.route_table.key for n in estate.virtual_networks for s in n.subnets if s.route_table is not None}
    return table.key in used, table.key


def _endpoints(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    held = properties_of(body).get("serviceEndpoints") or []
    services = {str(item.get("service", "")): item for item in held if isinstance(item, dict)}
    for service in services:
        rest = [item for name, item in services.items() if name != service]
        yield with_property(id_, body, "serviceEndpoints", rest, f"take endpoint {service} off {id_.short}")
    for network in estate.virtual_networks:
        for subnet in children_of(estate.get(network.id) or {}, "subnets"):
            for item in properties_of(subnet).get("serviceEndpoints") or []:
                if isinstance(item, dict) and item.get("service") not in services:
                    services[str(item.get("service"))] = item
                    words = f"give {id_.short} the service endpoint {item.get('service')}"
                    yield with_property(id_, body, "serviceEndpoints", [*held, item], words)
    if "Microsoft.Storage" not in services:
        words = f"give {id_.short} the service endpoint Microsoft.Storage"
        yield with_property(id_, body, "serviceEndpoints", [*held, {"service": "Microsoft.Storage"}], words)


def _ranges(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """Another range in the network's space that nobody has: the whole room around the present one first."""
    network = estate.virtual_network(id_.parent)
    if network is None:
        return
    others = [p for s in network.subnets if s.id != id_ for p in s.address_prefixes]
    seen = {str(properties_of(body).get("addressPrefix"))}
    for length in range(24, 28):
        for space in network.address_space:
            for prefix in _parts(space, length):
                if str(prefix) not in seen and not any(_meet(prefix, other) for other in others):
                    seen.add(str(prefix))
                    words = f"make {id_.short} {prefix}"
                    yield with_property(id_, body, "addressPrefix", str(prefix), words)


def _parts(space: Network, length: int) -> Iterable[Network]:
    if space.version != 4 or space.prefixlen > length or length - space.prefixlen > 6:
        return ()
    return tuple(ip_network(str(part)) for part in space.subnets(new_prefix=length))


def _meet(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _names(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """A subnet's name is what it is found by on the other side; Azure renames nothing: it is made again."""
    network = estate.virtual_network(id_.parent)
    if network is None or id_.parent is None or id_.name.lower() == GATEWAY_SUBNET:
        return
    here = {GATEWAY_SUBNET, *(subnet.name.lower() for subnet in network.subnets)}
    names = dict.fromkeys(
        s.name for n in estate.virtual_networks for s in n.subnets if s.name.lower() not in {*here, GATEWAY_SUBNET}
    )
    for name in names:
        new = id_.parent.child("subnets", name)
        made = Change(put={**body, "id": new.text, "name": name})
        text = f"make {id_.short} again as {name}"
        yield Edit(subject=id_.text, text=text, changes=(Change(delete=id_), made))


EDITS = {
    "microsoft.network/virtualnetworks": _network,
    "microsoft.network/virtualnetworks/subnets": _subnet,
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": _peering,
}
