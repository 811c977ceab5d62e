"""What lies in a storage account, as Azure shows it: services, containers and their holds, policies, scopes.

Shape only, all of it (`storage/shape_only.py`): a policy keeps nothing from being written. Recorded: blob and file
service show their account's `sku` on a GET; the answer to a container's PUT or PATCH shows what was set and no more;
the deletion of an immutability policy is answered with what is left of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import versions
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.kept import Kept
from farshore.lab.registry import action
from farshore.lab.types import Put
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
POLICIES = f"{CONTAINERS}/immutabilityPolicies"
TRACKING: Body = {"name": "AccessTimeTracking", "trackingGranularityInDays": 1, "blobType": ["blockBlob"]}
"""How Azure tracks when a blob was last read, once that is asked for."""
SET = ("metadata", "publicAccess")
"""Of a container: what its owner sets."""


class Service(Kept):
    def get(self, call: Call) -> Response:
        body = super().get(call).body
        return Response(status=200, body=self._whole(call.cloud, call.id, body, call.query))

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        rows = super().rows(call, found)
        return [self._whole(call.cloud, ResourceId(str(row["id"])), row, call.query) for row in rows]

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = dict(body["properties"])
        tracking = properties.get("lastAccessTimeTrackingPolicy")
        if isinstance(tracking, dict):
            if tracking.get("enable"):
                properties["lastAccessTimeTrackingPolicy"] = {**TRACKING, **tracking}
            else:
                del properties["lastAccessTimeTrackingPolicy"]
        born = (self.kind.born or {}).get("deleteRetentionPolicy")
        if born is not None:
            properties["deleteRetentionPolicy"] = {**born, **(properties.get("deleteRetentionPolicy") or {})}
        return {**body, "properties": properties}

    def _whole(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        account = cloud.body(id_.top) or {}
        return {"sku": account.get("sku"), **versions.as_of(body, self.type, query)}


class Container(Kept):
    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        return {**body, "properties": {**body["properties"], "lastModifiedTime": stamp(put.cloud.now)}}

    def first_answer(self, put: Put) -> Body | None:
        body = put.cloud.body(put.id) or {}
        shown: Body = {key: body[key] for key in ("id", "name", "type") if key in body}
        properties = body.get("properties") or {}
        chosen = {name: properties[name] for name in SET if properties.get(name) not in (None, "None")}
        if not chosen and put.created:
            return shown
        told = ("deleted", "remainingRetentionDays", "hasImmutabilityPolicy", "hasLegalHold")
        return {**shown, "properties": {**{name: properties[name] for name in told if name in properties}, **chosen}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        policy = cloud.body(id_.child("immutabilityPolicies", "default"))
        held: Body = {}
        if policy is not None:
            told = _policy_properties(policy)
            update = {"update": "put", "timestamp": body["properties"].get("lastModifiedTime"), **told}
            del update["state"]
            history = {"etag": cloud.etag(id_), "properties": told, "updateHistory": [update]}
            held = {"hasImmutabilityPolicy": True, "immutabilityPolicy": history}
        return {**body, "etag": cloud.etag(id_), "properties": {**body["properties"], **held}}


class ImmutabilityPolicy(Kept):
    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return {**super().show(cloud, id_, body, query), "etag": cloud.etag(id_)}

    def delete(self, call: Call) -> Response:
        shown = call.cloud.show(call.id, call.query)
        response = super().delete(call)
        if shown is None:
            return response
        left = {"immutabilityPeriodSinceCreationInDays": 0, "state": "Deleted"}
        return Response(status=200, body={**shown, "properties": left})


class EncryptionScope(Kept):
    def on_put(self, put: Put) -> Body:
        body, now = super().on_put(put), stamp(put.cloud.now)
        times = {"creationTime": put.before_properties.get("creationTime", now), "lastModifiedTime": now}
        return {**body, "properties": {**body["properties"], **times}}

    def first_answer(self, put: Put) -> Body | None:
        shown = super().first_answer(put)
        return shown and {**shown, "properties": {"keyVaultProperties": {}, **shown["properties"]}}


class ManagementPolicy(Kept):
    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        return {**body, "properties": {**body["properties"], "lastModifiedTime": stamp(put.cloud.now)}}


SPECIAL: Mapping[str, type[Kept]] = {
    "storageAccounts/blobServices": Service,
    "storageAccounts/blobServices/containers": Container,
    "storageAccounts/blobServices/containers/immutabilityPolicies": ImmutabilityPolicy,
    "storageAccounts/encryptionScopes": EncryptionScope,
    "storageAccounts/fileServices": Service,
    "storageAccounts/managementPolicies": ManagementPolicy,
}
"""Type below the namespace to its class."""


@action(CONTAINERS, "setLegalHold")
def set_legal_hold(call: Call) -> Response:
    """Tags that keep blobs: those that are there and those that come."""
    return _hold(call, lambda there, sent: [*there, *(tag for tag in sent if tag not in there)])


@action(CONTAINERS, "clearLegalHold")
def clear_legal_hold(call: Call) -> Response:
    return _hold(call, lambda there, sent: [tag for tag in there if tag not in sent])


@action(CONTAINERS, "lease")
def lease(call: Call) -> Response:
    """A lease is taken, given back or broken; nobody is turned away by one."""
    body, asked = call.must_exist(), call.object()
    verb = str(asked.get("action") or "").lower()
    if verb not in ("acquire", "renew", "change", "release", "break"):
        raise bad_request("InvalidValuesForRequestParameters", "action is a word such as Acquire.", "action")
    ends = verb in ("release", "break")
    number = asked.get("proposedLeaseId") or asked.get("leaseId") or call.cloud.guid("lease", call.id.key)
    held: Body = {"leaseStatus": "Unlocked", "leaseState": "Broken" if verb == "break" else "Available"}
    if not ends:
        duration = "Infinite" if asked.get("leaseDuration") == -1 else "Fixed"
        held = {"leaseStatus": "Locked", "leaseState": "Leased", "leaseDuration": duration}
    kept = {key: value for key, value in body["properties"].items() if key != "leaseDuration"}
    call.cloud.write(call.id, {**body, "properties": {**kept, **held}}, forwards=False)
    return Response(status=200, body={"leaseTimeSeconds": "0"} if verb == "break" else {"leaseId": number})


@action(POLICIES, "lock")
def lock_policy(call: Call) -> Response:
    return _change(call, {"state": "Locked"})


@action(POLICIES, "extend")
def extend_policy(call: Call) -> Response:
    return _change(call, call.properties())


def _change(call: Call, properties: Body) -> Response:
    body = call.must_exist()
    call.cloud.write(call.id, {**body, "properties": {**body["properties"], **properties}}, forwards=False)
    return Response(status=200, body=call.cloud.show(call.id, call.query))


def _hold(call: Call, change: Any) -> Response:
    body, asked = call.must_exist(), call.object().get("tags")
    if not isinstance(asked, list) or not all(isinstance(tag, str) for tag in asked):
        raise bad_request("InvalidValuesForRequestParameters", "tags is a list of texts.", "tags")
    there = [str(item["tag"]) for item in (body["properties"].get("legalHold") or {}).get("tags") or []]
    tags = change(there, asked)
    held = {"hasLegalHold": bool(tags), "tags": [{"tag": tag, "timestamp": stamp(call.cloud.now)} for tag in tags]}
    properties = {**body["properties"], "hasLegalHold": bool(tags), "legalHold": held}
    call.cloud.write(call.id, {**body, "properties": properties}, forwards=False)
    return Response(status=200, body={"hasLegalHold": bool(tags), "tags": tags})


def _policy_properties(policy: Body) -> Body:
    return {key: value for key, value in policy["properties"].items() if key != "provisioningState"}
