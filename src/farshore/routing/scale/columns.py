"""An estate's machines, route tables and security groups as columns, read in one pass.

The many things of an estate are network interfaces, routes and rules; they become arrays here. The few, networks,
gateways, circuits, connections and appliances, stay what they are everywhere else: the *skeleton* is the same estate
without the many, and the scalar engine answers about it (who peers with whom, what works when something fails, who is
behind a next hop). So each fact is written down once, and arrays only do what is the same for very many machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from farshore.arm import compute, network
from farshore.arm.decode import holds_marker
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.estate.estate import Estate
from farshore.estate.project import Project
from farshore.estate.resolving import resolved_sites
from farshore.routing.index import PRIVATE_ENDPOINTS
from farshore.routing.scale.line import Bools, Positions, positions

K = TypeVar("K")
Indexes = npt.NDArray[np.int32]

NICS = network.NETWORK_INTERFACES.lower()
MACHINES = compute.VIRTUAL_MACHINES.lower()
TABLES = network.ROUTE_TABLES.lower()
GROUPS = network.NETWORK_SECURITY_GROUPS.lower()
_MANY = frozenset({NICS, MACHINES, TABLES, GROUPS, compute.DISKS.lower()})
_ALONE = frozenset({TABLES + "/routes", GROUPS + "/securityrules"})
_ENDPOINTS = f"/{PRIVATE_ENDPOINTS.lower()}/"
UNREAD = "unread"
"""In place of a security group's id, where one is named and nobody can say which."""

