"""Things that are about to go, and places that are none: what may still refer to them (L15, L26, L36)."""

from __future__ import annotations

import pytest

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from lab.core.bench import (
    COMPUTE,
    GROUP,
    SUBSCRIPTION,
    Lab,
    example_lab,
    machine_body,
    net,
    network_body,
    nic_body,
    refusal,
    rid,
    subnet,
    vnet,
)
from lab.core.kinds import KINDS

GROUP_URL = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
NIC = net("nic", kind="networkInterfaces")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("n"), network_body("10.1.0.0/24", a="10.1.0.0/25", b="10.1.0.128/25"))
    return made


def test_nothing_moves_into_a_subnet_that_is_going(lab: Lab) -> None:
    answer = lab.delete(subnet("n", "a"))
    assert refusal(lab.put(NIC, nic_body(subnet("n", "a")))) == "ReferencedResourceNotProvisioned"
    lab.follow(answer)
    assert refusal(lab.put(NIC, nic_body(subnet("n", "a")))) == "InvalidResourceReference"
    whole = lab.delete(vnet("n"))
    assert refusal(lab.put(NIC, nic_body(subnet("n", "b")))) == "ReferencedResourceNotProvisioned"
    lab.follow(whole)


def test_a_table_that_is_going_is_given_to_nobody(lab: Lab) -> None:
    table = net("rt", kind="routeTables")
    lab.made(table, {"location": "eastasia"})
    answer = lab.delete(table)
    body: Body = {"properties": {"addressPrefix": "10.1.0.0/25", "routeTable": {"id": table}}}
    assert refusal(lab.put(subnet("n", "a"), body)) == "ReferencedResourceNotProvisioned"
    lab.follow(answer)


def test_a_disk_that_is_going_is_attached_to_nobody(lab: Lab) -> None:
    disk = rid(f"{COMPUTE}/disks", "d")
    lab.made(disk, KINDS["disk"].body)
    lab.made(NIC, nic_body(subnet("n", "a")))
    body = machine_body(NIC)
    body["properties"]["storageProfile"]["dataDisks"] = [
        {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk}}
    ]
    answer = lab.delete(disk)
    assert refusal(lab.put(rid(f"{COMPUTE}/virtualMachines", "vm"), body), 409) == "OperationNotAllowed"
    lab.follow(answer)


def test_a_group_that_is_going_takes_nothing_new(lab: Lab) -> None:
    answer = lab.delete(GROUP_URL)
    assert lab.properties(GROUP_URL)["provisioningState"] == "Deleting"
    assert refusal(lab.put(net("rt", kind="routeTables"), {"location": "eastasia"}), 409) == "ResourceGroupBeingDeleted"
    assert refusal(lab.put(GROUP_URL, {"location": "eastasia"}), 409) == "ResourceGroupBeingDeleted"
    again = lab.delete(GROUP_URL)
    assert again.status == 202
    lab.follow(answer)
    assert refusal(lab.get(GROUP_URL), 404) == "ResourceGroupNotFound"
    lab.must(lab.put(GROUP_URL, {"location": "southeastasia"}))


def test_a_group_stays_where_it_is(lab: Lab) -> None:
    """L36: it matters where a group is located."""
    refused = lab.put(GROUP_URL, {"location": "southeastasia"})
    assert refusal(refused, 409) == "InvalidResourceGroupLocation"
    assert lab.body(GROUP_URL)["location"] == "eastasia"
    lab.must(lab.put(GROUP_URL.upper().replace("SUBSCRIPTIONS", "subscriptions"), {"location": "East Asia"}))
    assert lab.body(GROUP_URL)["name"] == GROUP


@pytest.mark.parametrize("place", ["moonbase", "Hong Kong", "asia", "global"])
def test_a_place_that_is_no_region_is_refused(lab: Lab, place: str) -> None:
    body = {**network_body("10.9.0.0/24"), "location": place}
    assert refusal(lab.put(vnet("moon"), body)) == "LocationNotAvailableForResourceType"
    assert refusal(lab.put(GROUP_URL + "2", {"location": place})) == "LocationNotAvailableForResourceGroup"


@pytest.mark.parametrize("name", ["-n", "n-", "a b", "x" * 81, "n!", "ü"])
def test_a_name_that_azure_would_not_take(lab: Lab, name: str) -> None:
    assert refusal(lab.put(vnet(name), network_body("10.9.0.0/24"))) == "InvalidResourceName"
    body: Body = {"properties": {"addressPrefix": "10.1.0.0/26"}}
    assert refusal(lab.put(subnet("n", name), body)) == "InvalidResourceName"
    inside = network_body("10.9.0.0/24", **{name: "10.9.0.0/25"})
    assert refusal(lab.put(vnet("m"), inside)) == "InvalidResourceName"
    assert lab.get(vnet("m")).status == 404


def test_a_name_of_every_good_kind_is_taken(lab: Lab) -> None:
    for name in ("n", "N.1-2_", "_n", "9", "x" * 80):
        lab.made(net(name, kind="routeTables"), {"location": "eastasia"})


def test_a_question_about_what_has_gone_meanwhile_ends_in_a_refusal() -> None:
    lab = example_lab()
    circuit = rid("Microsoft.Network/expressRouteCircuits", "er-singapore", group="rg-expressroute")
    gateway = rid("Microsoft.Network/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
    nic = rid("Microsoft.Network/networkInterfaces", "web1-nic", group="rg-source")
    disk = rid(f"{COMPUTE}/disks", "web1-os", group="rg-source")
    asked = [
        lab.post(circuit + "/peerings/AzurePrivatePeering/routeTables/primary"),
        lab.post(circuit + "/peerings/AzurePrivatePeering/routeTablesSummary/primary"),
        lab.post(circuit + "/peerings/AzurePrivatePeering/arpTables/primary"),
        lab.post(gateway + "/getLearnedRoutes"),
        lab.post(gateway + "/getAdvertisedRoutes"),
        lab.post(gateway + "/getBgpPeerStatus"),
        lab.post(nic + "/effectiveRouteTable"),
        lab.post(nic + "/effectiveNetworkSecurityGroups"),
        lab.post(disk + "/beginGetAccess", {"access": "Read"}),
    ]
    for url in (circuit, gateway, nic, disk):
        lab.cloud.remove(resource_id(url))
    lab.wait(60)
    for answer in asked:
        end = lab.get(answer.headers["location"])
        assert refusal(end, 404) in ("NotFound", "ResourceNotFound")


def test_a_machine_told_to_start_while_its_group_goes_ends_with_it() -> None:
    lab = Lab()
    KINDS["machine"].before(lab)
    lab.made(KINDS["machine"].url, KINDS["machine"].body)
    going = lab.delete(GROUP_URL)
    lab.wait(30)
    answer = lab.post(KINDS["machine"].url + "/deallocate")
    lab.follow(going)
    lab.wait(minutes=10)
    assert lab.get(answer.headers["azure-asyncoperation"]).body["status"] in ("Succeeded", "Failed")
    assert lab.get(KINDS["machine"].url).status == 404
