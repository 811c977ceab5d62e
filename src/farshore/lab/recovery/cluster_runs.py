"""A protection cluster at work: all its nodes within one job, each by its own steps (S8, S53).

    unplannedFailover    to a point of the cluster, to points of single nodes, or to the latest; with
    testFailover         `sourceSiteOperations: Required` each node ships the rest, and its own latest is taken
    testFailoverCleanup, failoverCommit, applyRecoveryPoint
    switchClusterProtection   on the container: the cluster ends, and one of its name begins under the other container

A node that fails makes the job fail when all others are done; they go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.durations import NEVER
from farshore.lab.recovery import (
    cluster_points,
    committing,
    failover,
    jobs,
    one_job,
    records,
    reprotecting,
    shipping,
    testing,
)
from farshore.lab.recovery.clusters import must_allow, nodes, start
from farshore.lab.recovery.item_settings import details_of
from farshore.lab.recovery.names import CLUSTERS, CONTAINERS, shown_id
from farshore.lab.recovery.objects import must_find, must_find_child, objects
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import action, listener
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

TABLE = "recovery.clusterRuns"
COMMIT = "CommitFailoverProtectionCluster"


@action(CLUSTERS, "unplannedFailover")
def unplanned_failover(call: Call) -> Response:
    cluster, items = _enter(call, "UnplannedFailover")
    cloud, sent = call.cloud, call.properties()
    _check_direction(cloud, items, sent.get("failoverDirection"))
    shutdown = str(sent.get("sourceSiteOperations") or "NotRequired").lower() == "required"
    points = _points(cloud, cluster, items, details_of(sent), shutdown)
    details = {**failover.job_details([]), "instanceType": "ClusterFailoverJobDetails"}
    response, job = _begin(call, cluster, items, "unplannedFailover", "Failover", details)
    for item in items:
        failover.start(cloud, item, job, points[item.key], shutdown)
    return response


@action(CLUSTERS, "testFailover")
def test_failover(call: Call) -> Response:
    cluster, items = _enter(call, "TestFailover")
    cloud, sent = call.cloud, call.properties()
    _check_direction(cloud, items, sent.get("failoverDirection") or "PrimaryToRecovery")
    network = testing.network_of(cloud, sent)
    points = _points(cloud, cluster, items, details_of(sent), False)
    details = {**testing.job_details("InProgress", network, []), "instanceType": "ClusterTestFailoverJobDetails"}
    response, job = _begin(call, cluster, items, "testFailover", "Test failover", details)
    for item in items:
        testing.start(cloud, item, job, points[item.key], network)
    return response


@action(CLUSTERS, "testFailoverCleanup")
def test_failover_cleanup(call: Call) -> Response:
    cluster, items = _enter(call, "TestFailoverCleanup")
    response, job = _at_once(
        call, cluster, items, "testFailoverCleanup", "TestFailoverCleanup", "Test failover cleanup", "testCleanup"
    )
    for item in items:
        testing.begin_cleanup(call.cloud, item, job)
    return response


@action(CLUSTERS, "failoverCommit")
def failover_commit(call: Call) -> Response:
    cluster, items = _enter(call, "Commit")
    response, job = _at_once(call, cluster, items, "failoverCommit", COMMIT, "Cluster commit failover", "commit")
    for item in items:
        records.scenario(call.cloud, item, "CommitFailover", job)
        records.change(call.cloud, item, phase=Phase.COMMITTING)
    return response


@action(CLUSTERS, "applyRecoveryPoint")
def apply_recovery_point(call: Call) -> Response:
    cluster, items = _enter(call, "ChangePit")
    sent = call.properties()
    if not sent.get("clusterRecoveryPointId") and not sent.get("individualNodeRecoveryPoints"):
        raise bad_request("InvalidParameter", "clusterRecoveryPointId names no point.", "clusterRecoveryPointId")
    points = _points(call.cloud, cluster, items, sent, False)
    response, job = _at_once(
        call, cluster, items, "applyRecoveryPoint", "ChangePit", "Change recovery point", "applyPoint", points
    )
    for item in items:
        records.scenario(call.cloud, item, "ChangePit", job)
    return response


@action(CONTAINERS, "switchClusterProtection")
def switch_cluster_protection(call: Call) -> Response:
    call.must_exist()
    cloud, container, sent = call.cloud, call.id, call.properties()
    name = sent.get("replicationProtectionClusterName") or ""
    call.id = must_find_child(cloud, container, "replicationProtectionClusters", name)
    cluster, items = _enter(call, "ReverseReplicate")
    details = details_of(sent)
    into = must_find(cloud, details.get("recoveryContainerId"), "recoveryContainerId")
    given = {str(row.get("replicationProtectedItemName")).lower(): row for row in _members(details)}
    here = reprotecting.other_container(cloud, cloud.body(cluster) or {})
    each = {}
    for item in items:
        if item.name.lower() not in given:
            message = f"protectedItemsDetail says nothing of the node {item.name}."
            raise bad_request("InvalidParameter", message, "protectedItemsDetail")
        own = {"instanceType": "A2A", "policyId": details.get("policyId"), "recoveryContainerId": into.text}
        each[item.text] = {**given[item.name.lower()], **own}
        reprotecting.checked(cloud, records.of(cloud, item), here, into, each[item.text])
    call.id = container
    response, job = jobs.begin(
        call,
        "switchClusterProtection",
        scenario="SwitchProtectionCluster",
        title="Cluster reprotect",
        target=_target(cloud, cluster),
        takes=cloud.duration("recovery.switch", cluster.key, cloud.count("switch", cluster.key)),
        details=_switching(cloud, cluster, details, None),
        data={"cluster": cluster.text, "into": into.text, "here": here.text, "each": each},
    )
    cloud.hold(cluster, job)
    for item in items:
        reprotecting.begin(cloud, item, job, reprotecting.SWITCH)
    return response


@jobs.job_done(CONTAINERS, "switchClusterProtection")
def switched(cloud: Cloud, operation: Operation) -> Body | None:
    """All nodes begin anew, in a cluster of the same name. A node that can't stays where it is."""
    data = operation.data
    cluster, here, into = (resource_id(data[name]) for name in ("cluster", "here", "into"))
    cloud.let_go(cluster)
    old = (cloud.body(cluster) or {})["properties"]
    fresh = here.child("replicationProtectionClusters", cluster.name)
    policy = resource_id(str(next(iter(data["each"].values()))["policyId"]))
    start(cloud, fresh, into, must_find(cloud, policy.text, "policyId"), old)

    def switch(cloud: Cloud, item: ResourceId) -> None:
        reprotecting.switch(cloud, item, here, into, data["each"][item.text], fresh)

    refused = one_job.each(cloud, map(resource_id, data["each"]), switch)
    if not nodes(cloud, cluster):
        cloud.type_of(cluster).take_away(cloud, cluster)
    told = _switching(cloud, cluster, {"policyId": policy.text}, shown_id(fresh))
    jobs.change(cloud, operation.id, customDetails=told)
    if refused is not None:
        raise refused
    return None


