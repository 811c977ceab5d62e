"""One resource told twice, and children in their parent.

Azure shows subnets, peerings, routes, rules and a circuit's peerings inside their parent; templates, exports and
single GETs show them alone; many inventories hold both. We keep each child in one place, its parent, wherever it came
from. What two tellings of a resource must agree on is everything that somebody chose. What Azure says about a
resource by itself (etags, provisioning states, back references) may differ or be missing without meaning anything.
An absent property is a telling too: Azure omits what is not set, so that a subnet with a route table and the same
subnet without one are two different bodies, and nobody can say which of them is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location

NESTED: Mapping[str, str] = {
    "microsoft.network/virtualnetworks/subnets": "subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "virtualNetworkPeerings",
    "microsoft.network/routetables/routes": "routes",
    "microsoft.network/networksecuritygroups/securityrules": "securityRules",
    "microsoft.network/expressroutecircuits/peerings": "peerings",
    "microsoft.network/expressroutecircuits/authorizations": "authorizations",
    "microsoft.network/expressroutecircuits/peerings/connections": "connections",
    "microsoft.network/loadbalancers/backendaddresspools": "backendAddressPools",
    "microsoft.network/loadbalancers/inboundnatrules": "inboundNatRules",
}
"""Child types that Azure shows inside their parent's `properties`, by the list that holds them. The list has the name
of the child's type segment, in Azure's spelling."""

LISTS_OF: Mapping[str, tuple[str, ...]] = {
    parent: tuple(name for kind, name in NESTED.items() if kind.rsplit("/", 1)[0] == parent)
    for parent in {kind.rsplit("/", 1)[0] for kind in NESTED}
}
"""The lists of children that a parent's type holds."""


class DisagreementError(Exception):
    """Two bodies of one resource differ."""

    def __init__(self, first: str, second: str, path: str, left: object, right: object) -> None:
        super().__init__(path)
        self.first, self.second, self.path, self.left, self.right = first, second, path, left, right


def child_id(parent: ResourceId, list_name: str, child: Body) -> ResourceId | None:
    """The id of a nested child: its own if it has one under this parent, else its parent's and its name."""
    text = child.get("id")
    if isinstance(text, str) and text:
        return resource_id(text)
    name = child.get("name")
    return parent.child(list_name, name.rsplit("/", 1)[-1]) if isinstance(name, str) and name else None


def with_named_children(body: Body, id_: ResourceId) -> Body:
    """The body with an id and a name on every nested child; the same object where nothing was missing.

    A child with neither raises `KeyError` that says where it stands.
    """
    properties = body.get("properties")
    lists = LISTS_OF.get(id_.type.lower())
    if not lists or not isinstance(properties, dict):
        return body
    changed: dict[str, list[Any]] = {}
    for list_name in lists:
        children = properties.get(list_name)
        if not isinstance(children, list):
            continue
        named = [_named(child, index, id_, list_name) for index, child in enumerate(children)]
        if len({child["id"].lower() for child in named}) < len(named):
            named = _each_once(named)
        if len(named) != len(children) or any(new is not old for new, old in zip(named, children, strict=True)):
            changed[list_name] = named
    return {**body, "properties": {**properties, **changed}} if changed else body


def _named(child: Any, index: int, parent: ResourceId, list_name: str) -> Any:
    place = f"properties.{list_name}[{index}]"
    own = child_id(parent, list_name, child) if isinstance(child, dict) else None
    if own is None:
        raise KeyError(place)
    if own.parent != parent:
        raise KeyError(f"{place}.id")
    if child.get("id") and child.get("name") == own.name:
        return with_named_children(child, own)
    return with_named_children({**child, "name": own.name, "id": child.get("id") or own.text}, own)


def with_children(body: Body, list_name: str, children: list[Body]) -> Body:
    """The parent with these children in its list: merged with what it holds already, else appended in order."""
    properties = body.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    held = properties.get(list_name)
    all_children = [*(held if isinstance(held, list) else ()), *children]
    return {**body, "properties": {**properties, list_name: _each_once(all_children)}}


def _each_once(children: list[Body]) -> list[Body]:
    by_key: dict[str, Body] = {}
    for child in children:
        key = resource_id(child["id"]).key
        by_key[key] = merged(by_key[key], child) if key in by_key else child
    return list(by_key.values())


def merged(first: Body, second: Body) -> Body:
    """One body from two tellings of it; raises `DisagreementError` where they differ in what somebody chose."""
    if first is second:
        return first
    if "properties" not in first or "properties" not in second:
        # A bare reference ({"id": ..}) tells nothing about its resource.
        return {**first, **second}
    difference = first_difference(first, second)
    if difference is not None:
        path, left, right = difference
        raise DisagreementError(str(first.get("id")), str(second.get("id")), path, left, right)
    both: Body = _union(first, second)
    return both


