"""What protection by one call makes on its way, if it is not there (S31, S33).

    fabric and container of each region, policy, container mappings both ways       in the vault
    the target's resource group, `<network>-asr` with the source's subnets,         in the subscriptions
    a cache account in the source region; network mappings both ways

What is there is used again. Names that nobody gave are as the portal's: `asr-a2a-default-<region>`,
`24-hour-retention-policy`, `<network>-asr`, `<six letters>asrcache`. Never made: route tables, security groups and
their associations, peerings, gateways (S32).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.compute import attached
from farshore.lab.recovery.container_mappings import mapped
from farshore.lab.recovery.names import NETWORK_MAPPINGS, shown_id
from farshore.lab.recovery.network_mappings import mapped_network
from farshore.lab.recovery.objects import fabric_location, keep, must_find
from farshore.lab.types import Put, make

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

NETWORKS = "Microsoft.Network/virtualNetworks"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
DEFAULT = "asr-a2a-default-{}"
POLICY = "24-hour-retention-policy"
DAY_IN_MINUTES = 1440


def ensure_group(cloud: Cloud, text: str, region: str) -> ResourceId:
    group = resource_id(text)
    if cloud.body(group) is None:
        make(cloud, {"id": group.text, "name": group.name, "location": region, "properties": {}})
    return resource_id(str((cloud.body(group) or {})["id"]))


def ensure_container(cloud: Cloud, vault: ResourceId, region: str) -> ResourceId:
    """The container of a region, with its fabric."""
    name = DEFAULT.format(region)
    fabric = next(
        (
            found
            for body in cloud.children(vault, "replicationFabrics")
            if fabric_location(cloud, found := resource_id(str(body["id"]))) == region
        ),
        None,
    )
    if fabric is None:
        details = {"customDetails": {"instanceType": "Azure", "location": region}}
        fabric = _object(cloud, vault.child("replicationFabrics", name), details)
    for body in cloud.children(fabric, "replicationProtectionContainers"):
        return resource_id(str(body["id"]))
    return _object(cloud, fabric.child("replicationProtectionContainers", f"{name}-container"), {})


def ensure_policy(cloud: Cloud, vault: ResourceId, wanted: Body) -> ResourceId:
    """The policy that a request names (`protectionProfileCustomInput`), one that it describes, or the default (S25)."""
    if kind(wanted) == "Existing":
        return must_find(cloud, wanted.get("protectionProfileId"), "protectionProfileId")
    id_ = vault.child("replicationPolicies", str(wanted.get("policyName") or POLICY))
    if cloud.exists(id_):
        return id_
    given = {
        "instanceType": "A2A",
        "recoveryPointHistory": wanted.get("recoveryPointHistory", DAY_IN_MINUTES),
        "appConsistentFrequencyInMinutes": wanted.get("appConsistentFrequencyInMinutes", 0),
        "crashConsistentFrequencyInMinutes": wanted.get("crashConsistentFrequencyInMinutes", 5),
        "multiVmSyncStatus": wanted.get("multiVmSyncStatus", "Enable"),
    }
    return _object(cloud, id_, {"providerSpecificInput": given})


def ensure_mapping(cloud: Cloud, here: ResourceId, there: ResourceId, policy: ResourceId, given: Body) -> None:
    """One direction. `given` is what the request says of the agent's updates."""
    if mapped(cloud, here, there, policy.key) is None:
        name = f"{here.name}-{there.name}-{policy.name}"[:120]
        input_ = {"instanceType": "A2A", **given}
        sent = {"targetProtectionContainerId": there.text, "policyId": policy.text, "providerSpecificInput": input_}
        _object(cloud, here.child("replicationProtectionContainerMappings", name), sent)


def ensure_cache(cloud: Cloud, vm: ResourceId, region: str, wanted: Body) -> ResourceId:
    """The cache account of the source region (S27)."""
    if kind(wanted) == "Existing":
        return must_find(cloud, wanted.get("azureStorageAccountId"), "azureStorageAccountId")
    name = cloud.guid("cache", vm.subscription, vm.resource_group, region)[:6] + "asrcache"
    id_ = make_id(vm.subscription, str(vm.resource_group), ACCOUNTS, name)
    if not cloud.exists(id_):
        sku = {"name": "Standard_LRS"}
        make(cloud, {"id": id_.text, "location": region, "sku": sku, "kind": "StorageV2", "properties": {}})
    return id_


