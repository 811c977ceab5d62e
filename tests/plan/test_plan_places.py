"""Zones, sets, groups and customers' keys: the item is told what farshore.yaml chooses; what nobody chose is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.project import Placement, Project
from farshore.plan import Plan, make_plan
from farshore.plan.carried.values import How
from farshore.plan.model import Step, StepKind
from plan.estates import edited, example, source_id, target_id, with_project

VM = source_id("Microsoft.Compute/virtualMachines", "web1")
DISK = source_id("Microsoft.Compute/disks", "web1-os")
KEYS = source_id("Microsoft.Compute/diskEncryptionSets", "keys")
THERE = target_id("Microsoft.Compute/diskEncryptionSets", "keys-there")
SET = target_id("Microsoft.Compute/availabilitySets", "set")
NEAR = target_id("Microsoft.Compute/proximityPlacementGroups", "near")
RESERVED = target_id("Microsoft.Compute/capacityReservationGroups", "reserved")
PLACED: list[tuple[Body, str, Placement, Body]] = [
    ({"zones": ["2"]}, "zones[0]", Placement(zone="3"), {"recoveryAvailabilityZone": "3"}),
    ({"zones": ["2"]}, "zones[0]", Placement(availability_set=SET), {"recoveryAvailabilitySetId": SET.text}),
    (
        {"availabilitySet": {"id": source_id(SET.type, "set").text}},
        "properties.availabilitySet.id",
        Placement(availability_set=SET),
        {"recoveryAvailabilitySetId": SET.text},
    ),
    (
        {"proximityPlacementGroup": {"id": source_id(NEAR.type, "near").text}},
        "properties.proximityPlacementGroup.id",
        Placement(proximity_placement_group=NEAR),
        {"recoveryProximityPlacementGroupId": NEAR.text},
    ),
    (
        {"capacityReservation": {"capacityReservationGroup": {"id": source_id(RESERVED.type, "reserved").text}}},
        "properties.capacityReservation.capacityReservationGroup.id",
        Placement(capacity_reservation_group=RESERVED),
        {"recoveryCapacityReservationGroupId": RESERVED.text},
    ),
]


def having(said: Body) -> Estate:
    def edit(body: Body) -> None:
        for key, value in said.items():
            (body if key == "zones" else body["properties"])[key] = value

    return edited(example(), VM, edit)


def placed(estate: Estate, *rows: tuple[str, Placement], **fields: Any) -> Estate:
    assert isinstance(estate.project, Project)
    return with_project(estate, machines=replace(estate.project.machines, placement=rows), **fields)


def details(plan: Plan, step: str) -> Body:
    found = plan.step(step)
    assert found is not None
    said: Any = found.action.arguments["properties"]
    return dict(said["providerSpecificDetails"])


def row(plan: Plan, path: str, holder: str = VM.text) -> Any:
    [found] = [row for row in plan.carried if row.path == path and row.holder == holder]
    return found


def asked(plan: Plan, machine: str = "web1") -> Step | None:
    return plan.step(f"protect/place/{machine}")


@pytest.mark.parametrize(("said", "path", "place", "sent"), PLACED)
def test_a_choice_goes_to_the_item_and_nobody_is_asked(said: Body, path: str, place: Placement, sent: Body) -> None:
    """S12."""
    plan = make_plan(placed(having(said), ("web*", place)))
    told = details(plan, "protect/enable/web1")
    assert {key: told.get(key) for key in sent} == sent
    assert row(plan, path).how is How.ITEM and not row(plan, path).open
    assert asked(plan) is None
    forward = plan.step("failback/reprotect/web1")
    assert forward is not None and forward.action.arguments["settings"] == sent, "protected again as before"


@pytest.mark.parametrize(("said", "path", "place", "sent"), PLACED)
def test_without_one_a_person_decides_before_the_machine_is_protected(
    said: Body, path: str, place: Placement, sent: Body
) -> None:
    plan = make_plan(having(said))
    step = asked(plan)
    assert step is not None and step.kind is StepKind.PERSON
    enabling, other = plan.step("protect/enable/web1"), plan.step("protect/enable/web2")
    assert enabling is not None and step.id in enabling.after
    assert other is not None and step.id not in other.after, "one machine's question holds up no other"
    assert "machines: {placement: {web1: {" in str(step.action.arguments["instruction"])
    told = row(plan, path)
    assert told.how is How.HAND and told.steps == (step.id,) and "farshore.yaml" in told.instruction


def test_the_machine_goes_home_to_its_own_place() -> None:
    plan = make_plan(placed(having({"zones": ["2"]}), ("web1", Placement(zone="3"))))
    back = plan.step("reprotect/machine/web1")
    assert back is not None and back.action.arguments["settings"] == {"recoveryAvailabilityZone": "2"}


def keyed() -> Estate:
    key = {"encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": KEYS.text}}
    return edited(example(), DISK, lambda body: body["properties"].update(key))


def test_a_disk_of_a_customers_key_gets_the_set_that_is_named() -> None:
    """S12, S63: there, home, and there again."""
    plan = make_plan(with_project(keyed(), disk_encryption_sets=((KEYS, THERE),)))
    disks = {d["diskId"].rsplit("/", 1)[-1]: d for d in details(plan, "protect/enable/web1")["vmManagedDisks"]}
    assert disks["web1-os"]["recoveryDiskEncryptionSetId"] == THERE.text
    assert [name for name, disk in disks.items() if "recoveryDiskEncryptionSetId" in disk] == ["web1-os"]
    assert row(plan, "properties.encryption.diskEncryptionSetId", DISK.text).how is How.ITEM
    assert asked(plan) is None
    back, forth = plan.step("reprotect/machine/web1"), plan.step("failback/reprotect/web1")
    assert back is not None and back.action.arguments["encryption_sets"] == {THERE.key: KEYS.text}
    assert forth is not None and forth.action.arguments["encryption_sets"] == {KEYS.key: THERE.text}


def test_a_key_that_nobody_named_a_set_for_is_asked() -> None:
    other = source_id(KEYS.type, "other")
    step = asked(make_plan(with_project(keyed(), disk_encryption_sets=((other, THERE),))))
    assert step is not None and f"disk_encryption_sets: {{{KEYS.text}: ID}}" in str(
        step.action.arguments["instruction"]
    )


def test_an_estate_without_places_asks_nothing() -> None:
    assert not [step for step in make_plan(example()).steps if "/place/" in step.id]
