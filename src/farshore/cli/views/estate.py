"""An estate as people and programs see it: dense tables by kind, nothing left out but what `estate.json` says better.

The document is built once and both views speak from it: the text is a rendering of the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from farshore.arm.json import canonical
from farshore.arm.network import NextHopType
from farshore.cli.views.human import style
from farshore.cli.views.lab import short
from farshore.cli.views.lines import hanging
from farshore.cli.views.table import table
from farshore.cli.words import many

if TYPE_CHECKING:
    from farshore.arm.ids import ResourceId
    from farshore.estate.differences import Difference
    from farshore.estate.estate import Estate

ROUTES_SHOWN = 8
VALUE_SHOWN = 72


def estate_document(estate: Estate, source: str) -> dict[str, Any]:
    """What the estate contains, names and ids as in the estate itself."""
    from farshore.cli.projects import subscriptions_of
    from farshore.cli.readings import types_of

    return {
        "source": source,
        "subscriptions": list(subscriptions_of(estate)),
        "resources": len(estate.resources),
        "types": types_of(estate),
        "virtual_networks": [_network(estate, item) for item in estate.virtual_networks],
        "peerings": [_peering(item, one) for item in estate.virtual_networks for one in item.peerings],
        "machines": [_machine(estate, item) for item in estate.virtual_machines],
        "circuits": [_circuit(item) for item in estate.express_route_circuits],
        "gateways": [_gateway(item) for item in estate.virtual_network_gateways],
        "connections": [_connection(item) for item in estate.connections],
        "route_tables": [_route_table(item) for item in estate.route_tables],
        "sites": [_site(item) for item in estate.sites],
        "unread": list(estate.unread),
        "unknown": list(estate.unknown),
    }


def _network(estate: Estate, item: Any) -> dict[str, Any]:
    subnets = [
        {
            "name": subnet.name,
            "address_prefixes": [str(prefix) for prefix in subnet.address_prefixes],
            "route_table": _text(subnet.route_table),
            "network_security_group": _text(subnet.network_security_group),
            "service_endpoints": list(subnet.service_endpoints),
        }
        for subnet in item.subnets
    ]
    space = [str(prefix) for prefix in item.address_space]
    return {"id": item.id.text, "location": item.location, "address_space": space, "subnets": subnets}


def _peering(network: Any, item: Any) -> dict[str, Any]:
    return {
        "id": item.id.text,
        "virtual_network": network.id.text,
        "remote_virtual_network": _text(item.remote_virtual_network),
        "peering_state": item.peering_state,
        "allow_gateway_transit": item.allow_gateway_transit,
        "use_remote_gateways": item.use_remote_gateways,
        "allow_forwarded_traffic": item.allow_forwarded_traffic,
        "allow_virtual_network_access": item.allow_virtual_network_access,
    }


def _machine(estate: Estate, item: Any) -> dict[str, Any]:
    addresses = []
    for nic_id in item.network_interfaces:
        nic = estate.network_interface(nic_id)
        for configuration in () if nic is None else nic.ip_configurations:
            addresses.append(
                {
                    "network_interface": nic_id.text,
                    "address": _text(configuration.private_ip_address),
                    "allocation": configuration.private_ip_allocation_method,
                    "subnet": _text(configuration.subnet),
                    "ip_forwarding": nic is not None and nic.enable_ip_forwarding,
                }
            )
    return {
        "id": item.id.text,
        "location": item.location,
        "power_state": item.power_state,
        "vm_size": item.vm_size,
        "addresses": addresses,
        "disks": [
            {
                "name": disk.name,
                "id": disk.vhd_uri or _text(disk.managed_disk),
                "size_in_gb": disk.disk_size_gb,
                "managed": disk.vhd_uri is None,
            }
            for disk in item.disks
        ],
    }


def _circuit(item: Any) -> dict[str, Any]:
    peerings = [
        {
            "peering_type": one.peering_type,
            "state": one.state,
            "peer_asn": one.peer_asn,
            "primary_peer_address_prefix": _text(one.primary_peer_address_prefix),
            "secondary_peer_address_prefix": _text(one.secondary_peer_address_prefix),
        }
        for one in item.peerings
    ]
    return {
        "id": item.id.text,
        "location": item.location,
        "peering_location": item.peering_location,
        "service_provider": item.service_provider,
        "bandwidth_in_mbps": item.bandwidth_in_mbps,
        "sku_tier": item.sku_tier,
        "sku_family": item.sku_family,
        "circuit_provisioning_state": item.circuit_provisioning_state,
        "service_provider_provisioning_state": item.service_provider_provisioning_state,
        "peerings": peerings,
    }


def _gateway(item: Any) -> dict[str, Any]:
    return {
        "id": item.id.text,
        "location": item.location,
        "gateway_type": item.gateway_type,
        "sku": item.sku,
        "subnet": _text(item.subnet),
        "asn": item.asn,
        "bgp_peering_addresses": [str(address) for address in item.bgp_peering_addresses],
    }


def _connection(item: Any) -> dict[str, Any]:
    return {
        "id": item.id.text,
        "connection_type": item.connection_type,
        "gateway": _text(item.virtual_network_gateway1),
        "to": _text(item.peer or item.local_network_gateway2 or item.virtual_network_gateway2),
        "routing_weight": item.routing_weight,
        "provisioning_state": item.provisioning_state,
    }


def _route_table(item: Any) -> dict[str, Any]:
    routes = [
        {
            "name": route.name,
            "address_prefix": str(route.address_prefix),
            "next_hop_type": route.next_hop_type,
            "next_hop_ip_address": _text(route.next_hop_ip_address),
        }
        for route in item.routes
    ]
    return {
        "id": item.id.text,
        "location": item.location,
        "disable_bgp_route_propagation": item.disable_bgp_route_propagation,
        "routes": routes,
    }


def _site(item: Any) -> dict[str, Any]:
    routers = [
        {
            "name": one.name,
            "circuit": one.circuit.text,
            "local_preference": one.local_preference,
            "prepend": one.prepend,
        }
        for one in item.routers
    ]
    return {"name": item.name, "asn": item.asn, "prefixes": [str(one) for one in item.prefixes], "routers": routers}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


# The text. -----------------------------------------------------------------------------------------------------------


def estate_text(document: Mapping[str, Any]) -> str:
    """Every section that has something to show."""
    subscriptions = document["subscriptions"]
    where = f"subscription {subscriptions[0]}" if len(subscriptions) == 1 else many(len(subscriptions), "subscription")
    lines = hanging(f"{document['source']}: {many(document['resources'], 'resource')} in {where}", 0)
    lines += _section("virtual networks", ("network", "ranges", "region, or a subnet's own"), _network_rows(document))
    lines += _section(
        "peerings", ("from", "to", "state", "what it allows"), [_peering_row(item) for item in document["peerings"]]
    )
    lines += _section(
        "machines",
        ("machine", "address", "subnet", "region", "power", "size", "disks"),
        [row for item in document["machines"] for row in _machine_rows(item)],
    )
    lines += _section(
        "circuits",
        ("circuit", "ends in", "by", "Mbps", "SKU", "resource in", "private peering"),
        [_circuit_row(item) for item in document["circuits"]],
    )
    lines += _section(
        "gateways",
        ("gateway", "type", "SKU", "region", "subnet", "BGP"),
        [
            (
                _name(item["id"]),
                item["gateway_type"],
                item["sku"] or "no SKU",
                item["location"],
                _place(item["subnet"]),
                " ".join([f"AS{item['asn']}", *item["bgp_peering_addresses"]]),
            )
            for item in document["gateways"]
        ],
    )
    lines += _section(
        "connections",
        ("connection", "gateway", "to", "type", "weight", "state"),
        [
            (
                _name(item["id"]),
                _name(item["gateway"]),
                _name(item["to"]),
                item["connection_type"],
                str(item["routing_weight"]),
                item["provisioning_state"],
            )
            for item in document["connections"]
        ],
    )
    lines += _section(
        "route tables",
        ("table", "region", "from BGP", "routes"),
        [_route_row(item) for item in document["route_tables"]],
    )
    lines += _section(
        "sites",
        ("site", "AS", "prefixes", "routers"),
        [
            (
                item["name"],
                str(item["asn"]),
                ", ".join(item["prefixes"]),
                ", ".join(_router(one) for one in item["routers"]),
            )
            for item in document["sites"]
        ],
    )
    counts = [
        (type_.partition("/")[2], str(count), type_.partition("/")[0]) for type_, count in document["types"].items()
    ]
    lines += _section("everything", ("type", "count", "provider"), counts)
    lines += _listed("not understood, kept as it is", document["unread"])
    lines += _listed("unknown, for a marker stands where a value should", document["unknown"])
    if not document["unread"]:
        lines += ["", "Everything in it was understood."]
    return "\n".join(lines)


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", style(title, "strong"), *table(heads, rows)] if rows else []


def _listed(title: str, rows: Sequence[str]) -> list[str]:
    return ["", style(f"{title} ({len(rows)})", "warning"), *(f"  {_said(row)}" for row in rows)] if rows else []


def _said(text: str) -> str:
    """An id by type, name and group, as two things of one name are told apart; what follows it as it is."""
    from farshore.arm.ids import resource_id
    from farshore.errors import InputError

    id_, _, path = text.partition(" ")
    try:
        found = resource_id(id_)
    except InputError:
        return text
    group = f" in {found.resource_group}" if found.resource_group else ""
    return f"{found.namespace}/{found.short}{group}" + (f"  {path}" if path else "")


def _network_rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A network, and its subnets below it."""
    rows: list[tuple[str, ...]] = []
    for item in document["virtual_networks"]:
        rows.append((_name(item["id"]), ", ".join(item["address_space"]), item["location"]))
        for subnet in item["subnets"]:
            own = [
                ("routes", _name(subnet["route_table"])),
                ("rules", _name(subnet["network_security_group"])),
                ("endpoints", " ".join(subnet["service_endpoints"])),
            ]
            said = ", ".join(f"{what} {name}" for what, name in own if name)
            rows.append((f". {subnet['name']}", ", ".join(subnet["address_prefixes"]), said))
    return rows


