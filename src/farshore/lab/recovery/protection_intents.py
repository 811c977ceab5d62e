"""replicationProtectionIntents: a machine protected by one call (S8, S17, S31).

A PUT is answered 200 at once, with the id of the job that enables protection. What that needs and is not there is made
first (`intent_objects.py`): this is how the portal enables. A machine that can't be protected is refused before
anything is made. A machine's disks are all protected unless the request names some.

`jobState` is the job's as it is now, and an intent is active for as long as its job runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.errors import InputError
from farshore.lab.answers import Refused, bad_request, not_implemented, quoted
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.compute.attached import Attached
from farshore.lab.recovery import intent_objects as make
from farshore.lab.recovery import jobs, records
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import INTENTS, shown_id
from farshore.lab.recovery.objects import RecoveryType, keep, must_find, object_, objects
from farshore.lab.registry import resource_type
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

NEEDED = (
    "fabricObjectId",
    "primaryLocation",
    "recoveryLocation",
    "recoverySubscriptionId",
    "recoveryAvailabilityType",
    "recoveryResourceGroupId",
)
CUSTOM = {
    "protectionProfileCustomInput": ("protectionProfile", "protectionProfileId"),
    "primaryStagingStorageAccountCustomInput": ("primaryStagingStorageAccount", "azureStorageAccountId"),
    "recoveryAvailabilitySetCustomInput": ("recoveryAvailabilitySet", "recoveryAvailabilitySetId"),
    "recoveryVirtualNetworkCustomInput": ("recoveryVirtualNetwork", "recoveryVirtualNetworkId"),
    "recoveryProximityPlacementGroupCustomInput": (
        "recoveryProximityPlacementGroup",
        "recoveryProximityPlacementGroupId",
    ),
    "recoveryBootDiagStorageAccount": ("recoveryBootDiagStorageAccount", "azureStorageAccountId"),
}
"""What a request may describe: how an intent shows it, and by what id a thing that exists is named."""
NAMES = (
    ("protectionProfileCustomInput", "policyName"),
    ("recoveryVirtualNetworkCustomInput", "recoveryVirtualNetworkName"),
    ("recoveryVirtualNetworkCustomInput", "recoveryVirtualNetworkResourceGroupName"),
)
"""By what a thing that is new would be called."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,78}\w|[A-Za-z0-9]")
SHOWN = (
    "vmDisks",
    "vmManagedDisks",
    "multiVmGroupName",
    "multiVmGroupId",
    "autoProtectionOfDataDisk",
    "diskEncryptionInfo",
    "recoveryAvailabilityZone",
    "agentAutoUpdateStatus",
    "automationAccountArmId",
    "automationAccountAuthenticationType",
)
TO_THE_ITEM = ("multiVmGroupName", "multiVmGroupId", "autoProtectionOfDataDisk", "recoveryAvailabilityZone")
AGENT = ("agentAutoUpdateStatus", "automationAccountArmId", "automationAccountAuthenticationType")


