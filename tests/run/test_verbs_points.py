"""Which recovery point a failover, and a change before the commit, go to (S15, S26, S44)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.run.verbs import VERBS
from run.talk import answer, hold, situation
from run.test_verbs_recovery import ACCEPTED, ARGUMENTS, ITEM, VM


def point(id_: str, minute: int, kind: str) -> dict[str, Any]:
    time = f"2026-01-05T05:{minute:02d}:00Z"
    return {"id": id_, "properties": {"recoveryPointTime": time, "recoveryPointType": kind}}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("Latest", None), ("LatestProcessed", "c"), ("LatestApplicationConsistent", "b"), ("/points/x", "/points/x")],
)
def test_the_recovery_point_that_was_asked_for(wanted: str, found: str | None) -> None:
    pages = [
        answer(200, {"value": [point("a", 1, "CrashConsistent"), point("c", 30, "CrashConsistent")], "nextLink": "/2"}),
        answer(200, {"value": [point("b", 20, "AppConsistent"), point("d", 10, "AppConsistent")]}),
    ]
    script = [*(pages if found in ("b", "c") else []), ACCEPTED]
    held = hold(VERBS["failover"].act(situation({**ARGUMENTS["failover"], "point": wanted})), script)
    body = held.writes[0].body["properties"]
    assert body["providerSpecificDetails"] == {"instanceType": "A2A", "recoveryPointId": found}
    assert body["sourceSiteOperations"] == "NotRequired"


CHANGE = {"id": ITEM, "vm": VM, "point": "Older:900"}


MADE = f"{ITEM}/recoveryPoints/c"
PENDING = {"protectionState": "UnplannedFailoverCommitPendingStatesBegin", "failoverRecoveryPointId": MADE}


def test_an_older_point_is_older_than_the_one_that_the_machine_is_made_of() -> None:
    # Twenty minutes after the loss the latest point is old enough by itself, and would be taken a second time.
    points = answer(200, {"value": [point("a", 10, "Crash"), point(MADE, 40, "Crash"), point("b", 30, "Crash")]})
    item = answer(200, {"id": ITEM, "properties": PENDING})
    held = hold(
        VERBS["change_point"].act(situation(CHANGE)), [item, answer(200, point(MADE, 40, "Crash")), points, ACCEPTED]
    )
    assert held.writes[0].url.split("?")[0].endswith("/applyRecoveryPoint")
    assert held.writes[0].body["properties"]["recoveryPointId"] == "b"


def test_what_a_machine_was_made_of_once_is_no_matter_behind_the_commit() -> None:
    points = answer(200, {"value": [point("a", 10, "Crash"), point(MADE, 40, "Crash")]})
    item = answer(200, {"id": ITEM, "properties": {**PENDING, "protectionState": "Protected"}})
    arguments = {**ARGUMENTS["failover"], "point": "Older:900"}
    held = hold(VERBS["failover"].act(situation(arguments)), [item, points, ACCEPTED])
    assert held.writes[0].body["properties"]["providerSpecificDetails"]["recoveryPointId"] == MADE


def test_machines_of_a_group_go_to_an_older_point_of_one_moment() -> None:
    shared = {"recoveryPointSyncType": "MultiVmSyncRecoveryPoint"}

    def group(minute: int, name: str) -> dict[str, Any]:
        found = point(f"{name}-{minute}", minute, "Crash")
        return {**found, "properties": {**found["properties"], "providerSpecificDetails": shared}}

    script = []
    for name in ("one", "two"):
        made = f"{ITEM[:-3]}{name}/recoveryPoints/{name}-40"
        script += [
            answer(200, {"properties": {**PENDING, "failoverRecoveryPointId": made}}),
            answer(200, group(40, name)),
            answer(200, {"value": [group(20, name), group(40, name), group(30, name)]}),
        ]
    arguments = {"items": [f"{ITEM[:-3]}one", f"{ITEM[:-3]}two"], "point": "Older:900"}
    found = hold(VERBS["shared_point"].look(situation(arguments)), script).result
    assert found.result["points"] == {
        item.lower(): f"{name}-30" for item, name in zip(arguments["items"], ("one", "two"), strict=True)
    }


def test_where_there_is_none_that_is_older_it_is_told_in_words() -> None:
    points = answer(200, {"value": [point(MADE, 40, "Crash")]})
    item = answer(200, {"id": ITEM, "properties": PENDING})
    held = hold(VERBS["change_point"].act(situation(CHANGE)), [item, answer(200, point(MADE, 40, "Crash")), points])
    assert held.code == "NoRecoveryPoint" and not held.writes
    told = "vm1 has no point that is at least 15 min old and, once it has failed over, older than the one it is made of"
    assert told in str(held.error)


def test_no_point_of_that_kind_is_told_before_anything_is_sent() -> None:
    arguments = {**ARGUMENTS["failover"], "point": "LatestApplicationConsistent"}
    held = hold(
        VERBS["failover"].act(situation(arguments)), [answer(200, {"value": [point("a", 1, "CrashConsistent")]})]
    )
    assert held.code == "NoRecoveryPoint" and not held.writes
