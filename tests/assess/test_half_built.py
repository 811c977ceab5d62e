"""A target that is only half built, or written down in another way, is in order: the plan finishes it (D23, D25)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.assess import Severity

from .bench import BOTH, TARGET_GROUP
from .broken import ALL, BARE, GATEWAY, HANDMADE, PLANNED, RENAMED, SHIPPED, SPOKE1, At, Ground

NETWORKS = "Microsoft.Network/virtualNetworks"


def there(at: At, *kinds: str) -> list[Body]:
    """Bodies of the target's group, of some types."""
    inside = f"/resourcegroups/{TARGET_GROUP}/"
    found = [body for body in at.bench.resources if inside in str(body["id"]).lower()]
    return [body for body in found if not kinds or str(body["type"]).rsplit("/", 1)[-1] in kinds]


def drop(at: At, *kinds: str) -> None:
    gone = {str(body["id"]) for body in there(at, *kinds)}
    at.bench.resources[:] = [body for body in at.bench.resources if body["id"] not in gone]


def strip(at: At, *keys: str) -> None:
    """Take properties off the target's subnets."""
    for network in there(at, "virtualNetworks"):
        for subnet in network["properties"]["subnets"]:
            for key in keys:
                subnet["properties"].pop(key, None)


def peer_nothing(at: At) -> None:
    for network in there(at, "virtualNetworks"):
        network["properties"]["virtualNetworkPeerings"] = []


def without_appliance(at: At) -> None:
    drop(at, "networkInterfaces", "virtualMachines", "disks")


def bare_networks(at: At) -> None:
    """As Site Recovery makes them (S31): ranges and subnets and nothing else."""
    without_appliance(at)
    drop(at, "routeTables", "networkSecurityGroups", "virtualNetworkGateways", "publicIPAddresses")
    strip(at, "routeTable", "networkSecurityGroup", "serviceEndpoints")
    peer_nothing(at)


def without_tables(at: At) -> None:
    drop(at, "routeTables")
    strip(at, "routeTable")


def without_groups(at: At) -> None:
    drop(at, "networkSecurityGroups")
    strip(at, "networkSecurityGroup")


def halves_of(at: At, *, hub: bool) -> None:
    """Only one side has made its peerings."""
    for network in there(at, "virtualNetworks"):
        properties = network["properties"]
        if ("Hub" in network["name"]) is not hub:
            properties["virtualNetworkPeerings"] = []
        for peering in properties["virtualNetworkPeerings"]:
            peering["properties"].update(peeringState="Initiated", useRemoteGateways=False)


def one_spoke(at: At) -> None:
    bare_networks(at)
    keep = at.id(SPOKE1)
    gone = {body["id"] for body in there(at, "virtualNetworks")} - {keep}
    at.bench.resources[:] = [body for body in at.bench.resources if body["id"] not in gone]


HALF_BUILT: dict[str, Callable[[At], Any]] = {
    "networks only": bare_networks,
    "one spoke only": one_spoke,
    "no appliance": without_appliance,
    "no peerings": peer_nothing,
    "no tables": without_tables,
    "tables on no subnet": lambda at: strip(at, "routeTable"),
    "no groups": without_groups,
    "the hub's halves only": lambda at: halves_of(at, hub=True),
    "the spokes' halves only": lambda at: halves_of(at, hub=False),
}


def each(at: At, edit: Callable[[Body], Any], kind: str = "") -> None:
    for body in at.bench.resources:
        if str(body.get("type", "")).endswith(kind):
            edit(body)


def plural(body: Body) -> None:
    for subnet in body["properties"]["subnets"]:
        subnet["properties"]["addressPrefixes"] = [subnet["properties"].pop("addressPrefix")]


def without_copies(body: Body) -> None:
    for peering in body["properties"].get("virtualNetworkPeerings", ()):
        for key in ("remoteAddressSpace", "remoteVirtualNetworkAddressSpace", "peeringSyncLevel", "peerCompleteVnets"):
            peering["properties"].pop(key, None)


SPOKEN = {"eastasia": "East Asia", "southeastasia": "Southeast Asia"}
WRITTEN_OTHERWISE: dict[str, Callable[[At], Any]] = {
    "other case": lambda at: each(at, lambda b: b.update(id=b["id"].replace("/resourceGroups/", "/resourcegroups/"))),
    "regions as people say them": lambda at: each(at, lambda b: b.update(location=SPOKEN[b["location"]])),
    "without what Azure adds": lambda at: each(at, lambda b: (b.pop("etag", None), b.pop("type", None))),
    "without names": lambda at: each(at, lambda b: b.pop("name", None)),
    "without states": lambda at: each(at, lambda b: b.get("properties", {}).pop("provisioningState", None)),
    "without references back": lambda at: each(
        at, lambda b: b["properties"].pop("virtualMachine", None), "networkInterfaces"
    ),
    "without power states": lambda at: each(at, lambda b: b["properties"].pop("instanceView"), "virtualMachines"),
    "without copies of ranges": lambda at: each(at, without_copies, "virtualNetworks"),
    "prefixes as lists": lambda at: each(at, plural, "virtualNetworks"),
    "the documents' spelling of a SKU": lambda at: at.bench.properties(GATEWAY).update(sku={"name": "ErGw1Az"}),
    "objectives left to us": lambda at: at.bench.project.pop("objectives"),
    "the drill left to us": lambda at: at.bench.project.pop("drill"),
}


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("ground", [HANDMADE, BARE, RENAMED], ids=lambda ground: ground.name)
@pytest.mark.parametrize("name", HALF_BUILT)
def test_what_the_plan_will_finish_is_no_error(name: str, ground: Ground, example: str) -> None:
    at = At(ground, example)
    HALF_BUILT[name](at)
    quiet(at)


@pytest.mark.parametrize("name", ["cn-source-hub-asr", "cn-source-hub-singapore-asr"])
def test_a_target_on_one_of_two_circuits_is_half_built(name: str) -> None:
    """D91: the plan connects it to the other."""
    at = At(PLANNED, BOTH)
    at.bench.remove(name)
    quiet(at)


@pytest.mark.parametrize("example", ALL)
@pytest.mark.parametrize("name", WRITTEN_OTHERWISE)
def test_the_same_estate_written_otherwise(name: str, example: str) -> None:
    at = At(SHIPPED, example)
    WRITTEN_OTHERWISE[name](at)
    quiet(at)


def quiet(at: At) -> None:
    found = [f for f in at.bench.assess().findings if f.severity is Severity.ERROR]
    assert not found, "\n".join(f"{f.code} {f.subject}: {f.summary}" for f in found)
