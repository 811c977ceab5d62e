"""How each provider answers what takes time: statuses, headers, the URLs to poll and what they say.

Recorded traffic is the truth (L5, L6, S17):

    Microsoft.Network   PUT 201 or 200 with the body and azure-asyncoperation; DELETE 202 with azure-asyncoperation
                        and location; a diagnostic POST 202 with location alone; the operation's body is
                        {"status": "InProgress"}
    appliances          the same below nfvOperations: firewall policies and IP groups, which are gone at once
    private DNS         PUT 202 with an empty object and both headers, whose addresses lie in the group
    Microsoft.Compute   the same, and POST 202 with both headers; the operation's body has name, startTime, endTime and
                        what an action found; the result lies at the operation itself, asked for with monitor=true,
                        and is an empty 200 where there is nothing to show; a disk's or snapshot's PUT and PATCH are 202
                        with both headers, new or not, and its operation lies below DiskOperations and shows the disk
                        when it is over; a gallery's lies below capsOperations; an availability set is sync
    Microsoft.Storage   a new account 202 with location alone; everything else about one is sync
    Site Recovery       every 202 has an empty body and both headers, on PUT, PATCH, POST and DELETE; the operation
                        lies under the vault, its body has id null, name, status, error and properties null; a vault's
                        own operation has id, name and status
    Deployments         PUT 201 or 200 with azure-asyncoperation under the deployment, whose body is a status and,
                        where it failed, an error; DELETE and what-if 202 with location (L13)
    Automation          200 or 201 at once; a draft's text and its publication 202 with location
    sync                200 or 201 at once

Status documents live where the resource's control plane lives: `home(...)` gives the path that holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId

if TYPE_CHECKING:
    from farshore.lab.operations import Operation

Home = Callable[["Operation"], str]
Status = Callable[["Operation"], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    name: str
    put_created: int = 201
    put_updated: int = 200
    put_body: bool = True
    put_headers: tuple[str, ...] = ("azure-asyncoperation",)
    delete_status: int = 202
    delete_headers: tuple[str, ...] = ("azure-asyncoperation", "location")
    post_headers: tuple[str, ...] = ("location",)
    sync: bool = False
    """Nothing takes time: 200 or 201, and a DELETE answers 200."""
    put_at_once: bool = False
    """A PUT is over when it is answered, 201 or 200; what else there is takes time."""
    only_creation_waits: bool = False
    """A PUT of what is there, and a DELETE, are over at once: 200."""
    deleted_at_once: bool = False
    """A DELETE is over when it is answered: 200."""
    etags: bool = False
    """Whether bodies show `etag` (L10); If-Match and If-None-Match are honoured everywhere."""
    state: str = "Updating"
    """`provisioningState` while a PUT of something new is under way; most show Updating then too (recorded)."""
    status_url: Home
    result_url: Home
    result_query: str = ""
    """What the result's URL asks for beside its api-version, where it is the status's own."""
    status_body: Status
    status_running: int = 200
    """With which the status document is answered while the operation runs; 202 comes with both addresses."""
    result_status: int = 200
    empty_post: int = 204
    """With which the result of an action that has nothing to show is answered."""

    def state_of(self, *, created: bool) -> str:
        """`provisioningState` while a PUT is under way: Compute is Creating once and Updating from then on."""
        return "Updating" if self.state == "Creating" and not created else self.state


def _id(operation: Operation) -> ResourceId:
    return ResourceId(operation.resource)


def _location(operation: Operation, segment: str) -> str:
    id_ = _id(operation)
    place = operation.location or "global"
    return f"/subscriptions/{id_.subscription}/providers/{id_.namespace}/locations/{place}/{segment}/{operation.id}"


def _in_group(operation: Operation, segment: str) -> str:
    id_ = _id(operation)
    group = f"/subscriptions/{id_.subscription}/resourceGroups/{id_.resource_group}"
    return f"{group}/providers/{id_.namespace}/{segment}/{operation.id}"


def _network_status(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"status": operation.status}
    if operation.error is not None:
        body["error"] = operation.error
    elif operation.status == "Succeeded" and operation.verb not in ("put", "delete"):
        # Recorded: an action tells its result here too.
        body["properties"] = {} if operation.result is None else {"output": operation.result}
    return body


def _plain_status(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"status": operation.status}
    if operation.error is not None:
        body = {"error": {key: value for key, value in operation.error.items() if key != "details"}, **body}
    return body


def _full_status(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"startTime": operation.started, "status": operation.status, "name": operation.id}
    if operation.ended is not None:
        body["endTime"] = operation.ended
    if operation.error is not None:
        body["error"] = operation.error
    return body


def _compute_status(operation: Operation) -> dict[str, Any]:
    return _with_output(operation, told=operation.verb not in ("put", "delete"))


def _disk_status(operation: Operation) -> dict[str, Any]:
    return _with_output(operation, told=True)


def _with_output(operation: Operation, *, told: bool) -> dict[str, Any]:
    body = _full_status(operation)
    if told and operation.status == "Succeeded" and operation.result is not None:
        body["properties"] = {"output": operation.result}
    return body


def _vault(operation: Operation) -> str:
    id_ = _id(operation)
    name = id_.pairs[0][1]
    return (
        f"/Subscriptions/{id_.subscription}/resourceGroups/{id_.resource_group}"
        f"/providers/Microsoft.RecoveryServices/vaults/{name}"
    )


def _recovery_status(operation: Operation) -> dict[str, Any]:
    return {
        "id": None,
        "name": operation.id,
        "status": operation.status,
        "error": operation.error,
        "startTime": operation.started,
        "endTime": operation.ended,
        "percentComplete": None,
        "properties": None,
    }


def _recovery_result(operation: Operation) -> str:
    """Recorded: what is done to a vault as a whole has its result at a job, its health's at the health."""
    vault, kinds = _vault(operation), [kind for kind, _ in _id(operation).pairs]
    if kinds == ["vaults"]:
        return f"{vault}/replicationJobs/{operation.id}/operationresults/{operation.id}"
    if kinds[-1] == "replicationVaultHealth":
        return f"{vault}/replicationVaultHealth/operationresults/{operation.id}"
    return _below(operation, "operationresults")


