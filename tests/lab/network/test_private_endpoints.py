"""Private endpoints: their NIC, their names, and what effective routes and packets make of them (R8, R49)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

STORE = rid("Microsoft.Storage/storageAccounts", "farstore")
ENDPOINT = net("pe", kind="privateEndpoints")
NIC = net("nic", kind="networkInterfaces")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/16", app="10.1.0.0/24", ends="10.1.1.0/24"))
    made.follow(made.put(STORE, {"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}))
    made.made(NIC, nic_body(subnet("spoke", "app")))
    made.made(rid(f"{COMPUTE}/virtualMachines", "vm"), machine_body(NIC))
    return made


def body(kind: str = "privateLinkServiceConnections", target: str = STORE, **more: Any) -> Body:
    link: Body = {"privateLinkServiceId": target, "groupIds": ["blob"]}
    inside: Body = {"subnet": {"id": subnet("spoke", "ends")}, kind: [{"name": "to", "properties": link}]}
    return {"location": "eastasia", "properties": inside | more}


def rows(lab: Lab) -> list[tuple[str, str]]:
    table = lab.follow(lab.post(NIC + "/effectiveRouteTable")).body["value"]
    return [(row["addressPrefix"][0], row["state"]) for row in table if row["nextHopType"] == "InterfaceEndpoint"]


def test_its_nic_stands_in_the_subnet_and_effective_routes_show_it(lab: Lab) -> None:
    assert rows(lab) == []
    answer = lab.put(ENDPOINT, body())
    assert answer.status == 201
    [first] = answer.body["properties"]["networkInterfaces"]
    [link] = answer.body["properties"]["privateLinkServiceConnections"]
    assert link["properties"]["provisioningState"] == "Succeeded"  # recorded, and so is the NIC
    lab.follow(answer)
    shown = lab.properties(ENDPOINT)
    [nic] = shown["networkInterfaces"]
    assert nic == first
    held = lab.properties(nic["id"])
    assert held["privateEndpoint"] == {"id": ENDPOINT}
    assert held["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.1.1.4"
    assert shown["customDnsConfigs"] == [{"fqdn": "farstore.blob.core.windows.net", "ipAddresses": ["10.1.1.4"]}]
    [link] = shown["privateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert rows(lab) == [("10.1.1.4/32", "Active")]
    assert lab.packet(NIC, "10.1.1.4", port=443)["disposition"] == "Delivered"


def test_a_second_put_keeps_the_nic_and_a_deletion_takes_it(lab: Lab) -> None:
    lab.made(ENDPOINT, body())
    [nic] = lab.properties(ENDPOINT)["networkInterfaces"]
    lab.made(ENDPOINT, {**body(), "tags": {"a": "b"}})
    assert lab.properties(ENDPOINT)["networkInterfaces"] == [nic]
    assert refusal(lab.delete(nic["id"])) == "NicInUse"
    lab.gone(ENDPOINT)
    assert lab.get(nic["id"]).status == 404 and rows(lab) == []


def test_a_manual_connection_waits_for_the_owner(lab: Lab) -> None:
    lab.made(ENDPOINT, body("manualPrivateLinkServiceConnections"))
    [link] = lab.properties(ENDPOINT)["manualPrivateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"


def test_the_name_and_the_address_of_its_nic_may_be_given(lab: Lab) -> None:
    place: Body = {"name": "one", "properties": {"groupId": "blob", "privateIPAddress": "10.1.1.77"}}
    lab.made(ENDPOINT, body(customNetworkInterfaceName="pe-nic", ipConfigurations=[place]))
    [nic] = lab.properties(ENDPOINT)["networkInterfaces"]
    assert nic["id"] == net("pe-nic", kind="networkInterfaces") and rows(lab) == [("10.1.1.77/32", "Active")]


def test_a_route_of_the_user_governs_it_where_network_policies_are_on(lab: Lab) -> None:
    """R49."""
    table = net("rt", kind="routeTables")
    route: Body = {"addressPrefix": "10.1.1.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.1.0.9"}
    lab.made(table, {"location": "eastasia", "properties": {"routes": [{"name": "r", "properties": route}]}})
    lab.made(subnet("spoke", "app"), {"properties": {"addressPrefix": "10.1.0.0/24", "routeTable": {"id": table}}})
    lab.made(ENDPOINT, body())
    policy = {"addressPrefix": "10.1.1.0/24", "privateEndpointNetworkPolicies": "Disabled"}
    lab.made(subnet("spoke", "ends"), {"properties": policy})
    assert rows(lab) == [("10.1.1.4/32", "Active")]
    lab.made(subnet("spoke", "ends"), {"properties": policy | {"privateEndpointNetworkPolicies": "Enabled"}})
    assert rows(lab) == [("10.1.1.4/32", "Invalid")]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (body(target=STORE + "x"), "InvalidResourceReference"),
        (body(target="farstore"), "LinkedInvalidPropertyId"),
        (body(subnet={"id": subnet("spoke", "none")}), "InvalidResourceReference"),
        (body(subnet=None), "InvalidRequestFormat"),
        (body(privateLinkServiceConnections=[]), "InvalidRequestFormat"),
        ({**body(), "location": "southeastasia"}, "InvalidResourceReference"),
    ],
)
def test_what_can_not_be_is_refused(lab: Lab, wanted: Body, code: str) -> None:
    assert refusal(lab.put(ENDPOINT, wanted)) == code and lab.get(ENDPOINT).status == 404


def test_its_subnet_stays(lab: Lab) -> None:
    lab.made(ENDPOINT, body())
    assert (
        refusal(lab.put(ENDPOINT, body(subnet={"id": subnet("spoke", "app")})))
        == "PrivateEndpointSubnetCannotBeChanged"
    )
    assert not lab.delete(subnet("spoke", "ends")).ok


def test_what_it_leads_to_shows_it(lab: Lab) -> None:
    account = lab.made(ENDPOINT, body())["properties"]["privateLinkServiceConnections"][0]["properties"]
    [shown] = lab.properties(account["privateLinkServiceId"])["privateEndpointConnections"]
    assert shown["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    state = shown["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], state["actionRequired"]) == ("Approved", "None")
    assert shown["id"].endswith("/privateEndpointConnections/" + shown["name"])
    lab.follow(lab.delete(ENDPOINT))
    assert lab.properties(account["privateLinkServiceId"])["privateEndpointConnections"] == []


def test_the_owner_of_an_account_says_yes_or_no_to_an_endpoint(lab: Lab) -> None:
    lab.made(ENDPOINT, body())
    zones = [row["properties"]["requiredZoneNames"] for row in lab.body(f"{STORE}/privateLinkResources")["value"]]
    assert ["privatelink.blob.core.windows.net"] in zones
    (row,) = lab.body(f"{STORE}/privateEndpointConnections")["value"]
    assert lab.body(row["id"]) == row and row in lab.properties(STORE)["privateEndpointConnections"]
    told = {"privateLinkServiceConnectionState": {"status": "Rejected", "description": None}}
    answer = lab.put(row["id"], {"properties": told})
    assert answer.status == 200 and answer.body["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Rejected",
        "description": "",
        "actionRequired": "None",
    }
    assert state_of(lab) == "Rejected"
    assert lab.delete(row["id"]).status == 200 and state_of(lab) == "Disconnected"
    assert lab.body(f"{STORE}/privateEndpointConnections")["value"] == []
    assert lab.properties(STORE)["privateEndpointConnections"] == [] and lab.get(row["id"]).status == 404


def state_of(lab: Lab) -> str:
    (link,) = lab.properties(ENDPOINT)["privateLinkServiceConnections"]
    return str(link["properties"]["privateLinkServiceConnectionState"]["status"])
