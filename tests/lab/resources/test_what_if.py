"""What a deployment would change, said beforehand and changing nothing."""

from __future__ import annotations

import pytest

from lab.core.bench import Lab, refusal, vnet
from lab.resources.deployed import at_subscription, changes, deployed, deployment, ip, network, nic, sent, template


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    deployed(lab, sent(template(network("v"), nic("n", dependsOn=["v"]), ip("other"))))
    return lab


def test_the_same_again_is_no_change_and_the_rest_of_the_group_is_ignored(lab: Lab) -> None:
    found = changes(lab, sent(template(network("v"), nic("n", dependsOn=["v"]))))
    assert {name: change["changeType"] for name, change in found.items()} == {
        "v": "NoChange",
        "n": "NoChange",
        "other": "Ignore",
    }


def test_what_is_new_and_what_differs_is_told_property_by_property(lab: Lab) -> None:
    before = lab.body(vnet("v"))
    bigger = network("v", tags={"a": "b"})
    bigger["properties"]["addressSpace"]["addressPrefixes"].append("10.1.0.0/16")
    found = changes(lab, sent(template(bigger, ip("new"))))
    assert found["new"]["changeType"] == "Create" and found["new"]["after"]["name"] == "new"
    delta = {change["path"]: change for change in found["v"]["delta"]}
    assert delta["tags"]["propertyChangeType"] == "Create" and delta["tags"]["after"] == {"a": "b"}
    (child,) = delta["properties.addressSpace.addressPrefixes"]["children"]
    assert (child["path"], child["propertyChangeType"], child["after"]) == ("1", "Create", "10.1.0.0/16")
    assert set(delta) == {"tags", "properties.addressSpace.addressPrefixes"}
    lab.wait(60)
    assert lab.body(vnet("v")) == before and lab.get(deployment("x")).status == 404


def test_complete_mode_says_what_would_go(lab: Lab) -> None:
    found = changes(lab, sent(template(network("v"), nic("n", dependsOn=["v"])), mode="Complete"))
    assert found["other"]["changeType"] == "Delete" and found["other"]["before"]["name"] == "other"


def test_ids_alone_when_no_more_is_asked_for(lab: Lab) -> None:
    body = sent(template(network("v")))
    body["properties"]["whatIfSettings"] = {"resultFormat": "ResourceIdOnly"}
    found = changes(lab, body)
    assert found["v"] == {"resourceId": vnet("v"), "changeType": "Deploy"}
    body["properties"]["whatIfSettings"] = {"resultFormat": "Everything"}
    assert refusal(lab.post(deployment() + "/whatIf", body)) == "InvalidRequestContent"


def test_it_looks_into_nested_deployments(lab: Lab) -> None:
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": template(ip("deep"))},
    }
    assert changes(lab, sent(template(inner)))["deep"]["changeType"] == "Create"


def test_of_a_subscription_it_sees_a_group_that_is_still_to_be_made(lab: Lab) -> None:
    group = {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01", "name": "new"}
    group["location"] = "eastasia"
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "resourceGroup": "new",
        "dependsOn": ["new"],
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": template(network("fresh")),
        },
    }
    found = changes(lab, sent(template(group, inner), location="eastasia"), at_subscription())
    assert {name: change["changeType"] for name, change in found.items()} == {"new": "Create", "fresh": "Create"}
    assert found["fresh"]["after"]["location"] == "eastasia"


def test_what_would_be_refused_is_told_by_the_template_alone(lab: Lab) -> None:
    found = changes(lab, sent(template(network("v", subnet="11.0.0.0/24"))))
    assert found["v"]["changeType"] == "Deploy"