def _vault_status(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": _below(operation, "operationStatus"),
        "name": operation.id,
        "status": operation.status,
    }
    if operation.error is not None:
        body["error"] = operation.error
    if operation.api_version < "2022-10-01":
        # Recorded with 2021-03-01, and nothing like it with 2023-02-01.
        body["percentComplete"] = 0.0
    return body


def _below(operation: Operation, segment: str) -> str:
    return f"{operation.resource}/{segment}/{operation.id}"


def _automation(operation: Operation) -> str:
    """Below what is done in early api-versions, and below the runbook itself in later ones (recorded)."""
    early = operation.api_version < "2018-06-30"
    return _below(operation, f"{operation.verb}/operationResults" if early else "operationResults")


NETWORK = Pattern(
    name="network",
    etags=True,
    empty_post=200,
    status_url=lambda operation: _location(operation, "operations"),
    result_url=lambda operation: _location(operation, "operationResults"),
    status_body=_network_status,
)
APPLIANCES = replace(
    NETWORK,
    name="appliances",
    status_url=lambda operation: _location(operation, "nfvOperations"),
    result_url=lambda operation: _location(operation, "nfvOperationResults"),
)
IP_GROUPS = replace(APPLIANCES, name="ipGroups", deleted_at_once=True)
NETWORK_AT_ONCE = replace(NETWORK, name="networkAtOnce", put_at_once=True)
PRIVATE_DNS = replace(
    NETWORK,
    name="privateDns",
    etags=False,
    put_created=202,
    put_updated=202,
    put_headers=("azure-asyncoperation", "location"),
    status_url=lambda operation: _in_group(operation, "privateDnsOperationStatuses"),
    result_url=lambda operation: _in_group(operation, "privateDnsOperationResults"),
    status_body=_plain_status,
    status_running=202,
)
PUBLIC_DNS = replace(
    PRIVATE_DNS,
    name="publicDns",
    put_created=201,
    put_updated=200,
    put_at_once=True,
    status_url=lambda operation: _in_group(operation, "dnsOperationStatuses"),
    result_url=lambda operation: _in_group(operation, "dnsOperationResults"),
)
COMPUTE = Pattern(
    name="compute",
    put_headers=("azure-asyncoperation",),
    post_headers=("azure-asyncoperation", "location"),
    state="Creating",
    empty_post=200,
    status_url=lambda operation: _location(operation, "operations"),
    result_url=lambda operation: _location(operation, "operations"),
    result_query="monitor=true",
    status_body=_compute_status,
)
DISKS = replace(
    COMPUTE,
    name="disks",
    put_created=202,
    put_updated=202,
    put_headers=("azure-asyncoperation", "location"),
    state="Updating",
    status_url=lambda operation: _location(operation, "DiskOperations"),
    result_url=lambda operation: _location(operation, "DiskOperations"),
    status_body=_disk_status,
)
GALLERIES = replace(
    COMPUTE,
    name="galleries",
    status_url=lambda operation: _location(operation, "capsOperations"),
    result_url=lambda operation: _location(operation, "capsOperations"),
)
COMPUTE_AT_ONCE = replace(COMPUTE, name="computeAtOnce", put_at_once=True)
SETS = replace(COMPUTE, name="sets", put_created=200, sync=True)
PLACES = replace(SETS, name="places", put_created=201)
STORAGE = Pattern(
    name="storage",
    put_created=202,
    put_updated=200,
    put_body=False,
    only_creation_waits=True,
    put_headers=("location",),
    state="Creating",
    status_url=lambda operation: _location(operation, "asyncoperations"),
    result_url=lambda operation: _location(operation, "asyncoperations"),
    status_body=_full_status,
)
STORAGE_TASKS = replace(STORAGE, name="storageTasks", put_created=201, put_body=True, only_creation_waits=False)
VAULTS = Pattern(
    name="vaults",
    put_headers=("azure-asyncoperation",),
    status_url=lambda operation: _below(operation, "operationStatus"),
    result_url=lambda operation: _below(operation, "operationResults"),
    status_body=_vault_status,
    state="Provisioning",
)
SITE_RECOVERY = Pattern(
    name="siteRecovery",
    put_created=202,
    put_updated=202,
    put_body=False,
    put_headers=("azure-asyncoperation", "location"),
    post_headers=("azure-asyncoperation", "location"),
    status_url=lambda operation: f"{_vault(operation)}/replicationOperationStatus/{operation.id}",
    result_url=_recovery_result,
    status_body=_recovery_status,
)
RESOURCES = Pattern(
    name="resources",
    sync=True,
    delete_headers=("location",),
    status_url=lambda operation: f"/subscriptions/{_id(operation).subscription}/operationresults/{operation.id}",
    result_url=lambda operation: f"/subscriptions/{_id(operation).subscription}/operationresults/{operation.id}",
    status_body=_full_status,
)
STORAGE_PARTS = replace(RESOURCES, name="storageParts", put_created=200)
DEPLOYMENTS = replace(
    RESOURCES,
    name="deployments",
    sync=False,
    put_headers=("azure-asyncoperation",),
    state="Accepted",
    status_url=lambda operation: _below(operation, "operationStatuses"),
    status_body=_network_status,
)

AUTOMATION = replace(
    RESOURCES,
    name="automation",
    post_headers=("location",),
    empty_post=200,
    status_url=_automation,
    result_url=_automation,
)

PATTERNS = {
    found.name: found
    for found in (
        NETWORK,
        NETWORK_AT_ONCE,
        APPLIANCES,
        PRIVATE_DNS,
        PUBLIC_DNS,
        IP_GROUPS,
        COMPUTE,
        COMPUTE_AT_ONCE,
        GALLERIES,
        DISKS,
        SETS,
        PLACES,
        STORAGE,
        STORAGE_TASKS,
        STORAGE_PARTS,
        VAULTS,
        SITE_RECOVERY,
        RESOURCES,
        DEPLOYMENTS,
        AUTOMATION,
    )
}
