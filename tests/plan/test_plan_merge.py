"""What a put leaves where a person had built before: nothing that Azure would refuse beside what the plan says."""

from __future__ import annotations

from typing import Any

from farshore.plan.merge import merged, says


def route(name: str, prefix: str, hop: str = "10.10.10.10") -> dict[str, Any]:
    hops = {"nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
    return {"name": name, "properties": {"addressPrefix": prefix, **hops}}


def rule(name: str, priority: int, direction: str = "Inbound") -> dict[str, Any]:
    return {"name": name, "properties": {"priority": priority, "direction": direction, "access": "Allow"}}


def table(*routes: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"routes": list(routes)}}


def names(body: dict[str, Any], kind: str = "routes") -> list[str]:
    return [item["name"] for item in body["properties"][kind]]


def test_a_route_takes_the_place_of_the_one_with_its_prefix() -> None:
    there = table(route("by-hand", "10.1.0.0/24", "10.10.10.9"), route("own", "10.99.0.0/24"))
    said = table(route("to-vnet1", "10.1.0.0/24"), route("to-vnet2", "10.2.0.0/24"))
    after = merged(there, said)
    assert names(after) == ["own", "to-vnet1", "to-vnet2"]
    assert says(after, said) and not says(there, said)
    assert names(there) == ["by-hand", "own"], "what was read is not changed"


def test_a_namesake_is_merged_and_its_equal_is_gone() -> None:
    there = table(route("a", "10.9.0.0/24"), route("b", "10.1.0.0/24"))
    assert names(merged(there, table(route("a", "10.1.0.0/24")))) == ["a"]


def test_a_rule_takes_the_place_of_the_one_with_its_priority() -> None:
    there = {"properties": {"securityRules": [rule("old", 100), rule("out", 100, "Outbound"), rule("own", 200)]}}
    said = {"properties": {"securityRules": [rule("new", 100)]}}
    assert names(merged(there, said), "securityRules") == ["out", "own", "new"]


def test_subnets_that_the_plan_never_heard_of_stay() -> None:
    there = {"properties": {"subnets": [{"name": "bastion", "properties": {"addressPrefix": "10.1.0.192/26"}}]}}
    said = {"properties": {"subnets": [{"name": "app", "properties": {"addressPrefix": "10.1.0.0/25"}}]}}
    assert names(merged(there, said), "subnets") == ["bastion", "app"]
