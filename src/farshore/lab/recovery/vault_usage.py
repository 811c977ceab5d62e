"""How much of a vault is used, and what a server that registers with it keeps there (S8).

`usages` is a long list, as recorded: the backup service's counts, of which the lab has none, and among them Site
Recovery's. `replicationUsages` counts what is replicated. Recorded, it is one object; but only of an old version, and
Azure's description and every client that knows newer ones have a list, so newer versions get a list here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.recovery import jobs
from farshore.lab.recovery.events import TABLE as EVENTS_TABLE
from farshore.lab.recovery.names import FABRICS, ITEMS, PLANS, VAULTS
from farshore.lab.recovery.objects import RecoveryType
from farshore.lab.recovery.vault_views import under
from farshore.lab.registry import resource_type, view
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

COUNTED = {
    "MABContainersCount": "Backup management servers",
    "ProtectedItemCount": "Backup items/Azure virtual machine backup",
    "ProtectedItemCriticalCount": "Critical",
    "ProtectedItemWarningCount": "Warning",
    "IaaSVMProtectedItemCount": "Azure Virtual Machines",
    "IaaSVMProtectedItemCriticalCount": "Critical",
    "IaaSVMProtectedItemWarningCount": "Warning",
    "MABProtectedItemCount": "File-Folders",
    "DPMProtectedItemCount": "DPM Protected Items Count",
    "AzureBackupServerProtectedItemCount": "Azure Backup Server Protected Items Count",
    "InProgressJobsCount": "In progress",
    "FailedJobsCount": "Failed",
    "ProtectedItem": "Replicated Items",
    "RecoveryPlan": "Recovery Plans",
    "UnHealthyProvider": "Server health critical",
    "DeprecatedProvider": "Deprecated servers",
    "UnSupportedProvider": "Unsupported servers",
    "SupportedProvider": "Supported servers",
    "Event": "Events",
    "FailedJob": "Failed",
    "InProgressJob": "In progress",
    "SuspendedJob": "User input required",
    "RegisteredServersCount": "Registered servers count",
    "RecoveryServicesProviderAuthType": "Recovery Services Providers auth type",
    "ManagedInstances": "Protected Instances",
}
STORED = {
    "UsedDiskSize": "Backup Engines' Disk Used",
    "GRSStorageUsage": "Cloud - GRS",
    "LRSStorageUsage": "Cloud - LRS",
    "ZRSStorageUsage": "Cloud - ZRS",
    "RAGZRSStorageUsage": "Cloud - RAGZRS",
    "GRSDedupStorageUsage": "Dedup - GRS",
    "LRSDedupStorageUsage": "Dedup - LRS",
}
A_DAY = ("InProgressJobsCount", "FailedJobsCount")
"""Counted anew every day."""
ALERTS = ("Critical", "Warning")
"""Their unit is a number (recorded)."""
ITEM_COUNTS = {
    "irInProgress": "Initial replication in progress",
    "testFailoverInProgress": "Test failover in progress",
    "testFailoverWaiting": "Test failover waiting",
    "failoverInProgress": "Failover in progress",
    "failedOver": "Failed over",
    "changePitInProgress": "Change recovery point in progress",
    "failoverCommitInProgress": "Failover commit in progress",
    "failoverCommitted": "Failover committed",
    "testFailoverApplicable": "Test failover applicable",
    "replicating": "Replicating",
    "hyperVToAzure": "HyperV to Azure",
    "vmmToAzure": "Vmm to Azure",
    "vmwareToAzure": "Vmware to Azure",
    "azureToAzure": "Azure to Azure",
}
"""Of protected items; each name goes on with `ProtectedItemsCount`."""
ACCOUNT_COUNTS = (
    "hyperVToAzureTotalStorageAccountsCount",
    "hyperVToAzureLogStorageAccountsCount",
    "hyperVToAzureRecoveryStorageAccountsCount",
    "vmwareToAzureStorageAccountsCount",
    "vmwareToAzureLogStorageAccountsCount",
    "vmwareToAzureRecoveryStorageAccountsCount",
    "azureToAzureRecoveryStorageAccountsCount",
    "azureToAzureStagingStorageAccountsCount",
)
SPELLED = {"vmm": "VMM", "vmware": "VMware"}
"""How a usage's name begins where it is more than a capital."""
FIRST_LIST = "2021"
NO_INFORMATION = {"ErrorCode": "ResourceExtendedInfoNotFound", "Message": {"Language": "en-US", "Value": ""}}


