"""replicationProtectionClusters: machines that are replicated and failed over as one (S8).

A cluster is made first and has no nodes; an item that is enabled with `protectionClusterId` is one. What it shows is
read off its nodes: it is Protected when they all are, and allows what they all allow. A PUT of api-version 2024-04-01
is answered 201 with the body, unlike every other of Site Recovery. DELETE disables the protection of all nodes, and
the cluster is gone.

The lab has no disks that several machines share: `sharedDiskProperties` tell of none, and say so by an empty list. Its
recovery points are in `cluster_points.py`, its verbs in `cluster_runs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request, not_implemented, quoted
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import cluster_points, health, records, shipping
from farshore.lab.recovery.container_mappings import mapped
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import CLUSTERS, VAULTS, region_name, shown_id
from farshore.lab.recovery.objects import RecoveryType, fabric_location, fabric_of, keep, must_find
from farshore.lab.recovery.states import SHOWN, Phase, require
from farshore.lab.recovery.vault_views import under
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

AS_OTHERS = "2025"
"""From here on clients of a cluster's PUT take 202 and refuse 201; those of 2024-04-01 take 201 and refuse 202."""
NO_NODES = ("NotProtected", "NotProtected")


@resource_type(CLUSTERS)
class Clusters(RecoveryType):
    noun = "protection cluster"
    kind = "ProtectionCluster"
    delete_takes = "recovery.remove"

    def check(self, put: Put) -> None:
        if put.before is not None:
            raise Refused(409, "ProtectionClusterExists", f"{put.id.name} is there already; its nodes are its change.")
        kind = details_of(put.properties).get("instanceType")
        if kind is None:
            raise bad_request("InvalidParameter", "A cluster's providerSpecificDetails say instanceType A2A.")
        if kind != "A2A":
            raise not_implemented(f"protection clusters of instanceType {quoted(kind)}")
        policy = must_find(put.cloud, put.properties.get("policyId"), "policyId")
        into = must_find(put.cloud, put.properties.get("recoveryContainerId"), "recoveryContainerId")
        container = put.id.parent
        assert container is not None
        if mapped(put.cloud, container, into, policy.key) is None:
            message = f"{container.name} is not mapped to {into.name} with {policy.name}."
            raise bad_request("ContainersNotPaired", message)

    def put(self, call: Call) -> Response:
        answer = super().put(call)
        sent = call.object()["properties"]
        into = must_find(call.cloud, sent["recoveryContainerId"], "recoveryContainerId")
        start(call.cloud, call.id, into, must_find(call.cloud, sent["policyId"], "policyId"), sent)
        if call.api_version >= AS_OTHERS:
            return answer
        return Response(status=201, headers=answer.headers, body=call.cloud.show(call.id))

    def patch(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A protection cluster is not changed by PATCH.")

    def may_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for item in nodes(cloud, id_):
            must_allow(cloud, item, "DisableProtection")

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """Not along with its container: its nodes are items."""

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        cluster_points.stop(cloud, id_)

    def finished(self, cloud: Cloud, operation: Operation, id_: ResourceId) -> None:
        """A new cluster has been there since it was asked for."""
        if operation.verb == "delete" and cloud.exists(id_):
            for item in nodes(cloud, id_):
                must_allow(cloud, item, "DisableProtection")
            for item in nodes(cloud, id_):
                shipping.end(cloud, item)
                cloud.type_of(item).forget(cloud, item)
            self.take_away(cloud, id_)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """A cluster that an estate brought: its nodes are the items that say so; points follow when it has some."""
        kept = super().seed(cloud, body)
        said, id_ = kept["properties"], resource_id(str(kept["id"]))
        if not said.get("recoveryContainerId") or not said.get("policyId"):
            return kept
        into, policy = resource_id(str(said["recoveryContainerId"])), resource_id(str(said["policyId"]))
        cluster_points.begin(cloud, id_)
        return {**kept, "properties": _laid_over(_built(cloud, id_, into, policy, {}), said)}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return {**body, "properties": {**body["properties"], **_present(cloud, id_, body["properties"])}}


@view(VAULTS, "replicationProtectionClusters")
def of_a_vault(call: Call) -> Response:
    return page(call, under(call, CLUSTERS))


def nodes(cloud: Cloud, cluster: ResourceId) -> list[ResourceId]:
    """The items that are a cluster's nodes."""
    return [item for item, _ in records.nodes(cloud, cluster)]


def must_allow(cloud: Cloud, item: ResourceId, operation: str) -> None:
    """Raise `Refused` unless a node's state allows an operation."""
    name = str((cloud.body(item) or {})["properties"]["friendlyName"])
    require(records.phase_of(records.of(cloud, item)), operation, name, operations.busy(cloud, item) is not None)


def start(cloud: Cloud, id_: ResourceId, into: ResourceId, policy: ResourceId, sent: Body) -> None:
    """A cluster without nodes, whose points begin when it has some."""
    keep(cloud, id_, CLUSTERS, _built(cloud, id_, into, policy, sent))
    cluster_points.begin(cloud, id_)


def _built(cloud: Cloud, id_: ResourceId, into: ResourceId, policy: ResourceId, sent: Body) -> Body:
    here, there = fabric_of(id_), fabric_of(into)
    regions = fabric_location(cloud, here), fabric_location(cloud, there)
    container = id_.parent
    assert container is not None
    management = cloud.guid("management", id_.key, cloud.count("cluster", id_.key))
    ends = {"primaryFabricLocation": regions[0], "recoveryFabricLocation": regions[1]}
    return {
        "protectionClusterType": sent.get("protectionClusterType"),
        "primaryFabricFriendlyName": region_name(regions[0]),
        "primaryFabricProvider": "AzureFabric",
        "recoveryFabricFriendlyName": region_name(regions[1]),
        "recoveryFabricId": shown_id(there),
        "primaryProtectionContainerFriendlyName": container.name,
        "recoveryProtectionContainerFriendlyName": into.name,
        "lastSuccessfulFailoverTime": None,
        "lastSuccessfulTestFailoverTime": None,
        "policyId": shown_id(policy),
        "policyFriendlyName": policy.name,
        "currentScenario": None,
        "recoveryContainerId": shown_id(into),
        "agentClusterId": sent.get("agentClusterId"),
        "clusterFqdn": sent.get("clusterFqdn"),
        "clusterNodeFqdns": sent.get("clusterNodeFqdns") or [],
        "providerSpecificDetails": {
            "instanceType": "A2A",
            "multiVmGroupId": None,
            "multiVmGroupName": None,
            "multiVmGroupCreateOption": None,
            **ends,
            "failoverRecoveryPointId": None,
            "clusterManagementId": management,
            "rpoInSeconds": None,
            "lastRpoCalculatedTime": None,
            "initialPrimaryZone": "",
            "initialPrimaryFabricLocation": regions[0],
            "initialRecoveryZone": "",
            "initialRecoveryFabricLocation": regions[1],
            "initialPrimaryExtendedLocation": None,
            "initialRecoveryExtendedLocation": None,
            "primaryAvailabilityZone": None,
            "recoveryAvailabilityZone": None,
            "primaryExtendedLocation": None,
            "recoveryExtendedLocation": None,
            "lifecycleId": cloud.guid("lifecycle", management),
        },
        "sharedDiskProperties": {
            "protectionState": "EnablingProtection",
            "testFailoverState": "None",
            "activeLocation": None,
            "allowedOperations": [],
            "replicationHealth": "Normal",
            "healthErrors": [],
            "currentScenario": None,
            "sharedDiskProviderSpecificDetails": {
                "instanceType": "A2A",
                "managementId": management,
                "unprotectedDisks": None,
                "protectedManagedDisks": [],
                **ends,
                "failoverRecoveryPointId": None,
                "monitoringPercentageCompletion": None,
                "monitoringJobType": None,
                "rpoInSeconds": None,
                "lastRpoCalculatedTime": None,
                "sharedDiskIRErrors": None,
            },
        },
    }


def _present(cloud: Cloud, cluster: ResourceId, kept: Body) -> Body:
    """What a cluster is now, by its nodes."""
    items = nodes(cloud, cluster)
    shown = [(cloud.show(item) or {})["properties"] for item in items]
    phases = [records.phase_of(records.of(cloud, item)) for item in items]
    lagging = next((phase for phase in phases if phase != Phase.PROTECTED), None)
    told = SHOWN[lagging or Phase.PROTECTED]
    state = (told.state, told.description) if items else NO_NODES
    allowed = list(SHOWN[phases[0]].allowed) if items else ["DisableProtection"]
    busy = operations.busy(cloud, cluster) is not None
    allowed = [verb for verb in allowed if not busy and all(verb in row["allowedOperations"] for row in shown)]
    protected = bool(items) and lagging is None
    disks = kept["sharedDiskProperties"]
    return {
        "provisioningState": "Created",
        "protectionState": state[0],
        "protectionStateDescription": state[1],
        "activeLocation": shown[0]["activeLocation"] if shown else "Primary",
        "testFailoverState": shown[0]["testFailoverState"] if shown else "None",
        "testFailoverStateDescription": shown[0]["testFailoverStateDescription"] if shown else "None",
        "allowedOperations": allowed,
        "replicationHealth": health.worst(row["replicationHealth"] for row in shown),
        "healthErrors": [error for row in shown for error in row["healthErrors"]],
        "clusterProtectedItemIds": [shown_id(item) for item in items],
        "areAllClusterNodesRegistered": protected,
        "clusterRegisteredNodes": [
            {
                "clusterNodeFqdn": row["friendlyName"],
                "machineId": row["providerSpecificDetails"]["managementId"],
                "biosId": cloud.guid("bios", row["providerSpecificDetails"]["fabricObjectId"]),
                "isSharedDiskVirtualNode": False,
            }
            for row in shown
        ],
        "providerSpecificDetails": {**kept["providerSpecificDetails"], **_objective(shown)},
        "sharedDiskProperties": {**disks, "protectionState": "Protected" if protected else disks["protectionState"]},
    }


def _laid_over(usual: Body, said: Body) -> Body:
    """What was read, and what is usual where it says nothing."""
    inner = {
        key: _laid_over(usual[key], value) for key, value in said.items() if isinstance(usual.get(key), dict) and value
    }
    return {**usual, **said, **inner}


def _objective(shown: list[Body]) -> Body:
    """The recovery point objective of the worst node, once all have one."""
    details = [row["providerSpecificDetails"] for row in shown]
    if not details or any(each["rpoInSeconds"] is None for each in details):
        return {"rpoInSeconds": None, "lastRpoCalculatedTime": None}
    worst = max(details, key=lambda each: int(each["rpoInSeconds"]))
    return {name: worst[name] for name in ("rpoInSeconds", "lastRpoCalculatedTime")}
