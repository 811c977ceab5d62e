"""The lab's bodies beside recorded ones: the same properties, of the same kinds, in the same states.

Runs where `FARSHORE_REAL_DATA` names the folder with the recordings. Compared are the paths of properties and the
JSON type at each, never a value that Azure chose; a null beside a value says only that it was not known yet.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from farshore.arm.json import Body
from lab.recovery.estate import AWAY, HOME, POLICY, container, fabric, item_id, mapping, network_mapping, plan_id
from lab.recovery.plans import planned
from lab.recovery.world import World

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
RECORDING = DATA / "recordings" / "asr-A2A_scenarios.jsonl"
SINCE = (".properties.providerSpecificDetails.rtoInSeconds: only ours",)
"""What was recorded of items later in the same year."""
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="no recordings: FARSHORE_REAL_DATA names their folder")


def exchanges() -> Iterator[Body]:
    with RECORDING.open() as lines:
        yield from map(json.loads, lines)


def recorded(kind: str) -> list[Body]:
    """The bodies of GETs of one kind of object, in order."""
    found = []
    for row in exchanges():
        parts = row["url"].split("?")[0].rsplit("/", 2)
        if row["method"] == "GET" and parts[-2] == kind and isinstance(row["response_body"], dict):
            found.append(row["response_body"])
    return found


def paths(value: object, at: str = "") -> dict[str, set[str]]:
    """Path to the JSON types seen there; `[]` stands for every place in a list. Tags are somebody's own names."""
    found: dict[str, set[str]] = {at: {type(value).__name__}}
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        children = [(f"{at}.{'*' if at.endswith('.tags') else key}", inner) for key, inner in value.items()]
    elif isinstance(value, list):
        children = [(f"{at}[]", inner) for inner in value]
    for path, inner in children:
        for deeper, kinds in paths(inner, path).items():
            found.setdefault(deeper, set()).update(kinds)
    return found


def differences(ours: object, theirs: object) -> list[str]:
    one, two = paths(ours), paths(theirs)
    found = []
    for path in sorted(one.keys() ^ two.keys()):
        parent = path.rpartition(".")[0].removesuffix("[]") if not path.endswith("[]") else path.removesuffix("[]")
        known = one if path in two else two
        if known.get(parent, set()) >= {"dict"} or f"{parent}[]" in known:
            found.append(f"{path}: only {'ours' if path in one else 'recorded'}")
    for path in sorted(one.keys() & two.keys()):
        kinds = {"float" if kind == "int" else kind for kind in one[path] ^ two[path]} - {"NoneType"}
        if one[path] - two[path] and two[path] - one[path] and len(kinds) > 1:
            found.append(f"{path}: ours {one[path]}, recorded {two[path]}")
    return [each for each in found if each not in SINCE]


@pytest.fixture(scope="module")
def world() -> World:
    made = planned(["web1"])
    made.wait(minutes=10)
    return made


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("replicationFabrics", fabric(HOME)),
        ("replicationPolicies", POLICY),
        ("replicationProtectionContainers", container(HOME)),
        ("replicationProtectionContainerMappings", mapping(HOME)),
        ("replicationNetworkMappings", network_mapping(HOME)),
        ("replicationRecoveryPlans", plan_id("plan")),
    ],
)
def test_an_object_has_the_recorded_properties(world: World, kind: str, path: str) -> None:
    theirs = recorded(kind)[-1]
    assert differences(world.get(path), theirs) == []


def states(state: str) -> list[Body]:
    return [body for body in recorded("replicationProtectedItems") if body["properties"]["protectionState"] == state]


def test_an_item_has_the_recorded_properties_in_each_state() -> None:
    world = World("web1")
    world.succeeds(world.enable("web1"))
    for state in ("InitialReplicationInProgress", "InitialReplicationRecoveryCompletionPending", "Protected"):
        world.until(lambda state=state: world.state("web1") == state)  # type: ignore[misc]
        ours, theirs = world.get(item_id("web1")), states(state)[0]
        assert differences(ours, theirs) == [], state
        for key in ("allowedOperations", "activeLocation", "testFailoverState", "protectionStateDescription"):
            assert ours["properties"][key] == theirs["properties"][key], (state, key)


def test_a_switched_item_has_the_recorded_properties_in_each_state() -> None:
    world = World("web1")
    world.protect("web1")
    world.fail_over("web1")
    world.succeeds(world.switch("web1"))
    for state in ("InitialReplicationInProgress", "Protected"):
        world.until(lambda state=state: world.state("web1", AWAY) == state)  # type: ignore[misc]
        theirs = next(body for body in states(state) if "A2A-2/replicationProtectedItems" in body["id"])
        assert differences(world.get(item_id("web1", AWAY)), theirs) == [], state


def test_every_write_was_answered_as_the_lab_answers() -> None:
    """S17: 202, no body, both headers; the URLs lie where the lab's do."""
    seen = 0
    for row in exchanges():
        if "/vaults/" not in row["url"] or row["method"] == "GET":
            continue
        if "/replication" in row["url"].split("/vaults/")[1]:
            seen += 1
            assert (row["status"], row["response_body"]) == (202, None)
            assert {"azure-asyncoperation", "location"} <= set(row["response_headers"])
            assert "/replicationOperationStatus/" in row["response_headers"]["azure-asyncoperation"]
            assert "/operationresults/" in row["response_headers"]["location"]
    assert seen > 15
