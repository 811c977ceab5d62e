"""Requests that say something of the wrong kind: refused when they are made, never a surprise later.

Every place of every body that a client sends is given values of other kinds, one at a time. Nothing may be raised:
the answer is a refusal with a code, or what was said does no harm, also not in the hour after.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import (
    AWAY,
    HOME,
    POLICY,
    fabric,
    item_id,
    mapping,
    mapping_body,
    network_id,
    network_mapping,
    network_mapping_body,
    plan_id,
)
from lab.recovery.plans import manual
from lab.recovery.world import World

STRANGE: tuple[Any, ...] = (3, ["x"], {"a": 1})
Place = tuple[str | int, ...]


def places(value: object, at: Place = ()) -> Iterator[Place]:
    if at:
        yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*at, key))


def changed(body: Body, at: Place, value: object) -> Body:
    body = copy.deepcopy(body)
    inner: Any = body
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return body


def failover(world: World) -> tuple[str, str, Body]:
    details = {"instanceType": "A2A", "recoveryPointId": None}
    said = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "Required"}
    return "POST", f"{item_id('web1')}/unplannedFailover", {"properties": {**said, "providerSpecificDetails": details}}


def drill(world: World) -> tuple[str, str, Body]:
    details = {"instanceType": "A2A", "recoveryPointId": None}
    said = {"failoverDirection": "PrimaryToRecovery", "networkType": "VmNetworkAsInput"}
    said["networkId"] = network_id("vnet-drill")
    return "POST", f"{item_id('web1')}/testFailover", {"properties": {**said, "providerSpecificDetails": details}}


def settings(world: World) -> tuple[str, str, Body]:
    nic = world.item("web1")["providerSpecificDetails"]["vmNics"][0]
    config = {"ipConfigName": "ipconfig1", "recoveryStaticIPAddress": "10.1.0.9", "recoverySubnetName": "app"}
    nics = [{"nicId": nic["nicId"], "ipConfigs": [config], "recoveryNicName": "other", "reuseExistingNic": True}]
    said = {"recoveryAzureVMName": "other", "selectedTfoAzureNetworkId": network_id("vnet-drill"), "vmNics": nics}
    return "PATCH", item_id("web1"), {"properties": {**said, "providerSpecificDetails": {"instanceType": "A2A"}}}


def plan(world: World) -> tuple[str, str, Body]:
    group = {"groupType": "Boot", "replicationProtectedItems": [{"id": item_id("web1")}]}
    groups = [{**group, "startGroupActions": [manual("UnplannedFailover")]}]
    ends = {"primaryFabricId": fabric(HOME), "recoveryFabricId": fabric(AWAY)}
    return "PUT", plan_id("plan"), {"properties": {**ends, "groups": groups}}


def policy(world: World) -> tuple[str, str, Body]:
    said = {"instanceType": "A2A", "recoveryPointHistory": 1440, "appConsistentFrequencyInMinutes": 60}
    return "PUT", POLICY, {"properties": {"providerSpecificInput": said}}


def a_fabric(world: World) -> tuple[str, str, Body]:
    details = {"instanceType": "Azure", "location": "japaneast"}
    return "PUT", fabric("japaneast"), {"properties": {"customDetails": details}}


REQUESTS: dict[str, Callable[[World], tuple[str, str, Body]]] = {
    "enabling": lambda world: ("PUT", item_id("web2"), world.enabling("web2")),
    "enabling with blobs": lambda world: ("PUT", item_id("file1"), world.enabling("file1")),
    "settings": settings,
    "failover": failover,
    "test": drill,
    "plan": plan,
    "mapping": lambda world: ("PUT", mapping(HOME), mapping_body(AWAY)),
    "networks": lambda world: ("PUT", network_mapping(HOME), network_mapping_body(HOME)),
    "policy": policy,
    "fabric": a_fabric,
}


@pytest.mark.parametrize("request_", REQUESTS)
def test_values_of_other_kinds_are_refused_or_do_no_harm(request_: str) -> None:
    world = made()
    for at in places(REQUESTS[request_](world)[2]):
        for value in STRANGE:
            method, path, body = REQUESTS[request_](world)
            answer = world.send(method, path, changed(body, at, value))
            if answer.status in (400, 404, 409):
                assert answer.body["error"]["code"]
                continue
            assert answer.status == 202, (at, value, answer)
            world.wait(hours=1)
            if request_ in ("settings", "plan"):
                # Later it is used: then it may fail, as a job.
                target = item_id("web1") if request_ == "settings" else plan_id("plan")
                said = {"failoverDirection": "PrimaryToRecovery"}
                world.send("POST", f"{target}/unplannedFailover", {"properties": said})
                world.wait(hours=1)
            world = made()


def made() -> World:
    world = World("web1", "web2", "file1")
    world.protect("web1")
    return world


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("body", [None, [], "x", {}, {"properties": None}, {"properties": []}])
def test_bodies_that_are_none(request_: str, body: Any) -> None:
    """Nothing at all is enough for a change, which changes nothing; the rest need to say what they are about."""
    world = made()
    method, path, _ = REQUESTS[request_](world)
    answer = world.send(method, path, body)
    if answer.status >= 400:
        assert answer.status == 400 and answer.body["error"]["code"]
    else:
        assert answer.status == 202 and (method != "PUT" or request_ == "networks")
