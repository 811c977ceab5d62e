"""What stands in the target already, against what it has to be (D76 to D79, D87, S31, S33, S34).

The plan corrects what it can, but somebody built this on purpose: what exists and is wrong is said before anything is
written over it. What is absent is the plan's to build.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from farshore.arm.decode import Network, Reader
from farshore.arm.ids import ResourceId
from farshore.arm.network import RouteTable, Subnet, VirtualNetwork
from farshore.assess.context import GATEWAY_SUBNET, Context
from farshore.assess.findings import Finding, error, info, rule, warning
from farshore.estate.counterparts import mapped_address, mapped_network
from farshore.estate.standing import corrections, stuck
from farshore.routing.prefixes import inside, overlap

Meaning = tuple[str, str]


@rule("FS401", "A subnet of the target has no namesake in the source", "S34", "D87")
def names(context: Context) -> Iterator[Finding]:
    """Site Recovery looks for a subnet of the same name, and takes the first by alphabet where there is none."""
    for home, there in _pairs(context):
        known = {subnet.name.lower() for subnet in home.subnets}
        strays = [subnet for subnet in there.subnets if subnet.name.lower() not in known]
        for subnet in home.subnets:
            if there.subnet(subnet.name) is not None:
                continue
            wanted = [mapped_network(context.project, prefix) for prefix in subnet.address_prefixes]
            stray = next((s for s in strays if any(overlap(p, w) for p in s.address_prefixes for w in wanted)), None)
            if stray is not None:
                yield error(
                    stray.id,
                    f"{stray.id.short} stands where {subnet.name} of {home.name} belongs: names don't match",
                    f"source {subnet.name} {_list(subnet.address_prefixes)}, target {stray.name}"
                    f" {_list(stray.address_prefixes)}",
                    "machines would land in the first subnet by alphabet",
                    remedy=f"name the subnet {subnet.name}",
                )


@rule("FS402", "A network of the target does not have the ranges that it needs", "D68", "D78", "D86", "S35")
def ranges(context: Context) -> Iterator[Finding]:
    for home, there in _pairs(context):
        wanted = [mapped_network(context.project, prefix) for prefix in home.address_space]
        missing = [prefix for prefix in wanted if not any(inside(prefix, own) for own in there.address_space)]
        if missing and there.address_space:
            # What nothing holds on to, the plan's PUT sets right: so Site Recovery's own network, whose ranges are the
            # source's where they should be mapped (D86).
            held = any(found.subject == there.id for found in stuck(context.estate, context.project, home, there))
            say, who = (error, "add") if held or there.peerings else (warning, "the plan adds")
            yield say(
                there.id,
                f"{there.name} lacks {_list(missing)}, which {home.name} needs in the target",
                f"it has {_list(there.address_space)}",
                remedy=f"{who} {_list(missing)} to the address space of {there.name}",
            )


@rule("FS403", "A network of the target is in another region", "D69", "S31")
def region(context: Context) -> Iterator[Finding]:
    for home, there in _pairs(context):
        if there.location and there.location != context.project.target.region:
            yield error(
                there.id,
                f"{there.name}, the counterpart of {home.name}, is in {there.location}",
                f"target region {context.project.target.region}",
                remedy=f"move it to {context.project.target.region}, or give target.names another pattern",
            )


@rule("FS404", "A route table of the target differs from the source's", "D77", "D78", "D79")
def tables(context: Context) -> Iterator[Finding]:
    seen = set()
    for home, there in _pairs(context):
        for subnet in home.subnets:
            own, other = context.table_of(subnet), _table_there(context, there, subnet)
            if own is None or other is None or (own.id, other.id) in seen:
                continue
            seen.add((own.id, other.id))
            wanted, found = _meaning(context, own, moved=True), _meaning(context, other, moved=False)
            missing = {p: hop for p, hop in wanted.items() if found.get(p) != hop}
            extra = [p for p in found if p not in wanted]
            differs = own.disable_bgp_route_propagation != other.disable_bgp_route_propagation
            if missing or differs:
                because = [
                    f"{prefix}: {' '.join(hop).strip()} expected, {' '.join(found.get(prefix, ('nothing',))).strip()}"
                    " found"
                    for prefix, hop in missing.items()
                ]
                if differs:
                    because.append(
                        f"disableBgpRoutePropagation: {str(own.disable_bgp_route_propagation).lower()} expected,"
                        f" {str(other.disable_bgp_route_propagation).lower()} found"
                    )
                yield error(
                    other.id,
                    f"{other.id.name} is not what {own.id.name} is in the source",
                    *because,
                    remedy=f"give {other.id.name} the source's routes, with the target's addresses",
                )
            elif extra:
                yield warning(
                    other.id,
                    f"{other.id.name} has routes that {own.id.name} does not have: {', '.join(extra)}",
                    remedy="remove them if they are not meant",
                )


@rule("FS405", "A subnet of the target has another table than its network's others expect", "D77", "R36")
def wrong_table(context: Context) -> Iterator[Finding]:
    """A subnet without a table at home that has one in the target: the appliance's above all."""
    hubs = {hub.id for hub in context.target.hubs}
    for home, there in _pairs(context):
        for subnet in home.subnets:
            other = there.subnet(subnet.name)
            if other is None or subnet.route_table is not None or other.route_table is None:
                continue
            if subnet.name.lower() == GATEWAY_SUBNET or there.id in hubs:
                continue  # judged by what the table does
            yield warning(
                other.id,
                f"{other.id.short} has a route table, and {subnet.id.short} in the source has none",
                f"{other.route_table.short}",
                remedy="take the table off, unless it is meant",
            )


