"""What Site Recovery does for machines from elsewhere (Hyper-V, VMware, physical), and not between regions of Azure.

Lists of such things are empty, as a vault's are that never had any. Operations on them are not implemented, and say
whose they are. Two verbs that every item and plan has are refused as the service does for Azure to Azure: it has no
planned failover, for `unplannedFailover` with `sourceSiteOperations: Required` plays that role (S15), and so nothing
of one to cancel.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.lab.answers import Refused, bad_request, not_implemented
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery.names import CONTAINERS, FABRICS, ITEMS, PLANS, PROVIDERS, VAULTS
from farshore.lab.registry import action, view

EMPTY = (
    (VAULTS, "replicationAppliances"),
    (VAULTS, "replicationMigrationItems"),
    (VAULTS, "replicationNetworks"),
    (VAULTS, "replicationStorageClassifications"),
    (VAULTS, "replicationStorageClassificationMappings"),
    (VAULTS, "replicationvCenters"),
    (FABRICS, "replicationLogicalNetworks"),
    (FABRICS, "replicationStorageClassifications"),
    (FABRICS, "replicationvCenters"),
    (CONTAINERS, "replicationMigrationItems"),
    (CONTAINERS, "replicationProtectableItems"),
)
OTHERS = (
    (FABRICS, "migratetoaad", "registered servers of Hyper-V and VMware"),
    (FABRICS, "reassociateGateway", "process servers of VMware"),
    (FABRICS, "removeInfra", "appliances of VMware"),
    (FABRICS, "renewCertificate", "registered servers of Hyper-V and VMware"),
    (CONTAINERS, "discoverProtectableItem", "physical machines"),
    (ITEMS, "switchProvider", "machines of VMware"),
    (ITEMS, "updateAppliance", "machines of VMware"),
    (PROVIDERS, "refreshProvider", "registered servers of Hyper-V and VMware"),
    (PROVIDERS, "remove", "registered servers of Hyper-V and VMware"),
)
"""A type, its verb and what the verb is for."""


def _nothing(call: Call) -> Response:
    call.must_exist()
    return page(call, [])


def _of_others(type_: str, verb: str, whose: str) -> None:
    @action(type_, verb)
    def refuse(call: Call) -> Response:
        raise not_implemented(f"{verb}: it is for {whose}, and the lab replicates Azure to Azure")


for _type, _name in EMPTY:
    view(_type, _name)(_nothing)
for _type, _name, _whose in OTHERS:
    _of_others(_type, _name, _whose)


@action(ITEMS, "plannedFailover")
def planned_failover(call: Call) -> Response:
    return _unplanned(call, "planned failover")


@action(ITEMS, "failoverCancel")
def failover_cancel(call: Call) -> Response:
    return _nothing_to_cancel(call)


@action(PLANS, "plannedFailover")
def planned_failover_of_a_plan(call: Call) -> Response:
    return _unplanned(call, "planned failover of a plan")


@action(PLANS, "failoverCancel")
def failover_cancel_of_a_plan(call: Call) -> Response:
    return _nothing_to_cancel(call)


def _unplanned(call: Call, what: str) -> Response:
    call.must_exist()
    message = f"Azure to Azure has no {what}: use unplannedFailover with sourceSiteOperations Required."
    raise bad_request("OperationNotSupported", message)


def _nothing_to_cancel(call: Call) -> Response:
    call.must_exist()
    message = f"{call.id.name} has no planned failover to cancel: Azure to Azure has none. Commit, or change the point."
    raise Refused(409, "OperationNotAllowed", message)
