"""Microsoft.Network/routeTables and their routes (R7, R12, L24)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.network.addresses import prefix
from farshore.lab.network.references import subnets_with
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType, child_of

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

HOPS = {name.lower(): name for name in ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")}
MOST_ROUTES = 400
"""R34, without Virtual Network Manager."""


@resource_type("Microsoft.Network/routeTables")
class RouteTables(ResourceType):
    forwards = True
    nested = ("routes",)
    read_only = ("provisioningState", "resourceGuid", "subnets")

    def validate(self, put: Put) -> None:
        routes = put.properties.get("routes") or []
        if len(routes) > MOST_ROUTES:
            raise bad_request("RouteTableTooManyRoutes", f"{put.id.text} has more than {MOST_ROUTES} routes.")
        seen: dict[str, str] = {}
        for route in routes:
            inner = child_of(put, "routes", route)
            check_route(inner)
            _check_once(inner, seen)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "properties": {"disableBgpRoutePropagation": False, **body["properties"]}}

    def seed(self, cloud: Cloud, body: Body) -> Body:
        return {**body, "properties": {key: item for key, item in body["properties"].items() if key != "subnets"}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        used = subnets_with(cloud, id_)
        if not used:
            return body
        return {**body, "properties": {**body["properties"], "subnets": [{"id": item} for item in used]}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = subnets_with(cloud, id_)
        if used:
            raise Refused(
                400,
                "InUseRouteTableCannotBeDeleted",
                f"Route table {id_.name} is in use and cannot be deleted. It is used by {', '.join(used)}.",
            )


@resource_type("Microsoft.Network/routeTables/routes")
class Routes(ResourceType):
    tracked = False
    forwards = True

    def validate(self, put: Put) -> None:
        table = put.id.parent
        assert table is not None
        check_route(put)
        others = {
            str(body["properties"].get("addressPrefix")): str(body["name"])
            for body in put.cloud.children(table, "routes")
            if str(body["id"]).lower() != put.id.key
        }
        _check_once(put, others)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties: dict[str, Any] = {**body["properties"], "hasBgpOverride": False}
        kind = str(properties.get("nextHopType"))
        properties["nextHopType"] = HOPS.get(kind.lower(), kind)
        if properties["nextHopType"] != "VirtualAppliance":
            properties.pop("nextHopIpAddress", None)
        return {**body, "properties": properties}


def _check_once(put: Put, seen: dict[str, str]) -> None:
    """One route a prefix."""
    other = seen.setdefault(str(put.properties["addressPrefix"]), put.id.name)
    if other != put.id.name:
        raise bad_request(
            "RouteConflict",
            f"Route {put.id.name} conflicts with route {other}. Routes cannot have the same AddressPrefix.",
        )


def check_route(put: Put) -> None:
    """R7, and L22 for the prefix; a text without a slash is a service tag (R18)."""
    text = str(put.properties.get("addressPrefix") or "")
    if not text:
        raise bad_request("InvalidRequestFormat", f"Route {put.id.text} has no addressPrefix.")
    if "/" in text:
        prefix(text, put.id.text)
    kind = str(put.properties.get("nextHopType") or "")
    if kind.lower() not in HOPS:
        raise bad_request("InvalidRequestFormat", f"Route {put.id.text}: '{kind}' is no next hop type.")
    hop = put.properties.get("nextHopIpAddress")
    appliance = HOPS[kind.lower()] == "VirtualAppliance"
    if appliance and not hop:
        raise bad_request(
            "RouteNextHopIpAddressRequired",
            f"Route {put.id.text} has next hop type VirtualAppliance and no nextHopIpAddress.",
        )
    if not appliance and hop:
        raise bad_request(
            "RouteNextHopIpAddressNotAllowed",
            f"Route {put.id.text} has next hop type {kind}, which takes no nextHopIpAddress.",
        )
    if appliance:
        prefix(f"{hop}/32" if ":" not in str(hop) else f"{hop}/128", put.id.text)
