"""replicationProtectionContainers: what holds a region's protected items (S2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.recovery.names import CONTAINER_MAPPINGS, CONTAINERS, region_name
from farshore.lab.recovery.objects import RecoveryType, affected_fabric, fabric_location, fabric_of, removes
from farshore.lab.registry import resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(CONTAINERS)
class Containers(RecoveryType):
    noun = "protection container"
    kind = "ProtectionContainer"
    titles: ClassVar = {"Create": ("CreateCloud", "Create protection container")}
    tasks: ClassVar = {
        "Create": (
            ("CreateCloudPreflightChecksTask", "Prerequisites check for protection container creation"),
            ("CreateCloudTask", "Creating protection container"),
        )
    }

    def affected(self, cloud: Cloud, id_: ResourceId) -> Body:
        fabric = fabric_of(id_)
        return affected_fabric(cloud, fabric, region_name(fabric_location(cloud, fabric)))

    def built(self, put: Put) -> Body:
        return {
            "fabricFriendlyName": region_name(fabric_location(put.cloud, fabric_of(put.id))),
            "friendlyName": put.id.name,
            "fabricType": "Azure",
            "protectedItemCount": 0,
            "pairingStatus": "NotPaired",
            "role": "",
            "fabricSpecificDetails": None,
        }

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Counted when asked: items, and whether a mapping joins this container to another. One from which a mapping
        goes has a role (recorded)."""
        counted = {
            "protectedItemCount": len(cloud.children(id_, "replicationProtectedItems")),
            "pairingStatus": "Paired" if _is_paired(cloud, id_) else "NotPaired",
            "role": "Primary" if cloud.children(id_, "replicationProtectionContainerMappings") else "",
        }
        return {**body, "properties": {**body["properties"], **counted}}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for kind, word in (
            ("replicationProtectedItems", "protected items"),
            ("replicationProtectionContainerMappings", "mappings"),
        ):
            if cloud.children(id_, kind):
                raise Refused(409, "ContainerInUse", f"Protection container {id_.name} has {word}. Remove them first.")
        for mapping in cloud.of_type(CONTAINER_MAPPINGS):
            if str(mapping["properties"].get("targetProtectionContainerId")).lower() == id_.key:
                message = f"Protection container {id_.name} is the target of the mapping {mapping['name']}."
                raise Refused(409, "ContainerInUse", message)


# There is no DELETE (recorded).
removes(CONTAINERS)


def _is_paired(cloud: Cloud, id_: ResourceId) -> bool:
    for mapping in cloud.of_type(CONTAINER_MAPPINGS):
        properties = mapping["properties"]
        ends = (str(mapping["id"]).lower(), str(properties.get("targetProtectionContainerId")).lower())
        if ends[0].startswith(id_.key + "/") or ends[1] == id_.key:
            return True
    return False
