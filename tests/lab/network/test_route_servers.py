"""A Route Server of the lab, its neighbours, and what they tell each other (R46)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

SERVER = net("rs", kind="virtualHubs")
SESSION = SERVER + "/bgpConnections/nva"
NVA = rid(f"{COMPUTE}/virtualMachines", "nva")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(
        vnet("hub"),
        network_body("10.10.0.0/16", nva="10.10.1.0/24", app="10.10.2.0/24", RouteServerSubnet="10.10.9.0/27"),
    )
    for name, place in (("nva", "nva"), ("app", "app")):
        nic = net(f"{name}-nic", kind="networkInterfaces")
        made.made(nic, nic_body(subnet("hub", place), enableIPForwarding=name == "nva"))
        made.made(rid(f"{COMPUTE}/virtualMachines", name), machine_body(nic))
    made.made(SERVER, {"location": "eastasia", "properties": {"sku": "Standard"}})
    made.made(SERVER + "/ipConfigurations/one", {"properties": {"subnet": {"id": subnet("hub", "RouteServerSubnet")}}})
    made.made(SESSION, {"properties": {"peerIp": "10.10.1.4", "peerAsn": 65001}})
    return made


def announce(lab: Lab, *prefixes: str, path: tuple[int, ...] = (65001,)) -> None:
    rows = [{"prefix": prefix, "as_path": list(path)} for prefix in prefixes]
    lab.must(lab.post("/_lab/announcements", {"to": SERVER, "peer": "10.10.1.4", "prefixes": rows}))


def table(lab: Lab, which: str) -> Body:
    answer = lab.post(f"{SESSION}/{which}")
    assert answer.status == 202 and "location" in answer.headers
    return dict(lab.follow(answer).body)


def learned_by_the_app(lab: Lab) -> list[tuple[Any, Any]]:
    rows = lab.follow(lab.post(net("app-nic", kind="networkInterfaces") + "/effectiveRouteTable")).body["value"]
    return [
        (row["addressPrefix"][0], row["nextHopIpAddress"][0])
        for row in rows
        if row["nextHopType"] == "VirtualNetworkGateway"
    ]


def test_it_has_two_addresses_in_its_subnet(lab: Lab) -> None:
    assert lab.properties(SERVER)["virtualRouterIps"] == ["10.10.9.4", "10.10.9.5"]


def test_what_an_appliance_announces_is_learned_and_reaches_the_network(lab: Lab) -> None:
    announce(lab, "192.168.0.0/16")
    found = table(lab, "learnedRoutes")
    assert list(found) == ["RouteServiceRole_IN_0", "RouteServiceRole_IN_1"]
    [row] = found["RouteServiceRole_IN_1"]
    assert row == {
        "localAddress": "10.10.9.5",
        "network": "192.168.0.0/16",
        "nextHop": "10.10.1.4",
        "sourcePeer": "10.10.1.4",
        "origin": "EBgp",
        "asPath": "65001",
        "weight": 32768,
    }
    assert learned_by_the_app(lab) == [("192.168.0.0/16", "10.10.1.4")]


def test_an_appliance_that_does_not_run_says_nothing(lab: Lab) -> None:
    """Unlike a user's row (R25), what it said is withdrawn."""
    announce(lab, "192.168.0.0/16")
    lab.follow(lab.post(NVA + "/deallocate"))
    assert table(lab, "learnedRoutes")["RouteServiceRole_IN_0"] == [] and learned_by_the_app(lab) == []


def test_it_tells_its_network_and_not_a_neighbours_own_routes(lab: Lab) -> None:
    announce(lab, "192.168.0.0/16")
    found = table(lab, "advertisedRoutes")
    assert [(row["network"], row["asPath"], row["nextHop"]) for row in found["RouteServiceRole_IN_0"]] == [
        ("10.10.0.0/16", "65515", "10.10.9.4")
    ]
    assert found["RouteServiceRole_IN_1"][0]["localAddress"] == "10.10.9.5"


def test_a_path_through_azure_is_not_taken_and_an_announcement_ends(lab: Lab) -> None:
    announce(lab, "192.168.0.0/16", path=(65001, 65515))
    assert learned_by_the_app(lab) == []
    announce(lab, "192.168.0.0/16")
    announce(lab)
    assert lab.get("/_lab/announcements").body["value"] == [] and learned_by_the_app(lab) == []


def test_a_session_that_has_gone_is_not_heard(lab: Lab) -> None:
    announce(lab, "192.168.0.0/16")
    lab.gone(SESSION)
    assert learned_by_the_app(lab) == []


def test_a_hub_without_a_place_is_no_route_server(lab: Lab) -> None:
    other = net("vhub", kind="virtualHubs")
    lab.made(other, {"location": "eastasia", "properties": {"addressPrefix": "10.200.0.0/23"}})
    lab.made(other + "/bgpConnections/nva", {"properties": {"peerIp": "10.10.1.4", "peerAsn": 65001}})
    assert refusal(lab.post(other + "/bgpConnections/nva/learnedRoutes")) == "NotARouteServer"
    wrong: Body = {"properties": {"subnet": {"id": subnet("hub", "app")}}}
    end = lab.follow(lab.put(other + "/ipConfigurations/one", wrong)).body
    assert (end["status"], end["error"]["code"]) == ("Failed", "InvalidRouteServerSubnet")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"to": SERVER, "peer": "nva"},
        {"to": SERVER, "peer": "10.10.1.4", "prefixes": [{"prefix": "10.0.0.1/8", "as_path": [1]}]},
        {"to": SERVER, "peer": "10.10.1.4", "prefixes": [{"prefix": "10.0.0.0/8", "as_path": []}]},
        {"to": SERVER, "peer": "10.10.1.4", "prefixes": [{"prefix": "10.0.0.0/8"}]},
        {"to": SERVER, "peer": "10.10.1.4", "prefixes": [5]},
    ],
)
def test_what_is_no_announcement_is_refused(lab: Lab, wanted: Body) -> None:
    assert refusal(lab.post("/_lab/announcements", wanted)) == "InvalidAnnouncement"