@rule("FS406", "Two networks of the target could be the counterpart", "S33", "D87")
def several(context: Context) -> Iterator[Finding]:
    project = context.project
    for home in context.source.networks:
        if context.counterparts.exists(home.id):
            continue
        wanted = {mapped_network(project, prefix) for prefix in home.address_space}
        like = [
            network
            for network in context.estate.virtual_networks
            if network.location == project.target.region
            and (network.id.resource_group or "").lower() == project.target.resource_group.lower()
            and set(network.address_space) == wanted
            and network.id != project.drill.network
        ]
        if len(like) > 1:
            yield warning(
                like[0].id,
                f"{' and '.join(network.name for network in like)} both have the ranges that {home.name} needs; the"
                " plan uses neither and makes its own",
                remedy=f"name the right one {context.counterparts.name(home.name)}",
            )


@rule("FS407", "What stands in the target can't be corrected in place", "R31", "L21", "L23", "R40", "D86")
def not_in_place(context: Context) -> Iterator[Finding]:
    """The plan completes a network that Site Recovery or a person has made; Azure does not let it correct this."""
    for home, there in _pairs(context):
        for found in stuck(context.estate, context.project, home, there):
            yield error(found.subject, found.what, found.because, remedy=f"before the plan is run, {found.remedy}")


@rule("FS408", "The plan corrects what stands in the target", "D11", "D22", "D44", "D86")
def corrected(context: Context) -> Iterator[Finding]:
    """Nothing is replaced without a word: what a network has and the counterpart can't have is said before."""
    for home, there in _pairs(context):
        said = list(corrections(context.project, home, there))
        own, other = (_servers(context, network) for network in (home, there))
        wanted = [_moved(context, server) for server in own]
        if own and other and wanted != other:
            said.append(f"DNS servers {', '.join(other)} become {', '.join(wanted)}")
        for subnet in home.subnets:
            standing = there.subnet(subnet.name)
            for noun, mine, its in () if standing is None else _hung(subnet, standing):
                if mine is not None and its is not None and context.counterparts.of(mine) != its:
                    wants = context.counterparts.of(mine).name
                    said.append(f"{noun} {its.name} on {subnet.name} gives way to {wants}; it is not deleted")
        if said:
            yield warning(
                there.id,
                f"{there.name} stands, and the plan corrects it: {len(said)} of what it has",
                *said,
                remedy="provision does it, and keeps all else; change farshore.yaml or the source where that is wrong",
            )


@rule("FS411", "Networks that the plan builds in the target", "D22", "D24", "D87")
def to_build(context: Context) -> Iterator[Finding]:
    absent = [network.name for network in context.source.networks if not context.counterparts.exists(network.id)]
    if absent:
        yield info(
            "target",
            f"The target has no counterpart of {', '.join(absent)} yet: the plan builds networks, subnets, tables and"
            " peerings",
        )


@rule("FS412", "The appliance that the plan brings to the target", "S32", "D24")
def appliance_to_bring(context: Context) -> Iterator[Finding]:
    for place, item in enumerate(context.project.appliances):
        if item.existing is None and context.addresses_of(item.source):
            address = context.appliance_address_in_target(context.addresses_of(item.source)[0])
            if not any(context.index.at(hub.id.key, address) for hub in context.target.hubs):
                how = f"from the template {item.template}" if item.template else "by a person"
                yield info(
                    f"appliances/{place}",
                    f"The target has no appliance at {address} yet: it is deployed {how}",
                )


def _pairs(context: Context) -> Iterator[tuple[VirtualNetwork, VirtualNetwork]]:
    yield from zip(context.target.homes, context.target.networks, strict=True)


def _table_there(context: Context, there: VirtualNetwork, subnet: Subnet) -> RouteTable | None:
    other = there.subnet(subnet.name)
    return None if other is None else context.table_of(other)


def _meaning(context: Context, table: RouteTable, *, moved: bool) -> dict[str, Meaning]:
    """Prefix to next hop; a source's routes as they have to be in the target."""
    found: dict[str, Meaning] = {}
    for route in table.routes:
        prefix, hop = route.address_prefix, route.next_hop_ip_address
        if moved:
            prefix = prefix if isinstance(prefix, str) else mapped_network(context.project, prefix)
            hop = None if hop is None else context.appliance_address_in_target(hop)
        found[str(prefix)] = (route.next_hop_type, "" if hop is None else str(hop))
    return found


def _hung(home: Subnet, there: Subnet) -> Iterator[tuple[str, ResourceId | None, ResourceId | None]]:
    yield "route table", home.route_table, there.route_table
    yield "security group", home.network_security_group, there.network_security_group


def _servers(context: Context, network: VirtualNetwork) -> list[str]:
    return list(Reader(context.estate.get(network.id)).texts("properties.dhcpOptions.dnsServers"))


def _moved(context: Context, server: str) -> str:
    try:
        return str(mapped_address(context.project, ip_address(server)))
    except ValueError:
        return server


def _list(prefixes: tuple[Network, ...] | list[Network]) -> str:
    return ", ".join(map(str, prefixes)) or "nothing"