@resource_type(INTENTS)
class Intents(RecoveryType):
    noun = "protection intent"
    kind = "ProtectionEntity"

    def put(self, call: Call) -> Response:
        cloud, id_ = call.cloud, self.full_id(call)
        self.check_place(call, id_, call.object(), cloud.body(id_))
        vault = id_.parent
        assert vault is not None
        given = details_of(call.properties())
        vm = _checked(cloud, given)
        job = _enable(call, vault, vm, given)
        shown = {key: given[key] for key in NEEDED}
        shown |= {key: given.get(key) for key in SHOWN} | {name: given.get(key) for key, (name, _) in CUSTOM.items()}
        properties = {
            "friendlyName": vm.name,
            "jobId": shown_id(vault.child("replicationJobs", job)),
            "jobState": None,
            "isActive": True,
            "creationTimeUTC": stamp(cloud.now),
            "providerSpecificDetails": {"instanceType": "A2A", **shown},
        }
        keep(cloud, id_, INTENTS, properties)
        return Response(status=200, body=cloud.show(id_))

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        row = jobs.get(cloud, str(body["properties"]["jobId"]).rsplit("/", 1)[1])
        state = "Other" if row is None else str(row["properties"]["state"])
        now = {"jobState": state, "isActive": state in ("NotStarted", "InProgress", "Suspended")}
        return {**body, "properties": {**body["properties"], **now}}

    def delete(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A protection intent is not deleted: disable the item's protection.")

    patch = delete

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """With its vault it goes as it is: it is only a memory."""


def _checked(cloud: Cloud, given: Body) -> ResourceId:
    """The machine of a request that can be done. Raises `Refused`, and nothing has been made."""
    if (kind := given.get("instanceType")) != "A2A":
        raise not_implemented(f"protection intents of instanceType {quoted(kind)}")
    for name in NEEDED:
        if not isinstance(given.get(name), str) or not given[name]:
            raise bad_request("InvalidParameter", f"{name} is needed, and is a text.", name)
    vm = must_find(cloud, given["fabricObjectId"], "fabricObjectId")
    regions = [normal_location(given[name]) for name in ("primaryLocation", "recoveryLocation")]
    if cloud.region_of(vm) != regions[0]:
        raise bad_request("InvalidParameter", f"Machine {vm.name} is not in {regions[0]}.", "primaryLocation")
    if find_region(regions[1]) is None or regions[0] == regions[1]:
        raise bad_request(
            "InvalidParameter", f"recoveryLocation is another region, not '{regions[1]}'.", "recoveryLocation"
        )
    for other, _ in records.for_machine(cloud, vm.text):
        raise Refused(409, "MachineAlreadyProtected", f"Machine {vm.name} is protected by {other.name} already.")
    try:
        group = resource_id(given["recoveryResourceGroupId"])
    except InputError:
        group = None
    if group is None or group.group_id != group:
        raise bad_request(
            "InvalidParameter", "recoveryResourceGroupId is the id of a group.", "recoveryResourceGroupId"
        )
    for name, (_, key) in CUSTOM.items():
        if make.kind(object_(given.get(name), name)) == "Existing":
            must_find(cloud, given[name].get(key), key)
    for name, key in NAMES:
        text = object_(given.get(name), name).get(key)
        if text is not None and not (isinstance(text, str) and _NAME.fullmatch(text)):
            raise bad_request("InvalidParameter", f"{key} '{text}' is no name.", key)
    cache = object_(given.get("primaryStagingStorageAccountCustomInput"), "primaryStagingStorageAccountCustomInput")
    _in_region(cloud, cache.get("azureStorageAccountId"), regions[0])
    _in_region(cloud, _network_input(given).get("recoveryVirtualNetworkId"), regions[1])
    body = cloud.body(vm) or {}
    make.network_of(cloud, body)
    wanted = _disks(cloud, body, given, vm, vm)
    for disk in (*wanted["vmManagedDisks"], *wanted["vmDisks"]):
        staging = disk["primaryStagingAzureStorageAccountId"]
        _in_region(cloud, None if staging == vm.text else staging, regions[0])
        _in_region(cloud, disk.get("recoveryAzureStorageAccountId"), regions[1])
    return vm


def _in_region(cloud: Cloud, text: object, region: str) -> None:
    if text and cloud.region_of(resource_id(str(text))) != region:
        raise bad_request("InvalidParameter", f"{str(text).rsplit('/', 1)[-1]} is not in {region}.")


def _enable(call: Call, vault: ResourceId, vm: ResourceId, given: Body) -> str:
    """Make what is needed, and enable protection. The job's id."""
    from farshore.lab.router import within

    cloud, body = call.cloud, call.cloud.body(vm) or {}
    here, there = (normal_location(given[name]) for name in ("primaryLocation", "recoveryLocation"))
    policy = make.ensure_policy(cloud, vault, given.get("protectionProfileCustomInput") or {})
    ends = make.ensure_container(cloud, vault, here), make.ensure_container(cloud, vault, there)
    group = make.ensure_group(cloud, given["recoveryResourceGroupId"], there)
    agent = {key: given[key] for key in AGENT if given.get(key)}
    for one, other in (ends, ends[::-1]):
        make.ensure_mapping(cloud, one, other, policy, agent)
    cache = make.ensure_cache(cloud, vm, here, given.get("primaryStagingStorageAccountCustomInput") or {})
    network = make.ensure_network(cloud, ends, make.network_of(cloud, body), group, _network_input(given))
    details = {
        "instanceType": "A2A",
        "fabricObjectId": vm.text,
        "recoveryContainerId": ends[1].text,
        "recoveryResourceGroupId": group.text,
        "recoveryAzureNetworkId": network.text,
        "recoverySubnetName": _network_input(given).get("recoverySubnetName"),
        "recoveryAvailabilitySetId": (given.get("recoveryAvailabilitySetCustomInput") or {}).get(
            "recoveryAvailabilitySetId"
        ),
        "recoveryBootDiagStorageAccountId": (given.get("recoveryBootDiagStorageAccount") or {}).get(
            "azureStorageAccountId"
        ),
        **{key: given[key] for key in TO_THE_ITEM if given.get(key)},
        **_disks(cloud, body, given, cache, group),
    }
    item = ends[0].child("replicationProtectedItems", cloud.guid("intent", vm.key, cloud.count("intent", vm.key)))
    sent = {"properties": {"policyId": policy.text, "protectableItemId": "", "providerSpecificDetails": details}}
    url = f"{call.base}{item.text}?api-version={call.api_version}"
    answer = within(cloud, Request(method="PUT", url=url, body=sent), call.caller)
    return str(answer.headers["location"]).split("?")[0].rsplit("/", 1)[1]


def _network_input(given: Body) -> Body:
    return object_(given.get("recoveryVirtualNetworkCustomInput"), "recoveryVirtualNetworkCustomInput")


def _disks(cloud: Cloud, vm: Body, given: Body, cache: ResourceId, group: ResourceId) -> Body:
    """`vmManagedDisks` and `vmDisks` of the item: those that the request names, else all that the machine has."""
    there = attached.disks(vm)
    named = {str(disk.get("diskId")).lower(): disk for disk in objects(given.get("vmManagedDisks"), "vmManagedDisks")}
    blobs = {str(disk.get("diskUri")).lower(): disk for disk in objects(given.get("vmDisks"), "vmDisks")}
    if missing := ({*named, *blobs} - {disk.key.lower() for disk in there}):
        raise bad_request("DiskNotAttached", f"Disk {min(missing)} is not attached to machine {vm.get('name')}.")
    wanted = [disk for disk in there if not (named or blobs) or disk.key.lower() in {*named, *blobs}]
    if not any(disk.lun is None for disk in wanted):
        raise bad_request("OsDiskNotProtected", f"The operating system's disk of {vm.get('name')} must be protected.")
    managed = [_managed(cloud, disk, named.get(disk.key.lower(), {}), cache, group) for disk in wanted if disk.id]
    unmanaged = [_unmanaged(cloud, disk, blobs.get(disk.key.lower(), {}), cache) for disk in wanted if not disk.id]
    return {"vmManagedDisks": managed, "vmDisks": unmanaged}


def _managed(cloud: Cloud, disk: Attached, said: Body, cache: ResourceId, group: ResourceId) -> Body:
    own = object_(said.get("recoveryResourceGroupCustomInput"), "recoveryResourceGroupCustomInput")
    holder = own.get("recoveryResourceGroupId")
    kinds = ("recoveryReplicaDiskAccountType", "recoveryTargetDiskAccountType", "recoveryDiskEncryptionSetId")
    return {
        "diskId": disk.key,
        "primaryStagingAzureStorageAccountId": _account(
            cloud, said, "primaryStagingStorageAccountCustomInput", cache.text
        ),
        "recoveryResourceGroupId": group.text
        if holder is None
        else must_find(cloud, holder, "recoveryResourceGroupId").text,
        **{key: said[key] for key in kinds if said.get(key)},
    }


def _unmanaged(cloud: Cloud, disk: Attached, said: Body, cache: ResourceId) -> Body:
    target = _account(cloud, said, "recoveryAzureStorageAccountCustomInput", None)
    if target is None:
        message = f"Disk {disk.name} is a blob: vmDisks must name an existing account that it goes to."
        raise bad_request("InvalidParameter", message, "recoveryAzureStorageAccountCustomInput")
    staging = _account(cloud, said, "primaryStagingStorageAccountCustomInput", cache.text)
    return {
        "diskUri": disk.key,
        "primaryStagingAzureStorageAccountId": staging,
        "recoveryAzureStorageAccountId": target,
    }


def _account(cloud: Cloud, said: Body, name: str, usual: str | None) -> str | None:
    text = object_(said.get(name), name).get("azureStorageAccountId")
    return usual if text is None else must_find(cloud, text, name).text
