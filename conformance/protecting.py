"""What stands under an example of Site Recovery, Azure to Azure, and no example shows.

An operation on an item needs the item in a state that allows the operation; an item needs a machine, its disks, a
network on both sides, two fabrics with a container each that are mapped to each other, a policy, accounts. All of that
is made up here and put in as an estate would bring it (`Cloud.seed`). What an example says (a container, a policy, a
disk that a request names, the nodes that an answer lists) is taken from it. A job that a path names is done first, and
the path then says what the lab calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conformance.recordings import Row, id_of, texts
from conformance.standing import ids_in
from farshore.arm.http import Request
from farshore.arm.ids import ResourceId, resource_id
from farshore.lab import Cloud
from farshore.lab.recovery.names import CLUSTERS, CONTAINERS, ITEMS, VAULTS
from farshore.lab.recovery.states import SHOWN, Phase

Body = dict[str, Any]
HOME, AWAY = "eastus", "westus"
NEEDS = {
    "applyrecoverypoint": "ChangePit",
    "failovercommit": "Commit",
    "reprotect": "ReverseReplicate",
    "switchprotection": "ReverseReplicate",
    "testfailovercleanup": "TestFailoverCleanup",
}
"""The last segment of a verb to the operation that an item must allow; for any other it is one that is Protected."""
OF_ALL_ITEMS = ("replicationvaulthealth",)
"""Views of a vault that tell of its items."""
FIRST_POINTS = timedelta(minutes=11)
JOB = re.compile(r"(?<=/replicationJobs/)[^/?]+", re.IGNORECASE)


def seed(cloud: Cloud, row: Row, answer: Any, shown: dict[str, Body]) -> str:
    """Let a request meet what it needs; the URL to send. `shown` has the bodies that examples show, by key."""
    above = {id_.type.lower(): id_ for id_ in _above(row)}
    vault, container = above.get(VAULTS.lower()), above.get(CONTAINERS.lower())
    if vault is None:
        return row.url
    cluster = above.get(CLUSTERS.lower())
    items = list(_items(row, answer, vault, container, above.get(ITEMS.lower())))
    for item in items:
        parent = item.parent
        assert parent is not None
        way = _way(
            vault, parent, shown.get(item.key) or shown.get(cluster.key if cluster else "") or {}, row.request_body
        )
        _put(cloud, [*way.bodies(), *_Machine(item, way, row, shown.get(item.key) or {}, cluster).bodies()])
    if cluster is not None and container is not None:
        way = _way(vault, container, shown.get(cluster.key) or {}, row.request_body)
        made = row.method == "PUT"
        _put(cloud, way.bodies() if made else [*way.bodies(), way.cluster(cluster, shown.get(cluster.key) or {})])
    if items:
        cloud.advance(cloud.now + FIRST_POINTS)
    return _with_job(cloud, row, vault) if JOB.search(row.url) else row.url


def _above(row: Row) -> Iterator[ResourceId]:
    """The ids that a path goes through."""
    for length in range(len(row.segments)):
        found = id_of("/" + "/".join(row.segments[: length + 1]))
        if found is not None:
            yield found


def _items(
    row: Row, answer: Any, vault: ResourceId, container: ResourceId | None, item: ResourceId | None
) -> Iterator[ResourceId]:
    """The items that must be there: of the path, of the request, a cluster's nodes, any where all are told of."""
    if item is not None:
        if not (row.method == "PUT" and row.id == item):
            yield item
        return
    name = ((row.request_body or {}).get("properties") or {}).get("replicationProtectedItemName")
    if name and container is not None:
        yield container.child("replicationProtectedItems", str(name))
    if row.method == "PUT":
        return
    if "/replicationprotectionclusters/" in row.path.lower() and container is not None:
        nodes = [id_ for id_ in ids_in(answer) if id_.is_a(ITEMS) and id_.parent == container]
        yield from nodes or [container.child("replicationProtectedItems", name) for name in ("node1", "node2")]
    if row.segments[-1].lower() in OF_ALL_ITEMS:
        fabric = vault.child("replicationFabrics", "fabric")
        yield fabric.child("replicationProtectionContainers", "container").child("replicationProtectedItems", "item")


