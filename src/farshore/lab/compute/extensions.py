"""Microsoft.Compute/virtualMachines/extensions: programs that the agent in a machine installs.

A PUT names one by `publisher`, `type` and `typeHandlerVersion`; the machine's body shows it under `resources`, its
instance view what the agent says of it (recorded). Nothing is installed in the lab's machines: an extension has
succeeded once its time is over. `protectedSettings` are for the machine alone, and no answer shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.patterns import COMPUTE
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

EXTENSIONS = f"{VIRTUAL_MACHINES}/extensions"
NAMED = ("publisher", "type", "typeHandlerVersion")


@resource_type(EXTENSIONS)
class Extensions(ResourceType):
    pattern = COMPUTE
    patches = True
    apart = True
    put_takes = "virtualMachines.extension"
    delete_takes = "virtualMachines.extension"
    secrets = ("protectedSettings",)

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        """It is where its machine is, whether it says so or not."""
        place = None if id_.parent is None else call.cloud.region_of(id_.parent)
        super().check_place(call, id_, body if place is None else {"location": place, **body}, before)

    def validate(self, put: Put) -> None:
        for name in NAMED:
            if not isinstance(put.properties.get(name), str):
                raise bad_request("InvalidParameter", f"Required parameter '{name}' is missing (null).", name)
        vm = put.id.parent
        if vm is not None and machines.power(put.cloud, vm) in ("stopped", "deallocated"):
            raise Refused(409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {key: value for key, value in body["properties"].items() if key not in self.secrets}
        return {**body, "properties": {"autoUpgradeMinorVersion": False, **properties}}


def resources(cloud: Cloud, vm: ResourceId) -> Body:
    """What a machine's body says of its extensions: nothing where it has none."""
    found = [cloud.show(ResourceId(str(body["id"]))) for body in cloud.children(vm, "extensions")]
    return {"resources": found} if found else {}


def extended(cloud: Cloud, vm: ResourceId, view: Body) -> Body:
    """An instance view with what the agent says of each extension."""
    handlers, said = [], []
    for body in cloud.children(vm, "extensions"):
        properties = body["properties"]
        kind = f"{properties['publisher']}.{properties['type']}"
        version = f"{properties['typeHandlerVersion']}.0.0"
        done = {"code": "ProvisioningState/succeeded", "level": "Info"}
        message = f"Plugin enabled (handler name: {kind}, version: {version})."
        handler = {**done, "displayStatus": "Ready", "message": message}
        handlers.append({"type": kind, "typeHandlerVersion": version, "status": handler})
        status = {**done, "displayStatus": "Provisioning succeeded", "message": message}
        said.append({"name": body["name"], "type": kind, "typeHandlerVersion": version, "statuses": [status]})
    if not said or "vmAgent" not in view:
        return view
    return {**view, "vmAgent": {**view["vmAgent"], "extensionHandlers": handlers}, "extensions": said}
