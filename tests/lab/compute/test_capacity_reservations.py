"""Capacity reservations: room that is kept for a group's machines, whatever else a region has no room for."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.compute.test_sizes_and_quotas import PLACES, body_of, counts, vm
from lab.core.bench import COMPUTE, Lab, network_body, refusal, rid, vnet
from lab.recovery.estate import AWAY, HOME, TARGET, vm_id
from lab.recovery.world import World

KIND = f"{COMPUTE}/capacityReservationGroups"
GROUP = rid(KIND, "kept")
PLACE = f"{GROUP}/capacityReservations/d2"
SIZE = "Standard_D2s_v3"


def reservation(capacity: int, size: str = SIZE, **more: Any) -> Body:
    return {"location": "eastasia", "sku": {"name": size, "capacity": capacity}, **more}


def in_group(body: Body, group: str | None = GROUP) -> Body:
    body["properties"]["capacityReservation"] = {"capacityReservationGroup": {"id": group}}
    return body


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    answer = made.put(GROUP, {"location": "eastasia"})
    assert answer.status == 201 and made.put(GROUP, {"location": "eastasia"}).status == 200
    made.made(PLACE, reservation(1))
    return made


def scarce(lab: Lab) -> None:
    lab.fault(kind="capacity", region="eastasia", size=SIZE)


def power(lab: Lab, name: str) -> str:
    return str(lab.body(f"{vm(name)}/instanceView")["statuses"][1]["code"])


def test_a_group_shows_what_belongs_to_it(lab: Lab) -> None:
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    shown = lab.properties(GROUP)
    assert shown["capacityReservations"] == [{"id": PLACE}]
    assert shown["virtualMachinesAssociated"] == [{"id": vm("a")}]
    assert lab.properties(PLACE)["virtualMachinesAssociated"] == [{"id": vm("a")}]
    view = lab.properties(f"{PLACE}?$expand=instanceView")["instanceView"]
    assert view["utilizationInfo"] == {"currentCapacity": 1, "virtualMachinesAllocated": [{"id": vm("a")}]}
    assert view["statuses"][0]["code"] == "ProvisioningState/succeeded"
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    whole = lab.properties(f"{GROUP}?$expand=instanceView")["instanceView"]["capacityReservations"]
    assert whole[0]["name"] == "d2" and whole[0]["utilizationInfo"]["virtualMachinesAllocated"] == []
    assert [row["name"] for row in lab.body(f"{GROUP}/capacityReservations")["value"]] == ["d2"]
    assert [row["name"] for row in lab.body(GROUP.rsplit("/", 1)[0])["value"]] == ["kept"]


def test_machines_within_a_reservation_do_not_feel_a_shortage(lab: Lab) -> None:
    scarce(lab)
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    for name, body in (("beyond", in_group(body_of(lab, "beyond"))), ("outside", body_of(lab, "outside"))):
        end = lab.follow(lab.put(vm(name), body)).body
        assert end["error"]["code"] == "AllocationFailed"
    # A place is free again when its machine is deallocated, and taken by whoever starts first.
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    lab.follow(lab.post(f"{vm('beyond')}/start"))
    assert power(lab, "beyond") == "PowerState/running"
    end = lab.follow(lab.post(f"{vm('a')}/start")).body
    assert end["error"]["code"] == "AllocationFailed" and power(lab, "a") == "PowerState/deallocated"


def test_a_reservation_that_finds_no_room_keeps_nothing(lab: Lab) -> None:
    scarce(lab)
    end = lab.follow(lab.patch(PLACE, {"sku": {"name": SIZE, "capacity": 2}})).body
    assert end["error"]["code"] == "AllocationFailed"
    assert lab.properties(PLACE)["provisioningState"] == "Failed"
    end = lab.follow(lab.put(vm("a"), in_group(body_of(lab, "a")))).body
    assert end["error"]["code"] == "AllocationFailed"
    lab.fault(kind="clear")
    lab.made(PLACE, reservation(1))
    lab.follow(lab.post(f"{vm('a')}/start"))
    assert power(lab, "a") == "PowerState/running"
    assert lab.body(PLACE)["sku"] == {"name": SIZE, "capacity": 1}


def test_what_it_had_stays_while_it_grows(lab: Lab) -> None:
    growing = lab.put(PLACE, reservation(3))
    scarce(lab)
    view = lab.properties(f"{PLACE}?$expand=instanceView")["instanceView"]
    assert view["utilizationInfo"]["currentCapacity"] == 1
    assert lab.follow(growing).body["status"] == "Failed"


def test_places_count_in_the_quota_once(lab: Lab) -> None:
    lab.made(PLACE, reservation(3))
    assert counts(lab)["cores"][0] == 6
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    assert counts(lab)["cores"][0] == 6 and counts(lab)["virtualMachines"][0] == 1
    lab.fault(kind="quota", region="eastasia", name="cores", limit=6)
    assert refusal(lab.put(vm("outside"), body_of(lab, "outside")), 409) == "OperationNotAllowed"
    assert refusal(lab.put(PLACE, reservation(4)), 409) == "OperationNotAllowed"
    lab.made(vm("b"), in_group(body_of(lab, "b")))
    lab.made(PLACE, reservation(1))
    assert counts(lab)["cores"][0] == 4  # two machines of one place
    lab.made(vm("outside"), body_of(lab, "outside"))
    assert refusal(lab.put(vm("c"), in_group(body_of(lab, "c"))), 409) == "OperationNotAllowed"


def test_a_group_is_joined_and_left_by_a_machine_without_a_place(lab: Lab) -> None:
    lab.made(vm("a"), body_of(lab, "a"))
    assert refusal(lab.put(vm("a"), in_group(body_of(lab, "a"))), 409) == "OperationNotAllowed"
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    lab.follow(lab.post(f"{vm('a')}/start"))
    assert refusal(lab.put(vm("a"), in_group(body_of(lab, "a"), None)), 409) == "OperationNotAllowed"
    lab.made(PLACE, reservation(0))
    lab.made(vm("a"), in_group(body_of(lab, "a"), None))
    assert "virtualMachinesAssociated" not in lab.properties(PLACE)


def test_a_machine_needs_a_reservation_of_its_size_in_its_region(lab: Lab) -> None:
    body = in_group(body_of(lab, "a", "Standard_E4s_v5"))
    assert refusal(lab.put(vm("a"), body), 409) == "OperationNotAllowed"
    assert refusal(lab.put(vm("a"), in_group(body_of(lab, "a"), rid(KIND, "nowhere")))) == "InvalidResourceReference"
    far = rid(KIND, "far")
    lab.must(lab.put(far, {"location": "southeastasia"}))
    for wrong in (far, PLACE):
        assert refusal(lab.put(vm("a"), in_group(body_of(lab, "a"), wrong))) == "InvalidParameter"
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    assert refusal(lab.put(vm("a"), body), 409) == "OperationNotAllowed"


def test_zones(lab: Lab) -> None:
    zonal = rid(KIND, "zonal")
    lab.must(lab.put(zonal, {"location": "eastasia", "zones": ["1", "2"]}))
    for zones in (["3"], ["1", "2"]):
        refused = lab.put(f"{zonal}/capacityReservations/z", reservation(1, zones=zones))
        assert refusal(refused) == "InvalidParameter"
    lab.made(f"{zonal}/capacityReservations/z", reservation(1, zones=["2"]))
    assert refusal(lab.put(vm("a"), in_group(body_of(lab, "a"), zonal)), 409) == "OperationNotAllowed"
    lab.made(vm("a"), {**in_group(body_of(lab, "a"), zonal), "zones": ["2"]})


def test_what_is_used_stays(lab: Lab) -> None:
    lab.made(vm("a"), in_group(body_of(lab, "a")))
    for url in (PLACE, GROUP):
        assert refusal(lab.delete(url), 409) == "OperationNotAllowed"
    lab.gone(vm("a"))
    assert refusal(lab.delete(GROUP), 409) == "OperationNotAllowed"
    lab.gone(PLACE)
    assert lab.delete(GROUP).status == 200 and lab.get(GROUP).status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"location": "eastasia"}, "InvalidParameter"),
        (reservation(-1), "InvalidParameter"),
        ({"location": "eastasia", "sku": {"name": SIZE}}, "InvalidParameter"),
        ({"location": "eastasia", "sku": {"name": SIZE, "capacity": "two"}}, "InvalidParameter"),
        ({**reservation(1, "Standard_E4s_v5"), "location": "southeastasia"}, "InvalidParameter"),
    ],
)
def test_a_reservation_that_makes_no_sense_is_refused(lab: Lab, body: Body, code: str) -> None:
    assert refusal(lab.put(f"{GROUP}/capacityReservations/odd", body)) == code


def test_one_reservation_a_size_and_it_keeps_its_size(lab: Lab) -> None:
    assert refusal(lab.put(f"{GROUP}/capacityReservations/again", reservation(1)), 409) == "OperationNotAllowed"
    assert refusal(lab.put(PLACE, reservation(1, "Standard_D4s_v3")), 409) == "PropertyChangeNotAllowed"
    lab.fault(kind="restriction", region="eastasia", size="Standard_E4s_v5")
    other = lab.put(f"{GROUP}/capacityReservations/e4", reservation(1, "Standard_E4s_v5"))
    assert refusal(other, 409) == "SkuNotAvailable"
    assert counts(lab, f"{PLACES}/usages")["standardESv5Family"][0] == 0


def test_a_failover_takes_the_place_that_was_kept_for_it() -> None:
    """S12, S57: Capacity Reservation gives a guarantee. A test takes no place of it."""
    world = World("web1", "web2")
    group = f"{TARGET}/providers/{KIND}/kept"
    size = world.get(vm_id("web1"))["properties"]["hardwareProfile"]["vmSize"]
    world.put(group, {"location": AWAY})
    world.put(f"{group}/capacityReservations/one", {"location": AWAY, "sku": {"name": size, "capacity": 1}})
    for name, details in (("web1", {"recoveryCapacityReservationGroupId": group}), ("web2", {})):
        world.succeeds(world.enable(name, **details))
    for name in ("web1", "web2"):
        world.until(lambda name=name: world.state(name) == "Protected")  # type: ignore[misc]
    assert world.done(world.test("web1"))["state"] == "Succeeded"
    assert "virtualMachinesAssociated" not in world.get(group)["properties"]
    assert world.send("POST", "/_lab/faults", {"kind": "capacity", "region": AWAY, "size": size}).ok
    job = world.done(world.failover("web2"))
    assert job["state"] == "Failed" and "AllocationFailed" in str(job["errors"])
    world.done(world.verb("web1", "testFailoverCleanup", {"comments": ""}))
    assert world.done(world.failover("web1"))["state"] == "Succeeded"
    landed = world.get(vm_id("web1", TARGET))["properties"]
    assert landed["capacityReservation"] == {"capacityReservationGroup": {"id": group}}
    assert world.get(group)["properties"]["virtualMachinesAssociated"] == [{"id": vm_id("web1", TARGET)}]


def test_a_group_that_an_item_names_later_is_the_one_that_counts() -> None:
    world = World("web1")
    world.protect("web1")
    details = {"instanceType": "A2A", "recoveryCapacityReservationGroupId": f"{TARGET}/providers/{KIND}/nowhere"}
    assert not world.patch("web1", {"providerSpecificDetails": details}).ok
    world.put(f"{TARGET}/providers/{KIND}/kept", {"location": AWAY})
    details["recoveryCapacityReservationGroupId"] = f"{TARGET}/providers/{KIND}/kept"
    world.done(world.patch("web1", {"providerSpecificDetails": details}))
    shown = world.item("web1")["providerSpecificDetails"]["recoveryCapacityReservationGroupId"]
    assert shown == details["recoveryCapacityReservationGroupId"]


def test_a_failover_into_a_group_without_its_size_fails() -> None:
    world = World("web1")
    group = f"{TARGET}/providers/{KIND}/kept"
    world.put(group, {"location": AWAY})
    world.succeeds(world.enable("web1", recoveryCapacityReservationGroupId=group))
    world.until(lambda: world.state("web1") == "Protected")
    job = world.done(world.failover("web1"))
    assert job["state"] == "Failed" and "OperationNotAllowed" in str(job["errors"])
    assert not world.exists(vm_id("web1", TARGET))


def test_on_its_way_home_a_machine_does_not_go_into_what_the_other_region_has_for_it() -> None:
    """S50: an item with unmanaged disks keeps its roles, and what it says of the recovery region."""
    world = World("file1")
    group, place = f"{TARGET}/providers/{KIND}/kept", f"{TARGET}/providers/{COMPUTE}/availabilitySets/set"
    size = world.get(vm_id("file1"))["properties"]["hardwareProfile"]["vmSize"]
    world.put(group, {"location": AWAY})
    world.put(f"{group}/capacityReservations/one", {"location": AWAY, "sku": {"name": size, "capacity": 1}})
    world.put(place, {"location": AWAY})
    world.succeeds(world.enable("file1", recoveryCapacityReservationGroupId=group, recoveryAvailabilitySetId=place))
    world.until(lambda: world.state("file1") == "Protected")
    world.fail_over("file1")
    world.succeeds(world.reprotect("file1"))
    world.until(lambda: world.state("file1") == "Protected")
    world.fail_over("file1", shutdown=True, direction="RecoveryToPrimary")
    landed = world.get(vm_id("file1"))["properties"]
    assert "capacityReservation" not in landed and "availabilitySet" not in landed
    world.succeeds(world.reprotect("file1", HOME, AWAY))
    world.until(lambda: world.state("file1") == "Protected")
    world.wait(minutes=10)
    world.fail_over("file1", shutdown=True)
    landed = world.get(vm_id("file1", TARGET))["properties"]
    assert landed["capacityReservation"]["capacityReservationGroup"]["id"] == group
    assert landed["availabilitySet"]["id"] == place