def _peering_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    allows = {
        "allow_gateway_transit": "gateway transit",
        "use_remote_gateways": "uses remote gateways",
        "allow_forwarded_traffic": "forwarded traffic",
    }
    said = [text for key, text in allows.items() if item[key]]
    said += [] if item["allow_virtual_network_access"] else ["no access"]
    return (
        _name(item["virtual_network"]),
        _name(item["remote_virtual_network"]),
        item["peering_state"],
        ", ".join(said) or "access only",
    )


def _machine_rows(item: Mapping[str, Any]) -> list[tuple[str, ...]]:
    sizes = [str(disk["size_in_gb"] or "?") for disk in item["disks"]]
    unmanaged = "" if all(disk["managed"] for disk in item["disks"]) else " unmanaged"
    disks = f"{len(sizes)}: {' + '.join(sizes)} GB{unmanaged}" if sizes else "none"
    rows: list[tuple[str, ...]] = []
    for index, one in enumerate(item["addresses"] or [None]):
        notes = [] if one is None else [one["address"] or "no address"]
        if one is not None and one["allocation"] != "Static":
            notes.append("dynamic")
        if one is not None and one["ip_forwarding"]:
            notes.append("forwards")
        address = "no NIC" if one is None else " ".join(notes)
        subnet = "" if one is None else _place(one["subnet"])
        if index:
            rows.append(("", address, subnet, "", "", "", ""))
        else:
            state = item["power_state"] or "unknown"
            rows.append((_name(item["id"]), address, subnet, item["location"], state, item["vm_size"] or "", disks))
    return rows


