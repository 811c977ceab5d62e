"""Quotas of a region: `locations/{region}/usages` of Microsoft.Compute and Microsoft.Network, counted from what is
there; a limit is what the fault `quota` sets.

Counted is what is there: cores by family and in all, machines, availability sets, networks, NICs and the like.
Machines count whether they run or not, deallocated ones too, so that a start needs nothing more; a capacity
reservation counts like the machines that it is for, and those not again (`reservations.py`). No page tells what a
subscription's limits are, so the lab's are as high as nobody reaches until a fault sets one (`quota`: `{"region",
"name", "limit"}`, `name` as in the list). Then what would go beyond it is refused when it is asked for, 409
`OperationNotAllowed` with the numbers (L15; codes that users report), and a failover of Site Recovery fails (S60:
quotas are among the readiness checks). Limits are enforced for cores, machines, availability sets and NICs; the other
counts are told only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import reserved
from farshore.lab.compute.attached import NETWORK_INTERFACES, VIRTUAL_MACHINES, size_of
from farshore.lab.compute.sizes import SIZES, cores_of, family_of, family_shown, region_of_path
from farshore.lab.fault_kinds import Wanted, fault_kind, kept_in, mark
from farshore.lab.paging import page
from farshore.lab.registry import view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "quotas"
AVAILABILITY_SETS = "Microsoft.Compute/availabilitySets"
UNLIMITED = 1_000_000
"""The limit that is shown where no fault has set one: higher than anybody reaches."""
CORES, MACHINES, SETS, NICS = "cores", "virtualMachines", "availabilitySets", "NetworkInterfaces"
WATCHERS = "NetworkWatchers"
"""Of which a region has one, and no more on any request."""
COMPUTE: Mapping[str, str] = {
    SETS: "Availability Sets",
    CORES: "Total Regional vCPUs",
    MACHINES: "Virtual Machines",
}
NETWORK: Mapping[str, tuple[str, str]] = {
    "VirtualNetworks": ("Virtual Networks", "virtualNetworks"),
    NICS: ("Network Interfaces", "networkInterfaces"),
    "NetworkSecurityGroups": ("Network Security Groups", "networkSecurityGroups"),
    "ApplicationSecurityGroups": ("Application Security Groups.", "applicationSecurityGroups"),
    "PublicIPAddresses": ("Public IP Addresses", "publicIPAddresses"),
    "PublicIpPrefixes": ("Public Ip Prefixes", "publicIPPrefixes"),
    "NatGateways": ("Nat Gateways", "natGateways"),
    "PrivateEndpoints": ("Private Endpoints", "privateEndpoints"),
    "PrivateLinkServices": ("Private Link Services", "privateLinkServices"),
    "LoadBalancers": ("Load Balancers", "loadBalancers"),
    "ApplicationGateways": ("Application Gateways", "applicationGateways"),
    "RouteTables": ("Route Tables", "routeTables"),
    "RouteFilters": ("Route Filters", "routeFilters"),
    WATCHERS: ("Network Watchers", "networkWatchers"),
}
"""By the name of a count: how it is shown, and the type that is counted."""
ADJUSTABLE = "2022-01-01"
"""The first api-version in which the network's counts were recorded with whether their limits can be raised."""


# What is there. ------------------------------------------------------------------------------------------------------


@view("Microsoft.Compute/locations", "usages")
def usages(call: Call) -> Response:
    region, subscription = region_of_path(call), str(call.id.subscription)
    counted = _counted(call.cloud, subscription, region)
    families = {family_of(name) for name, *_ in SIZES} | {name for name in counted if name not in COMPUTE}
    families |= {row["name"] for row in _limits(call.cloud, region) if row["name"].endswith("Family")}
    named = {**COMPUTE, **{family: family_shown(family) for family in sorted(families)}}
    rows = [_row(call.cloud, region, name, label, counted[name]) for name, label in named.items()]
    return page(call, rows)


@view("Microsoft.Network/locations", "usages")
def network_usages(call: Call) -> Response:
    region, subscription = region_of_path(call), str(call.id.subscription)
    rows = []
    for name, (label, kind) in NETWORK.items():
        count = _number(call.cloud, subscription, region, f"Microsoft.Network/{kind}")
        row = _row(call.cloud, region, name, label, count)
        can_be = {"isAdjustable": name != WATCHERS} if call.api_version >= ADJUSTABLE else {}
        rows.append({"id": f"{call.id.text}/usages/{name}", **row, **can_be})
    return page(call, rows)


def _row(cloud: Cloud, region: str, name: str, label: str, count: int) -> Body:
    limit = _limit(cloud, region, name)
    return {
        "limit": UNLIMITED if limit is None else limit,
        "unit": "Count",
        "currentValue": count,
        "name": {"value": name, "localizedValue": label},
    }