def _put(cloud: Cloud, bodies: list[Body]) -> None:
    cloud.seed([body for body in bodies if not cloud.exists(resource_id(str(body["id"])))])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """From which container into which, under which policy."""

    vault: ResourceId
    container: ResourceId
    into: ResourceId
    policy: ResourceId

    @property
    def group(self) -> str:
        return str(self.vault.group_id)

    def resource(self, type_: str, name: str) -> str:
        return f"{self.group}/providers/{type_}/{name}"

    @property
    def name(self) -> str:
        """Stands in the names of all that is of this way, so that two ways do not share a machine."""
        return re.sub(r"\W", "", self.container.name.lower())[-12:]

    def network(self, region: str) -> str:
        return self.resource("Microsoft.Network/virtualNetworks", f"{self.name}-{region}")

    def account(self, region: str) -> str:
        return self.resource("Microsoft.Storage/storageAccounts", f"cache{region}")

    def bodies(self) -> list[Body]:
        ends = ((self.container, self.into, HOME), (self.into, self.container, AWAY))
        found: list[Body] = [{"id": self.vault.text, "location": AWAY, "sku": {"name": "RS0", "tier": "Standard"}}]
        details = {"instanceType": "A2A", "recoveryPointHistory": 1440, "crashConsistentFrequencyInMinutes": 5}
        found.append({"id": self.policy.text, "properties": {"providerSpecificDetails": details}})
        for here, there, region in ends:
            fabric = here.parent
            assert fabric is not None
            custom = {"instanceType": "Azure", "location": region}
            found.append({"id": fabric.text, "properties": {"friendlyName": region, "customDetails": custom}})
            found.append(
                {"id": here.text, "properties": {"friendlyName": here.name, "fabricType": "Azure", "role": ""}}
            )
            mapping = here.child("replicationProtectionContainerMappings", f"to-{there.name}")
            ends_ = {"targetProtectionContainerId": there.text, "policyId": self.policy.text}
            found.append({"id": mapping.text, "properties": ends_})
            found.append({"id": self.account(region), "location": region, "sku": {"name": "Standard_LRS"}})
            prefix = "10.60.0.0/24"
            subnet = {"name": "default", "properties": {"addressPrefix": prefix}}
            space = {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]}
            found.append({"id": self.network(region), "location": region, "properties": space})
        return found

    def cluster(self, id_: ResourceId, known: Body) -> Body:
        said = known.get("properties") or {}
        ends = {"policyId": self.policy.text, "recoveryContainerId": self.into.text}
        return {"id": id_.text, "properties": {"providerSpecificDetails": {"instanceType": "A2A"}, **said, **ends}}


def _way(vault: ResourceId, container: ResourceId, known: Body, sent: Any) -> _Way:
    said = [value for value in (known.get("properties"), (sent or {}).get("properties")) if isinstance(value, dict)]
    into = next((id_ for body in said if (id_ := id_of(str(body.get("recoveryContainerId")))) is not None), None)
    policy = next((id_ for body in said if (id_ := id_of(str(body.get("policyId")))) is not None), None)
    there = vault.child("replicationFabrics", "there").child("replicationProtectionContainers", "there")
    return _Way(
        vault=vault,
        container=container,
        into=into or there,
        policy=policy or vault.child("replicationPolicies", "policy"),
    )


