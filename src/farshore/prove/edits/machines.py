"""Edits of what stands in subnets: NICs and their addresses, machines, security rules, a balancer's members."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import NetworkInterface, Subnet
from farshore.estate.estate import Estate
from farshore.prove.edits.tables import appliance_addresses, prefixes
from farshore.prove.edits.values import (
    Edit,
    at_top,
    changed,
    children_of,
    properties_of,
    reference,
    with_property,
)

RESERVED = 4
"""The first addresses of a subnet that Azure keeps (R26): network, gateway and two of DNS."""


def _nic(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    nic = estate.network_interface(id_)
    if nic is None:
        return
    properties = properties_of(body)
    yield with_property(id_, body, "enableIPForwarding", not properties.get("enableIPForwarding", False))
    if reference(properties, "networkSecurityGroup"):
        yield with_property(id_, body, "networkSecurityGroup", None, f"take the security group off {id_.short}")
    for place, held in enumerate(children_of(body, "ipConfigurations")):
        if str(properties_of(held).get("privateIPAllocationMethod")) != "Static":
            words = f"make the address of {id_.short} static"
            yield changed(id_, body, _configured(place, {"privateIPAllocationMethod": "Static"}), words)
    for machine in estate.virtual_machines:
        if id_ in machine.network_interfaces and nic.virtual_machine != machine.id:
            words = f"attach {id_.short} to {machine.id.short}"
            yield with_property(id_, body, "virtualMachine", {"id": machine.id.text}, words)
    yield from _addresses(estate, nic, body)
    homes = {str((estate.get(network.id) or {}).get("location")) for network in estate.virtual_networks}
    for location in sorted(homes - {str(body.get("location"))}):
        yield at_top(id_, body, "location", location)
    for network in estate.virtual_networks:
        for subnet in network.subnets:
            if not children_of(body, "ipConfigurations") or _stands_in(nic, subnet):
                continue
            words = f"put {id_.short} into {subnet.id.short}"
            yield changed(id_, body, _configured(0, {"subnet": {"id": subnet.id.text}}), words)


def _stands_in(nic: NetworkInterface, subnet: Subnet) -> bool:
    return any(item.subnet == subnet.id for item in nic.ip_configurations)


def _addresses(estate: Estate, nic: NetworkInterface, body: Body) -> Iterator[Edit]:
    """Addresses that it might have: where tables lead, if nobody is there; the free ones of its subnet."""
    taken = {
        str(item.private_ip_address)
        for other in estate.network_interfaces
        if other.id != nic.id
        for item in other.ip_configurations
    }
    for item in nic.ip_configurations:
        subnet = estate.subnet(item.subnet)
        place = nic.ip_configurations.index(item)
        for prefix in () if subnet is None else subnet.address_prefixes:
            hosts = (str(prefix[n]) for n in range(RESERVED, min(prefix.num_addresses - 1, 64)))
            wanted = [hop for hop in appliance_addresses(estate, body) if _inside(hop, prefix)]
            free = [address for address in (*wanted, *hosts) if address not in taken]
            for address in islice(dict.fromkeys(free), 8):
                if address != str(item.private_ip_address):
                    change = {"privateIPAddress": address, "privateIPAllocationMethod": "Static"}
                    yield changed(
                        nic.id, body, _configured(place, change), f"give {nic.id.short} the address {address}"
                    )


def _inside(address: str, prefix: Any) -> bool:
    from ipaddress import ip_address

    return ip_address(address) in prefix


def _configured(place: int, values: dict[str, Any]) -> Any:
    return lambda properties: properties["ipConfigurations"][place].setdefault("properties", {}).update(values)


def _machine(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    statuses = [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}]
    yield with_property(id_, body, "instanceView.statuses", statuses, f"start {id_.short}")
    held = {str(item.get("id", "")).lower() for item in _nics(body)}
    for nic in estate.network_interfaces:
        if nic.id.key not in held and nic.virtual_machine == id_:
            wanted = [*_nics(body), {"id": nic.id.text}]
            words = f"attach {nic.id.short} to {id_.short}"
            yield with_property(id_, body, "networkProfile.networkInterfaces", wanted, words)
        if nic.id.key in held and nic.location != str(body.get("location", "")).lower():
            yield at_top(id_, body, "location", nic.location)


def _nics(body: Body) -> list[dict[str, Any]]:
    profile = properties_of(body).get("networkProfile")
    found = profile.get("networkInterfaces") if isinstance(profile, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _group(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """Each rule taken out or turned round, and one more that lets a range in: the narrow before the wide."""
    rules = children_of(body, "securityRules")
    for place, rule in enumerate(rules):
        if str(properties_of(rule).get("access", "")).lower() == "deny":
            words = f"take rule {rule.get('name', place)} out of {id_.short}"
            yield changed(id_, body, _dropped(place), words)
    for place, rule in enumerate(rules):
        if str(properties_of(rule).get("access", "")).lower() == "deny":
            words = f"let rule {rule.get('name', place)} of {id_.short} allow"
            yield changed(id_, body, _ruled(place, {"access": "Allow"}), words)
    for place, rule in enumerate(rules):
        held = properties_of(rule)
        for port in _ports(estate):
            if held.get("destinationPortRange") not in (port, "*"):
                words = f"let rule {rule.get('name', place)} of {id_.short} be about port {port}"
                yield changed(id_, body, _ruled(place, {"destinationPortRange": port}), words)
        for prefix in prefixes(estate):
            if held.get("sourceAddressPrefix") not in (prefix, "*"):
                words = f"let rule {rule.get('name', place)} of {id_.short} be about {prefix}"
                yield changed(id_, body, _ruled(place, {"sourceAddressPrefix": prefix}), words)
    taken = {properties_of(rule).get("priority") for rule in rules}
    free = next(number for number in range(100, 4096) if number not in taken)
    for prefix in prefixes(estate):
        for port in _ports(estate):
            words = f"add a rule to {id_.short}: priority {free}, allow {prefix} to port {port}, inbound"
            yield changed(id_, body, _allowing(free, prefix, port), words)


def _ports(estate: Estate) -> tuple[str, ...]:
    objectives = () if estate.project is None else estate.project.objectives
    named = (text.partition("/")[2] or "*" for objective in objectives for text in objective.ports)
    return tuple(dict.fromkeys(named)) or ("443",)


def _dropped(place: int) -> Any:
    return lambda properties: properties["securityRules"].pop(place)


def _ruled(place: int, values: dict[str, str]) -> Any:
    return lambda properties: properties["securityRules"][place]["properties"].update(values)


def _allowing(priority: int, prefix: str, port: str) -> Any:
    rule = {
        "priority": priority,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourceAddressPrefix": prefix,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": port,
    }
    name = f"allow-{prefix.replace('/', '-').replace(':', '-')}-{port.replace('*', 'all')}"
    return lambda properties: properties.setdefault("securityRules", []).append({"name": name, "properties": rule})


def _balancer(estate: Estate, id_: ResourceId, body: Body) -> Iterator[Edit]:
    """A forwarding NIC of the same network put into a pool."""
    for pool in children_of(body, "backendAddressPools"):
        pool_id = id_.child("backendAddressPools", str(pool.get("name")))
        for nic in estate.network_interfaces:
            if (
                nic.enable_ip_forwarding
                and nic.location == str(body.get("location", "")).lower()
                and all(pool_id not in item.load_balancer_backend_address_pools for item in nic.ip_configurations)
            ):
                held = estate.get(nic.id) or {}
                change = {"loadBalancerBackendAddressPools": [{"id": pool_id.text}]}
                words = f"put {nic.id.short} into pool {pool_id.name} of {id_.short}"
                yield changed(nic.id, held, _configured(0, change), words)


EDITS = {
    "microsoft.network/networkinterfaces": _nic,
    "microsoft.compute/virtualmachines": _machine,
    "microsoft.network/networksecuritygroups": _group,
    "microsoft.network/loadbalancers": _balancer,
}
