"""replicationProtectionContainerMappings: one a direction; without the reverse one nothing comes home (S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery.names import CONTAINER_MAPPINGS, CONTAINERS, ITEMS, region_name, shown_id
from farshore.lab.recovery.objects import (
    RecoveryType,
    fabric_location,
    fabric_of,
    first,
    must_be_of_azure,
    must_find,
    object_,
    removes,
)
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(CONTAINER_MAPPINGS)
class ContainerMappings(RecoveryType):
    noun = "protection container mapping"
    kind = "ProtectionContainerMapping"
    put_takes = "recovery.mapping"
    patches = True

    def check(self, put: Put) -> None:
        must_be_of_azure(put.properties.get("targetProtectionContainerId"), "targetProtectionContainerId")
        target = must_find(put.cloud, put.properties.get("targetProtectionContainerId"), "targetProtectionContainerId")
        must_find(put.cloud, put.properties.get("policyId"), "policyId")
        object_(put.properties.get("providerSpecificInput"), "providerSpecificInput")
        here, there = fabric_of(put.id), fabric_of(target)
        if here == there:
            raise bad_request("InvalidParameter", "Both containers are in one region.", "targetProtectionContainerId")
        policy = str(put.properties.get("policyId")).lower()
        for other in mappings(put.cloud, container_of(put.id)):
            same = (str(other["properties"]["policyId"]).lower(), target_of(other))
            if other["name"].lower() != put.id.name.lower() and same == (policy, target.key):
                raise Refused(409, "ContainerMappingExists", f"These containers are paired by {other['name']} already.")

    def built(self, put: Put) -> Body:
        cloud = put.cloud
        said = {**put.before_properties, **put.properties}
        target = must_find(cloud, said.get("targetProtectionContainerId"), "targetProtectionContainerId")
        policy = must_find(cloud, said.get("policyId"), "policyId")
        before = put.before_properties.get("providerSpecificDetails") or {}
        given = {**before, **object_(first(put.properties, "providerSpecificInput"), "providerSpecificInput")}
        return {
            "targetProtectionContainerId": shown_id(target),
            "targetProtectionContainerFriendlyName": target.name,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "agentAutoUpdateStatus": given.get("agentAutoUpdateStatus") or "Disabled",
                "automationAccountAuthenticationType": given.get("automationAccountAuthenticationType")
                or "RunAsAccount",
                "automationAccountArmId": given.get("automationAccountArmId"),
                "scheduleName": None,
                "jobScheduleName": None,
            },
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": shown_id(policy),
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": container_of(put.id).name,
            "sourceFabricFriendlyName": region_name(fabric_location(cloud, fabric_of(put.id))),
            "targetFabricFriendlyName": region_name(fabric_location(cloud, fabric_of(target))),
            "policyFriendlyName": policy.name,
        }

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        mapping = cloud.body(id_) or {}
        for item in cloud.of_type(ITEMS):
            under = str(item["id"]).lower().startswith(container_of(id_).key + "/")
            into = str(item["properties"].get("recoveryContainerId")).lower()
            if under and into == target_of(mapping):
                raise Refused(409, "ContainerMappingInUse", f"Machine {item['properties']['friendlyName']} uses it.")


removes(CONTAINER_MAPPINGS)


@view(CONTAINERS, "replicationProtectionContainerMappings")
def of_a_container(call: Call) -> Response:
    """Recorded: a container's list holds the mappings that lead to it, too."""
    call.must_exist()
    kind = call.cloud.type_of(call.id.child("replicationProtectionContainerMappings", "x"))
    own = mappings(call.cloud, call.id)
    other = [body for body in call.cloud.of_type(CONTAINER_MAPPINGS) if target_of(body) == call.id.key]
    return page(call, kind.rows(call, [*own, *other]))


def container_of(mapping: ResourceId) -> ResourceId:
    parent = mapping.parent
    assert parent is not None
    return parent


def target_of(mapping: Body) -> str:
    """The key of the container that a mapping leads to."""
    return str((mapping.get("properties") or {}).get("targetProtectionContainerId")).lower()


def mappings(cloud: Cloud, container: ResourceId) -> list[Body]:
    return cloud.children(container, "replicationProtectionContainerMappings")


def mapped(cloud: Cloud, container: ResourceId, target: ResourceId, policy: str | None = None) -> Body | None:
    """The mapping from one container to another, with this policy if one is named."""
    for mapping in mappings(cloud, container):
        fits = policy is None or str(mapping["properties"]["policyId"]).lower() == policy.lower()
        if target_of(mapping) == target.key and fits:
            return mapping
    return None
