"""Microsoft.RecoveryServices/vaults (S10): what must not lie in the region that it protects from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.patterns import VAULTS as VAULTS_PATTERN
from farshore.lab.recovery.names import VAULTS
from farshore.lab.registry import action, resource_type
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


FIRST_LONG = "2021-01-01"
"""The first api-version whose clients wait for a vault."""
POLLED = ("azure-asyncoperation", "location", "retry-after")
SHOWN_LATER = ("backupStorageVersion", "securitySettings")


@resource_type(VAULTS)
class Vaults(ResourceType):
    pattern = VAULTS_PATTERN
    put_takes = "vaults.put"
    update_takes = "recovery.quick"
    delete_takes = "vaults.delete"

    def validate(self, put: Put) -> None:
        name = (put.body.get("sku") or {}).get("name")
        if put.created and name not in ("RS0", "Standard"):
            raise bad_request("InvalidParameter", f"A vault's sku is RS0 or Standard, not '{name}'.", "sku.name")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        defaults = {
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            "backupStorageVersion": "Unassigned",
            "publicNetworkAccess": "Enabled",
            "restoreSettings": {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}},
            "securitySettings": {
                "immutabilitySettings": None,
                "softDeleteSettings": {"softDeleteRetentionPeriodInDays": 14, "softDeleteState": "Enabled"},
                "multiUserAuthorization": "Disabled",
            },
        }
        return {**body, "etag": _etag(put.cloud), "properties": {**defaults, **body["properties"]}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is not None:
            cloud.write(id_, {**body, "etag": _etag(cloud)}, forwards=False)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Recorded: what the backup service knows of a vault is shown once the vault is there."""
        if body["properties"].get("provisioningState") != "Provisioning":
            return body
        properties = {key: item for key, item in body["properties"].items() if key not in SHOWN_LATER}
        return {**body, "properties": properties}

    def write(self, call: Call, body: Body) -> Response:
        """Recorded: to an early api-version a vault is there when its PUT is answered, and there is nothing to poll."""
        response = super().write(call, body)
        if not _early(call.query):
            return response
        headers = {name: text for name, text in response.headers.items() if name not in POLLED}
        return Response(status=response.status, headers=headers, body=response.body)

    def is_quick(self, put: Put) -> bool:
        return _early(put.query)

    def delete(self, call: Call) -> Response:
        body = call.cloud.body(call.id)
        if body is None or not _early(call.query):
            return super().delete(call)
        call.must_be_free()
        self.on_delete(call.cloud, call.id)
        self.take_away(call.cloud, call.id)
        return Response(status=200)

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        if cloud.children(id_, "replicationFabrics"):
            raise Refused(
                409,
                "ServiceResourceNotEmptyWithContainerDetails",
                f"Recovery Services vault {id_.name} cannot be deleted as there are existing resources within it.",
            )


def _early(query: Mapping[str, str]) -> bool:
    version = query.get("api-version", "")
    return bool(version) and version < FIRST_LONG


def _etag(cloud: Cloud) -> str:
    """A vault's etag is the time of its last change (recorded)."""
    return f"W/\"datetime'{quote(stamp(cloud.now), safe='')}'\""


@action("Microsoft.RecoveryServices/locations", "checkNameAvailability")
def check_name_availability(call: Call) -> Response:
    """Whether a vault of this name can be made in the group."""
    sent = call.object()
    if str(sent.get("type")).lower() != VAULTS.lower() or not isinstance(sent.get("name"), str):
        raise bad_request("InvalidParameter", f"type is {VAULTS}, and name a text.", "type")
    free = call.cloud.body(f"{call.id.group_id}/providers/{VAULTS}/{sent['name']}") is None
    reason, message = (None, None) if free else ("AlreadyExists", f"The group has a vault {sent['name']} already.")
    return Response(status=200, body={"nameAvailable": free, "reason": reason, "message": message})
