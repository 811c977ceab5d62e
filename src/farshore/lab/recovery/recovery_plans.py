"""replicationRecoveryPlans: which machines go together, and who starts first (S52 to S54).

A plan has the groups `Shutdown`, `Failover` and up to seven `Boot` groups, in this order; the first two are added if
they are not sent. An item is in one group only. Its verbs run in `plan_runs.py`. Reprotecting a plan is refused for
Azure to Azure: each item is reprotected by itself (S50).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.recovery import jobs, plan_runs, records
from farshore.lab.recovery.names import PLANS, region_name, shown_id
from farshore.lab.recovery.objects import (
    RecoveryType,
    fabric_location,
    fabric_of,
    must_be_of_azure,
    must_find,
    object_,
    objects,
)
from farshore.lab.recovery.records import phase_of
from farshore.lab.recovery.states import SHOWN
from farshore.lab.registry import action, resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

BOOT_GROUPS, ITEMS_IN_A_PLAN = 7, 100
"""At most (S52)."""
VERBS = ("UnplannedFailover", "TestFailover", "TestFailoverCleanup", "Commit")


@resource_type(PLANS)
class Plans(RecoveryType):
    noun = "recovery plan"
    patches = True
    kind = "RecoveryPlan"

    def check(self, put: Put) -> None:
        _ends(put)
        groups = _groups(put)
        boot = [group for group in groups if group["groupType"] == "Boot"]
        if len(boot) > BOOT_GROUPS:
            raise bad_request("TooManyGroups", f"A recovery plan has at most {BOOT_GROUPS} boot groups (S52).")
        members = [entry["id"].lower() for group in groups for entry in group["replicationProtectedItems"]]
        if len(members) > ITEMS_IN_A_PLAN:
            raise bad_request("TooManyItems", f"A recovery plan has at most {ITEMS_IN_A_PLAN} items (S52).")
        if len(set(members)) != len(members):
            raise bad_request("DuplicateItem", "An item is in one group of a plan only (S52).")
        primary, recovery = _ends(put)
        for member in members:
            item = must_find(put.cloud, member, "replicationProtectedItems")
            into = resource_id(str((put.cloud.body(item) or {})["properties"]["recoveryContainerId"]))
            if (records.get(put.cloud, item) or {}).get("cluster"):
                raise bad_request("InvalidItem", f"{item.name} is a cluster's node: no plan takes one (S52).")
            if (fabric_of(item), fabric_of(into)) != (primary, recovery):
                raise bad_request("InvalidItem", f"{item.name} does not go from {primary.name} to {recovery.name}.")

    def built(self, put: Put) -> Body:
        primary, recovery = _ends(put)
        return {
            "friendlyName": put.id.name,
            "primaryFabricId": shown_id(primary),
            "primaryFabricFriendlyName": region_name(fabric_location(put.cloud, primary)),
            "recoveryFabricId": shown_id(recovery),
            "recoveryFabricFriendlyName": region_name(fabric_location(put.cloud, recovery)),
            "failoverDeploymentModel": put.properties.get("failoverDeploymentModel") or "ResourceManager",
            "replicationProviders": ["A2A"],
            "allowedOperations": [],
            "currentScenario": None,
            "currentScenarioStatus": None,
            "currentScenarioStatusDescription": None,
            "groups": _groups(put),
            "providerSpecificDetails": put.properties.get("providerSpecificInput") or [],
        }

    def patch(self, call: Call) -> Response:
        call.must_be_free()
        body = call.must_exist()
        sent = {**body["properties"], **call.properties()}
        call.id = resource_id(str(body["id"]))
        return self.job(call, "patch", "Update", data={"body": {"properties": sent}})

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        if operations.busy(cloud, id_) is not None:
            raise Refused(409, "OperationNotAllowed", f"A job is in progress on the recovery plan {id_.name}.")

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """What can be done with all of the plan's machines now."""
        members = plan_runs.members(body)
        phases = [phase_of(record) for member in members if (record := records.get(cloud, member)) is not None]
        allowed = [verb for verb in VERBS if phases and all(verb in SHOWN[phase].allowed for phase in phases)]
        return {**body, "properties": {**body["properties"], "allowedOperations": allowed}}

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """A list shows plans without their groups (recorded)."""
        shown = super().rows(call, found)
        return [{**body, "properties": {**body["properties"], "groups": []}} for body in shown]


@action(PLANS, "reProtect")
def reprotect(call: Call) -> Response:
    call.must_exist()
    raise bad_request("OperationNotSupported", "A plan of Azure to Azure is not reprotected: switch each item (S50).")


def _ends(put: Put) -> tuple[ResourceId, ResourceId]:
    said = {**put.before_properties, **put.properties}
    must_be_of_azure(said.get("recoveryFabricId"), "recoveryFabricId")
    primary = must_find(put.cloud, said.get("primaryFabricId"), "primaryFabricId")
    return primary, must_find(put.cloud, said.get("recoveryFabricId"), "recoveryFabricId")


def _groups(put: Put) -> list[Body]:
    sent = objects(put.properties.get("groups"), "groups") or put.before_properties.get("groups") or []
    by_kind: dict[str, list[Body]] = {"Shutdown": [], "Failover": [], "Boot": []}
    for group in sent:
        kind = str(group.get("groupType"))
        if kind not in by_kind:
            raise bad_request("InvalidParameter", f"A group is Shutdown, Failover or Boot, not '{kind}'.", "groupType")
        by_kind[kind].append(_group(put, kind, group))
    for kind in ("Shutdown", "Failover"):
        by_kind[kind] = by_kind[kind][:1] or [_group(put, kind, {})]
    return [*by_kind["Shutdown"], *by_kind["Failover"], *by_kind["Boot"]]


def _group(put: Put, kind: str, group: Body) -> Body:
    entries = []
    for entry in objects(group.get("replicationProtectedItems"), "replicationProtectedItems"):
        item = must_find(put.cloud, entry.get("id"), "replicationProtectedItems")
        entries.append({"id": shown_id(item), "virtualMachineId": jobs.entity_id(put.cloud, item)})
    return {
        "groupType": kind,
        "replicationProtectedItems": entries,
        "startGroupActions": _actions(group, "startGroupActions"),
        "endGroupActions": _actions(group, "endGroupActions"),
    }


def _actions(group: Body, name: str) -> list[Body]:
    """S54. What an action says is looked at now, not when the plan runs."""
    found = objects(group.get(name), name)
    for action_ in found:
        object_(action_.get("customDetails"), "customDetails")
        for key in ("failoverTypes", "failoverDirections"):
            if not isinstance(action_.get(key) or [], list):
                raise bad_request("InvalidRequestContent", f"{key} is a list.", key)
    return found
