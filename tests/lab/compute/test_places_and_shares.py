"""Availability sets, proximity placement groups and shared disks: what machines have together."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.lab.storage import volumes
from lab.compute.test_sizes_and_quotas import body_of, vm
from lab.core.bench import COMPUTE, Lab, network_body, refusal, rid, vnet
from lab.recovery.estate import AWAY, TARGET, vm_id
from lab.recovery.world import World

HERE: Body = {"location": "eastasia"}
SET = rid(f"{COMPUTE}/availabilitySets", "set")
CLOSE = rid(f"{COMPUTE}/proximityPlacementGroups", "close")
DISK = rid(f"{COMPUTE}/disks", "shared")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    made.must(made.put(SET, {**HERE, "sku": {"name": "Aligned"}}))
    assert made.put(CLOSE, HERE).status == 201
    return made


def placed(lab: Lab, name: str, **references: str | None) -> Body:
    body = body_of(lab, name)
    body["properties"] |= {key: None if id_ is None else {"id": id_} for key, id_ in references.items()}
    return body


def test_machines_of_a_set_get_its_domains_in_turn(lab: Lab) -> None:
    names = ["a", "b", "c"]
    for name in names:
        lab.made(vm(name), placed(lab, name, availabilitySet=SET))
    assert lab.properties(SET)["virtualMachines"] == [{"id": vm(name)} for name in names]

    def domains(name: str) -> tuple[int, int]:
        view = lab.body(f"{vm(name)}/instanceView")
        return view["platformUpdateDomain"], view["platformFaultDomain"]

    assert [domains(name) for name in names] == [(0, 0), (1, 1), (2, 0)]
    lab.gone(vm("b"))
    assert domains("c") == (2, 0)
    assert refusal(lab.delete(SET), 409) == "OperationNotAllowed"
    lab.made(vm("alone"), body_of(lab, "alone"))
    assert "platformFaultDomain" not in lab.body(f"{vm('alone')}/instanceView")


def test_a_machine_is_made_in_its_set_or_in_none(lab: Lab) -> None:
    far = rid(f"{COMPUTE}/availabilitySets", "far")
    lab.must(lab.put(far, {"location": "southeastasia"}))
    for wrong in (far, CLOSE, rid(f"{COMPUTE}/availabilitySets", "nowhere")):
        assert refusal(lab.put(vm("a"), placed(lab, "a", availabilitySet=wrong)), 404) == "NotFound"
    lab.made(vm("a"), body_of(lab, "a"))
    assert refusal(lab.put(vm("a"), placed(lab, "a", availabilitySet=SET)), 409) == "PropertyChangeNotAllowed"


@pytest.mark.parametrize(("name", "most"), [("platformFaultDomainCount", 3), ("platformUpdateDomainCount", 20)])
def test_a_set_has_so_many_domains(lab: Lab, name: str, most: int) -> None:
    other = rid(f"{COMPUTE}/availabilitySets", "other")
    for wrong in (0, most + 1, "two", True):
        assert refusal(lab.put(other, {**HERE, "properties": {name: wrong}})) == "InvalidParameter"
    lab.must(lab.put(other, {**HERE, "properties": {name: most}}))
    assert lab.properties(other)[name] == most


def test_a_placement_group_shows_who_is_in_it(lab: Lab) -> None:
    lab.must(lab.put(SET, {**HERE, "properties": {"proximityPlacementGroup": {"id": CLOSE}}}))
    lab.made(vm("a"), placed(lab, "a", proximityPlacementGroup=CLOSE))
    shown = lab.properties(CLOSE)
    assert shown["virtualMachines"] == [{"id": vm("a")}] and shown["availabilitySets"] == [{"id": SET}]
    assert shown["proximityPlacementGroupType"] == "Standard" and "colocationStatus" not in shown
    told = lab.properties(f"{CLOSE}?includeColocationStatus=true")
    assert told["colocationStatus"]["code"] == "ColocationStatus/Aligned"
    assert told["virtualMachines"][0]["colocationStatus"]["displayStatus"] == "Aligned"
    assert [row["name"] for row in lab.body(CLOSE.rsplit("/", 1)[0])["value"]] == ["close"]
    assert refusal(lab.delete(CLOSE), 409) == "OperationNotAllowed"
    lab.gone(vm("a"))
    lab.must(lab.put(SET, HERE))
    assert lab.delete(CLOSE).status == 200 and lab.get(CLOSE).status == 404


def test_only_a_get_tells_who_is_in_a_set_or_group(lab: Lab) -> None:
    holds = {
        SET: {"virtualMachines"},
        CLOSE: {"virtualMachines", "virtualMachineScaleSets", "availabilitySets"},
    }
    for url, names in holds.items():
        answers = [lab.put(url, HERE), lab.patch(url, {"tags": {"a": "b"}}), lab.patch(url, {"tags": {"c": "d"}})]
        for answer in answers:
            assert answer.status == 200 and not {"provisioningState", *names} & set(answer.body["properties"])
        assert answers[-1].body["tags"] == {"c": "d"}
        shown = lab.body(url)
        assert names <= set(shown["properties"]) and "provisioningState" not in shown["properties"]
    group = rid(f"{COMPUTE}/capacityReservationGroups", "kept")
    assert "properties" not in lab.put(group, HERE).body and not lab.properties(group)
    place = lab.put(f"{group}/capacityReservations/d2", {**HERE, "sku": {"name": "Standard_D2s_v3", "capacity": 1}})
    assert lab.properties(group)["capacityReservations"] == [{"id": place.body["id"]}]
    assert "platformFaultDomainCount" not in lab.body(f"{place.body['id']}?api-version=2021-07-01")["properties"]


def test_a_placement_group_is_of_the_region_and_left_by_who_does_not_run(lab: Lab) -> None:
    far = rid(f"{COMPUTE}/proximityPlacementGroups", "far")
    lab.must(lab.put(far, {"location": "southeastasia"}))
    for wrong in (far, SET):
        assert refusal(lab.put(vm("a"), placed(lab, "a", proximityPlacementGroup=wrong))) == "InvalidParameter"
    nowhere = rid(f"{COMPUTE}/proximityPlacementGroups", "nowhere")
    refused = lab.put(vm("a"), placed(lab, "a", proximityPlacementGroup=nowhere))
    assert refusal(refused) == "InvalidResourceReference"
    lab.made(vm("a"), placed(lab, "a", proximityPlacementGroup=CLOSE))
    away = placed(lab, "a", proximityPlacementGroup=None)
    assert refusal(lab.put(vm("a"), away), 409) == "OperationNotAllowed"
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    lab.made(vm("a"), away)
    assert lab.properties(CLOSE)["virtualMachines"] == []
    odd = {**HERE, "properties": {"proximityPlacementGroupType": "Near"}}
    assert refusal(lab.put(CLOSE, odd)) == "InvalidParameter"


def test_a_failover_lands_in_its_placement_group_and_set() -> None:
    """S12. A group that is gone holds nothing up."""
    world = World("web1", "web2")
    group, place = f"{TARGET}/providers/{COMPUTE}/proximityPlacementGroups/close", f"{TARGET}/providers/{COMPUTE}"
    world.put(group, {"location": AWAY})
    world.put(f"{place}/availabilitySets/set", {"location": AWAY})
    for name in ("web1", "web2"):
        world.succeeds(
            world.enable(
                name,
                recoveryProximityPlacementGroupId=group,
                recoveryAvailabilitySetId=f"{place}/availabilitySets/set",
            )
        )
        world.until(lambda name=name: world.state(name) == "Protected")  # type: ignore[misc]
    world.succeeds(world.failover("web1"))
    landed = world.get(vm_id("web1", TARGET))["properties"]
    assert landed["proximityPlacementGroup"] == {"id": group}
    assert world.get(group)["properties"]["virtualMachines"] == [{"id": vm_id("web1", TARGET)}]
    assert world.get(f"{place}/availabilitySets/set")["properties"]["virtualMachines"] == [
        {"id": vm_id("web1", TARGET)}
    ]
    world.delete(vm_id("web1", TARGET))
    world.delete(group)
    world.succeeds(world.failover("web2"))
    assert "proximityPlacementGroup" not in world.get(vm_id("web2", TARGET))["properties"]


# Shared disks. -------------------------------------------------------------------------------------------------------


def disk_body(**properties: Any) -> Body:
    creation = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}
    return {**HERE, "sku": {"name": "Premium_LRS"}, "properties": creation | properties}


def with_disk(lab: Lab, name: str) -> Body:
    body = body_of(lab, name)
    entry = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": DISK}}
    body["properties"]["storageProfile"]["dataDisks"] = [entry]
    return body


def is_written(lab: Lab) -> bool:
    number = volumes.volume_of(lab.cloud, DISK)
    assert number is not None
    return volumes.log(lab.cloud).writing(number)


def test_a_shared_disk_has_as_many_machines_as_it_says(lab: Lab) -> None:
    lab.made(DISK, disk_body(maxShares=2))
    for name in ("a", "b"):
        lab.made(vm(name), with_disk(lab, name))
    shown = lab.body(DISK)
    assert shown["managedBy"] == vm("a") and shown["managedByExtended"] == [vm("a"), vm("b")]
    assert refusal(lab.put(vm("c"), with_disk(lab, "c")), 409) == "ConflictingUserInput"
    lab.made(vm("b"), with_disk(lab, "b"))
    for shares in (1, 3):
        assert refusal(lab.put(DISK, disk_body(maxShares=shares)), 409) == "OperationNotAllowed"
    assert refusal(lab.delete(DISK), 409) == "OperationNotAllowed"
    lab.gone(vm("a"))
    shown = lab.body(DISK)
    assert shown["managedBy"] == vm("b") and shown["managedByExtended"] == [vm("b")]
    lab.gone(vm("b"))
    assert not {"managedBy", "managedByExtended"} & set(lab.body(DISK))
    lab.made(DISK, disk_body(maxShares=3))


def test_a_shared_disk_is_written_to_while_one_of_its_machines_runs(lab: Lab) -> None:
    lab.made(DISK, disk_body(maxShares=2))
    for name in ("a", "b"):
        lab.made(vm(name), with_disk(lab, name))
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    assert is_written(lab) and lab.properties(DISK)["diskState"] == "Attached"
    lab.gone(vm("b"))
    assert not is_written(lab) and lab.properties(DISK)["diskState"] == "Reserved"


def test_a_disk_is_one_machines_unless_it_says_otherwise(lab: Lab) -> None:
    lab.made(DISK, disk_body())
    lab.made(vm("a"), with_disk(lab, "a"))
    assert "managedByExtended" not in lab.body(DISK)
    assert refusal(lab.put(vm("b"), with_disk(lab, "b")), 409) == "ConflictingUserInput"
    for wrong in (0, 11, "two", True):
        assert refusal(lab.put(rid(f"{COMPUTE}/disks", "d"), disk_body(maxShares=wrong))) == "InvalidParameter"
