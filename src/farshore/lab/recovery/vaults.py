"""Microsoft.RecoveryServices/vaults (S10): what must not lie in the region that it protects from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.patterns import VAULTS as VAULTS_PATTERN
from farshore.lab.recovery.names import VAULTS
from farshore.lab.registry import action, resource_type
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


FIRST_LONG = "2022-10-01"
"""The first api-version whose clients wait for a vault: 2021-03-01 is recorded without a wait, 2023-02-01 with one."""
FIRST_SCORED = "2024-04-01"
"""The first api-version that shows how secure a vault is, and that it is not immutable; from the first answer on."""
POLLED = ("azure-asyncoperation", "location", "retry-after")
SHOWN_LATER = ("backupStorageVersion", "securitySettings")
SYSTEM, USER = "SystemAssigned", "UserAssigned"


@resource_type(VAULTS)
class Vaults(ResourceType):
    pattern = VAULTS_PATTERN
    put_takes = "vaults.put"
    update_takes = "recovery.quick"
    delete_takes = "vaults.delete"

    def validate(self, put: Put) -> None:
        if put.created and not isinstance(put.body.get("properties"), dict):
            # Recorded: an empty object will do, none won't.
            message = "properties parameter is invalid.\r\nPlease provide a valid properties"
            raise bad_request("InvalidRestApiParameter", message)
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
                "immutabilitySettings": {"state": "Disabled"},
                "softDeleteSettings": {
                    "softDeleteRetentionPeriodInDays": 14,
                    "softDeleteState": "Enabled",
                    "enhancedSecurityState": "Enabled",
                },
                "multiUserAuthorization": "Disabled",
            },
            "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
            "secureScore": "None",
            "bcdrSecurityLevel": "Poor",
        }
        identity = _identity(put)
        kept = {key: item for key, item in body.items() if key != "identity"}
        return {**kept, **identity, "etag": _etag(put.cloud), "properties": {**defaults, **body["properties"]}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is not None:
            cloud.write(id_, {**body, "etag": _etag(cloud)}, forwards=False)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Recorded: what the backup service knows of a vault is shown once the vault is there."""
        properties, scored = dict(body["properties"]), query.get("api-version", FIRST_SCORED) >= FIRST_SCORED
        if properties.get("provisioningState") == "Provisioning":
            for name in SHOWN_LATER[:1] if scored else SHOWN_LATER:
                properties.pop(name, None)
        security = properties.get("securitySettings") or {}
        if not scored and security.get("immutabilitySettings") == {"state": "Disabled"}:
            properties["securitySettings"] = {**security, "immutabilitySettings": None}
        return {**body, "properties": properties}

    def write(self, call: Call, body: Body) -> Response:
        """Recorded: to an early api-version a vault is there when its PUT is answered, and there is nothing to poll."""
        response = super().write(call, body)
        if not _early(call.query):
            return response
        headers = {name: text for name, text in response.headers.items() if name not in POLLED}
        return Response(status=response.status, headers=headers, body=response.body)

    def patch(self, call: Call) -> Response:
        """Recorded: an identity is waited for, answered 202 without a body; that there is none any more is so at once,
        and to an early api-version (as with a PUT) everything else."""
        body, sent = call.must_exist(), call.object()
        if not set(sent) - {"tags"}:
            return super().patch(call)
        self.check_conditions(call, body)
        call.must_be_free()
        put = Put(cloud=call.cloud, id=call.id, body=merged(body, sent), before=body, query=call.query)
        self.validate(put)
        self.keep(put, "Succeeded")
        if not _kinds(put.body.get("identity")) if "identity" in sent else _early(call.query):
            return self.get(call)
        operation = self.begin(call, call.id, "patch", created=False)
        return Response(status=202, headers=operations.headers(operation, POLLED[:2], call.base))

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


def _identity(put: Put) -> Body:
    """Whom a vault acts as, in Azure's spelling: its own principal where it has one, and those that others gave it."""
    sent = put.body.get("identity")
    if not isinstance(sent, dict):
        return {}
    kinds = _kinds(sent)
    if not kinds:
        return {"identity": {"type": "None"}}
    cloud, found = put.cloud, {"tenantId": put.cloud.guid("tenant"), "type": ", ".join(kinds)}
    if SYSTEM in kinds:
        found["principalId"] = cloud.guid("principal", put.id.key)
    users = sent.get("userAssignedIdentities")
    if USER in kinds and isinstance(users, dict):
        shown = {
            text: {"clientId": cloud.guid("client", text.lower()), "principalId": cloud.guid("principal", text.lower())}
            for text in users
        }
        return {"identity": {**found, "userAssignedIdentities": shown}}
    return {"identity": found}


def _kinds(identity: object) -> list[str]:
    said = str(identity.get("type") or "") if isinstance(identity, dict) else ""
    given = {part.strip().lower() for part in said.split(",")}
    return [kind for kind in (SYSTEM, USER) if kind.lower() in given]


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