def _circuit_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    private = next((one for one in item["peerings"] if one["peering_type"] == "AzurePrivatePeering"), None)
    said = "none"
    if private is not None:
        links = [private["primary_peer_address_prefix"], private["secondary_peer_address_prefix"]]
        said = " ".join([private["state"], f"AS{private['peer_asn']}", *(link for link in links if link)])
    return (
        _name(item["id"]),
        item["peering_location"] or "",
        item["service_provider"] or "",
        str(item["bandwidth_in_mbps"] or ""),
        item["sku_tier"] or "",
        item["location"],
        said,
    )


def _route_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    routes = [
        f"{route['address_prefix']} to {route['next_hop_ip_address'] or _hop(route['next_hop_type'])}"
        for route in item["routes"][:ROUTES_SHOWN]
    ]
    more = len(item["routes"]) - len(routes)
    routes += [f"{more} more"] if more > 0 else []
    heard = "no" if item["disable_bgp_route_propagation"] else "yes"
    return _name(item["id"]), item["location"], heard, ", ".join(routes) or "none"


def _hop(kind: str) -> str:
    return "nowhere" if kind == NextHopType.NONE else kind


def _router(item: Mapping[str, Any]) -> str:
    return f"{item['name']} on {_name(item['circuit'])} (preference {item['local_preference']})"


def _name(id_: str | ResourceId | None) -> str:
    return "" if id_ is None else str(id_).rsplit("/", 1)[-1]


def _place(id_: str | None) -> str:
    """`network/subnet`."""
    parts = [] if id_ is None else id_.split("/")
    return f"{parts[-3]}/{parts[-1]}" if len(parts) > 3 else ""


def read_text(document: Mapping[str, Any]) -> str:
    """What was read, and where it is now."""
    lines = [f"{many(document['resources'], 'resource')} read from {document['cloud']} into {document['estate']}"]
    counts = [
        (type_.partition("/")[2], str(count), type_.partition("/")[0]) for type_, count in document["types"].items()
    ]
    lines += table(("type", "count", "provider"), counts)
    before = document["differences"]
    if before is not None:
        lines.append(f"{many(before, 'difference')} from the estate.json that was there")
    lines += _listed("not understood, kept as it is", document["unread"])
    return "\n".join(lines)


def differences_text(rows: Sequence[Difference], before: str, after: str) -> str:
    """Each resource with what is different about it."""
    if not rows:
        return f"No difference between {before} and {after}."
    lines = [f"{before} -> {after}"]
    shown = None
    for row in rows:
        if not row.path:
            mark, what = ("+", "only after") if row.before is None else ("-", "only before")
            lines.append(style(f"{mark} {_said(row.id)}  {what}", "good" if row.before is None else "error"))
            continue
        if row.id != shown:
            lines.append(f"~ {_said(row.id)}")
            shown = row.id
        lines.append(f"    {row.path}")
        lines += [f"      - {_value(row.before)}", f"      + {_value(row.after)}"]
    resources = len({row.id.lower() for row in rows})
    lines.append(f"{many(len(rows), 'difference')} in {many(resources, 'resource')}")
    return "\n".join(lines)


def _value(value: Any) -> str:
    """A short value whole; a long one by its beginning: --format json has it all."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return short(value) if value.startswith("/subscriptions/") else value
    text = canonical(value).decode()
    return text if len(text) <= VALUE_SHOWN else text[: VALUE_SHOWN - 3] + "..."
