"""replicationProtectedItems: a machine that is replicated (S6, S12, S13, S18).

Enabling takes minutes (the agent), initial replication as long as there are bytes, then a first recovery point is
waited for; only then is the item Protected and shows its NICs and its `lifecycleId`. A source that does not run, or
whose region is lost, holds all of this up.

What an item shows of the present (recovery point objective, heartbeat, health) is read off its record when asked. One
that an estate brings, read where machines are protected already, is live from the state in which it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import machines, operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.recovery import groups, health, item_seeding, jobs, records, shipping
from farshore.lab.recovery.container_mappings import mapped
from farshore.lab.recovery.disks import forget_replicas, protected_disks
from farshore.lab.recovery.item_bodies import properties_of
from farshore.lab.recovery.item_nics import last_segment
from farshore.lab.recovery.item_settings import details_of, settings
from farshore.lab.recovery.landing import must_answer
from farshore.lab.recovery.names import CLUSTERS, ITEMS
from farshore.lab.recovery.network_mappings import default_network
from farshore.lab.recovery.objects import RecoveryType, fabric_location, fabric_of, keep, must_find, removes
from farshore.lab.recovery.replicating import PHASE, begin_replication
from farshore.lab.recovery.states import require
from farshore.lab.registry import resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


@resource_type(ITEMS)
class Items(RecoveryType):
    noun = "protected item"
    patches = True
    kind = "Vm"
    titles: ClassVar = {
        "Create": ("EnableDr", "Enable replication"),
        "Delete": ("DisableDr", "Disable replication"),
    }
    put_takes = "recovery.enable"
    delete_takes = "recovery.remove"

    def check(self, put: Put) -> None:
        cloud = put.cloud
        if not put.created:
            raise Refused(409, "ProtectedItemExists", f"{put.id.name} is protected already; PATCH changes it.")
        details = details_of(put.properties)
        vm = must_find(cloud, details.get("fabricObjectId"), "fabricObjectId")
        into = must_find(cloud, details.get("recoveryContainerId"), "recoveryContainerId")
        policy = must_find(cloud, put.properties.get("policyId"), "policyId")
        must_find(cloud, details.get("recoveryResourceGroupId"), "recoveryResourceGroupId")
        container = put.id.parent
        assert container is not None
        if cloud.region_of(vm) != fabric_location(cloud, fabric_of(put.id)):
            raise bad_request("InvalidParameter", f"Machine {vm.name} is not in the fabric's region.", "fabricObjectId")
        if mapped(cloud, container, into, policy.key) is None:
            raise bad_request(
                "ContainersNotPaired", f"{container.name} is not mapped to {into.name} with {policy.name}."
            )
        for other, _ in records.for_machine(cloud, vm.text):
            raise Refused(409, "MachineAlreadyProtected", f"Machine {vm.name} is protected by {other.name} already.")
        protected_disks(cloud, vm, details, *_regions(cloud, put.id, into))
        _cluster(cloud, put.id, into, details)
        groups.check(cloud, put.id, details.get("multiVmGroupName"))
        _network(cloud, put.id, cloud.body(vm) or {}, details)

    def put(self, call: Call) -> Response:
        response = super().put(call)
        cloud, item = call.cloud, call.id
        sent = call.object()["properties"]
        details = details_of(sent)
        vm = must_find(cloud, details["fabricObjectId"], "fabricObjectId")
        body = cloud.body(vm) or {}
        into = must_find(cloud, details["recoveryContainerId"], "recoveryContainerId")
        disks = protected_disks(cloud, vm, details, *_regions(cloud, item, into))
        lifecycle = cloud.guid("lifecycle", vm.key, cloud.count("lifecycle", vm.key))
        record = records.new(vm, str(sent["policyId"]), disks, direction="PrimaryToRecovery", lifecycle=lifecycle)
        record["network"], record["subnet"] = _network(cloud, item, body, details)
        record["cluster"] = _cluster(cloud, item, into, details)
        profile = body["properties"].get("storageProfile") or {}
        shown = properties_of(
            cloud,
            item,
            record,
            into=into,
            group=must_find(cloud, details["recoveryResourceGroupId"], "recoveryResourceGroupId").text,
            vm_name=vm.name,
            vm_size=str((body["properties"].get("hardwareProfile") or {}).get("vmSize") or ""),
            os_type=str((profile.get("osDisk") or {}).get("osType") or "Windows"),
            nics=[],
            settings=details,
        )
        records.put(cloud, item, record)
        keep(cloud, item, ITEMS, shown)
        operation = call.cloud.busy_with(item)
        assert operation is not None
        records.scenario(cloud, item, "EnableDr", operation)
        return response

    def patch(self, call: Call) -> Response:
        body = call.must_exist()
        call.id = resource_id(str(body["id"]))
        phase = records.phase_of(records.of(call.cloud, call.id))
        name = str(body["properties"]["friendlyName"])
        require(phase, "UnplannedFailover", name, operations.busy(call.cloud, call.id) is not None)
        settings(call.cloud, body, call.properties())
        takes = call.cloud.duration("recovery.update", call.id.key, call.cloud.count("attempt", call.id.key, "patch"))
        response, job = jobs.begin(
            call,
            "patch",
            scenario="UpdateVmProperties",
            title="Update the virtual machine",
            target=jobs.item_target(call.cloud, call.id),
            takes=takes,
            data={"properties": call.properties()},
        )
        jobs.start_task(call.cloud, job, "UpdateVmPropertiesTask", "Updating the virtual machine's properties")
        records.scenario(call.cloud, call.id, "UpdateVmProperties", job)
        return response

    def delete(self, call: Call) -> Response:
        response = super().delete(call)
        held = call.cloud.busy_with(call.id)
        if response.status == 202 and held is not None:
            records.scenario(call.cloud, call.id, "DisableDr", held)
        return response

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """Not along with its vault or group: protection is disabled first."""
        raise Refused(409, "ProtectedItemInUse", f"{id_.name} is a protected item. Disable its protection first.")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        for kind in (PHASE, shipping.POINT):
            cloud.cancel(kind, id_.key)
        records.drop(cloud, id_)

    def may_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        record = records.of(cloud, id_)
        name = str((cloud.body(id_) or {})["properties"]["friendlyName"])
        require(records.phase_of(record), "DisableProtection", name, False)

    def finished(self, cloud: Cloud, operation: Operation, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is None:
            return
        if operation.verb == "delete":
            shipping.end(cloud, id_)
            self.forget(cloud, id_)
        elif operation.verb == "patch":
            records.idle(cloud, id_)
            changed = settings(cloud, body, operation.data["properties"])
            cloud.write(id_, {**(cloud.body(id_) or body), "properties": _merged(cloud, id_, changed)}, forwards=False)
        else:
            records.idle(cloud, id_)
            try:
                self._begin(cloud, id_)
            except Refused:
                self.forget(cloud, id_)
                raise

    def _begin(self, cloud: Cloud, id_: ResourceId) -> None:
        record = records.of(cloud, id_)
        vm = resource_id(record["vm"])
        if machines.power(cloud, vm) != "running":
            raise Refused(400, "VirtualMachineNotRunning", f"Machine {vm.name} does not run: no agent installed.")
        must_answer(cloud, str(record["disks"][0]["region"]))
        begin_replication(cloud, id_, "recovery.seed")

    def forget(self, cloud: Cloud, id_: ResourceId) -> None:
        """The item and its replicas are gone, the machine stays as it is."""
        forget_replicas(cloud, records.of(cloud, id_))
        self.take_away(cloud, id_)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """Live, where the estate says enough (`item_seeding.py`)."""
        kept = super().seed(cloud, body)
        item = resource_id(str(kept["id"]))
        kept = {**kept, "properties": item_seeding.take_over(cloud, item, kept["properties"])}
        cloud.write(item, kept)
        item_seeding.begin(cloud, item)
        return cloud.body(item) or kept

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        record = records.get(cloud, id_)
        return (
            body if record is None else {**body, "properties": health.present(cloud, id_, record, body["properties"])}
        )


# Disables protection.
removes(ITEMS)


def _merged(cloud: Cloud, item: ResourceId, changed: Body) -> Body:
    properties: Body = (cloud.body(item) or {})["properties"]
    return {**properties, "providerSpecificDetails": {**properties["providerSpecificDetails"], **changed}}


def _regions(cloud: Cloud, item: ResourceId, into: ResourceId) -> tuple[str, str]:
    """The region that an item protects from, and the one it protects into."""
    return fabric_location(cloud, fabric_of(item)), fabric_location(cloud, fabric_of(into))


def _cluster(cloud: Cloud, item: ResourceId, into: ResourceId, details: Body) -> str | None:
    """The protection cluster that a request makes the machine a node of: one of the same two containers."""
    if not details.get("protectionClusterId"):
        return None
    cluster = must_find(cloud, details["protectionClusterId"], "protectionClusterId")
    body = cloud.body(cluster) or {}
    target = str((body.get("properties") or {}).get("recoveryContainerId")).lower()
    if not cluster.is_a(CLUSTERS) or cluster.parent != item.parent or target != into.key:
        raise bad_request(
            "InvalidParameter", f"{cluster.name} is no cluster of these containers.", "protectionClusterId"
        )
    return cluster.text


def _network(cloud: Cloud, item: ResourceId, vm: Body, details: Body) -> tuple[str | None, str | None]:
    """The network and subnet that a machine goes to by default: what the request says, else the mapping (S33)."""
    if details.get("recoveryAzureNetworkId"):
        network = must_find(cloud, details["recoveryAzureNetworkId"], "recoveryAzureNetworkId")
        return network.text, last_segment(details.get("recoverySubnetName"))
    return default_network(cloud, fabric_of(item), vm), last_segment(details.get("recoverySubnetName"))
