"""Replication groups: one id, points of one moment, at most sixteen machines (S12, S26, S58)."""

from __future__ import annotations

from lab.recovery.world import World, refusal


def together(*names: str) -> World:
    world = World(*names)
    for name in names:
        world.succeeds(world.enable(name, multiVmGroupName="erp"))
    for name in names:
        world.until(lambda name=name: world.state(name) == "Protected")  # type: ignore[misc]
    return world


def shared(world: World, name: str) -> dict[str, str]:
    """Times of the shared points, to their ids."""
    return {
        point["properties"]["recoveryPointTime"]: point["id"]
        for point in world.points(name)
        if point["properties"]["providerSpecificDetails"]["recoveryPointSyncType"] == "MultiVmSyncRecoveryPoint"
    }


def test_points_of_a_group_are_of_one_moment() -> None:
    world = together("web1", "web2")
    world.wait(minutes=31)
    details = [world.item(name)["providerSpecificDetails"] for name in ("web1", "web2")]
    assert {each["multiVmGroupName"] for each in details} == {"erp"}
    assert len({each["multiVmGroupId"] for each in details}) == 1
    assert {each["multiVmGroupCreateOption"] for each in details} == {"UserSpecified"}
    one, other = shared(world, "web1"), shared(world, "web2")
    assert one.keys() == other.keys() and len(one) >= 5
    latest = max(one)
    for name, points in (("web1", one), ("web2", other)):
        world.succeeds(world.failover(name, point=points[latest]))
    used = [world.used(name)[-1] for name in ("web1", "web2")]
    assert used[0]["time"] == used[1]["time"] and used[0]["sequence"] == used[1]["sequence"]


def test_while_one_does_not_ship_each_has_points_of_its_own() -> None:
    world = together("web1", "web2")
    world.wait(minutes=16)
    before = shared(world, "web1")
    world.succeeds(world.failover("web2"))
    world.wait(minutes=21)
    assert shared(world, "web1") == before, "the group is not whole any more"
    assert len(world.points("web1")) > len(before), "points of its own go on"


def test_a_machine_alone_has_points_of_its_own() -> None:
    world = together("web1")
    world.wait(minutes=16)
    assert not shared(world, "web1") and world.points("web1")


def test_a_group_has_at_most_sixteen() -> None:
    names = [f"vm{number}" for number in range(17)]
    world = World(*names)
    for name in names[:16]:
        assert world.enable(name, multiVmGroupName="erp").status == 202
    assert refusal(world.enable(names[16], multiVmGroupName="ERP")) == (400, "ReplicationGroupFull")
    assert world.enable(names[16], multiVmGroupName="other").status == 202
