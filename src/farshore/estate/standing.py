"""A network that stands in the target already, and what makes it the counterpart of its source: completed, never
replaced.

Site Recovery makes networks when replication is enabled: the source's name with its suffix, the source's ranges and
subnets, and nothing that hangs on them (D11, D22, D44, S31, S32). People make networks too. Either kind is completed by
one read, merge and write (`plan/merge.py`: a bare PUT would replace it, L12), and this file decides what is said of
ranges:

    address space    what the counterpart needs, and every other range that the network has; but a source's own range
                     that is mapped to another (D86), and a wider one around what is needed, go where nobody uses them:
                     a gateway announces whole address spaces (R40)
    a subnet         keeps a range that holds what is needed; else it gets the one that is

Azure refuses some of that in place, and then somebody has to act before: a subnet in use keeps its range (L23), a
subnet can't lie over another (L21), a peered network's other sides have to be synced with a new space (R31).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from farshore.arm.decode import Network, Reader
from farshore.arm.ids import ResourceId
from farshore.arm.network import Subnet, VirtualNetwork
from farshore.estate.counterparts import mapped_network
from farshore.estate.estate import Estate
from farshore.estate.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """What can't be corrected in place: whose it is, what is wrong, and what somebody has to do."""

    subject: ResourceId
    what: str
    because: str
    remedy: str


def space_after(project: Project, home: VirtualNetwork, there: VirtualNetwork) -> tuple[Network, ...]:
    """The address space of `there`, completed to be the counterpart of `home`: what it has first, in its order."""
    wanted = [mapped_network(project, prefix) for prefix in home.address_space]
    kept = [prefix for prefix in there.address_space if _stays(prefix, wanted, home, there)]
    return (*kept, *(prefix for prefix in wanted if not any(_inside(prefix, own) for own in kept)))


def ranges_after(project: Project, home: Subnet, there: Subnet | None) -> tuple[Network, ...]:
    """The ranges of a subnet of the target: its own where they hold all that is needed."""
    wanted = tuple(mapped_network(project, prefix) for prefix in home.address_prefixes)
    if there is not None and all(any(_inside(p, own) for own in there.address_prefixes) for p in wanted):
        return there.address_prefixes
    return wanted


def stuck(estate: Estate, project: Project, home: VirtualNetwork, there: VirtualNetwork) -> Iterator[Stuck]:
    """What of a standing network Azure does not let a PUT correct."""
    wanted = [mapped_network(project, prefix) for prefix in home.address_space]
    after = space_after(project, home, there)
    strays = _strays(home, there)
    for prefix in after:
        around = [want for want in wanted if want != prefix and _inside(want, prefix)]
        stale = prefix in home.address_space and prefix not in wanted
        if around or stale:
            names = [subnet.name for subnet in strays if any(_inside(own, prefix) for own in subnet.address_prefixes)]
            yield Stuck(
                subject=there.id,
                what=f"{there.name} would announce {prefix}"
                + (f", which is more than {_list(around)}" if around else f", the range of {home.name} in the source"),
                because=f"{', '.join(names)} in it has no namesake in {home.name}, and stays",
                remedy=f"move {', '.join(names)} to another network, or into {_list(wanted)}",
            )
    if set(after) != set(there.address_space) and there.peerings:
        sides = ", ".join(peering.name for peering in there.peerings)
        yield Stuck(
            subject=there.id,
            what=f"{there.name} is peered ({sides}), and its address space has to change",
            because=f"it has {_list(there.address_space)}, and needs {_list(after)}; the other sides keep the old space"
            " until each is synced",
            remedy=f"set the address space to {_list(after)}, then PUT each peering of its neighbours with it with"
            " syncRemoteAddressSpace=true, and read the estate again",
        )
    for subnet in home.subnets:
        own = there.subnet(subnet.name)
        if own is None:
            continue
        ranges = ranges_after(project, subnet, own)
        if ranges == own.address_prefixes:
            continue
        if users := users_of(estate, own.id):
            yield Stuck(
                subject=own.id,
                what=f"{own.id.short} has {_list(own.address_prefixes)}, and {_list(ranges)} is needed",
                because=f"a subnet that is in use keeps its range: {', '.join(users[:3])} of {len(users)}",
                remedy=f"take what is in {own.name} out of it, and plan again; or set the range where Azure lets you",
            )
        over = [other for other in strays if any(p.overlaps(q) for p in ranges for q in other.address_prefixes)]
        if over:
            yield Stuck(
                subject=own.id,
                what=f"{own.id.short} needs {_list(ranges)}, where {over[0].name} lies",
                because=f"{over[0].name} has {_list(over[0].address_prefixes)}; subnets can't overlap",
                remedy=f"move {over[0].name} out of {_list(ranges)}",
            )


def corrections(project: Project, home: VirtualNetwork, there: VirtualNetwork) -> Iterator[str]:
    """What of the ranges of a standing network the plan's PUT changes, a sentence each; additions are none."""
    after = space_after(project, home, there)
    gone = [prefix for prefix in there.address_space if prefix not in after]
    if gone:
        yield f"address space {_list(there.address_space)} becomes {_list(after)}"
    for subnet in home.subnets:
        own = there.subnet(subnet.name)
        ranges = ranges_after(project, subnet, own)
        if own is not None and ranges != own.address_prefixes:
            yield f"subnet {own.name} {_list(own.address_prefixes)} becomes {_list(ranges)}"


def users_of(estate: Estate, subnet: ResourceId) -> list[str]:
    """Names of what has an address of a subnet: what Azure shows on the subnet, and what of the estate says so."""
    body = Reader(estate.get(subnet))
    shown = {
        item.text("id") or ""
        for key in (
            "ipConfigurations",
            "privateEndpoints",
            "serviceAssociationLinks",
            "applicationGatewayIPConfigurations",
        )
        for item in body.items(f"properties.{key}")
    }
    found = {ResourceId(text).parent or ResourceId(text) for text in shown if text.startswith("/subscriptions/")}
    found |= {
        nic.id
        for nic in estate.network_interfaces
        if any(configuration.subnet == subnet for configuration in nic.ip_configurations)
    }
    found |= {gateway.id for gateway in estate.virtual_network_gateways if gateway.subnet == subnet}
    return sorted({id_.name for id_ in found})


def _stays(prefix: Network, wanted: list[Network], home: VirtualNetwork, there: VirtualNetwork) -> bool:
    """Whether a range that the target's network has is left in it."""
    if prefix in wanted:
        return True
    if any(_inside(prefix, want) for want in wanted):
        return False  # a part of what it gets
    held = [p for s in _strays(home, there) for p in s.address_prefixes if _inside(p, prefix)]
    if any(_inside(want, prefix) for want in wanted) or prefix in home.address_space:
        return any(not any(_inside(p, want) for want in wanted) for p in held)
    return True


def _strays(home: VirtualNetwork, there: VirtualNetwork) -> list[Subnet]:
    """Subnets of the target's that the source does not have: somebody's own."""
    return [subnet for subnet in there.subnets if home.subnet(subnet.name) is None]


def _inside(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _list(prefixes: Iterable[Network]) -> str:
    return ", ".join(map(str, prefixes)) or "nothing"
