"""virtualMachines/{vm}/runCommand and virtualMachines/runCommands: a script in a running machine. The lab runs probes
(who am I, whom do I reach, who answers); a script with anything else in it is not run, and its standard error says so.

    POST runCommand      {commandId, script?, parameters?} -> 202; the result is {value: [statuses with what it wrote]}
    PUT runCommands/{n}  {source: {script}, parameters?, asyncExecution?} -> a resource; what it wrote stands in its
                         `instanceView` (`$expand=instanceView`); a PUT again runs it again

RunShellScript and RunPowerShellScript run the probes of `shell.py` and `power_shell.py` against the data plane, when
the operation ends and not when it begins. As in Azure a machine must be running (409 `OperationNotAllowed`), one action
at a time (409 `Conflict`), and the last 4,096 bytes of what was written are told. A shell script's exit code is not
told by the action, so a script says itself what came of it (`nc -z -w 5 10.1.0.4 443 && echo reached || echo not
reached`). The resource tells it as `exitCode`; it takes no `scriptUri`, no output blob, and counts no timeout, as no
probe of the lab takes long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.regions import find_region
from farshore.lab import faults, machines, operations, regions
from farshore.lab.answers import Refused, bad_request, not_implemented
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.compute.guests import LINUX, WINDOWS, system_of
from farshore.lab.compute.power_shell import run_power_shell
from farshore.lab.compute.probes import Guest, Ran
from farshore.lab.compute.shell import run_shell
from farshore.lab.paging import page
from farshore.lab.patterns import COMPUTE
from farshore.lab.registry import action, completion, named_view, resource_type, view
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

SHELL, POWER_SHELL = "RunShellScript", "RunPowerShellScript"
SYSTEMS = {SHELL: LINUX, POWER_SHELL: WINDOWS}
SAMPLES = {
    SHELL: "echo sample script",
    POWER_SHELL: 'Write-Output "sample script"',
}
"""What runs where the action is sent no script: a command's document shows it (recorded)."""
MOST_TOLD = 4096
"""The last bytes of either stream that are told, as in Azure."""
NEVER_SHOWN = ("protectedParameters", "runAsPassword")


# The action. ---------------------------------------------------------------------------------------------------------


@action(VIRTUAL_MACHINES, "runCommand")
def run_command(call: Call) -> Response:
    body, asked = call.must_exist(), call.object()
    held = operations.busy(call.cloud, call.id)
    if held is not None and held.verb == "runCommand":
        raise Refused(
            409,
            "Conflict",
            "Run command extension execution is in progress. Please wait for completion before invoking a run command.",
        )
    call.must_be_free()
    kind = _kind(asked.get("commandId"), body)
    script, parameters = asked.get("script"), _parameters(asked.get("parameters"))
    if script is None:
        script = [SAMPLES[kind]]
    if not _is_script(script):
        raise bad_request("InvalidParameter", f"{kind} needs a script: a list of lines.", "script")
    _must_run(call.cloud, call.id)
    data = {"kind": kind, "script": script, "parameters": parameters}
    return call.accept("runCommand", duration="virtualMachines.runCommand", data=data, lock=True)


