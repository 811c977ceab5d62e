"""Recovery plans for tests: machines in boot groups, and a plan's run."""

from __future__ import annotations

from lab.recovery.estate import AWAY, HOME, VAULT, item_id, network_id, plan_id
from lab.recovery.world import World


def manual(*kinds: str) -> dict[str, object]:
    details = {"instanceType": "ManualActionDetails", "description": "look"}
    directions = ["PrimaryToRecovery"]
    return {
        "actionName": "wait",
        "failoverTypes": list(kinds),
        "failoverDirections": directions,
        "customDetails": details,
    }


def planned(*groups: list[str], start: object = None) -> World:
    """Machines in boot groups; with a manual action at the start of the first or second group if told so."""
    names = [name for group in groups for name in group]
    world = World(*names)
    world.protect(*names)
    boot: list[dict[str, object]] = [
        {"groupType": "Boot", "replicationProtectedItems": [{"id": item_id(name)} for name in group]}
        for group in groups
    ]
    kinds: list[dict[str, object]] = [{"groupType": "Shutdown"}, {"groupType": "Failover"}, *boot]
    if start == "before":
        kinds[0]["startGroupActions"] = [manual("UnplannedFailover", "TestFailover")]
    elif isinstance(start, int):
        boot[start]["startGroupActions"] = [manual("UnplannedFailover", "TestFailover")]
    fabrics = {"primaryFabricId": f"{VAULT}/replicationFabrics/fabric-{HOME}"}
    fabrics["recoveryFabricId"] = f"{VAULT}/replicationFabrics/fabric-{AWAY}"
    world.succeeds(world.send("PUT", plan_id("plan"), {"properties": {**fabrics, "groups": kinds}}))
    return world


def run_plan(world: World, verb: str) -> str:
    body = {"failoverDirection": "PrimaryToRecovery", "networkType": "VmNetworkAsInput"}
    body |= {"networkId": network_id("vnet-drill"), "sourceSiteOperations": "NotRequired"}
    answer = world.send("POST", f"{plan_id('plan')}/{verb}", {"properties": body})
    assert answer.status == 202, answer
    world.wait(minutes=20)
    return str(answer.headers["location"]).split("?")[0].rsplit("/", 1)[1]


def resume(world: World, job: str) -> None:
    assert world.job(job)["state"] == "Suspended"
    assert world.send("POST", f"{VAULT}/replicationJobs/{job}/resume", {"properties": {"comments": ""}}).ok
    world.wait(minutes=20)
