"""farshore.yaml, version 1: what ARM cannot know (docs/guide/project-file.md).

The file alone gives a `Project` (`estate/project_reading.py`), read with line numbers, so that every complaint names
its place; an unknown key is an error. What its names mean (circuits, machines, appliances) only an estate can say:
`Project.resolved` asks it (`estate/resolving.py`), and `Estate.from_resources(resources, project)` does so by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.estate.checks import Check
from farshore.estate.outside import Site

if TYPE_CHECKING:
    from farshore.estate.estate import Estate

SURVIVABLE = ("circuit-link", "circuit", "peering-location", "gateway-instance", "appliance")
"""The single failures that an objective can promise to survive."""

PROVISIONABLE = (
    "securityGroups",
    "networks",
    "routeTables",
    "appliances",
    "gateway",
    "peerings",
    "sites",
    "connection",
)
"""What can be made ready before a disaster, in the order of building. Networks and security groups are ready before in
any case, because replication needs them (S11); `link` decides about the connection before this list does."""

MAXIMUM_BOOT_GROUPS = 7
"""A recovery plan's limit (S52)."""
MAXIMUM_GROUP = 16
"""Machines of one replication group (S58)."""


WHOLE = "{name}"
"""The pattern that every name has."""


class Topology(StrEnum):
    TWO_CIRCUITS_TWO_LOCATIONS = "two-circuits-two-locations"
    TWO_CIRCUITS_ONE_LOCATION = "two-circuits-one-location"
    TWO_CIRCUITS_NEW_ADDRESSES = "two-circuits-new-addresses"
    SINGLE_CIRCUIT_KEPT_ADDRESSES = "single-circuit-kept-addresses"
    SINGLE_CIRCUIT_NEW_ADDRESSES = "single-circuit-new-addresses"


class Link(StrEnum):
    """The target hub's connection before a failover."""

    COLD = "cold"
    SILENT = "silent"
    ARMED = "armed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressMap:
    """One row of `addresses.map`; the prefixes have equal length."""

    from_: Network
    to: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    region: str
    resource_group: str
    names: str
    """A pattern for names in the target, `{name}` being the source's: `{name}-asr`."""
    of: str = WHOLE
    """The pattern that names of the source have: of `{name}-asr` only what stands for `{name}` is the name. One that
    does not fit is a name as a whole."""

    def name(self, source: str) -> str:
        """What a resource of the source is called in the target."""
        before, _, behind = self.of.partition("{name}")
        kept = source[len(before) : len(source) - len(behind)]
        fits = bool(kept) and f"{before}{kept}{behind}".lower() == source.lower()
        return self.names.replace("{name}", kept if fits else source)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChange:
    """How a preference or filter at a site is changed: by a person, or by a command of the user's."""

    command: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """How one appliance gets to the target (S32): an `existing` NIC or load balancer, a template, or by hand."""

    source: ResourceId
    existing: ResourceId | None = None
    template: str | None = None
    manual: bool = False
    stateful: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a machine stands in the target region (S12): a zone or an availability set, and groups of its own."""

    zone: str | None = None
    availability_set: ResourceId | None = None
    proximity_placement_group: ResourceId | None = None
    capacity_reservation_group: ResourceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    boot_order: tuple[tuple[str, ...], ...] = ()
    consistency_groups: tuple[tuple[str, ...], ...] = ()
    """Machines whose recovery points are of one moment (S58)."""
    placement: tuple[tuple[str, Placement], ...] = ()
    """By name, id or pattern; the first that fits a machine is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Who changes the records that a failover makes wrong: a person, or a command of the user's."""

    command: tuple[str, ...] | None = None