@completion(VIRTUAL_MACHINES, "runCommand")
def ran(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    id_ = operation.resource_id
    cloud.let_go(cloud.type_of(id_).lock(cloud, id_), operation.id)
    operations.must_be_there(cloud, operation)
    told = _run(cloud, id_, asked["kind"], asked["script"], asked["parameters"])
    if asked["kind"] == SHELL:
        message = f"Enable succeeded: \n[stdout]\n{told.out}\n[stderr]\n{told.err}"
        return {"value": [_status("ProvisioningState/succeeded", message)]}
    return {
        "value": [
            _status("ComponentStatus/StdOut/succeeded", told.out),
            _status("ComponentStatus/StdErr/succeeded", told.err),
        ]
    }


def _status(code: str, message: str) -> Body:
    return {"code": code, "level": "Info", "displayStatus": "Provisioning succeeded", "message": message}


# The resource. -------------------------------------------------------------------------------------------------------


@resource_type(f"{VIRTUAL_MACHINES}/runCommands")
class RunCommands(ResourceType):
    pattern = COMPUTE
    patches = True
    put_takes = "virtualMachines.runCommand"
    delete_takes = "virtualMachines.runCommand"
    secrets = NEVER_SHOWN
    read_only = ("provisioningState", "instanceView")

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        """Several may run in one machine at a time."""
        return id_

    def validate(self, put: Put) -> None:
        machine = put.id.parent
        assert machine is not None
        source = put.properties.get("source")
        if not isinstance(source, dict) or not source:
            raise bad_request("InvalidParameter", "A run command needs a source.", "source")
        elsewhere = [name for name in ("scriptUri", "commandId") if isinstance(source.get(name), str)]
        if elsewhere:
            raise not_implemented(f"a run command whose source is a {elsewhere[0]}")
        if not isinstance(source.get("script"), str):
            raise bad_request("InvalidParameter", "A run command's source is a script.", "source.script")
        _parameters(put.properties.get("parameters"))
        _parameters(put.properties.get("protectedParameters"))
        if machines.power(put.cloud, machine) != machines.RUNNING:
            raise Refused(409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        usual = {"asyncExecution": False, "timeoutInSeconds": 0, "treatFailureAsDeploymentFailure": False}
        sent = {key: value for key, value in body["properties"].items() if key not in (*NEVER_SHOWN, "instanceView")}
        # A protected parameter is kept for the run alone, in a row that no GET shows.
        put.cloud.table("run commands")[put.id.key] = {
            "parameters": {
                **_parameters(put.properties.get("parameters")),
                **_parameters(put.properties.get("protectedParameters")),
            },
            "started": stamp(put.cloud.now),
        }
        return {**body, "properties": {**usual, **sent}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body, machine = cloud.body(id_), id_.parent
        row = cloud.table("run commands").pop(id_.key, None)
        if body is None or machine is None or row is None:
            return
        held = cloud.body(machine) or {"properties": {}}
        kind = POWER_SHELL if system_of(held["properties"]) == WINDOWS else SHELL
        told = _run(cloud, machine, kind, [body["properties"]["source"]["script"]], row["parameters"])
        instance = {
            "executionState": "Failed" if told.status else "Succeeded",
            "executionMessage": "Execution completed",
            "exitCode": told.status,
            "output": told.out,
            "error": told.err,
            "startTime": row["started"],
            "endTime": stamp(cloud.now),
        }
        cloud.write(id_, {**body, "properties": {**body["properties"], "instanceView": instance}})
        if told.status and body["properties"].get("treatFailureAsDeploymentFailure"):
            raise Refused(409, "VMExtensionProvisioningError", f"The script ended with {told.status}: {told.err}")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        cloud.table("run commands").pop(id_.key, None)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        if "instanceview" in query.get("$expand", "").lower():
            return body
        return {**body, "properties": {key: item for key, item in body["properties"].items() if key != "instanceView"}}


# What there is to run. -----------------------------------------------------------------------------------------------


@view("Microsoft.Compute/locations", "runCommands")
def documents(call: Call) -> Response:
    return page(call, [_document(kind, _region(call)) for kind in SYSTEMS])


@named_view("Microsoft.Compute/locations", "runCommands")
def document(call: Call) -> Response:
    region = _region(call)
    for kind in SYSTEMS:
        if kind.lower() == str(call.argument).lower():
            parameters = [{"name": name, "type": "string", "required": False} for name in ("arg1", "arg2")]
            body = {**_document(kind, region), "script": [SAMPLES[kind]], "parameters": parameters}
            return Response(status=200, body=body)
    raise Refused(404, "NotFound", f"The entity {call.argument} was not found in this Azure location.")


def _document(kind: str, region: str) -> Body:
    what = "a Linux shell script" if kind == SHELL else "a PowerShell script"
    return {
        "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
        "id": kind,
        "osType": SYSTEMS[kind],
        "label": f"Executes {what}",
        "description": f"Executes {what} in a virtual machine of {region}, as far as this lab runs it",
    }


def _region(call: Call) -> str:
    if find_region(call.id.name) is None:
        raise bad_request("InvalidLocation", f"Azure has no region '{call.id.name}'.", "location")
    return call.id.name


# Both. ---------------------------------------------------------------------------------------------------------------


def _run(cloud: Cloud, machine: ResourceId, kind: str, script: list[str], parameters: Mapping[str, str]) -> Ran:
    """Run a script in a machine that may have stopped since it was sent. Raises `Refused`."""
    _must_run(cloud, machine)
    _must_answer(cloud, machine)
    body = cloud.body(machine)
    assert body is not None
    run = run_shell if kind == SHELL else run_power_shell
    told = run(Guest(cloud, resource_id(str(body["id"])), body), script, parameters)
    return Ran(out=told.out[-MOST_TOLD:], err=told.err[-MOST_TOLD:], status=told.status)


def _must_answer(cloud: Cloud, machine: ResourceId) -> None:
    """One that a fault has taken down, or whose region carries no packets, is powered, and its agent says nothing."""
    if machine.key in faults.down(cloud) or regions.is_dark(cloud, cloud.region_of(machine)):
        raise Refused(
            409,
            "VMAgentStatusCommunicationError",
            f"VM '{machine.name}' has not reported status for VM agent or extensions. Please verify the VM has a "
            "running VM agent, and can establish outbound connections to Azure storage.",
        )


def _must_run(cloud: Cloud, machine: ResourceId) -> None:
    if not cloud.exists(machine) or machines.power(cloud, machine) != machines.RUNNING:
        raise Refused(409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).")


def _kind(command: object, body: Body) -> str:
    """Of the two scripts that the lab runs; Azure's ready-made ones are not there."""
    if not isinstance(command, str) or not command:
        raise bad_request("InvalidParameter", "A run command is named by its id.", "commandId")
    kind = next((name for name in SYSTEMS if name.lower() == command.lower()), None)
    if kind is None:
        raise not_implemented(f"the run command {command}")
    system = system_of(body["properties"])
    if system is not None and SYSTEMS[kind].lower() != system.lower():
        raise bad_request("InvalidParameter", f"{kind} runs on {SYSTEMS[kind]}, and this machine has {system}.")
    return kind


def _is_script(script: object) -> bool:
    return isinstance(script, list) and bool(script) and all(isinstance(line, str) for line in script)


def _parameters(given: object) -> dict[str, str]:
    """Parameters by name, and by place: `$1` is the first."""
    if given is None:
        return {}
    if not isinstance(given, list) or not all(isinstance(item, dict) and "value" in item for item in given):
        raise bad_request("InvalidParameter", "Parameters are a list of names and values.", "parameters")
    named = {str(item["name"]): str(item["value"]) for item in given if item.get("name")}
    return {str(at + 1): str(item["value"]) for at, item in enumerate(given)} | named
