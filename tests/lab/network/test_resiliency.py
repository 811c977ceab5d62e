"""What a gateway says of its own resilience, from the lab's tables (E30)."""

from __future__ import annotations

import pytest

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from lab.core.bench import NETWORK, Lab, example_lab, refusal, rid

GATEWAY = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
CIRCUIT = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def asked(lab: Lab, question: str) -> Body:
    answer = lab.post(f"{GATEWAY}/{question}")
    assert answer.status == 202 and "location" in answer.headers
    return dict(lab.follow(answer).body)


def scores(lab: Lab) -> dict[str, int]:
    shown = asked(lab, "getResiliencyInformation")
    found = {row["name"]: int(row["currentScore"]) for row in shown["components"]}
    assert int(shown["overallScore"]) == sum(found.values())
    for row in shown["components"]:
        assert bool(row["recommendations"]) is (row["currentScore"] != row["maxScore"])
    return found


def test_routes_are_told_with_circuits_links_and_locations(lab: Lab) -> None:
    shown = asked(lab, "getRoutesInformation")
    [only] = shown["routeSets"]
    assert only["locations"] == ["Hong Kong"]
    assert only["details"] == {"192.168.0.0/16": [{"circuit": "circuit0", "pri": "65010", "sec": "65010"}]}
    assert shown["circuitsMetadataMap"] == {
        "circuit0": {"name": "er-hongkong", "link": CIRCUIT, "location": "Hong Kong"}
    }
    lab.fault(kind="circuit-link", id=CIRCUIT, link="secondary", state="down")
    [only] = asked(lab, "getRoutesInformation")["routeSets"]
    assert only["details"]["192.168.0.0/16"][0]["sec"] == ""


def test_the_score_is_of_what_there_is(lab: Lab) -> None:
    before = scores(lab)
    assert before["RouteResiliency"] == 0 and before["LinkResiliency"] == 25
    lab.fault(kind="circuit-link", id=CIRCUIT, link="secondary", state="down")
    assert scores(lab)["LinkResiliency"] == 0


def test_a_test_that_was_done_counts_for_half_a_year(lab: Lab) -> None:
    assert scores(lab)["ResiliencyValidationTest"] == 0
    lab.follow(lab.post(f"{GATEWAY}/startSiteFailoverTest?peeringLocation=Hong%20Kong"))
    assert asked(lab, "getRoutesInformation")["routeSets"] == []
    lab.follow(lab.post(f"{GATEWAY}/stopSiteFailoverTest", {"peeringLocation": "Hong Kong"}))
    assert scores(lab)["ResiliencyValidationTest"] == 25
    lab.wait(days=200)
    assert scores(lab)["ResiliencyValidationTest"] == 0


def test_only_a_gateway_for_express_route_has_it(lab: Lab) -> None:
    body = lab.body(GATEWAY)
    lab.cloud.write(resource_id(GATEWAY), {**body, "properties": {**body["properties"], "gatewayType": "Vpn"}})
    assert refusal(lab.post(GATEWAY + "/getResiliencyInformation")) == "InvalidGatewayType"
