"""What can be asked of circuits, gateways and interfaces, and how it is answered: 202, a place to look, rows.

Facts: E11, R9, R10.
"""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import NETWORK, Lab, example_lab, refusal, rid

HONG_KONG = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
SINGAPORE = rid(f"{NETWORK}/expressRouteCircuits", "er-singapore", group="rg-expressroute")
GATEWAY = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
CONNECTION = rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")
WEB1 = rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")
WEB1_MACHINE = rid("Microsoft.Compute/virtualMachines", "web1", group="rg-source")
OURS = {"10.10.10.0/24", "10.1.0.0/24", "10.2.0.0/24"}


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def table(lab: Lab, circuit: str, link: str = "primary", kind: str = "routeTables") -> list[Body]:
    return list(lab.follow(lab.post(f"{circuit}/peerings/azureprivatepeering/{kind}/{link}")).body["value"])


def networks(rows: list[Body]) -> set[str]:
    return {row["network"] for row in rows}


def test_an_answer_is_waited_for_at_its_location(lab: Lab) -> None:
    """Recorded: 202 with an empty body and `location` alone, then 200 with the rows."""
    answer = lab.post(f"{HONG_KONG}/peerings/AzurePrivatePeering/routeTables/primary")
    assert answer.status == 202 and answer.body is None and "azure-asyncoperation" not in answer.headers
    url = answer.headers["location"]
    assert "/providers/Microsoft.Network/locations/southeastasia/operationResults/" in url
    waiting = lab.get(url)
    assert waiting.status == 202 and waiting.headers["location"] == url and int(waiting.headers["retry-after"]) > 0
    lab.wait(60)
    assert lab.get(url).status == 200
    assert lab.get(url).body == lab.get(url).body
    assert refusal(lab.get(url.rsplit("/", 1)[0] + "/no-such-operation?api-version=2024-05-01"), 404)


def test_a_circuit_knows_its_site_and_the_networks_behind_its_gateways(lab: Lab) -> None:
    for link, hop in (("primary", "172.16.0.1"), ("secondary", "172.16.0.5")):
        rows = table(lab, HONG_KONG, link)
        assert networks(rows) == OURS | {"192.168.0.0/16"}
        theirs = [row for row in rows if row["network"] == "192.168.0.0/16"]
        assert [(row["nextHop"], row["path"]) for row in theirs] == [(hop, "65010")]
        assert {row["path"] for row in rows if row["network"] in OURS} == {"65515"}
        assert {row["nextHop"] for row in rows if row["network"] in OURS} == {"10.10.10.140", "10.10.10.141"}
        assert all(set(row) == {"network", "nextHop", "locPrf", "weight", "path"} for row in rows)
    assert networks(table(lab, SINGAPORE)) == {"192.168.0.0/16"}


def test_summary_and_neighbours_agree_with_the_table(lab: Lab) -> None:
    rows = table(lab, HONG_KONG)
    counted = {row["neighbor"]: int(row["statePfxRcd"]) for row in table(lab, HONG_KONG, kind="routeTablesSummary")}
    assert counted == {hop: sum(row["nextHop"] == hop for row in rows) for hop in {row["nextHop"] for row in rows}}
    assert {row["ipAddress"] for row in table(lab, HONG_KONG, kind="arpTables")} == {"172.16.0.1", "172.16.0.2"}


def test_a_link_that_is_down_tells_less_than_the_other(lab: Lab) -> None:
    lab.fault(kind="circuit-link", id=HONG_KONG, link="primary", state="down")
    assert "192.168.0.0/16" not in networks(table(lab, HONG_KONG))
    assert networks(table(lab, HONG_KONG, "secondary")) == OURS | {"192.168.0.0/16"}
    assert {row["interface"] for row in table(lab, HONG_KONG, kind="arpTables")} == {"Microsoft"}
    lab.fault(kind="circuit-link", id=HONG_KONG, link="primary", state="up")
    assert networks(table(lab, HONG_KONG)) == OURS | {"192.168.0.0/16"}


def test_there_are_two_device_paths(lab: Lab) -> None:
    refused = lab.post(f"{HONG_KONG}/peerings/AzurePrivatePeering/routeTables/tertiary")
    assert refusal(refused) == "InvalidDevicePath"
    refused = lab.post(f"{HONG_KONG}/peerings/MicrosoftPeering/routeTables/primary")
    assert refusal(refused, 404) == "NotFound"


