"""Microsoft.Network/virtualNetworks/subnets: ranges of a network, and what each of them is for.

GatewaySubnet takes no security group (L33). What is in use can't be deleted or given another range (L23). A service
endpoint shows the regions that it covers (R22).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Network
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import versions
from farshore.lab.answers import Refused, bad_request
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network.addresses import inside, overlapping, prefixes_of, space_of
from farshore.lab.network.references import SUBNETS, in_use, ref, subnet_links
from farshore.lab.network.subnet_services import actions_of
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GATEWAY_SUBNET = "gatewaysubnet"
DEDICATED = ("microsoft.hardwaresecuritymodules/dedicatedhsms", "microsoft.netapp/volumes")
"""Services whose hardware stands in the subnet (recorded for the first)."""
POLICIES = ("Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled")
"""What endpoints may be governed by, in the spelling in which it is shown, however it was sent (recorded)."""


@resource_type(SUBNETS)
class Subnets(ResourceType):
    tracked = False
    forwards = True
    read_only = ("provisioningState", "ipConfigurations", "purpose")

    def validate(self, put: Put) -> None:
        network = put.id.parent
        assert network is not None
        siblings = [
            prefixes_of(body["properties"], str(body["id"]))
            for body in put.cloud.children(network, "subnets")
            if resource_id(str(body["id"])) != put.id
        ]
        self.check(put, space_of(put.cloud.body(network)), siblings)

    def check(self, put: Put, space: Iterable[Network], siblings: Iterable[Iterable[Network]]) -> None:
        """A subnet against its network's space (L20) and the subnets beside it (L21)."""
        network = put.id.parent
        assert network is not None
        own = prefixes_of(put.properties, put.id.text)
        if not own:
            raise bad_request("InvalidRequestFormat", f"Subnet {put.id.text} has no address prefix.")
        if not all(inside(item, space) for item in own):
            raise bad_request(
                "NetcfgSubnetRangeOutsideVnet",
                f"Subnet '{put.id.name}' is not valid because its IP address range is outside the IP address range of "
                f"virtual network '{network.name}'.",
            )
        for other in siblings:
            if overlapping(own, other):
                raise bad_request(
                    "NetcfgSubnetRangesOverlap",
                    f"Subnet '{put.id.name}' is not valid because its IP address range overlaps with that of an "
                    f"existing subnet in virtual network '{network.name}'.",
                )
        _check_use(put, own)
        _check_references(put)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        policies = "privateEndpointNetworkPolicies"
        properties = {
            "delegations": [],
            policies: versions.default(self.type, policies, put.query, "Disabled"),
            "privateLinkServiceNetworkPolicies": "Enabled",
            **body["properties"],
        }
        for name in (policies, "privateLinkServiceNetworkPolicies"):
            word = str(properties[name])
            properties[name] = next((known for known in POLICIES if known.lower() == word.lower()), word)
        properties["delegations"] = [_delegation(put.id, item) for item in properties["delegations"] or []]
        if any(_service(item).lower() in DEDICATED for item in properties["delegations"]):
            properties["purpose"] = "HostedWorkloads"
        before = {_endpoint_of(item) for item in put.before_properties.get("serviceEndpoints") or []}
        endpoints = [_endpoint(item, put, before) for item in properties.get("serviceEndpoints") or []]
        if endpoints:
            properties["serviceEndpoints"] = endpoints
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = body["properties"]
        if properties.get("delegations"):
            etag = cloud.etag(id_)
            items = [{**item, "etag": etag} for item in properties["delegations"] if isinstance(item, dict)]
            properties = {**properties, "delegations": items}
        if properties.get("serviceEndpoints") and properties.get("provisioningState") != "Updating":
            items = [_endpoint_ready(item) for item in properties["serviceEndpoints"]]
            properties = {**properties, "serviceEndpoints": items}
        used = in_use(cloud, id_)
        if used:
            properties = {**properties, "ipConfigurations": [{"id": item} for item in used]}
        return {**body, "properties": properties}

    def links(self, body: Body) -> Iterator[Link]:
        return subnet_links(body)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {key: value for key, value in body["properties"].items() if key != "ipConfigurations"}
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = in_use(cloud, id_)
        if used:
            raise Refused(
                400,
                "InUseSubnetCannotBeDeleted",
                f"Subnet {id_.name} is in use by {used[0]} and cannot be deleted. In order to delete the subnet, "
                "delete all the resources within the subnet.",
            )


def _service(delegation: Body) -> str:
    return str((delegation.get("properties") or {}).get("serviceName") or "")


def _delegation(subnet: ResourceId, item: Body) -> Body:
    """With what the service may do there."""
    name = str(item.get("name") or "0")
    return {
        "name": name,
        "id": f"{subnet.text}/delegations/{name}",
        "properties": {
            "actions": actions_of(_service(item)),
            **(item.get("properties") or {}),
            "provisioningState": "Succeeded",
        },
        "type": "Microsoft.Network/virtualNetworks/subnets/delegations",
    }


def _check_use(put: Put, own: tuple[Network, ...]) -> None:
    """A range in use stays (L23); one more prefix beside it is welcome."""
    if put.created or not in_use(put.cloud, put.id):
        return
    before = prefixes_of(put.before_properties, put.id.text)
    if not set(before) <= set(own):
        raise bad_request(
            "InUseSubnetCannotBeUpdated",
            f"Subnet {put.id.name} is in use and its address prefix cannot be changed.",
        )


def _check_references(put: Put) -> None:
    for kind in ("routeTable", "networkSecurityGroup"):
        target = ref(put.body, kind)
        if target is None:
            continue
        if kind == "networkSecurityGroup" and put.id.name.lower() == GATEWAY_SUBNET:
            raise bad_request(
                "NetworkSecurityGroupCannotBeAttachedToGatewaySubnet",
                f"Network security group {target} cannot be attached to gateway subnet {put.id.text}.",
            )
        must_have(put.cloud, target, f"{put.id.text}")
        there, here = put.cloud.region_of(resource_id(target)), put.location
        if there != here:
            raise bad_request(
                "InvalidResourceReference",
                f"Resource {target} referenced by {put.id.text} is in region {there}, not in {here}. Both resources "
                "must be in the same region.",
            )


def _endpoint(item: Any, put: Put, before: Collection[str]) -> Any:
    """A new one is under way with its subnet (recorded)."""
    if not isinstance(item, dict):
        return item
    service = _endpoint_of(item)
    places = item.get("locations") or (["*"] if service.endswith(".global") else [put.location])
    state = "Succeeded" if service in before else "Updating"
    return {**item, "provisioningState": state, "locations": places}


def _endpoint_of(item: Any) -> str:
    return str(item.get("service", "")).lower() if isinstance(item, dict) else ""


def _endpoint_ready(item: Any) -> Any:
    return {**item, "provisioningState": "Succeeded"} if isinstance(item, dict) else item


@view(SUBNETS, "ServiceAssociationLinks")
def service_links(call: Call) -> Response:
    """What services of Azure have put into a subnet: nothing, in this lab."""
    call.must_exist()
    return Response(status=200, body={"value": []})


@view(SUBNETS, "ResourceNavigationLinks")
def navigation_links(call: Call) -> Response:
    return service_links(call)