def _counted(cloud: Cloud, subscription: str, region: str) -> Counter[str]:
    """Cores by family and in all, machines and sets of a subscription in a region."""
    found: Counter[str] = Counter()
    for body in _of(cloud, subscription, region, VIRTUAL_MACHINES):
        found[MACHINES] += 1
        if reserved.reservation_of(cloud, body) is None:
            found.update(of_size(size_of(body)))
    for body in _of(cloud, subscription, region, reserved.RESERVATIONS):
        found.update(of_size(reserved.size_of(body), reserved.places(cloud, body)))
    found[SETS] = _number(cloud, subscription, region, AVAILABILITY_SETS)
    return found


def _of(cloud: Cloud, subscription: str, region: str, type_: str) -> Iterator[Body]:
    for body in cloud.of_type(type_):
        id_ = resource_id(str(body["id"]))
        if str(id_.subscription).lower() == subscription.lower() and cloud.region_of(id_) == region:
            yield body


def _number(cloud: Cloud, subscription: str, region: str, type_: str) -> int:
    return sum(1 for _ in _of(cloud, subscription, region, type_))


# What goes beyond it. ------------------------------------------------------------------------------------------------


def must_fit(cloud: Cloud, subscription: str, region: str, more: Mapping[str, int]) -> None:
    """Raise where so much more of Microsoft.Compute's counts would go beyond a limit."""
    limits = {row["name"]: int(row["limit"]) for row in _limits(cloud, region)}
    asked = {name: count for name, count in more.items() if count > 0 and name in limits}
    if not asked:
        return
    counted = _counted(cloud, subscription, region)
    for name, count in asked.items():
        needed = counted[name] + count
        if needed > limits[name]:
            raise Refused(
                409,
                "OperationNotAllowed",
                f"Operation could not be completed as it results in exceeding approved {_called(name)} quota. "
                f"Additional details - Deployment Model: Resource Manager, Location: {region}, Current Limit: "
                f"{limits[name]}, Current Usage: {counted[name]}, Additional Required: {count}, (Minimum) New Limit "
                f"Required: {needed}.",
            )


def must_fit_interface(cloud: Cloud, subscription: str, region: str) -> None:
    """Raise where one more NIC would go beyond a limit."""
    limit = _limit(cloud, region, NICS)
    if limit is not None and _number(cloud, subscription, region, NETWORK_INTERFACES) >= limit:
        raise bad_request(
            "NetworkInterfaceCountLimitReached",
            f"Cannot create more than {limit} network interfaces for this subscription in this region.",
        )


def of_machine(cloud: Cloud, body: Body, *, there: bool) -> dict[str, int]:
    """What a machine takes that is there, or is to be made: no cores where it is within its reservation's places."""
    held = reserved.reservation_of(cloud, body)
    mine = 0 if there else 1
    within = held is not None and len(reserved.associated(cloud, held)) + mine <= reserved.capacity_of(held)
    return {MACHINES: 1, **({} if within else of_size(size_of(body)))}


def of_size(size: str, count: int = 1) -> dict[str, int]:
    """What so many machines of a size take of the cores."""
    return {CORES: count * cores_of(size), family_of(size): count * cores_of(size)}


def _called(name: str) -> str:
    """A count as the refusal calls it."""
    if name == CORES:
        return "Total Regional Cores"
    return f"{name} Cores" if name.endswith("Family") else COMPUTE[name]


# Limits. -------------------------------------------------------------------------------------------------------------


def _check(cloud: Cloud, wanted: Wanted) -> None:
    name = str(wanted["name"])
    if name not in (CORES, MACHINES, SETS, NICS) and not (name.startswith("standard") and name.endswith("Family")):
        enforced = f"{CORES}, a family such as standardDSv3Family, {MACHINES}, {SETS} or {NICS}"
        raise bad_request("InvalidFault", f"name can't be {name!r}: a limit is of {enforced}.")


@fault_kind("quota", needs=("region", "name", "limit"), check=_check)
def quota(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region, name = normal_location(str(wanted["region"])), str(wanted["name"])
    # What need not be said again to take a limit back is not there then.
    mark(cloud, TABLE, f"{region}|{name}", up, region=region, name=name, limit=int(wanted.get("limit") or 0))


kept_in(TABLE)


def _limits(cloud: Cloud, region: str) -> list[Any]:
    return [row for row in cloud.table(TABLE).values() if row["region"] == region]


def _limit(cloud: Cloud, region: str, name: str) -> int | None:
    row = cloud.table(TABLE).get(f"{region}|{name}")
    return None if row is None else int(row["limit"])