def ensure_network(
    cloud: Cloud, containers: tuple[ResourceId, ResourceId], source: ResourceId, group: ResourceId, wanted: Body
) -> ResourceId:
    """The network that the machine goes to: a named one, else what is mapped, else a new one like the source's."""
    here, there = (container.parent for container in containers)
    assert here is not None and there is not None
    if kind(wanted) == "Existing":
        return must_find(cloud, wanted.get("recoveryVirtualNetworkId"), "recoveryVirtualNetworkId")
    known = mapped_network(cloud, here, source)
    if known is not None and not wanted.get("recoveryVirtualNetworkName"):
        return known
    name = str(wanted.get("recoveryVirtualNetworkName") or f"{source.name}-asr")
    holder = str(wanted.get("recoveryVirtualNetworkResourceGroupName") or group.resource_group)
    id_ = make_id(group.subscription, holder, NETWORKS, name)
    region = fabric_location(cloud, there)
    if not cloud.exists(id_):
        ensure_group(cloud, str(id_.group_id), region)
        make(cloud, _like(cloud, source, id_, region))
    for from_, to, one, other in ((here, there, source, id_), (there, here, id_, source)):
        if mapped_network(cloud, from_, one) is None:
            _map(cloud, from_, to, one, other)
    return id_


def network_of(cloud: Cloud, vm: Body) -> ResourceId:
    """The network of a machine's first NIC."""
    for nic in attached.nics(vm):
        for config in ((cloud.body(nic) or {}).get("properties") or {}).get("ipConfigurations") or []:
            subnet = ((config.get("properties") or {}).get("subnet") or {}).get("id")
            parent = resource_id(str(subnet)).parent if subnet else None
            if parent is not None and cloud.exists(parent):
                return resource_id(str((cloud.body(parent) or {})["id"]))
    raise Refused(400, "NetworkNotFound", f"Machine {vm.get('name')} has no NIC in a network.")


def kind(wanted: Body) -> str:
    """`New` or `Existing`, as a request says it."""
    found = str(wanted.get("resourceType") or "New")
    if found not in ("New", "Existing"):
        raise bad_request("InvalidParameter", f"resourceType is New or Existing, not '{found}'.", "resourceType")
    return found


def _object(cloud: Cloud, id_: ResourceId, properties: Body) -> ResourceId:
    """An object of Site Recovery, at once. Raises `Refused`."""
    type_ = cloud.type_of(id_)
    put = Put(cloud=cloud, id=id_, body={"properties": properties}, before=None, query={})
    type_.check(put)
    keep(cloud, id_, type_.type, type_.built(put))
    return id_


def _like(cloud: Cloud, source: ResourceId, id_: ResourceId, region: str) -> Body:
    """A network like another: its space and its subnets, and nothing that hangs on them (S31, S32)."""
    shown = (cloud.show(source) or {})["properties"]
    subnets = []
    for subnet in shown.get("subnets") or []:
        own = {
            key: subnet["properties"][key]
            for key in ("addressPrefix", "addressPrefixes")
            if subnet["properties"].get(key)
        }
        subnets.append({"name": subnet["name"], "properties": own})
    properties = {"addressSpace": {"addressPrefixes": shown["addressSpace"]["addressPrefixes"]}, "subnets": subnets}
    return {"id": id_.text, "name": id_.name, "location": region, "properties": properties}


def _map(cloud: Cloud, here: ResourceId, there: ResourceId, source: ResourceId, target: ResourceId) -> None:
    id_ = here.child("replicationNetworks", "azureNetwork").child(
        "replicationNetworkMappings", f"{source.name}-{target.name}"
    )
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": source.text}
    sent = {"recoveryFabricName": there.name, "recoveryNetworkId": target.text, "fabricSpecificDetails": details}
    type_ = cloud.type_of(id_)
    put = Put(cloud=cloud, id=id_, body={"properties": sent}, before=None, query={})
    type_.check(put)
    keep(cloud, resource_id(shown_id(id_)), NETWORK_MAPPINGS, type_.built(put))