class _Machine:
    """An item, its machine, and the machine on the other side where the item has one."""

    def __init__(self, item: ResourceId, way: _Way, row: Row, known: Body, cluster: ResourceId | None) -> None:
        self._item, self._way, self._known, self._cluster = item, way, known.get("properties") or {}, cluster
        verb = row.segments[-1].lower()
        wanted = NEEDS.get(verb)
        self._phase = next((phase for phase, shown in SHOWN.items() if wanted in shown.allowed), Phase.PROTECTED)
        said = list(texts(row.request_body))
        self._blobs = [text for key, text in said if key == "diskUri"]
        self._accounts = {
            text: AWAY if key.startswith("recovery") else HOME
            for key, text in said
            if id_of(text) is not None and "/storageaccounts/" in text.lower()
        }

    def bodies(self) -> list[Body]:
        found = [
            {"id": text, "location": region, "sku": {"name": "Standard_LRS"}} for text, region in self._accounts.items()
        ]
        found += self._machine(HOME, "")
        if self._phase in (Phase.FAILED_OVER, Phase.COMMITTED):
            found += self._machine(AWAY, "")
        if self._phase == Phase.TEST_PENDING:
            found += self._machine(AWAY, "-test")
        return [*found, self._body()]

    def _named(self, type_: str, region: str, suffix: str = "") -> str:
        return self._way.resource(type_, f"{self._item.name}-{region}{suffix}"[-80:])

    def _machine(self, region: str, suffix: str) -> list[Body]:
        vm = self._named("Microsoft.Compute/virtualMachines", region, suffix)
        nic, disk = (
            self._named(kind, region, suffix)
            for kind in ("Microsoft.Network/networkInterfaces", "Microsoft.Compute/disks")
        )
        subnet = {"id": f"{self._way.network(region)}/subnets/default"}
        config = {"name": "ipconfig1", "properties": {"subnet": subnet, "privateIPAllocationMethod": "Dynamic"}}
        system: Body = {"osType": "Linux", "name": "os", "createOption": "Attach", "diskSizeGB": 30}
        found: list[Body] = [
            {"id": nic, "location": region, "properties": {"ipConfigurations": [config], "virtualMachine": {"id": vm}}}
        ]
        if self._blobs:
            system["vhd"] = {"uri": self._blob(region)}
        else:
            system["managedDisk"] = {"id": disk}
            properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 30, "osType": "Linux"}
            found.append({"id": disk, "location": region, "managedBy": vm, "properties": properties})
        data = [
            {"lun": lun, "name": f"data{lun}", "createOption": "Attach", "diskSizeGB": 30, "vhd": {"uri": uri}}
            for lun, uri in enumerate(self._blobs if region == HOME else [])
        ]
        properties = {
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": {"osDisk": system, "dataDisks": data},
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        }
        return [*found, {"id": vm, "location": region, "properties": properties}]

    def _blob(self, region: str) -> str:
        return (
            f"https://{self._way.account(region).rsplit('/', 1)[-1]}.blob.core.windows.net/vhds/{self._item.name}.vhd"
        )

    def _body(self) -> Body:
        way, shown = self._way, SHOWN[self._phase]
        moved = self._phase in (Phase.FAILED_OVER, Phase.COMMITTED)
        tested = self._phase == Phase.TEST_PENDING
        staging = {"primaryStagingAzureStorageAccountId": way.account(HOME), "diskType": "OperatingSystem"}
        if self._blobs:
            disks: Body = {
                "protectedDisks": [
                    {"diskUri": self._blob(HOME), "recoveryAzureStorageAccountId": way.account(AWAY), **staging}
                ]
            }
        else:
            disk = self._named("Microsoft.Compute/disks", HOME)
            disks = {"protectedManagedDisks": [{"diskId": disk, "recoveryResourceGroupId": way.group, **staging}]}
        vms = "Microsoft.Compute/virtualMachines"
        details = {
            "instanceType": "A2A",
            "fabricObjectId": self._named(vms, HOME),
            "primaryFabricLocation": HOME,
            "recoveryFabricLocation": AWAY,
            "recoveryAzureResourceGroupId": way.group,
            "recoveryAzureVMName": self._named(vms, AWAY).rsplit("/", 1)[-1],
            "selectedRecoveryAzureNetworkId": way.network(AWAY),
            "recoveryFabricObjectId": self._named(vms, AWAY) if moved else None,
            "testFailoverRecoveryFabricObjectId": self._named(vms, AWAY, "-test") if tested else None,
            **({} if self._cluster is None else {"protectionClusterId": self._cluster.text}),
            **disks,
            **(self._known.get("providerSpecificDetails") or {}),
        }
        properties = {
            "friendlyName": self._item.name,
            "policyId": way.policy.text,
            "recoveryContainerId": way.into.text,
            **self._known,
            "protectionState": shown.state,
            "activeLocation": "Recovery" if moved else "Primary",
            "testFailoverState": "WaitingForCompletion" if tested else "None",
            "providerSpecificDetails": details,
        }
        return {"id": self._item.text, "properties": properties}


def _with_job(cloud: Cloud, row: Row, vault: ResourceId) -> str:
    """A policy's job is done, or has failed where it is to be restarted; the URL with its name."""
    place = {"id": vault.text, "location": AWAY, "sku": {"name": "RS0", "tier": "Standard"}}
    _put(cloud, [place])
    policy = vault.child("replicationPolicies", "policy")
    if row.segments[-1].lower() == "restart":
        fault = {"kind": "fail-operation", "path": "replicationPolicies", "code": "InternalError"}
        cloud.handle(Request(method="POST", url="/_lab/faults", body=fault), cloud.now)
    sent = {"properties": {"providerSpecificInput": {"instanceType": "A2A"}}}
    answer = cloud.handle(Request(method="PUT", url=f"{policy.text}?api-version=2024-04-01", body=sent), cloud.now)
    cloud.advance(cloud.now + FIRST_POINTS)
    job = str(answer.headers["location"]).split("?")[0].rsplit("/", 1)[-1]
    return JOB.sub(job, row.url)
