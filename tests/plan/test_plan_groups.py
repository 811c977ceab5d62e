"""Consistency groups: protected as one, over to one moment, never split; and what can't be a group is refused."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.estate.estate import Change, Estate
from farshore.estate.project import Project
from farshore.plan import Plan, make_plan
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.model import Step, StepKind
from farshore.prove import prove
from plan.completed import VAULT, protected
from plan.estates import TWO, example, source_id, with_project

GROUP = "two-circuits-two-locations-group-1"
TOGETHER = ("web1", "web2", "app1")


def grouped(*members: str, estate: Estate | None = None) -> Estate:
    estate = estate or example(TWO)
    assert isinstance(estate.project, Project)
    return with_project(estate, machines=replace(estate.project.machines, consistency_groups=(members,)))


def step(plan: Plan, id_: str) -> Step:
    found = plan.step(id_)
    assert found is not None, id_
    return found


def item_details(plan: Plan, machine: str) -> dict[str, Any]:
    said: Any = step(plan, f"protect/enable/{machine}").action.arguments["properties"]
    return dict(said["providerSpecificDetails"])


def test_machines_are_protected_with_their_group_and_go_to_one_point() -> None:
    """S12, S26, S58."""
    estate = grouped(*TOGETHER)
    plan = make_plan(estate)
    assert {m: item_details(plan, m).get("multiVmGroupName") for m in (*TOGETHER, "db1")} == {
        **dict.fromkeys(TOGETHER, GROUP),
        "db1": None,
    }
    chosen = step(plan, f"failover/shared-point/{GROUP}")
    assert chosen.kind is StepKind.CHECK and chosen.action.arguments["point"] == "Latest"
    items = {machine.id.name: machine.item.text for machine in plan.machines}
    told: Any = chosen.action.arguments["items"]
    assert set(told) == {items[name] for name in TOGETHER}
    for name in TOGETHER:
        moved = step(plan, f"failover/machine/{name}")
        assert moved.action.arguments["point"] == f"OfStep:{chosen.id}" and chosen.id in moved.after
    assert step(plan, "failover/machine/db1").action.arguments["point"] == "Latest"
    first = step(plan, "failover/check/db1").id
    assert first in chosen.after, "the point is chosen when the group's wave begins, once"
    assert prove(estate, plan).ok and plan_from_json(plan_as_json(plan)) == plan


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("latest-processed", "LatestProcessed"),
        ("application-consistent", "LatestApplicationConsistent"),
        ("chosen-point", "Older:900"),
    ],
)
def test_the_point_is_of_the_kind_that_the_scenario_asks_for(scenario: str, kind: str) -> None:
    plan = make_plan(grouped(*TOGETHER), scenario=scenario)
    assert step(plan, f"failover/shared-point/{GROUP}").action.arguments["point"] == kind


def test_a_point_that_is_changed_is_changed_for_all() -> None:
    plan = make_plan(grouped(*TOGETHER), scenario="change-point")
    chosen = step(plan, f"commit/shared-point/{GROUP}")
    for name in TOGETHER:
        assert step(plan, f"commit/point/{name}").action.arguments["point"] == f"OfStep:{chosen.id}"


def test_machines_that_are_stopped_first_lose_nothing_and_need_no_point() -> None:
    plan = make_plan(grouped(*TOGETHER), scenario="maintenance")
    assert not [item for item in plan.steps if "shared-point" in item.id]


def standing(estate: Estate, machine: str, group: str) -> Estate:
    """A machine that somebody has protected in a group."""
    estate = protected(estate, machine, f"item-of-{machine}")
    found = next(body for body in estate.resources.values() if str(body["id"]).endswith(f"/item-of-{machine}"))
    changed = copy.deepcopy(found)
    changed["properties"]["providerSpecificDetails"]["multiVmGroupName"] = group
    return estate.with_changes([Change(put=changed)])


def test_a_group_that_stands_is_adopted() -> None:
    estate = example(TWO)
    for name in TOGETHER:
        estate = standing(estate, name, "erp")
    plan = make_plan(estate)
    assert step(plan, "failover/machine/web1").action.arguments["point"] == "OfStep:failover/shared-point/erp"
    split = with_project(
        estate,
        machines=replace(estate.project.machines, boot_order=(("web1",), ("web2", "app1", "db1"))),  # type: ignore[union-attr]
    )
    with pytest.raises(InputError, match="as a whole: machines: boot_order"):
        make_plan(split)
    without = with_project(estate, machines=replace(estate.project.machines, exclude=("web2",)))  # type: ignore[union-attr]
    with pytest.raises(InputError, match="web2 of it does not move"):
        make_plan(without)


def test_a_group_is_one_vaults_whatever_the_case_of_its_name() -> None:
    """S12, S58: a machine of another vault is in another group, though it is called the same."""
    estate = example(TWO)
    for name, spelled in zip(TOGETHER, ("erp", "ERP", "Erp"), strict=True):
        estate = standing(estate, name, spelled)
    item = next(body for body in estate.resources.values() if str(body["id"]).endswith("/item-of-web1"))
    other: Body = copy.deepcopy(item)
    other["id"] = str(item["id"]).replace(VAULT.name, "another-vault").replace("item-of-web1", "other")
    details = other["properties"]["providerSpecificDetails"]
    details["fabricObjectId"] = source_id(VIRTUAL_MACHINES, "of-somebody-else").text
    plan = make_plan(estate.with_changes([Change(put=other)]))
    [chosen] = [item for item in plan.steps if item.id.lower() == "failover/shared-point/erp"]
    told: Any = chosen.action.arguments["items"]
    assert len(told) == len(TOGETHER)
    for name in TOGETHER:
        assert chosen.id in step(plan, f"failover/machine/{name}").after


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (("db1", "web1"), "boot_order puts its machines into several groups"),
        (("db1", "file1"), "unmanaged disks"),
    ],
)
def test_what_can_not_go_as_a_whole_is_refused(members: tuple[str, ...], why: str) -> None:
    with pytest.raises(InputError, match="A consistency group fails over as a whole") as raised:
        make_plan(grouped(*members))
    assert why in str(raised.value)


def test_none_joins_a_group_later() -> None:
    """S58."""
    with pytest.raises(InputError, match="web1 is replicated already and not in it"):
        make_plan(grouped(*TOGETHER, estate=protected(example(TWO), "web1", "alone")))
