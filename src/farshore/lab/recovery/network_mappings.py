"""replicationNetworkMappings: which network a machine goes to if its item names none (S5, S33).

The segment between fabric and mapping is the literal `azureNetwork`; it is no resource that anybody made. A source
network is mapped to one target network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.paging import page
from farshore.lab.recovery.names import FABRICS, NETWORK_MAPPINGS, NETWORKS, looked_up, region_name, shown_id
from farshore.lab.recovery.objects import (
    RecoveryType,
    Shown,
    fabric_location,
    fabric_of,
    must_be_ours,
    must_find,
    must_find_child,
    object_,
)
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(NETWORKS)
class Networks(Shown):
    """Only the place that mappings lie below."""


@view(NETWORKS, "replicationNetworkMappings")
def below(call: Call) -> Response:
    """The mappings of a fabric; its networks are no resources, so the place need not exist."""
    kind = call.cloud.type_of(call.id.child("replicationNetworkMappings", "x"))
    return page(call, kind.rows(call, call.cloud.children(call.id, "replicationNetworkMappings")))


@resource_type(NETWORK_MAPPINGS)
class NetworkMappings(RecoveryType):
    noun = "network mapping"
    kind = "Network"
    put_takes = "recovery.networkMapping"
    patches = True

    def full_id(self, call: Call) -> ResourceId:
        body = call.cloud.body(call.id)
        if body is not None:
            return resource_id(str(body["id"]))
        fabric = must_find(call.cloud, fabric_of(call.id).text, "fabric")
        return fabric.child("replicationNetworks", call.id.pairs[2][1]).child(*call.id.pairs[3])

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        """The fabric is the parent that must be there; `azureNetwork` is only a word."""
        if not call.cloud.exists(fabric_of(id_)):
            raise Refused(404, "ParentResourceNotFound", f"The fabric {fabric_of(id_).name} could not be found.")

    def holder(self, id_: ResourceId) -> ResourceId | None:
        return fabric_of(id_)

    def check(self, put: Put) -> None:
        cloud = put.cloud
        primary, recovery = _ends(put)
        there = _recovery_fabric(put)
        if cloud.region_of(primary) != fabric_location(cloud, fabric_of(put.id)):
            raise bad_request("InvalidParameter", f"Network {primary.name} is not in the fabric's region.")
        if cloud.region_of(recovery) != fabric_location(cloud, there):
            raise bad_request("InvalidParameter", f"Network {recovery.name} is not in {there.name}'s region.")
        other = mapped_network(cloud, fabric_of(put.id), primary)
        if put.created and other is not None:
            raise Refused(409, "NetworkMappingExists", f"Network {primary.name} is mapped to {other.name} already.")

    def built(self, put: Put) -> Body:
        cloud = put.cloud
        primary, recovery = _ends(put)
        here, there = fabric_of(put.id), _recovery_fabric(put)
        locations = fabric_location(cloud, here), fabric_location(cloud, there)
        return {
            "state": "Paired",
            "primaryNetworkFriendlyName": primary.name.lower(),
            "primaryNetworkId": looked_up(primary),
            "primaryFabricFriendlyName": region_name(locations[0]),
            "recoveryNetworkFriendlyName": recovery.name.lower(),
            "recoveryNetworkId": looked_up(recovery),
            "recoveryFabricArmId": shown_id(there),
            "recoveryFabricFriendlyName": region_name(locations[1]),
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": locations[0],
                "recoveryFabricLocation": locations[1],
            },
        }


def mapped_network(cloud: Cloud, fabric: ResourceId, network: ResourceId) -> ResourceId | None:
    """The network that a fabric's network is mapped to."""
    for body in cloud.of_type(NETWORK_MAPPINGS):
        primary = str(body["properties"].get("primaryNetworkId")).lower()
        if fabric_of(resource_id(str(body["id"]))) == fabric and primary == network.key:
            found = cloud.body(str(body["properties"]["recoveryNetworkId"]))
            return None if found is None else resource_id(str(found["id"]))
    return None


def default_network(cloud: Cloud, fabric: ResourceId, vm: Body) -> str | None:
    """The network that a machine of this fabric goes to if nobody says another."""
    for nic in attached.nics(vm):
        for config in ((cloud.body(nic) or {}).get("properties") or {}).get("ipConfigurations") or []:
            subnet = ((config.get("properties") or {}).get("subnet") or {}).get("id")
            network = resource_id(str(subnet)).parent if subnet else None
            found = None if network is None else mapped_network(cloud, fabric, network)
            if found is not None:
                return found.text
    return None


def _ends(put: Put) -> tuple[ResourceId, ResourceId]:
    before = put.before_properties
    details = object_(put.properties.get("fabricSpecificDetails"), "fabricSpecificDetails")
    must_be_ours(details, "AzureToAzure")
    primary = must_find(
        put.cloud, details.get("primaryNetworkId") or before.get("primaryNetworkId"), "primaryNetworkId"
    )
    wanted = put.properties.get("recoveryNetworkId") or before.get("recoveryNetworkId")
    return primary, must_find(put.cloud, wanted, "recoveryNetworkId")


def _recovery_fabric(put: Put) -> ResourceId:
    name = put.properties.get("recoveryFabricName")
    vault = put.id.top
    if name:
        return must_find_child(put.cloud, vault, FABRICS.rsplit("/", 1)[1], name)
    return must_find(put.cloud, put.before_properties.get("recoveryFabricArmId"), "recoveryFabricName")