def test_a_gateway_learns_the_site_and_announces_its_networks(lab: Lab) -> None:
    def rows(action: str) -> list[Body]:
        return list(lab.follow(lab.post(f"{GATEWAY}/{action}")).body["value"])

    learned = rows("getLearnedRoutes")
    site = [row for row in learned if row["network"] == "192.168.0.0/16"]
    assert {row["asPath"] for row in site} == {"12076-65010"} and {row["origin"] for row in site} == {"EBgp"}
    assert {row["nextHop"] for row in site} == {"172.16.0.2", "172.16.0.6"}
    assert networks([row for row in learned if row["origin"] == "Network"]) == OURS
    assert networks(rows("getAdvertisedRoutes")) == OURS
    assert {row["neighbor"] for row in rows("getBgpPeerStatus")} == {"172.16.0.2", "172.16.0.6"}
    lab.gone(CONNECTION)
    assert rows("getBgpPeerStatus") == []
    assert networks(rows("getLearnedRoutes")) == OURS
    assert networks(table(lab, HONG_KONG)) == {"192.168.0.0/16"}


def test_a_connection_works_until_its_deletion_is_over(lab: Lab) -> None:
    answer = lab.delete(CONNECTION)
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"
    lab.follow(answer)
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] != "Delivered"


def test_an_interface_shows_its_effective_routes(lab: Lab) -> None:
    rows = lab.follow(lab.post(WEB1 + "/effectiveRouteTable")).body["value"]
    by_prefix = {(row["source"], row["addressPrefix"][0]): row for row in rows}
    assert by_prefix["Default", "10.1.0.0/24"]["nextHopType"] == "VnetLocal"
    assert by_prefix["Default", "10.10.10.0/24"]["nextHopType"] == "VNetPeering"
    assert by_prefix["Default", "0.0.0.0/0"]["state"] == "Invalid"
    appliance = by_prefix["User", "0.0.0.0/0"]
    assert (appliance["nextHopType"], appliance["nextHopIpAddress"]) == ("VirtualAppliance", ["10.10.10.10"])
    # Propagation is off in the spoke: nothing that BGP learned.
    assert not [row for row in rows if row["source"] == "VirtualNetworkGateway"]
    recorded = {
        "disableBgpRoutePropagation",
        "source",
        "state",
        "hasBgpOverride",
        "addressPrefix",
        "nextHopType",
        "nextHopIpAddress",
        "destinationServiceTags",
        "tagMap",
    }
    assert all(set(row) - {"name"} == recorded for row in rows)


def test_only_a_running_machines_interface_can_be_asked(lab: Lab) -> None:
    """R10."""
    lab.follow(lab.post(WEB1_MACHINE + "/deallocate"))
    for action in ("effectiveRouteTable", "effectiveNetworkSecurityGroups"):
        assert refusal(lab.post(f"{WEB1}/{action}")) == "NetworkInterfaceNotAttachedToRunningVm"
    lab.follow(lab.post(WEB1_MACHINE + "/start"))
    assert lab.follow(lab.post(WEB1 + "/effectiveRouteTable")).status == 200


def test_the_table_is_that_of_the_moment_when_it_is_answered(lab: Lab) -> None:
    """An answer takes seconds; what has changed meanwhile counts."""
    answer = lab.post(f"{HONG_KONG}/peerings/AzurePrivatePeering/routeTables/primary")
    lab.fault(kind="circuit-link", id=HONG_KONG, link="primary", state="down")
    assert "192.168.0.0/16" not in networks(lab.follow(answer).body["value"])


def test_effective_rules_hold_the_groups_of_subnet_and_interface(lab: Lab) -> None:
    value = lab.follow(lab.post(WEB1 + "/effectiveNetworkSecurityGroups")).body["value"]
    assert [item["networkSecurityGroup"]["id"].rsplit("/", 1)[1] for item in value] == ["nsg-source-vnet1-app"]
    rules = value[0]["effectiveSecurityRules"]
    assert {rule["name"] for rule in rules} >= {"defaultSecurityRules/DenyAllInBound"}
    vnet_rule = next(rule for rule in rules if rule["name"] == "defaultSecurityRules/AllowVnetInBound")
    assert "10.1.0.0/24" in vnet_rule["expandedSourceAddressPrefix"]