def first_difference(first: Any, second: Any, path: str = "") -> tuple[str, object, object] | None:
    """Where two bodies first differ, and both values; None where they tell the same."""
    if isinstance(first, dict) and isinstance(second, dict):
        first, second = _plural(first), _plural(second)
        for key in [*first, *(key for key in second if key not in first)]:
            if key in VOLATILE or (not path and key in ("id", "name", "type", "apiVersion")):
                continue
            left, right = first.get(key), second.get(key)
            if (_absent(left) or _absent(right)) and (key in SHOWN or _is_back_reference(path, left or right)):
                continue
            if key == "location" and isinstance(left, str) and isinstance(right, str):
                left, right = normal_location(left), normal_location(right)
            found = first_difference(left, right, f"{path}.{key}" if path else key)
            if found is not None:
                return found
        return None
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for index, (left, right) in enumerate(zip(_in_order(first), _in_order(second), strict=True)):
            found = first_difference(left, right, f"{path}[{index}]")
            if found is not None:
                return found
        return None
    if first == second or (_absent(first) and _absent(second)) or _same_text(first, second):
        return None
    return path, first, second


VOLATILE = frozenset(
    {
        "etag",
        "provisioningState",
        "resourceGuid",
        "gatewayManagerEtag",
        "lastModifiedBy",
        "systemData",
        "timeCreated",
        "instanceView",
        "vmId",
        "uniqueId",
        "stag",
        "connectionStatus",
        "ingressBytesTransferred",
        "egressBytesTransferred",
        "hasBgpOverride",
        # The name service's own names for a NIC.
        "internalDomainNameSuffix",
        "internalFqdn",
        # A protected item's state of the moment (S13, S21).
        "eventCorrelationId",
        "managementId",
        "rpoInSeconds",
        "lastRpoCalculatedTime",
        "lastHeartbeat",
        "dataPendingInStagingStorageAccountInMB",
        "dataPendingAtSourceAgentInMB",
        "lastSuccessfulFailoverTime",
        "lastSuccessfulTestFailoverTime",
        "failoverRecoveryPointId",
        "currentScenario",
        "monitoringPercentageCompletion",
        "monitoringJobType",
        "creationTimeUtc",
        "entityId",
    }
)
"""What Azure changes by itself: never a difference, never part of a fingerprint."""

SHOWN = frozenset(
    {
        "defaultSecurityRules",
        "peeredConnections",
        "ipv6PeeringConfig",
        "virtualMachine",
        "privateEndpoints",
        "serviceAssociationLinks",
        "resourceNavigationLinks",
        "purpose",
        "delegations",
        "managedBy",
        "diskState",
        "macAddress",
        "peeringState",
        "peeringSyncLevel",
        "remoteAddressSpace",
        "remoteVirtualNetworkAddressSpace",
        "remoteBgpCommunities",
        "authorizationUseStatus",
        "privateEndpointNetworkPolicies",
        "privateLinkServiceNetworkPolicies",
        "allowPort25Out",
        "vnetEncryptionSupported",
        "disableTcpStateTracking",
        "ddosSettings",
        "type",
        "id",
        "name",
    }
)
"""What Azure shows on a resource because of another one, or by its default: one telling may lack it."""


def _is_back_reference(path: str, value: object) -> bool:
    """A list of bare ids directly under `properties`: a route table's `subnets`, a subnet's `ipConfigurations`."""
    return (
        path.endswith("properties")
        and isinstance(value, list)
        and all(isinstance(item, dict) and set(item) == {"id"} for item in value)
    )


def _absent(value: object) -> bool:
    return value is None or value == [] or value == {}


def _same_text(first: object, second: object) -> bool:
    """Ids are compared without regard to case."""
    return (
        isinstance(first, str)
        and isinstance(second, str)
        and first.startswith("/subscriptions/")
        and first.lower() == second.lower()
    )


def _plural(value: dict[str, Any]) -> dict[str, Any]:
    """`addressPrefix: x` and `addressPrefixes: [x]` tell the same."""
    many, one = value.get("addressPrefixes"), value.get("addressPrefix")
    if not many and one is None:
        return value
    rest = {key: item for key, item in value.items() if key not in ("addressPrefix", "addressPrefixes")}
    return rest | {"addressPrefixes": many or [one]}


def _in_order(items: list[Any]) -> list[Any]:
    if all(isinstance(item, dict) and isinstance(item.get("id") or item.get("name"), str) for item in items):
        return sorted(items, key=lambda item: str(item.get("id") or item.get("name")).lower())
    return items


def _union(first: Any, second: Any) -> Any:
    """Both tellings in one; what is volatile is taken from the second."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {
            key: _union(first[key], item) if not _absent(first.get(key)) else item
            for key, item in second.items()
            if not (key == "id" and key in first) and not (_absent(item) and not _absent(first.get(key)))
        }
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = zip(_in_order(first), _in_order(second), strict=True)
        return [_union(left, right) for left, right in pairs]
    return second