# Runs. ---------------------------------------------------------------------------------------------------------------


@listener("recovery.member")
def node_is_over(cloud: Cloud, subject: str, data: Any) -> None:
    """A node of a run has moved, or has failed."""
    run: Record | None = cloud.table(TABLE).get(subject)
    if run is None:
        return
    cloud.table(TABLE)[subject] = run = one_job.heard(run, data)
    if not data.get("refused"):
        one_job.tell_of(cloud, subject, resource_id(data["item"]), test=run["verb"] == "testFailover")
    if not run["waiting_for"]:
        _end(cloud, subject, run)


def _end(cloud: Cloud, job: str, run: Record) -> None:
    cluster = resource_id(run["cluster"])
    del cloud.table(TABLE)[job]
    cloud.let_go(cluster)
    if run["refused"]:
        jobs.fail_now(cloud, job, Refused(**run["refused"]))
        return
    if run["verb"] == "unplannedFailover":
        _tell(cloud, cluster, "lastSuccessfulFailoverTime", stamp(cloud.now))
    jobs.finish_now(cloud, job)


jobs.job_done(CLUSTERS, "unplannedFailover")(one_job.done)
jobs.job_done(CLUSTERS, "testFailover")(one_job.done)


@jobs.job_done(CLUSTERS, "failoverCommit")
def committed(cloud: Cloud, operation: Operation) -> Body | None:
    return _finish(cloud, operation, committing.commit)


@jobs.job_done(CLUSTERS, "testFailoverCleanup")
def cleaned(cloud: Cloud, operation: Operation) -> Body | None:
    _finish(cloud, operation, testing.clean)
    _tell(cloud, operation.resource_id, "lastSuccessfulTestFailoverTime", stamp(cloud.now))
    return None


@jobs.job_done(CLUSTERS, "applyRecoveryPoint")
def applied(cloud: Cloud, operation: Operation) -> Body | None:
    points = operation.data["points"]

    def apply(cloud: Cloud, item: ResourceId) -> None:
        committing.apply(cloud, item, points[item.key], operation.id)

    return _finish(cloud, operation, apply)


