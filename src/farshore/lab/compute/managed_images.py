"""Microsoft.Compute/images: shape only. What machines can be made from, taken of a machine or of disks and snapshots.

Shown as Azure shows them (recorded): each disk with its caching and kind, its size once the operation is over. Nobody
reads bytes from them: a machine of the lab that names one starts as from any image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.merging import merged
from farshore.lab.patterns import COMPUTE
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SOURCES = ("snapshot", "managedDisk")
USUAL = {"caching": "None", "storageAccountType": "Standard_LRS"}


@resource_type("Microsoft.Compute/images")
class ManagedImages(ResourceType):
    pattern = COMPUTE
    shape_only = True
    put_takes = "disks.put"
    delete_takes = "disks.delete"

    def validate(self, put: Put) -> None:
        system = (put.properties.get("storageProfile") or {}).get("osDisk")
        if system is None and not put.properties.get("sourceVirtualMachine"):
            raise bad_request("InvalidParameter", "Required parameter 'osDisk' is missing (null).", "osDisk")
        for entry in _entries(put.properties):
            for name in SOURCES:
                if name in entry:
                    must_have(put.cloud, _id(entry[name]), put.id.text)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        profile = body["properties"].get("storageProfile") or {}
        shown: Body = {"dataDisks": [], "zoneResilient": False, **profile}
        if isinstance(shown.get("osDisk"), dict):
            shown["osDisk"] = _shown(shown["osDisk"])
        shown["dataDisks"] = [_shown(entry) for entry in shown["dataDisks"]]
        properties = {"hyperVGeneration": "V1", **body["properties"], "storageProfile": shown}
        return {**body, "properties": properties}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is None:
            return
        profile = body["properties"]["storageProfile"]
        sized = {**profile, "dataDisks": [_sized(cloud, entry) for entry in profile["dataDisks"]]}
        if "osDisk" in profile:
            sized["osDisk"] = _sized(cloud, profile["osDisk"])
        cloud.write(id_, {**body, "properties": {**body["properties"], "storageProfile": sized}})

    def patch(self, call: Call) -> Response:
        """Takes its time whatever it changes, tags too (recorded)."""
        body, sent = call.must_exist(), call.object()
        return self.write(call, {**merged(body, sent), **({"tags": sent["tags"]} if "tags" in sent else {})})


def _entries(properties: Body) -> list[Body]:
    profile = properties.get("storageProfile") or {}
    return [entry for entry in (profile.get("osDisk"), *(profile.get("dataDisks") or [])) if isinstance(entry, dict)]


def _id(reference: Any) -> str | None:
    """The id of what an entry names; some clients leave out its first slash."""
    text = reference.get("id") if isinstance(reference, dict) else None
    return None if text is None else "/" + str(text).lstrip("/")


def _shown(entry: Body) -> Body:
    named = {name: {"id": _id(entry[name])} for name in SOURCES if name in entry}
    return {**USUAL, **entry, **named}


def _sized(cloud: Cloud, entry: Body) -> Body:
    for name in SOURCES:
        held = cloud.body(str(_id(entry.get(name))))
        if held is not None:
            return {"diskSizeGB": held["properties"].get("diskSizeGB"), **entry}
    return entry
