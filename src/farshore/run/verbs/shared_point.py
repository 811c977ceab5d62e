"""`shared_point`: the recovery point that machines of one consistency group have in common (S26, S58).

Each machine of a replication group has points of its own, and points that were made of one moment across the group: of
sync type `MultiVmSyncRecoveryPoint`, at one time. The newest moment that every item lists is chosen once, and written
down: the machines' own steps take it from there, also after a crash.
"""

from __future__ import annotations

from datetime import datetime

from farshore.arm.ids import resource_id
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb
from farshore.run.verbs.points import listed, said
from farshore.times import stamp

SHARED = "MultiVmSyncRecoveryPoint"


class SharedPoint(Verb):
    name = "shared_point"

    def look(self, situation: Situation) -> Talk[Looked]:
        wanted = str(situation.arguments["point"])
        items = [str(item) for item in situation.arguments["items"]]
        found: dict[str, dict[datetime, str]] = {}
        for item in items:
            found[item] = dict((yield from listed(situation, item, wanted, sync=SHARED)))
        common = set.intersection(*(set(points) for points in found.values()))
        if not common:
            names = ", ".join(resource_id(item).name for item in items)
            raise ArmError(
                Fault(code="NoSharedPoint", message=f"{names} have no point of one moment that is {said(wanted)}")
            )
        latest = max(common)
        return Present(result={"time": stamp(latest), "points": {item.lower(): found[item][latest] for item in items}})
