"""What Azure shows unasked of galleries and dedicated hosts, which are shape only here (recorded).

A gallery has a name that is one of all Azure's, made of its subscription and its own. A host has a number, and tells
the machines on it on a GET only; no machine of the lab stands on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.compute.gathered import without
from farshore.lab.kept import Kept
from farshore.lab.types import Put
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


class Gallery(Kept):
    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        name = f"{put.id.subscription}-{put.id.name.upper()}"
        return {**body, "properties": {**body["properties"], "identifier": {"uniqueName": name}}}


class GalleryVersion(Kept):
    """Of an image: where it is published, in how many copies."""

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {"replicaCount": 1, "excludeFromLatest": False, "storageAccountType": "Standard_LRS"}
        before = put.before_properties.get("publishingProfile") or {}
        dated = {"publishedDate": before.get("publishedDate") or stamp(put.cloud.now)}
        profile = {**usual, **(body["properties"].get("publishingProfile") or {}), **dated}
        return {**body, "properties": {**body["properties"], "publishingProfile": profile}}


class HostGroup(Kept):
    def first_answer(self, put: Put) -> Body | None:
        shown = super().first_answer(put)
        return None if shown is None else without(shown, ("hosts",))

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        hosts = [{"id": host["id"]} for host in cloud.children(id_, "hosts")]
        return {**body, "properties": {**body["properties"], "hosts": hosts}}


class Host(Kept):
    read_only = ("provisioningState", "hostId", "provisioningTime", "virtualMachines")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        made = {"hostId": put.cloud.guid("host", put.id.key)} if put.created else {}
        return {**body, "properties": {**body["properties"], **made}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is not None and "provisioningTime" not in body["properties"]:
            cloud.write(id_, {**body, "properties": {**body["properties"], "provisioningTime": stamp(cloud.now)}})

    def first_answer(self, put: Put) -> Body | None:
        shown = super().first_answer(put)
        return None if shown is None else without(shown, ("virtualMachines",))

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        return {**body, "properties": {**body["properties"], "virtualMachines": []}}


SPECIAL: Mapping[str, type[Kept]] = {
    "galleries": Gallery,
    "galleries/images/versions": GalleryVersion,
    "hostGroups": HostGroup,
    "hostGroups/hosts": Host,
}
"""Type below the namespace to its class."""