class Asymmetry(StrEnum):
    """How far a flow and its reply may go different ways."""

    STATELESS = "stateless"
    """Wherever nothing stateful sees only one of them (R39, E44)."""
    NONE = "none"
    """Nowhere: the reply comes back by the same routers, circuits, gateways and appliances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Who must (or, with `deny`, must not) reach whom, through what, within what time, despite which failures."""

    name: str
    from_: str
    to: str
    ports: tuple[str, ...] = ("tcp/443",)
    through: str | None = None
    deny: bool = False
    recovery_time: timedelta = timedelta(minutes=60)
    recovery_point: timedelta = timedelta(minutes=15)
    survive: tuple[str, ...] = ()
    asymmetry: Asymmetry = Asymmetry.STATELESS
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A circuit that gets more bandwidth in a failover, once somebody has approved it: it never shrinks again (E6)."""

    circuit: ResourceId
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Where a test failover's machines stand (D16): a network that exists, or the ranges of one to make. With neither,
    `Project.resolved` chooses ranges that nothing else has."""

    network: ResourceId | None = None
    address_space: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    failover: tuple[str, ...] = ()
    quorum: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSettings:
    seed: int = 1
    speed: str = "jump"
    write_rate_bytes_per_second: int | None = None
    throttling: bool = True
    """Whether requests are counted and refused as ARM does (L1)."""
    runbooks: bool = False
    """Whether a served lab runs Automation's Python runbooks as programs of this user."""
    durations: Mapping[str, tuple[float, float | None]] = field(default_factory=dict, hash=False)
    """How long things take in the lab: a name of its table to typical seconds and spread (None: the table's own)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    version: int
    name: str
    cloud: str
    source_region: str
    target: Target
    topology: Topology
    link: Link
    keep_addresses: bool
    address_map: tuple[AddressMap, ...]
    sites: tuple[Site, ...]
    site_changes: tuple[tuple[str, SiteChange], ...]
    """By site name, in the order of `sites`."""
    appliances: tuple[Appliance, ...] = ()
    machines: Machines = Machines()
    disk_encryption_sets: tuple[tuple[ResourceId, ResourceId], ...] = ()
    """The source's disk encryption sets to the target's (S63)."""
    dns: Dns = Dns()
    objectives: tuple[Objective, ...] = ()
    checks: tuple[Check, ...] = ()
    """What is asked of machines that have moved."""
    loads: tuple[tuple[str, float], ...] = ()
    """Site to the megabits a second that were measured between it and the machines, where somebody has."""
    raise_bandwidth: tuple[Raise, ...] = ()
    replace_vault: bool = False
    """Whether machines that a vault in the source's region protects are let go of there, and protected anew (S10)."""
    provision_ahead: tuple[str, ...] = ("all",)
    drill: Drill = Drill()
    approvals: Approvals = Approvals()
    lab: LabSettings = LabSettings()
    file: str = "farshore.yaml"
    lines: tuple[tuple[str, int], ...] = ()
    """Path (`sites/datacenter/routers/ce1`) to line, for messages and findings."""
    given: frozenset[str] = frozenset()
    """The keys that the file has at its top: what is absent there is a default."""

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of the nearest thing around it; None where the file says nothing of it."""
        known = dict(self.lines)
        while path and path not in known:
            path = path.rpartition("/")[0]
        return known.get(path) if path else None

    def provisions_ahead(self, kind: str) -> bool:
        """Whether things of this kind (`PROVISIONABLE`) are built before a disaster. `link` wins: a cold link has no
        connection ahead, and one that is up needs all that makes it safe (D85). But whoever asks for nothing ahead has
        asked for the article's own order, the network after the machines."""
        assert kind in PROVISIONABLE, f"{kind} is not among {PROVISIONABLE}"
        if kind == "connection" and self.link is Link.COLD:
            return False
        asked = "all" in self.provision_ahead or kind in self.provision_ahead
        return asked or (self.link is not Link.COLD and "none" not in self.provision_ahead)

    def change_of(self, site: str) -> SiteChange:
        """How a preference or filter is changed at a site."""
        return dict(self.site_changes).get(site, SiteChange())

    @property
    def single_circuit(self) -> bool:
        return self.topology.value.startswith("single-circuit")

    def resolved(self, estate: Estate) -> Project:
        """The project with its names found in the estate; `InputError` with the line for one that is not there."""
        from farshore.estate.resolving import resolve

        return resolve(self, estate)


def read_project(path: Path, resources: list[Any] | None = None) -> Project:
    """The project of one farshore.yaml. Router circuits given by name are resolved against `resources`.

    Raises `InputError` with file, line, value and expectation.
    """
    from farshore.estate.files import read_text
    from farshore.estate.project_reading import parse_project

    project = parse_project(read_text(path), file=str(path), folder=path.parent)
    if resources is None:
        return project
    from farshore.estate.reading import read_resources

    return project.resolved(read_resources(resources, None))


def new_project_yaml(estate: Estate | None, name: str) -> str:
    """The text of a farshore.yaml to begin with: what the estate shows, and every default written out with a word."""
    from farshore.estate.project_text import project_text

    return project_text(estate, name)
