"""After a failover: another recovery point, or commit (S15, S44).

Until it is committed another point can be applied: the machine is made again from it. Commit deletes the points and
ends the choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.call import Call
from farshore.lab.recovery import failover, item_jobs, jobs, landing, records, shipping
from farshore.lab.recovery.names import ITEMS, shown_id
from farshore.lab.recovery.records import enter
from farshore.lab.recovery.states import Phase
from farshore.lab.registry import action

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


@action(ITEMS, "applyRecoveryPoint")
def apply_recovery_point(call: Call) -> Response:
    """S15: the machine is made again from another point."""
    item, _, _ = enter(call, "ChangePit")
    wanted = call.properties().get("recoveryPointId")
    point = shipping.find(call.cloud, item, None if wanted is None else str(wanted))
    return item_jobs.begin(
        call,
        item,
        "applyRecoveryPoint",
        scenario="ChangePit",
        title="Change recovery point",
        takes="recovery.applyPoint",
        data={"point": point.name},
    )


@jobs.job_done(ITEMS, "applyRecoveryPoint")
def applied(cloud: Cloud, operation: Operation) -> Body | None:
    apply(cloud, operation.resource_id, operation.data["point"], operation.id)
    return None


def apply(cloud: Cloud, item: ResourceId, wanted: str, job: str) -> None:
    """The machine gives way to one that is made of another point. Raises `Refused`."""
    record, body = records.of(cloud, item), cloud.body(item)
    assert body is not None
    records.idle(cloud, item)
    point = shipping.find(cloud, item, wanted)
    landing.must_answer(cloud, landing.target_region(body, record))
    if record["landed"] is not None:
        landing.undo(cloud, record["landed"])
    landed = landing.land(cloud, body, record, point, network=landing.target_network(cloud, body), test=False)
    machines.set_power(cloud, landed.vm, "running")
    failover.remember(cloud, item, point, landed, job, "ChangePit")
    used = records.point_row(point)
    records.change(
        cloud, item, landed=failover.landed_row(landed), failover={**(record["failover"] or {}), "used": used}
    )
    records.properties(cloud, item, failoverRecoveryPointId=shown_id(item.child("recoveryPoints", point.name)))


@action(ITEMS, "failoverCommit")
def failover_commit(call: Call) -> Response:
    item, _, _ = enter(call, "Commit")
    response = item_jobs.begin(
        call, item, "failoverCommit", scenario="CommitFailover", title="Commit", takes="recovery.commit"
    )
    records.change(call.cloud, item, phase=Phase.COMMITTING)
    return response


@jobs.job_done(ITEMS, "failoverCommit")
def committed(cloud: Cloud, operation: Operation) -> Body | None:
    commit(cloud, operation.resource_id)
    return None


def commit(cloud: Cloud, item: ResourceId) -> None:
    """S44: the points are gone, the change can't be undone."""
    shipping.delete_points(cloud, item)
    records.change(cloud, item, phase=Phase.COMMITTED)
    records.idle(cloud, item)
