"""`check_clean`: after a drill nothing of it is left, read from ARM and from the circuits' own tables (S42).

Machines, NICs and what else the drill made answer 404; no disk of the group is held by a test machine; the circuits
show what they should. A cleanup that has just ended shows up after a while, so this is tried for `PATIENCE`.
"""

from __future__ import annotations

from datetime import timedelta

from farshore.arm.ids import resource_id
from farshore.arm.versions import api_version
from farshore.azure.conversation import pause
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import BEAT, Looked, Present, Situation, Talk, Verb, get, get_url, service_time
from farshore.run.verbs.circuits import await_tables

PATIENCE = timedelta(minutes=10)
DISKS = "/providers/Microsoft.Compute/disks"


class CheckClean(Verb):
    name = "check_clean"

    def look(self, situation: Situation) -> Talk[Looked]:
        absent = [resource_id(str(text)) for text in situation.arguments["absent"]]
        circuits = situation.arguments["circuits"]
        now = situation.now
        while True:
            left = []
            for id_ in absent:
                answer = yield from get(id_)
                if answer.status != 404:
                    left.append(id_.short)
            held = yield from _disks_of(situation, {id_.key for id_ in absent})
            if not left and not held:
                break
            now = yield from pause(BEAT, situation.intended_at)
            if now - situation.now >= PATIENCE:
                raise ArmError(
                    Fault(code="NotClean", message=f"the drill has left behind {', '.join([*left, *held][:6])}")
                )
        tables = {}
        if circuits:
            tables = yield from await_tables(
                circuits,
                since=situation.intended_at,
                now=now,
                until=now + PATIENCE,
                code="NotClean",
                what="a circuit still shows the drill's range",
            )
        shown = {"absent": [id_.text for id_ in absent], "disks_left": 0, "ended_at": service_time(answer)}
        return Present(result={**shown, **tables})


def _disks_of(situation: Situation, machines: set[str]) -> Talk[list[str]]:
    """Disks of the group that a test machine holds."""
    found = []
    group = resource_id(str(situation.arguments["group"]))
    disks = group.text + DISKS
    address = f"{disks}?api-version={api_version('Microsoft.Compute/disks')}"
    while address:
        answer = yield from get_url(address)
        body = answer.body if isinstance(answer.body, dict) else {}
        for disk in body.get("value") or ():
            if str(disk.get("managedBy") or "").lower() in machines:
                found.append(str(disk.get("name")))
        address = str(body.get("nextLink") or "")
    return found