def _finish(cloud: Cloud, operation: Operation, do: Callable[[Cloud, ResourceId], None]) -> Body | None:
    cloud.let_go(operation.resource_id)
    refused = one_job.each(cloud, map(resource_id, operation.data["items"]), do)
    if refused is not None:
        raise refused
    return None


# Parts. --------------------------------------------------------------------------------------------------------------


def _enter(call: Call, operation: str) -> tuple[ResourceId, list[ResourceId]]:
    """The cluster of a verb and its nodes, each of which must allow the operation."""
    call.id = resource_id(str(call.must_exist()["id"]))
    items = nodes(call.cloud, call.id)
    if operations.busy(call.cloud, call.id) is not None:
        raise Refused(409, "OperationNotAllowed", f"A job is in progress on the cluster {call.id.name}.")
    if not items:
        raise Refused(409, "OperationNotAllowed", f"The cluster {call.id.name} has no nodes.")
    for item in items:
        must_allow(call.cloud, item, operation)
    return call.id, items


def _check_direction(cloud: Cloud, items: list[ResourceId], direction: object) -> None:
    for item in items:
        failover.check_direction(records.of(cloud, item), direction)


def _points(
    cloud: Cloud, cluster: ResourceId, items: list[ResourceId], given: Body, shutdown: bool
) -> dict[str, str | None]:
    """For each node the point that it goes to; None is its own latest."""
    single = given.get("individualNodeRecoveryPoints") or []
    if not isinstance(single, list):
        raise bad_request("InvalidRequestContent", "individualNodeRecoveryPoints is a list of ids.")
    wanted = given.get("clusterRecoveryPointId")
    if single:
        found: dict[str, str | None] = {}
        for text in single:
            item = next((item for item in items if str(text).lower().startswith(item.key + "/")), None)
            if item is None:
                raise bad_request("InvalidParameter", f"{text} is no recovery point of one of the cluster's nodes.")
            found[item.key] = shipping.find(cloud, item, str(text)).name
        if len(found) != len(items):
            raise bad_request("InvalidParameter", "individualNodeRecoveryPoints names a point of each node.")
        return found
    if shutdown and wanted is None:
        return {item.key: None for item in items}
    return dict(cluster_points.find(cloud, cluster, None if wanted is None else str(wanted))["nodes"])


def _members(details: Body) -> list[Body]:
    return objects(details.get("protectedItemsDetail"), "protectedItemsDetail")


def _begin(
    call: Call, cluster: ResourceId, items: list[ResourceId], verb: str, title: str, details: Body
) -> tuple[Response, str]:
    cloud = call.cloud
    response, job = jobs.begin(
        call,
        verb,
        scenario="ClusterUnplannedFailover" if verb == "unplannedFailover" else "ClusterTestFailover",
        title=title,
        target=_target(cloud, cluster),
        takes=NEVER,
        details=details,
    )
    waiting = [item.key for item in items]
    cloud.table(TABLE)[job] = {"cluster": cluster.text, "verb": verb, "waiting_for": waiting, "refused": None}
    cloud.hold(cluster, job)
    return response, job


def _at_once(
    call: Call,
    cluster: ResourceId,
    items: list[ResourceId],
    verb: str,
    scenario: str,
    title: str,
    takes: str,
    points: dict[str, str | None] | None = None,
) -> tuple[Response, str]:
    cloud = call.cloud
    response, job = jobs.begin(
        call,
        verb,
        scenario=scenario,
        title=title,
        target=_target(cloud, cluster),
        takes=cloud.duration(f"recovery.{takes}", cluster.key, cloud.count("attempt", cluster.key, verb)),
        data={"items": [item.text for item in items], "points": points},
    )
    jobs.start_task(cloud, job, f"{scenario}Task", title)
    cloud.hold(cluster, job)
    return response, job


def _tell(cloud: Cloud, cluster: ResourceId, name: str, value: str) -> None:
    body = cloud.body(cluster)
    if body is not None:
        cloud.write(cluster, {**body, "properties": {**body["properties"], name: value}}, forwards=False)


def _switching(cloud: Cloud, cluster: ResourceId, details: Body, fresh: str | None) -> Body:
    """What a job that turns a cluster round tells of itself (recorded)."""
    return {
        "newReplicationProtectionClusterId": fresh,
        "instanceType": "ClusterSwitchProtectionJobDetails",
        "affectedObjectDetails": {
            "protectionClusterId": cloud.guid("entity", cluster.key),
            "protectionClusterName": cluster.name,
            "protectionProfileId": cloud.guid("entity", str(details.get("policyId")).lower()),
        },
    }


def _target(cloud: Cloud, cluster: ResourceId) -> tuple[str, str, str]:
    return "ProtectionCluster", cloud.guid("entity", cluster.key), cluster.name