@view(VAULTS, "usages")
def usages(call: Call) -> Response:
    """Recorded without a `nextLink`."""
    found = _summary(call)
    items = found["protectedItemsSummary"]
    values: dict[str, int] = {
        "ProtectedItem": found["protectedItemCount"],
        "RecoveryPlan": found["recoveryPlanCount"],
        "SupportedProvider": found["monitoringSummary"]["supportedProviderCount"],
        "Event": found["monitoringSummary"]["eventsCount"],
        "FailedJob": found["jobsSummary"]["failedJobs"],
        "InProgressJob": found["jobsSummary"]["inProgressJobs"],
        "SuspendedJob": found["jobsSummary"]["suspendedJobs"],
        "RecoveryServicesProviderAuthType": 1,
    }
    words = {**COUNTED}
    for name, said in ITEM_COUNTS.items():
        shown = _capital(f"{name}ProtectedItemsCount")
        words[shown], values[shown] = f"{said} protected items count.", items[f"{name}ProtectedItemsCount"]
    for name in ACCOUNT_COUNTS:
        shown = _capital(name).replace("AzureStorage", "AzureTotalStorage")
        words[shown], values[shown] = "Count of storage accounts.", found["storageAccountsCountSummary"][name]
    rows = [_usage(name, "Count", said, values) for name, said in words.items()]
    rows += [_usage(name, "Bytes", said, values) for name, said in STORED.items()]
    rows += [_usage(name, 0, name, values) for name in ALERTS]
    return Response(status=200, body={"value": rows})


@view(VAULTS, "replicationUsages")
def replication_usages(call: Call) -> Response:
    found = _summary(call)
    return Response(status=200, body=found if call.api_version < FIRST_LIST else {"value": [found]})


def _usage(name: str, unit: str | int, said: str, values: Mapping[str, int]) -> Body:
    period = {"quotaPeriod": "P1D"} if name in A_DAY else {}
    shown = {"value": name, "localizedValue": said}
    return {"unit": unit, **period, "currentValue": values.get(name, 0), "limit": -1, "name": shown}


def _capital(name: str) -> str:
    for word, spelled in SPELLED.items():
        if name.startswith(word):
            return spelled + name[len(word) :]
    return name[:1].upper() + name[1:]


def _summary(call: Call) -> Body:
    items, plans, fabrics = under(call, ITEMS), under(call, PLANS), under(call, FABRICS)
    prefix = call.id.key + "/"
    states = [
        row["properties"]["state"]
        for row in call.cloud.table(jobs.TABLE).values()
        if row["id"].lower().startswith(prefix)
    ]
    return {
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
        "protectedItemsSummary": _by_state(items),
        "storageAccountsCountSummary": dict.fromkeys(ACCOUNT_COUNTS, 0) | _accounts(items),
        "protectedItemCount": len(items),
        "registeredServersCount": 0,
        "recoveryPlanCount": len(plans),
    }


def _by_state(items: list[Body]) -> Body:
    """How many items are where; of what is under way only what an item's own state tells is counted."""
    found = dict.fromkeys((f"{name}ProtectedItemsCount" for name in ITEM_COUNTS), 0)
    for item in items:
        properties = item["properties"]
        state, may = str(properties["protectionState"]), properties["allowedOperations"]
        told = {
            "irInProgress": state.startswith("InitialReplication"),
            "testFailoverWaiting": "TestFailoverCleanup" in may,
            "failedOver": "Commit" in may,
            "failoverCommitted": state == "UnplannedFailoverCommitted",
            "testFailoverApplicable": "TestFailover" in may,
            "replicating": state == "Protected",
            "azureToAzure": True,
        }
        for name, is_so in told.items():
            found[f"{name}ProtectedItemsCount"] += is_so
    return found


def _accounts(items: list[Body]) -> Body:
    disks = [
        disk
        for item in items
        for kind in ("protectedManagedDisks", "protectedDisks")
        for disk in item["properties"]["providerSpecificDetails"].get(kind) or []
    ]
    names = {
        "azureToAzureStagingStorageAccountsCount": "primaryStagingAzureStorageAccountId",
        "azureToAzureRecoveryStorageAccountsCount": "recoveryAzureStorageAccountId",
    }
    return {count: len({str(disk[name]).lower() for disk in disks if disk.get(name)}) for count, name in names.items()}


@resource_type(f"{VAULTS}/extendedInformation")
class ExtendedInformation(RecoveryType):
    """Keys that a registering server leaves; written and read at once, with no job. Shown is what was written."""

    noun = "extended information"
    kind = "Vault"

    def get(self, call: Call) -> Response:
        """Recorded: where there is none, the answer is an error of another form than ARM's."""
        vault = call.id.parent
        if call.cloud.body(call.id) is None and vault is not None and call.cloud.exists(vault):
            return Response(status=404, body=NO_INFORMATION)
        return super().get(call)

    def put(self, call: Call) -> Response:
        id_ = super(RecoveryType, self).full_id(call)
        before = call.cloud.body(id_)
        self.check_place(call, id_, call.object(), before)
        self.check_conditions(call, before)
        sent = call.properties()
        if not isinstance(sent.get("integrityKey", ""), str):
            raise bad_request("InvalidParameter", "integrityKey is a text.", "integrityKey")
        properties: Body = {"algorithm": "None", **((before or {}).get("properties") or {}), **sent}
        type_ = f"{VAULTS}/extendedInformation"
        etag = call.cloud.guid("extendedInformation", id_.key, stamp(call.cloud.now))
        body = {"id": id_.text, "name": id_.name, "etag": etag, "type": type_, "properties": properties}
        call.cloud.write(id_, body, forwards=False)
        return Response(status=200, body=call.cloud.show(id_))

    patch = put

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Recorded, in 2020 as in 2025: in its own id the slash after the vault's name is missing."""
        vault = id_.parent
        assert vault is not None
        return {**body, "id": f"{vault.text}extendedInformation/{id_.name}"}
