"""farshore.yaml, version 1: what ARM cannot know (contract, "farshore.yaml").

Read with line numbers, so that every complaint names its place. An unknown key is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.estate.outside import Site


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
class Machines:
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    boot_order: tuple[tuple[str, ...], ...] = ()


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
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
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
    objectives: tuple[Objective, ...] = ()
    provision_ahead: tuple[str, ...] = ("all",)
    drill: Drill = Drill()
    approvals: Approvals = Approvals()
    lab: LabSettings = LabSettings()
    file: str = "farshore.yaml"
    lines: tuple[tuple[str, int], ...] = ()
    """Path (`sites/datacenter/routers/ce1`) to line, for messages and findings."""


def read_project(path: Path, resources: list[Any] | None = None) -> Project:
    """The project of one farshore.yaml. Router circuits given by name are resolved against `resources`.

    Raises `InputError` with file, line, value and expectation.
    """
    raise NotImplementedError
