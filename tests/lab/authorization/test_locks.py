"""Locks: what they hold up, at every scope, and how they go."""

from __future__ import annotations

import pytest

from lab.authorization.callers import AT_SUBSCRIPTION
from lab.core.bench import SUBSCRIPTION, Lab, network_body, refusal, subnet, vnet
from lab.resources.deployed import GROUP_ID, deployment, sent, template


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.made(vnet("v"), network_body("10.0.0.0/16", a="10.0.0.0/24"))
    return lab


def lock(scope: str, name: str = "keep") -> str:
    return f"{scope}/providers/Microsoft.Authorization/locks/{name}"


def level(text: str) -> dict[str, object]:
    return {"properties": {"level": text, "notes": "because"}}


@pytest.mark.parametrize("scope", [AT_SUBSCRIPTION, GROUP_ID, vnet("v"), subnet("v", "a")])
def test_cannot_delete_holds_deletes_and_nothing_else(lab: Lab, scope: str) -> None:
    assert lab.put(lock(scope), level("CanNotDelete")).status == 201
    assert lab.put(lock(scope), level("canNotDelete")).status == 200
    answer = lab.delete(vnet("v"))
    assert refusal(answer, 409) == "ScopeLocked"
    assert answer.body["error"]["message"] == (
        f"The scope '{vnet('v')}' cannot perform delete operation because following scope(s) are locked: '{scope}'. "
        "Please remove the lock and try again."
    )
    assert refusal(lab.delete(subnet("v", "a")), 409) == refusal(lab.delete(GROUP_ID), 409) == "ScopeLocked"
    assert lab.get(GROUP_ID).body["properties"]["provisioningState"] == "Succeeded"
    assert lab.patch(vnet("v"), {"tags": {"a": "b"}}).status == 200
    assert lab.delete(lock(scope)).status == 200 and lab.delete(lock(scope)).status == 204
    lab.gone(vnet("v"))


def test_read_only_holds_writes_and_actions_too(lab: Lab) -> None:
    lab.must(lab.put(lock(GROUP_ID), level("ReadOnly")))
    before = lab.body(vnet("v"))
    for answer in (
        lab.put(vnet("w"), network_body("10.1.0.0/16")),
        lab.patch(vnet("v"), {"tags": {"a": "b"}}),
        lab.delete(vnet("v")),
        lab.put(deployment(), sent(template())),
        lab.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lab", {"location": "eastasia", "tags": {"a": "b"}}),
    ):
        assert refusal(answer, 409) == "ScopeLocked"
    assert lab.post(deployment() + "/validate", sent(template())).status == 200
    assert lab.body(vnet("v")) == before
    lab.must(lab.delete(lock(GROUP_ID)))
    lab.made(vnet("w"), network_body("10.1.0.0/16"))


def test_locks_are_listed_and_go_with_what_they_are_on(lab: Lab) -> None:
    for scope in (GROUP_ID, vnet("v"), subnet("v", "a")):
        lab.must(lab.put(lock(scope), level("CanNotDelete")))
    assert lab.body(lock(vnet("v"))) == {
        "properties": {"level": "CanNotDelete", "notes": "because"},
        "id": lock(vnet("v")),
        "type": "Microsoft.Authorization/locks",
        "name": "keep",
    }
    collection = "/providers/Microsoft.Authorization/locks"
    assert len(lab.body(AT_SUBSCRIPTION + collection)["value"]) == 3
    assert len(lab.body(vnet("v") + collection)["value"]) == 2
    assert len(lab.body(f"{GROUP_ID}{collection}?$filter=atScope()")["value"]) == 1
    assert refusal(lab.get(f"{GROUP_ID}{collection}?$filter=level eq 'x'"), 501) == "NotImplementedByLab"


@pytest.mark.parametrize(
    "body", [{}, {"properties": 3}, {"properties": {}}, level("Tight"), {"properties": {"level": []}}]
)
def test_what_is_no_lock_is_refused(lab: Lab, body: object) -> None:
    assert refusal(lab.put(lock(GROUP_ID), body)) == "LockLevelInvalid"
    assert refusal(lab.put(lock(vnet("none")), level("ReadOnly")), 404) == "ResourceNotFound"
    assert lab.body(GROUP_ID + "/providers/Microsoft.Authorization/locks")["value"] == []
