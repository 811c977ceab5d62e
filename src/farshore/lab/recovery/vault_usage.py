"""How much of a vault is used, and what a server that registers with it keeps there (S8).

`usages` is the backup service's, and there are no backups here. `replicationUsages` counts what is replicated.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import jobs
from farshore.lab.recovery.events import TABLE as EVENTS_TABLE
from farshore.lab.recovery.names import FABRICS, ITEMS, PLANS, VAULTS
from farshore.lab.recovery.objects import RecoveryType
from farshore.lab.recovery.vault_views import under
from farshore.lab.registry import resource_type, view

STORED = {"GRSStorageUsage": "Cloud - GRS", "LRSStorageUsage": "Cloud - LRS"}
KEYS = ("integrityKey", "encryptionKey", "encryptionKeyThumbprint", "algorithm")


@view(VAULTS, "usages")
def usages(call: Call) -> Response:
    call.must_exist()
    rows = [
        {
            "unit": "Bytes",
            "quotaPeriod": None,
            "nextResetTime": "0001-01-01T00:00:00Z",
            "currentValue": 0,
            "limit": -1,
            "name": {"value": name, "localizedValue": words},
        }
        for name, words in STORED.items()
    ]
    return page(call, rows)


@view(VAULTS, "replicationUsages")
def replication_usages(call: Call) -> Response:
    items, plans, fabrics = under(call, ITEMS), under(call, PLANS), under(call, FABRICS)
    prefix = call.id.key + "/"
    states = [
        row["properties"]["state"]
        for row in call.cloud.table(jobs.TABLE).values()
        if row["id"].lower().startswith(prefix)
    ]
    row = {
        "monitoringSummary": {
            "unHealthyVmCount": sum(item["properties"]["replicationHealth"] != "Normal" for item in items),
            "unHealthyProviderCount": 0,
            "eventsCount": sum(key.startswith(prefix) for key in call.cloud.table(EVENTS_TABLE)),
            "deprecatedProviderCount": 0,
            "supportedProviderCount": len(fabrics),
            "unsupportedProviderCount": 0,
        },
        "jobsSummary": {
            "failedJobs": states.count("Failed"),
            "suspendedJobs": states.count("Suspended"),
            "inProgressJobs": states.count("InProgress"),
        },
        "protectedItemCount": len(items),
        "recoveryPlanCount": len(plans),
        "registeredServersCount": 0,
        "recoveryServicesProviderAuthType": 0,
    }
    return page(call, [row])


@resource_type(f"{VAULTS}/extendedInformation")
class ExtendedInformation(RecoveryType):
    """Keys that a registering server leaves; written and read at once, with no job."""

    noun = "extended information"
    kind = "Vault"

    def put(self, call: Call) -> Response:
        id_ = super(RecoveryType, self).full_id(call)
        before = call.cloud.body(id_)
        self.check_place(call, id_, call.object(), before)
        self.check_conditions(call, before)
        sent = call.properties()
        if not isinstance(sent.get("integrityKey", ""), str):
            raise bad_request("InvalidParameter", "integrityKey is a text.", "integrityKey")
        properties: Body = {
            **dict.fromkeys(KEYS),
            "algorithm": "None",
            **((before or {}).get("properties") or {}),
            **sent,
        }
        type_ = f"{VAULTS}/extendedInformation"
        body = {"id": id_.text, "name": id_.name, "type": type_, "properties": properties}
        call.cloud.write(id_, body, forwards=False)
        return Response(status=200, body=call.cloud.show(id_))

    patch = put
