"""ExpressRoute's own resilience tests: what they take away is away, for the lab's packets too (E30)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from lab.core.bench import NETWORK, Lab, example_lab, refusal, rid

GATEWAY = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
CONNECTION = rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")
CIRCUIT = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
SECOND = rid(f"{NETWORK}/expressRouteCircuits", "er-singapore", group="rg-expressroute")
SITE = "192.168.0.0/16"


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def result(lab: Lab, url: str, body: Body | None = None) -> Any:
    answer = lab.post(url, body)
    assert answer.status == 202 and "location" in answer.headers
    return lab.follow(answer).body


def reaches(lab: Lab) -> bool:
    return str(lab.packet("datacenter", "10.1.0.4", port=443)["disposition"]) == "Delivered"


def learned(lab: Lab) -> set[str]:
    return {row["network"] for row in result(lab, GATEWAY + "/getLearnedRoutes")["value"] if row["asPath"]}


def told(lab: Lab, link: str) -> set[str]:
    rows = result(lab, f"{CIRCUIT}/peerings/AzurePrivatePeering/routeTables/{link}")["value"]
    return {row["network"] for row in rows}


def start(lab: Lab, place: str = "Hong%20Kong") -> str:
    return str(result(lab, f"{GATEWAY}/startSiteFailoverTest?peeringLocation={place}"))


def test_a_location_that_is_tested_is_away_until_the_test_is_stopped(lab: Lab) -> None:
    before = learned(lab)
    assert before and reaches(lab)
    answer = lab.post(f"{GATEWAY}/startSiteFailoverTest?peeringLocation=Hong%20Kong")
    assert reaches(lab)
    test = lab.follow(answer).body
    assert not reaches(lab) and not learned(lab)
    [details] = result(lab, f"{GATEWAY}/getFailoverAllTestsDetails?type=All&fetchLatest=true")
    assert (details["testGuid"], details["status"], details["testType"]) == (test, "Running", "SingleSiteFailover")
    assert [row["name"] for row in details["circuits"]] == ["er-hongkong"]
    assert [(row["nrpResourceUri"], row["status"]) for row in details["connections"]] == [(CONNECTION, "Disconnected")]
    single = f"{GATEWAY}/getFailoverSingleTestDetails?peeringLocation=Hong%20Kong&failoverTestId={test}"
    [one] = result(lab, single)
    assert set(one["nonRedundantRoutes"]) == before and one["redundantRoutes"] == []
    verified = {"failoverConnectionName": "cn-source-hub", "failoverLocation": "Hong Kong", "isVerified": True}
    stop: Body = {"peeringLocation": "Hong Kong", "wasSimulationSuccessful": True, "details": [verified]}
    assert result(lab, f"{GATEWAY}/stopSiteFailoverTest", stop) == test
    assert reaches(lab) and learned(lab) == before
    [one] = result(lab, single)
    assert (one["status"], one["wasSimulationSuccessful"]) == ("Completed", True)
    assert one["failoverConnectionDetails"] == [verified] and one["endTimeUtc"] > one["startTimeUtc"]


def test_what_comes_by_a_location_of_a_longer_name_is_no_part_of_the_test(lab: Lab) -> None:
    """Hong Kong2 is another location: what comes by it alone does not come through a test of Hong Kong."""
    circuit = lab.cloud.body(SECOND)
    assert circuit is not None
    provider = {**circuit["properties"]["serviceProviderProperties"], "peeringLocation": "Hong Kong2"}
    lab.cloud.write(
        resource_id(SECOND), {**circuit, "properties": {**circuit["properties"], "serviceProviderProperties": provider}}
    )
    sent = {"virtualNetworkGateway1": {"id": GATEWAY}, "peer": {"id": SECOND}, "connectionType": "ExpressRoute"}
    lab.made(CONNECTION + "-2", {"location": "eastasia", "properties": sent})
    mute = {"name": "ce1", "filters": [{"direction": "out", "prefix": SITE, "action": "deny"}]}
    lab.must(lab.post("/_lab/sites", {"site": "datacenter", "routers": [mute]}))
    lab.wait(minutes=1)
    assert learned(lab) == {SITE}
    test = start(lab)
    [one] = result(lab, f"{GATEWAY}/getFailoverSingleTestDetails?peeringLocation=Hong%20Kong&failoverTestId={test}")
    assert (one["redundantRoutes"], one["nonRedundantRoutes"]) == ([], [])


def test_clearing_faults_leaves_a_test(lab: Lab) -> None:
    start(lab)
    lab.fault(kind="clear")
    assert not reaches(lab)


def test_a_link_that_is_tested_leaves_the_other(lab: Lab) -> None:
    query = "linkType=Primary&circuitTestCategory=BgpDisconnect"
    test = str(result(lab, f"{CIRCUIT}/startCircuitLinkFailoverTest?{query}"))
    assert reaches(lab) and SITE not in told(lab, "primary") and SITE in told(lab, "secondary")
    single = f"{CIRCUIT}/getCircuitLinkFailoverSingleTestDetails?{query}&failoverTestId={test}"
    [one] = result(lab, single)
    assert one["status"] == "Running" and one["nonRedundantRoutes"]["beforeSimulation"] == []
    routes = one["redundantRoutes"]
    assert routes["beforeSimulation"] and all(row["primaryASPath"] for row in routes["beforeSimulation"])
    assert not any(row["primaryASPath"] for row in routes["duringSimulation"])
    assert {row["link"]: row["status"] for row in one["bgpStatus"]} == {
        "Primary": "Disconnected",
        "Secondary": "Connected",
    }
    assert result(lab, f"{CIRCUIT}/stopCircuitLinkFailoverTest", {"linkType": "Primary"}) == test
    assert SITE in told(lab, "primary")
    [row] = result(lab, f"{CIRCUIT}/getCircuitLinkFailoverAllTestsDetails?fetchLatest=true")
    assert (row["testGuid"], row["status"], row["linkType"]) == (test, "Completed", "Primary")


def test_with_the_other_link_down_a_links_routes_have_no_other_way(lab: Lab) -> None:
    lab.fault(kind="circuit-link", id=CIRCUIT, link="secondary", state="down")
    query = "linkType=Primary&circuitTestCategory=BgpDisconnect"
    test = str(result(lab, f"{CIRCUIT}/startCircuitLinkFailoverTest?{query}"))
    single = f"{CIRCUIT}/getCircuitLinkFailoverSingleTestDetails?{query}&failoverTestId={test}"
    [one] = result(lab, single)
    assert one["nonRedundantRoutes"]["beforeSimulation"] and not one["redundantRoutes"]["beforeSimulation"]
    assert not reaches(lab)


def test_what_can_not_be_tested_is_refused(lab: Lab) -> None:
    url = f"{GATEWAY}/startSiteFailoverTest"
    assert refusal(lab.post(url)) == "MissingParameter"
    assert refusal(lab.post(f"{url}?peeringLocation=London")) == "InvalidPeeringLocation"
    assert (
        refusal(lab.post(GATEWAY + "/stopSiteFailoverTest", {"peeringLocation": "Hong Kong"}))
        == "FailoverTestNotRunning"
    )
    lab.post(f"{url}?peeringLocation=Hong%20Kong")
    assert refusal(lab.post(f"{url}?peeringLocation=Hong%20Kong"), 409) == "FailoverTestInProgress"
    single = f"{GATEWAY}/getFailoverSingleTestDetails?peeringLocation=Hong%20Kong&failoverTestId=none"
    assert refusal(lab.post(single), 404) == "FailoverTestNotFound"
    link = f"{CIRCUIT}/startCircuitLinkFailoverTest?circuitTestCategory"
    assert refusal(lab.post(f"{link}=BgpDisconnect&linkType=Third")) == "InvalidParameter"
    assert refusal(lab.post(f"{link}=ASPathPrepend&linkType=Primary"), 501) == "NotImplementedByLab"


def test_a_start_that_fails_takes_nothing_away(lab: Lab) -> None:
    lab.fault(kind="fail-operation", code="InternalError", verb="startFailoverTest")
    answer = lab.follow(lab.post(f"{GATEWAY}/startSiteFailoverTest?peeringLocation=Hong%20Kong"))
    assert refusal(answer, 409) == "InternalError" and reaches(lab)
    [row] = result(lab, f"{GATEWAY}/getFailoverAllTestsDetails?type=All&fetchLatest=false")
    assert row["status"] == "StartFailed"
    start(lab)
    assert not reaches(lab)


def test_what_is_tested_survives_the_lab(lab: Lab) -> None:
    """A test is of the lab's state, as a fault is."""
    start(lab)
    assert CONNECTION.lower() in lab.cloud.table("simulated")
    lab.gone(CONNECTION)
    lab.gone(GATEWAY)
    assert not dict(lab.cloud.table("simulated")) and not dict(lab.cloud.table("failover_tests"))
