"""replicationEligibilityResults of a machine: what would stop replication before it begins (S9, S62)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import not_found
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.recovery.objects import Shown
from farshore.lab.registry import resource_type

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

RESULTS = "Microsoft.RecoveryServices/replicationEligibilityResults"
NOT_REPLICATED = ("UltraSSD_LRS", "PremiumV2_LRS")
"""S63. Premium v2 is like ultra here: unknown to replication as the lab has it."""


@resource_type(RESULTS)
class Eligibility(Shown):
    noun = "eligibility"
    kind = "VirtualMachine"

    def region(self, cloud: Cloud, id_: ResourceId) -> str | None:
        return cloud.region_of(_machine(id_))

    def get(self, call: Call) -> Response:
        return Response(status=200, body=_result(call, _machine(call.id)))

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return [_result(call, call.id)]


def _machine(id_: ResourceId) -> ResourceId:
    """The machine before the last `/providers/`."""
    text = id_.text
    return resource_id(text[: text.lower().rindex("/providers/")])


def _result(call: Call, vm: ResourceId) -> Body:
    body = call.cloud.body(vm)
    if body is None:
        raise not_found(vm)
    text = f"{body['id']}/providers/{RESULTS}/default"
    client = call.headers.get("x-ms-client-request-id")
    return {
        "name": "default",
        "type": RESULTS,
        "id": text,
        "properties": {"clientRequestId": client, "errors": _errors(call.cloud, vm, body)},
    }


def _errors(cloud: Cloud, vm: ResourceId, body: Body) -> list[Body]:
    found = []
    state = body["properties"].get("provisioningState")
    if state != "Succeeded":
        found.append(_error("150019", f"Machine {vm.name} has the provisioning state {state}.", "Repair the machine."))
    if machines.power(cloud, vm) != "running":
        message = f"Machine {vm.name} does not run, so that no agent can be installed."
        found.append(_error("VirtualMachineNotRunning", message, "Start the machine."))
    for disk in attached.disks(body):
        held = (cloud.body(disk.id) or {}) if disk.id is not None else {}
        sku = str((held.get("sku") or {}).get("name"))
        if sku in NOT_REPLICATED or disk.entry.get("writeAcceleratorEnabled"):
            message = f"Disk {disk.name} is of a kind that is not replicated ({sku})."
            found.append(_error("DiskNotSupported", message, "Use a standard or premium disk."))
    return found


def _error(code: str, message: str, action: str) -> Body:
    return {
        "code": code,
        "message": message,
        "possibleCauses": message,
        "recommendedAction": action,
        "status": "Error",
    }
