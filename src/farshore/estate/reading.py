"""Reading resources: markers, secrets, children nested or alone, one id twice; and changing them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body

if TYPE_CHECKING:
    from farshore.estate.estate import Change, Estate
    from farshore.estate.project import Project

NESTED: Mapping[str, str] = {
    "microsoft.network/virtualnetworks/subnets": "subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "virtualNetworkPeerings",
    "microsoft.network/routetables/routes": "routes",
    "microsoft.network/networksecuritygroups/securityrules": "securityRules",
    "microsoft.network/expressroutecircuits/peerings": "peerings",
    "microsoft.network/expressroutecircuits/authorizations": "authorizations",
    "microsoft.network/expressroutecircuits/peerings/connections": "connections",
}
"""Child types that Azure shows inside their parent's `properties`, by the list that holds them."""


def read_resources(resources: list[Body], project: Project | None) -> Estate:
    """See `Estate.from_resources`."""
    raise NotImplementedError


def find(resources: Mapping[str, Body], id_: ResourceId) -> Body | None:
    """A body by id, nested children included."""
    raise NotImplementedError


def apply_changes(resources: Mapping[str, Body], changes: Iterable[Change]) -> Mapping[str, Body]:
    """A new mapping that shares every untouched body."""
    raise NotImplementedError


def canonical_resources(resources: Mapping[str, Body]) -> list[Any]:
    """Bodies in id order without what changes by itself: etags, GUIDs of state, times, provisioning states."""
    raise NotImplementedError
