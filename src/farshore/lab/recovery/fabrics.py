"""replicationFabrics: one for each region that a vault protects from or into (S1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.recovery.names import CONTAINERS, FABRICS, NETWORK_MAPPINGS, region_name
from farshore.lab.recovery.objects import RecoveryType, affected_fabric, fabric_location, must_be_ours, object_, removes
from farshore.lab.registry import action, resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(FABRICS)
class Fabrics(RecoveryType):
    noun = "fabric"
    kind = "Server"
    titles: ClassVar = {"Create": ("CreateSite", "Create a site")}
    tasks: ClassVar = {"Create": (("RegisterVmmTask", "Registering the server"),)}
    put_takes = "recovery.fabric"

    def check(self, put: Put) -> None:
        details = object_(put.properties.get("customDetails"), "customDetails")
        must_be_ours(details, "Azure")
        location = normal_location(str(details.get("location") or ""))
        if details.get("instanceType") is None or find_region(location) is None:
            raise bad_request("InvalidParameter", f"A fabric of Azure needs a region, not '{location}'.", "location")
        vault = put.id.parent
        assert vault is not None
        for other in put.cloud.children(vault, "replicationFabrics"):
            other_id = resource_id(str(other["id"]))
            if other_id != put.id and fabric_location(put.cloud, other_id) == location:
                raise Refused(409, "FabricExists", f"The vault has the fabric {other['name']} for {location} already.")

    def built(self, put: Put) -> Body:
        location = normal_location(str(put.properties["customDetails"]["location"]))
        unencrypted = {"kekState": "None", "kekCertThumbprint": None}
        return {
            "friendlyName": region_name(location),
            "encryptionDetails": unencrypted,
            "rolloverEncryptionDetails": unencrypted,
            "internalIdentifier": put.cloud.guid("fabric", put.id.key),
            "bcdrState": "Valid",
            "customDetails": {"instanceType": "Azure", "location": location, "containerIds": [], "zones": []},
            "healthErrorDetails": [],
            "health": "Normal",
        }

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        held = [str(found["id"]) for found in cloud.children(id_, CONTAINERS.rsplit("/", 1)[1])]
        details = {**(body["properties"].get("customDetails") or {}), "containerIds": held}
        return {**body, "properties": {**body["properties"], "customDetails": details}}

    def entity(self, cloud: Cloud, id_: ResourceId) -> str:
        return cloud.guid("fabric", id_.key)

    def affected(self, cloud: Cloud, id_: ResourceId) -> Body:
        return affected_fabric(cloud, id_, id_.name)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """Recorded: a list tells neither of a fabric's containers nor of its zones."""
        return [_short(body) for body in super().rows(call, found)]

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        if cloud.children(id_, CONTAINERS.rsplit("/", 1)[1]):
            raise Refused(409, "FabricInUse", f"Fabric {id_.name} has protection containers. Remove them first.")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        """Its network mappings lie below a place that is no resource: they go with it."""
        for mapping in cloud.of_type(NETWORK_MAPPINGS):
            if str(mapping["id"]).lower().startswith(id_.key + "/"):
                cloud.remove(resource_id(str(mapping["id"])))


def _short(body: Body) -> Body:
    details = {key: item for key, item in body["properties"]["customDetails"].items() if key != "zones"}
    return {**body, "properties": {**body["properties"], "customDetails": {**details, "containerIds": None}}}


removes(FABRICS)


@action(FABRICS, "checkConsistency")
def check_consistency(call: Call) -> Response:
    body = call.must_exist()
    kind: RecoveryType = call.cloud.type_of(call.id)
    return kind.job(call, "put", "Refresh", data={"body": body})
