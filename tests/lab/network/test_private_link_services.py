"""Private link services: their NIC, their alias, and the endpoints that lead to them (as recorded)."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet

SERVICE = net("offer", kind="privateLinkServices")
ENDPOINT = net("taker", kind="privateEndpoints")
FRONT = net("lb", kind="loadBalancers") + "/frontendIpConfigurations/door"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/16", offer="10.1.0.0/24", ends="10.1.1.0/24"))
    place: Body = {"name": "first", "properties": {"subnet": {"id": subnet("spoke", "offer"), "properties": {}}}}
    inside: Body = {"loadBalancerFrontendIpConfigurations": [{"id": FRONT}], "ipConfigurations": [place]}
    made.made(SERVICE, {"location": "eastasia", "properties": inside})
    return made


def endpoint(kind: str = "privateLinkServiceConnections") -> Body:
    link: Body = {"name": "to", "properties": {"privateLinkServiceId": SERVICE}}
    return {"location": "eastasia", "properties": {"subnet": {"id": subnet("spoke", "ends")}, kind: [link]}}


def state(lab: Lab, kind: str = "privateLinkServiceConnections") -> str:
    (link,) = lab.properties(ENDPOINT)[kind]
    return str(link["properties"]["privateLinkServiceConnectionState"]["status"])


def test_a_service_shows_what_azure_makes_for_it(lab: Lab) -> None:
    shown = lab.properties(SERVICE)
    assert shown["alias"].startswith("offer.") and shown["fqdns"] == [] and shown["privateEndpointConnections"] == []
    assert shown["loadBalancerFrontendIpConfigurations"][0]["id"].endswith("/frontendIPConfigurations/door")
    (place,) = shown["ipConfigurations"]
    assert place["properties"]["subnet"] == {"id": subnet("spoke", "offer")}
    assert place["properties"]["primary"] is True and place["properties"]["privateIPAllocationMethod"] == "Dynamic"
    (nic,) = shown["networkInterfaces"]
    assert lab.properties(nic["id"])["privateLinkService"] == {"id": SERVICE}
    assert refusal(lab.delete(nic["id"])) == "NicInUse"
    lab.gone(SERVICE)
    assert lab.get(nic["id"]).status == 404


def test_the_owners_word_is_shown_at_the_endpoint_and_stays(lab: Lab) -> None:
    made = lab.made(ENDPOINT, endpoint())
    (row,) = lab.properties(SERVICE)["privateEndpointConnections"]
    assert row["name"] == f"taker.{made['properties']['resourceGuid']}"
    assert row["properties"]["privateEndpoint"] == {"id": ENDPOINT} and row["properties"]["linkIdentifier"]
    told = {"privateLinkServiceConnectionState": {"status": "Rejected", "actionsRequired": "ask"}}
    answer = lab.put(row["id"], {"properties": told})
    assert answer.status == 200 and "azure-asyncoperation" in answer.headers
    assert answer.body["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    lab.follow(answer)
    assert state(lab) == "Rejected"
    lab.made(ENDPOINT, endpoint() | {"tags": {"a": "b"}})
    assert state(lab) == "Rejected"
    lab.made(SERVICE, lab.body(SERVICE))
    assert [row["id"]] == [each["id"] for each in lab.properties(SERVICE)["privateEndpointConnections"]]
    lab.gone(row["id"])
    assert state(lab) == "Disconnected" and lab.properties(SERVICE)["privateEndpointConnections"] == []


def test_an_endpoint_that_goes_takes_its_connection_along(lab: Lab) -> None:
    kind = "manualPrivateLinkServiceConnections"
    lab.made(ENDPOINT, endpoint(kind))
    assert state(lab, kind) == "Pending" and len(lab.properties(SERVICE)["privateEndpointConnections"]) == 1
    lab.gone(ENDPOINT)
    assert lab.properties(SERVICE)["privateEndpointConnections"] == []
