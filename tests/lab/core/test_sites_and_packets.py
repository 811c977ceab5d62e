"""Sites whose routers obey, or say so; and the way of a packet through it all (D51, E47, E48, `/_lab/sites`,
`/_lab/packets`)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, NETWORK, Lab, example_lab, network_body, refusal, rid

HONG_KONG = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
SINGAPORE = rid(f"{NETWORK}/expressRouteCircuits", "er-singapore", group="rg-expressroute")
NVA = rid(f"{COMPUTE}/virtualMachines", "nva", group="rg-source")
WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
KEPT = "10.1.0.0/24"


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def site(lab: Lab) -> Body:
    return dict(lab.get("/_lab/sites").body["value"][0])


def router(lab: Lab, name: str) -> Body:
    return next(row for row in site(lab)["routers"] if row["name"] == name)


def change(lab: Lab, name: str, **settings: Any) -> None:
    answer = lab.post("/_lab/sites", {"site": "datacenter", "routers": [{"name": name, **settings}]})
    assert answer.status == 200 and answer.body["status"] == "done"


def kinds(packet: Body, way: str = "forward") -> list[str]:
    return [f"{hop['kind']} {hop['name']}" for hop in packet[way]["hops"]]


def second_network(lab: Lab) -> None:
    """The same kept range behind the circuit in Singapore: a network of the far region and its connection."""
    group = "rg-farshore-dr"
    vnet = rid(f"{NETWORK}/virtualNetworks", "far-hub", group=group)
    body = network_body("10.1.0.0/24", location="southeastasia", GatewaySubnet="10.1.0.128/25")
    lab.made(vnet, body)
    gateway = rid(f"{NETWORK}/virtualNetworkGateways", "far-gw", group=group)
    lab.made(
        gateway,
        {
            "location": "southeastasia",
            "properties": {
                "gatewayType": "ExpressRoute",
                "sku": {"name": "ErGw1AZ"},
                "ipConfigurations": [
                    {"name": "default", "properties": {"subnet": {"id": vnet + "/subnets/GatewaySubnet"}}}
                ],
            },
        },
    )
    lab.made(
        rid(f"{NETWORK}/connections", "far-cn", group=group),
        {
            "location": "southeastasia",
            "properties": {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": gateway},
                "peer": {"id": SINGAPORE},
            },
        },
    )


def chosen(lab: Lab, prefix: str = KEPT) -> set[str]:
    return {row["router"] for row in site(lab)["chosen"] if row["network"] == prefix}


def test_a_router_shows_its_settings_and_what_it_has_heard(lab: Lab) -> None:
    ce1, ce2 = router(lab, "ce1"), router(lab, "ce2")
    assert {row["network"] for row in ce1["learned"]} == {"10.10.10.0/24", KEPT, "10.2.0.0/24"}
    assert {row["path"] for row in ce1["learned"]} == {"12076"}
    assert {row["link"] for row in ce1["learned"]} == {"primary", "secondary"}
    assert ce2["learned"] == [] and ce2["announces"] == ["192.168.0.0/16"]
    assert chosen(lab) == {"ce1"}


def test_two_equal_offers_are_decided_by_preference(lab: Lab) -> None:
    second_network(lab)
    assert chosen(lab) == {"ce1", "ce2"}
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Ambiguous"
    change(lab, "ce1", local_preference=300)
    assert chosen(lab) == {"ce1", "ce2"}
    lab.wait(30)
    assert chosen(lab) == {"ce1"} and router(lab, "ce1")["local_preference"] == 300
    assert lab.packet("datacenter", "10.1.0.4")["answered_by"]["machine"] == WEB1
    # The other prefixes have one offer each: a preference changes nothing for them.
    assert chosen(lab, "10.2.0.0/24") == {"ce1"}


def test_a_filter_lets_an_offer_in_or_not(lab: Lab) -> None:
    second_network(lab)
    deny = {"direction": "in", "prefix": KEPT, "action": "deny"}
    change(lab, "ce1", filters=[deny])
    lab.wait(30)
    assert chosen(lab) == {"ce2"}
    assert KEPT not in {row["network"] for row in router(lab, "ce1")["learned"]}
    assert "10.2.0.0/24" in {row["network"] for row in router(lab, "ce1")["learned"]}
    change(lab, "ce1", filters=[])
    lab.wait(30)
    assert chosen(lab) == {"ce1", "ce2"}


def test_a_filter_outward_keeps_the_site_from_the_circuit(lab: Lab) -> None:
    change(lab, "ce1", filters=[{"direction": "out", "prefix": "192.168.0.0/16", "action": "deny"}])
    lab.wait(30)
    assert router(lab, "ce1")["announces"] == []
    answer = lab.follow(lab.post(HONG_KONG + "/peerings/AzurePrivatePeering/routeTables/primary"))
    assert "192.168.0.0/16" not in {row["network"] for row in answer.body["value"]}
    assert lab.packet(WEB1, "192.168.4.20")["disposition"] != "Delivered"


def test_a_deaf_router_says_done_and_does_nothing(lab: Lab) -> None:
    lab.fault(kind="site-deaf", site="datacenter", router="ce1", state="down")
    change(lab, "ce1", local_preference=300)
    change(lab, "ce2", local_preference=250)
    lab.wait(minutes=5)
    assert (router(lab, "ce1")["local_preference"], router(lab, "ce2")["local_preference"]) == (100, 250)
    lab.fault(kind="site-deaf", site="datacenter", router="ce1", state="up")
    change(lab, "ce1", local_preference=300)
    lab.wait(minutes=5)
    assert router(lab, "ce1")["local_preference"] == 300
    lab.fault(kind="site-deaf", site="datacenter", state="down")
    change(lab, "ce2", local_preference=1)
    lab.wait(minutes=5)
    assert router(lab, "ce2")["local_preference"] == 250


def test_two_changes_before_the_router_has_moved_are_both_done(lab: Lab) -> None:
    change(lab, "ce1", local_preference=300)
    change(lab, "ce1", prepend=2)
    lab.wait(30)
    assert (router(lab, "ce1")["local_preference"], router(lab, "ce1")["prepend"]) == (300, 2)
    answer = lab.follow(lab.post(HONG_KONG + "/peerings/AzurePrivatePeering/routeTables/primary"))
    site_row = next(row for row in answer.body["value"] if row["network"] == "192.168.0.0/16")
    assert site_row["path"] == "65010 65010 65010"


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"site": "moon", "routers": [{"name": "ce1"}]}, 404, "UnknownSite"),
        ({"site": "datacenter", "routers": [{"name": "ce9"}]}, 400, "UnknownRouter"),
        ({"site": "datacenter", "routers": []}, 400, "InvalidSiteChange"),
        ({"site": "datacenter", "routers": "ce1"}, 400, "InvalidSiteChange"),
        ({"site": "datacenter", "routers": [{"name": "ce1", "local_preference": "high"}]}, 400, "InvalidSiteChange"),
        ({"site": "datacenter", "routers": [{"name": "ce1", "prepend": -1}]}, 400, "InvalidSiteChange"),
        ({"site": "datacenter", "routers": [{"name": "ce1", "prepend": True}]}, 400, "InvalidSiteChange"),
        ({"site": "datacenter", "routers": [{"name": "ce1", "filters": "all"}]}, 400, "InvalidSiteChange"),
        (
            {"site": "datacenter", "routers": [{"name": "ce1", "filters": [{"direction": "in", "prefix": "10/8"}]}]},
            400,
            "InvalidSiteChange",
        ),
        (
            {"site": "datacenter", "routers": [{"name": "ce1", "local_pref": 300}]},
            400,
            "InvalidSiteChange",
        ),
    ],
)
def test_a_change_that_no_router_understands_is_refused_whole(lab: Lab, asked: Body, status: int, code: str) -> None:
    before = site(lab)
    assert refusal(lab.post("/_lab/sites", asked), status) == code
    lab.wait(30)
    assert site(lab) == before


def test_a_router_that_is_down_learns_and_says_nothing(lab: Lab) -> None:
    lab.fault(kind="router", site="datacenter", router="ce1", state="down")
    assert router(lab, "ce1")["learned"] == [] and chosen(lab) == set()
    answer = lab.follow(lab.post(HONG_KONG + "/peerings/AzurePrivatePeering/routeTables/primary"))
    assert "192.168.0.0/16" not in {row["network"] for row in answer.body["value"]}


# Packets. ------------------------------------------------------------------------------------------------------------


def test_a_packet_goes_by_circuit_gateway_and_appliance_and_back_the_same_way(lab: Lab) -> None:
    packet = lab.packet("datacenter", "10.1.0.4", protocol="tcp", port=443)
    assert (packet["disposition"], packet["verdict"]) == ("Delivered", "delivered")
    assert packet["answered_by"]["machine"] == WEB1 and packet["answered_by"]["stale"] is False
    there = kinds(packet)
    assert there == [
        "site datacenter",
        "router ce1",
        "circuit er-hongkong",
        "gateway ergw-source-hub",
        "appliance nva-nic",
        "machine web1-nic",
    ]
    assert kinds(packet, "back")[0] == "machine web1-nic" and "appliance nva-nic" in kinds(packet, "back")
    assert packet["back"]["disposition"] == "Delivered"


def test_the_senders_own_names_all_mean_the_same_flow(lab: Lab) -> None:
    nic = rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")
    ways = [lab.packet(source, "192.168.4.20") for source in (WEB1, nic, "10.1.0.4")]
    assert [kinds(way) for way in ways[1:]] == [kinds(ways[0])] * 2
    assert ways[0]["disposition"] == "Delivered" and kinds(ways[0])[-1] == "site datacenter"
    sites = [lab.packet(source, "10.1.0.4") for source in ("datacenter", "datacenter:192.168.7.7", "192.168.4.20")]
    assert [kinds(way) for way in sites[1:]] == [kinds(sites[0])] * 2


def test_a_stopped_appliance_takes_the_traffic_with_it(lab: Lab) -> None:
    lab.follow(lab.post(NVA + "/powerOff"))
    packet = lab.packet("datacenter", "10.1.0.4")
    assert packet["disposition"] != "Delivered" and packet["answered_by"] is None
    lab.follow(lab.post(NVA + "/start"))
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "location", "location": "Hong Kong"},
        {"kind": "circuit", "id": HONG_KONG},
        {"kind": "gateway", "id": rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")},
        {"kind": "connection", "id": rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")},
        {"kind": "appliance", "id": rid(f"{NETWORK}/networkInterfaces", "nva-nic", group="rg-source")},
        {"kind": "nic", "id": rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")},
        {"kind": "machine", "id": WEB1},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_what_is_taken_away_stops_the_packet_and_given_back_lets_it_go(lab: Lab, fault: Body) -> None:
    lab.fault(**fault, state="down")
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] != "Delivered"
    lab.fault(**fault, state="up")
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"


@pytest.mark.parametrize("kind", ["circuit", "gateway", "connection", "nic", "machine"])
def test_a_fault_is_of_the_kind_that_its_id_is(lab: Lab, kind: str) -> None:
    other = WEB1 if kind != "machine" else HONG_KONG
    assert refusal(lab.post("/_lab/faults", {"kind": kind, "id": other, "state": "down"})) == "InvalidFault"
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"


@pytest.mark.parametrize("kind", ["circuit-link", "gateway-instance"])
def test_half_of_a_pair_is_not_missed(lab: Lab, kind: str) -> None:
    """E4, E26."""
    gateway = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
    halves: list[Body] = (
        [{"id": HONG_KONG, "link": "primary"}, {"id": HONG_KONG, "link": "secondary"}]
        if kind == "circuit-link"
        else [{"id": gateway, "instance": 0}, {"id": gateway, "instance": 1}]
    )
    lab.fault(kind=kind, state="down", **halves[0])
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"
    lab.fault(kind=kind, state="down", **halves[1])
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] != "Delivered"


def test_many_packets_are_asked_at_once_and_counted(lab: Lab) -> None:
    asked = [{"from": "datacenter", "to": "10.1.0.4", "count": 6}, {"from": "datacenter", "to": "10.9.9.9"}]
    value = lab.must(lab.post("/_lab/packets", {"packets": asked})).body["value"]
    assert [(row["count"], row["disposition"] == "Delivered") for row in value] == [(6, True), (1, False)]


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "datacenter"},
        {"to": "10.1.0.4"},
        {"from": "nowhere", "to": "10.1.0.4"},
        {"from": "datacenter", "to": "web1"},
        {"from": "/subscriptions/x", "to": "10.1.0.4"},
        {"from": "datacenter", "to": "10.1.0.4", "port": "https"},
        {"from": "datacenter", "to": "10.1.0.4", "count": "many"},
        {"from": 5, "to": "10.1.0.4"},
        {"packets": [5]},
        {"packets": [{"from": "datacenter"}]},
    ],
)
def test_a_packet_that_makes_no_sense_is_refused(lab: Lab, asked: Body) -> None:
    before = lab.journal()
    assert lab.post("/_lab/packets", asked).status == 400
    # What is done with the lab's handles is nobody's write.
    assert lab.journal() == before


def test_a_machine_whose_data_is_promised_elsewhere_answers_as_stale(lab: Lab) -> None:
    """D92, as Site Recovery marks it after a failover."""
    from farshore.arm.ids import resource_id
    from farshore.lab import machines

    machines.supersede(lab.cloud, resource_id(WEB1))
    packet = lab.packet("datacenter", "10.1.0.4")
    assert packet["answered_by"]["stale"] is True and packet["disposition"] != "Delivered"
    machines.supersede(lab.cloud, resource_id(WEB1), yes=False)
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"