_NOT_RUNNING = ("deallocated", "deallocating", "stopped", "stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A route table's rows as texts, in order."""

    key: str
    propagates: bool
    prefixes: tuple[str, ...]
    next_hop_types: tuple[str, ...]
    next_hops: tuple[str, ...]
    """An address, or empty."""
    unclear: bool = False
    """A marker stands somewhere in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """One row for each address of each NIC, in the order of the estate."""

    nics: list[str]
    """Lower-case ids."""
    addresses: Positions
    subnets: Indexes
    """Into `subnet_keys`."""
    subnet_keys: list[str]
    groups: Indexes
    """The NIC's own security group, into `group_keys`; 0, the empty one, for none."""
    group_keys: list[str]
    application_groups: Indexes
    """Into `application_sets`; 0 is the empty one."""
    application_sets: list[tuple[str, ...]]
    regions: Indexes
    region_names: list[str]
    holders: list[str]
    """The machine that each NIC is attached to, lower-case; empty for none."""
    runs: Bools
    """Whether something answers there, as far as the resources say (R25)."""
    unclear: Bools
    """Whether that can't be read."""

    def __len__(self) -> int:
        return len(self.nics)

    def taken(self, rows: npt.NDArray[np.int64]) -> Machines:
        """Some of them, with the subnets and security groups of these alone."""
        at = rows.tolist()
        subnets, subnet_of = np.unique(self.subnets[rows], return_inverse=True)
        groups, group_of = np.unique(np.concatenate([[0], self.groups[rows]]), return_inverse=True)
        return Machines(
            nics=[self.nics[row] for row in at],
            addresses=self.addresses[rows],
            subnets=subnet_of.reshape(-1).astype(np.int32),
            subnet_keys=[self.subnet_keys[number] for number in subnets.tolist()],
            groups=group_of.reshape(-1)[1:].astype(np.int32),
            group_keys=[self.group_keys[number] for number in groups.tolist()],
            application_groups=self.application_groups[rows],
            application_sets=self.application_sets,
            regions=self.regions[rows],
            region_names=self.region_names,
            holders=[self.holders[row] for row in at],
            runs=self.runs[rows],
            unclear=self.unclear[rows],
        )

    def and_then(self, other: Machines) -> Machines:
        """These, and then others."""
        subnets, subnet_keys = _joined(self.subnets, self.subnet_keys, other.subnets, other.subnet_keys)
        groups, group_keys = _joined(self.groups, self.group_keys, other.groups, other.group_keys)
        regions, region_names = _joined(self.regions, self.region_names, other.regions, other.region_names)
        application_groups, application_sets = _joined(
            self.application_groups, self.application_sets, other.application_groups, other.application_sets
        )
        return Machines(
            nics=[*self.nics, *other.nics],
            addresses=np.concatenate([self.addresses, other.addresses]),
            subnets=subnets,
            subnet_keys=subnet_keys,
            groups=groups,
            group_keys=group_keys,
            application_groups=application_groups,
            application_sets=application_sets,
            regions=regions,
            region_names=region_names,
            holders=[*self.holders, *other.holders],
            runs=np.concatenate([self.runs, other.runs]),
            unclear=np.concatenate([self.unclear, other.unclear]),
        )


def _joined(one: Indexes, keys: Sequence[K], other: Indexes, others: Sequence[K]) -> tuple[Indexes, list[K]]:
    """Two columns of numbers as one, and the keys that they are numbers of."""
    numbers = {key: number for number, key in enumerate(keys)}
    moved = np.array([_number(numbers, key) for key in others], dtype=np.int32)
    return np.concatenate([one, moved[other] if len(other) else other]), list(numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """An estate, ready for arrays."""

    skeleton: Estate
    machines: Machines
    tables: Mapping[str, Table]
    groups: Mapping[str, Body]
    unread: tuple[str, ...] = ()
    """NICs, lower-case, of which an address or its subnet can't be read: no row stands for it."""


def columns_of(estate: Estate) -> Columns:
    """The columns of an estate's resources, with its sites and what is outside."""
    return columns(estate.resources.items(), estate)


def columns_of_bodies(read: Callable[[], Iterable[Any]], project: Project) -> Columns:
    """The columns of bodies as a file holds them, which `read` gives one by one, as often as it is called. The many
    pass without being looked at twice, since columns keep nothing of them but addresses and ids; all others are read
    as `Estate.from_resources` reads them, and so is everything where an id stands twice, or a route or rule by
    itself. Raises `InputError` as that does."""
    few: list[Any] = []
    reading, seen = _Many(), set[str]()
    for body in read():
        id_ = body.get("id") if isinstance(body, dict) else None
        key = id_.lower().rstrip("/") if isinstance(id_, str) else ""
        kind = _kind(key) if "/providers/" in key else ""
        if kind in _ALONE or (kind in _MANY and (key in seen or not isinstance(body.get("properties", {}), dict))):
            return columns_of(Estate.from_resources(list(read()), project))
        if kind in _MANY:
            seen.add(key)
            reading.take(kind, key, body)
        else:
            few.append(body)
    around = Estate.from_resources(few)
    sites = resolved_sites(project, around)
    around = replace(around, sites=sites, project=replace(project, sites=sites))
    for key, body in around.resources.items():
        reading.take(_kind(key), key, body)
    return reading.columns(around)


def columns(resources: Iterable[tuple[str, Body]], around: Estate) -> Columns:
    """The columns of resources that come one by one, by lower-case id. `around` gives sites, outside and project; its
    own resources are not looked at."""
    reading = _Many()
    for key, body in resources:
        reading.take(_kind(key), key, body)
    return reading.columns(around)


def powered(body: Body) -> tuple[frozenset[str], bool]:
    """The NICs that a machine's body says are its own, and whether it runs, as far as the body says (R25)."""
    reading = _Reading()
    reading.machine("", body)
    return frozenset(reading.attached), not reading.not_running


@dataclass(slots=True)
class _Many:
    """Resources as they come by."""

    kept: dict[str, Body] = field(default_factory=dict)
    nics: _Reading = field(default_factory=lambda: _Reading())
    tables: dict[str, Table] = field(default_factory=dict)
    whole: dict[str, Body] = field(default_factory=dict)
    groups: dict[str, Body] = field(default_factory=dict)

    def take(self, kind: str, key: str, body: Body) -> None:
        if kind == NICS:
            if self.nics.nic(key, body):
                self.kept[key] = body
        elif kind == MACHINES:
            self.nics.machine(key, body)
        elif kind == TABLES:
            self.tables[key], self.whole[key] = table_of(key, body), body
        elif kind == GROUPS:
            self.groups[key] = body
        elif kind.startswith("microsoft.network/"):
            self.kept[key] = body

    def columns(self, around: Estate) -> Columns:
        self.kept.update(self.nics.appliances(self.kept))
        gateways = [key for key in _gateway_tables(self.kept) if key in self.whole]
        self.kept.update((key, self.whole[key]) for key in gateways)
        self.whole.clear()
        self.nics.unclear.update(_of_endpoints(self.kept))
        skeleton = replace(around, resources=self.kept, _views={}, _keys={})
        return Columns(
            skeleton=skeleton,
            machines=self.nics.machines(around),
            tables=self.tables,
            groups=self.groups,
            unread=tuple(self.nics.unread),
        )


def _gateway_tables(kept: Mapping[str, Body]) -> set[str]:
    """The tables of gateways' subnets: whether a gateway speaks at all hangs on them (R23)."""
    return {
        _id(_object(item.get("properties")).get("routeTable"))
        for key, body in kept.items()
        if "/virtualnetworks/" in key
        for item in _objects(_object(body.get("properties")).get("subnets"))
        if _text(item.get("name")).lower() == "gatewaysubnet"
    }


def _of_endpoints(kept: Mapping[str, Body]) -> Iterator[str]:
    """The NICs of private endpoints, which take what comes to them and are on no machine. What rows of their own make
    of the way there (R8, R49) columns don't follow."""
    for key, body in kept.items():
        if _ENDPOINTS in key:
            yield from filter(None, map(_id, _objects(_object(body.get("properties")).get("networkInterfaces"))))


def _kind(key: str) -> str:
    """The type in a lower-case id of a top-level resource; of a nested one, with its parents'."""
    parts = key.rpartition("/providers/")[2].split("/")
    return f"{parts[0]}/{parts[1]}" if len(parts) == 3 else "/".join([parts[0], *parts[1::2]])


@dataclass(slots=True)
class _Reading:
    """NICs and machines as they come by."""

    nics: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    subnets: list[int] = field(default_factory=list)
    subnet_numbers: dict[str, int] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    group_numbers: dict[str, int] = field(default_factory=lambda: {"": 0})
    applications: list[int] = field(default_factory=list)
    application_numbers: dict[tuple[str, ...], int] = field(default_factory=lambda: {(): 0})
    regions: list[int] = field(default_factory=list)
    region_numbers: dict[str, int] = field(default_factory=dict)
    holders: list[str] = field(default_factory=list)
    attached: dict[str, str] = field(default_factory=dict)
    """The machine that names a NIC as its own, by the NIC."""
    not_running: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    """Machines of which the power can't be read, NICs of which the machine can't, and those of private endpoints."""
    partial: set[str] = field(default_factory=set)
    """Machines of which a NIC can't be read."""
    unread: dict[str, None] = field(default_factory=dict)

    def nic(self, key: str, body: Body) -> bool:
        """Takes a NIC in; says whether it may be an appliance, or be one of a load balancer's members."""
        properties = _object(body.get("properties"))
        own = properties.get("networkSecurityGroup")
        group = _number(self.group_numbers, _id(own) or UNREAD) if own else 0
        location = body.get("location")
        hidden = location is not None and (not _text(location) or holds_marker(location))
        region = _number(self.region_numbers, UNREAD if hidden else normal_location(_text(location)))
        held_by = properties.get("virtualMachine")
        holder = _id(held_by) if held_by else ""
        if held_by and not holder:
            self.unclear.add(key)
        forwards = properties.get("enableIPForwarding")
        kept = forwards is True or str(forwards).lower() == "true" or holds_marker(forwards)
        if _hides_parts(body.get("properties"), "ipConfigurations"):
            self.unread[key] = None
            kept = True
        for item in _objects(properties.get("ipConfigurations")):
            given = _object(item.get("properties"))
            address, subnet = _text(given.get("privateIPAddress")), _id(given.get("subnet"))
            if holds_marker(address) or (given.get("subnet") and not subnet):
                self.unread[key] = None
                kept = True
                continue
            if not address or not subnet:
                continue
            applications = given.get("applicationSecurityGroups")
            named = tuple(sorted(map(_id, _objects(applications)))) if applications else ()
            if "" in named:
                # Which rules are about it can't be read: as good as a group that can't.
                group = _number(self.group_numbers, UNREAD)
            self.nics.append(key)
            self.addresses.append(address)
            self.subnets.append(_number(self.subnet_numbers, subnet))
            self.groups.append(group)
            self.applications.append(_number(self.application_numbers, named) if named else 0)
            self.regions.append(region)
            self.holders.append(holder)
            kept = kept or bool(given.get("loadBalancerBackendAddressPools"))
        return kept

    def machine(self, key: str, body: Body) -> None:
        properties = _object(body.get("properties"))
        profile = properties.get("networkProfile")
        if holds_marker(profile) or _hides_parts(profile, "networkInterfaces"):
            self.partial.add(key)
        for item in _objects(_object(profile).get("networkInterfaces")):
            nic = _id(item)
            if nic:
                self.attached[nic] = key
            else:
                self.partial.add(key)
        power, view = "", properties.get("instanceView")
        if view:
            codes = [_text(item.get("code")) for item in _objects(_object(view).get("statuses"))]
            if any(map(holds_marker, codes)) or _hides_parts(view, "statuses"):
                self.unclear.add(key)
            power = next((code[11:] for code in codes if code.startswith("PowerState/")), "")
        if power in _NOT_RUNNING or (not power and _text(properties.get("provisioningState")).lower() == "creating"):
            self.not_running.add(key)

    def appliances(self, kept: Mapping[str, Body]) -> dict[str, Body]:
        """The machines that hold the NICs we kept, as much of each as routing asks for."""
        wanted = {self.attached[key] for key in kept if key in self.attached} | self.partial
        found = {key: self._powered(key) for key in wanted}
        for nic, key in self.attached.items():
            if key in wanted:
                found[key]["properties"]["networkProfile"]["networkInterfaces"].append({"id": nic})
        for key in self.partial:
            found[key]["properties"]["networkProfile"]["networkInterfaces"].append({"id": "<unread>"})
        return found

    def _powered(self, key: str) -> dict[str, Any]:
        state = "<unread>" if key in self.unclear else "deallocated" if key in self.not_running else "running"
        view = {"statuses": [{"code": f"PowerState/{state}"}]}
        return {"id": key, "properties": {"networkProfile": {"networkInterfaces": []}, "instanceView": view}}

    def machines(self, around: Estate) -> Machines:
        stopped = around.outside.stopped | around.outside.down
        holders = [self.attached.get(nic, held) for nic, held in zip(self.nics, self.holders, strict=True)]
        off = self.not_running | stopped
        runs = [
            bool(held) and held not in off and nic not in stopped for nic, held in zip(self.nics, holders, strict=True)
        ]
        return Machines(
            nics=self.nics,
            addresses=positions(self.addresses),
            subnets=np.array(self.subnets, dtype=np.int32),
            subnet_keys=list(self.subnet_numbers),
            groups=np.array(self.groups, dtype=np.int32),
            group_keys=list(self.group_numbers),
            application_groups=np.array(self.applications, dtype=np.int32),
            application_sets=list(self.application_numbers),
            regions=np.array(self.regions, dtype=np.int32),
            region_names=list(self.region_numbers),
            holders=holders,
            runs=np.array(runs, dtype=bool),
            unclear=np.array(
                [nic in self.unclear or held in self.unclear for nic, held in zip(self.nics, holders, strict=True)]
                if self.unclear
                else np.zeros(len(self.nics)),
                dtype=bool,
            ),
        )


def table_of(key: str, body: Body) -> Table:
    """A route table's body as its rows. What its newer fields do is not known (R12)."""
    properties = _object(body.get("properties"))
    prefixes, kinds, hops = [], [], []
    unclear = _hides_parts(body.get("properties"), "routes")
    for item in _objects(properties.get("routes")):
        given = _object(item.get("properties"))
        prefix, kind, hop = (_text(given.get(name)) for name in ("addressPrefix", "nextHopType", "nextHopIpAddress"))
        unclear = unclear or any(map(holds_marker, (prefix, kind, hop))) or _is_set(given.get("hasBgpOverride"))
        prefixes.append(prefix)
        kinds.append(kind)
        hops.append(hop)
    flag = properties.get("disableBgpRoutePropagation", False)
    propagates, unclear = not _is_set(flag), unclear or holds_marker(flag)
    unclear = unclear or _text(properties.get("disablePeeringRoute")).lower() not in ("", "none")
    return Table(
        key=key,
        propagates=propagates,
        prefixes=tuple(prefixes),
        next_hop_types=tuple(kinds),
        next_hops=tuple(hops),
        unclear=unclear,
    )


def _number(numbers: dict[Any, int], key: Any) -> int:
    found = numbers.get(key)
    if found is None:
        found = numbers[key] = len(numbers)
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _hides_parts(properties: Any, name: str) -> bool:
    """Whether a marker stands in place of an object, of a list in it, or of what that list holds."""
    items = properties.get(name) if isinstance(properties, dict) else properties
    if not isinstance(items, list):
        return holds_marker(items)
    return any(
        holds_marker(item) or (isinstance(item, dict) and holds_marker(item.get("properties"))) for item in items
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_set(flag: Any) -> bool:
    return str(flag).lower() == "true"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(value: Any) -> str:
    """The lower-case id in `{"id": ..}`; empty where there is none, or a marker stands there."""
    text = value.get("id") if isinstance(value, dict) else None
    return text.lower().rstrip("/") if isinstance(text, str) and text.startswith("/") else ""
