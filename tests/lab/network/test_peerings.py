"""Peerings: states of both halves, spaces that meet, gateways that are lent (R28 to R33, L26 to L32)."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet

HUB, SPOKE = vnet("hub"), vnet("spoke")


def half(own: str, name: str = "p") -> str:
    return f"{own}/virtualNetworkPeerings/{name}"


def to(remote: str, **flags: object) -> Body:
    return {"properties": {"remoteVirtualNetwork": {"id": remote}, "allowVirtualNetworkAccess": True, **flags}}


def gateway(lab: Lab, name: str = "gw", network: str = "hub") -> None:
    inside = {"subnet": {"id": subnet(network, "GatewaySubnet")}}
    lab.made(
        net(name, kind="virtualNetworkGateways"),
        {
            "location": "eastasia",
            "properties": {
                "gatewayType": "ExpressRoute",
                "sku": {"name": "ErGw1AZ"},
                "ipConfigurations": [{"name": "default", "properties": inside}],
            },
        },
    )


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(HUB, network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25"))
    made.made(SPOKE, network_body("10.1.0.0/24", app="10.1.0.0/25"))
    return made


def state(lab: Lab, own: str) -> tuple[str, str]:
    shown = lab.properties(half(own))
    return shown["peeringState"], shown["peeringSyncLevel"]


def test_two_halves_make_a_whole(lab: Lab) -> None:
    lab.made(half(HUB), to(SPOKE))
    assert state(lab, HUB) == ("Initiated", "RemoteNotInSync")
    lab.made(half(SPOKE), to(HUB))
    assert state(lab, HUB) == state(lab, SPOKE) == ("Connected", "FullyInSync")
    # The peering is shown inside its network too, as it is.
    inside = lab.properties(HUB)["virtualNetworkPeerings"][0]
    assert inside["properties"]["peeringState"] == "Connected"


def test_a_half_that_goes_leaves_the_other_disconnected_until_it_is_written_again(lab: Lab) -> None:
    lab.made(half(HUB), to(SPOKE))
    lab.made(half(SPOKE), to(HUB))
    lab.gone(half(SPOKE))
    assert state(lab, HUB)[0] == "Disconnected"
    assert refusal(lab.put(half(SPOKE), to(HUB))) == "RemotePeeringIsDisconnected"
    lab.made(half(HUB), to(SPOKE))
    assert state(lab, HUB)[0] == "Initiated"
    lab.made(half(SPOKE), to(HUB))
    assert state(lab, HUB)[0] == state(lab, SPOKE)[0] == "Connected"


def test_a_network_that_goes_disconnects_its_peers(lab: Lab) -> None:
    lab.made(half(HUB), to(SPOKE))
    lab.made(half(SPOKE), to(HUB))
    lab.gone(SPOKE)
    assert lab.properties(half(HUB))["peeringState"] == "Disconnected"


def test_spaces_that_meet_are_not_peered(lab: Lab) -> None:
    lab.made(vnet("same"), network_body("10.1.0.0/16"))
    refused = lab.put(half(SPOKE), to(vnet("same")))
    assert refusal(refused) == "VnetAddressSpacesOverlap"
    assert "10.1.0.0/24" in refused.body["error"]["message"]
    lab.made(half(HUB), to(SPOKE))
    assert refusal(lab.put(half(HUB, "q"), to(vnet("same")))) == "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"
    assert refusal(lab.put(half(vnet("same")), to(HUB))) == "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"


def test_a_network_that_is_born_with_a_peering_is_measured_by_its_own_space(lab: Lab) -> None:
    born = network_body("10.1.0.0/16")
    born["properties"]["virtualNetworkPeerings"] = [{"name": "p", **to(SPOKE)}]
    assert refusal(lab.put(vnet("same"), born)) == "VnetAddressSpacesOverlap"
    assert lab.get(vnet("same")).status == 404


def test_a_peering_has_one_remote_for_ever(lab: Lab) -> None:
    lab.made(vnet("third"), network_body("10.3.0.0/24"))
    lab.made(half(HUB), to(SPOKE))
    assert refusal(lab.put(half(HUB), to(vnet("third")))) == "ChangingRemoteVirtualNetworkNotAllowed"
    second = lab.put(half(HUB, "again"), to(SPOKE))
    assert refusal(second) == "AnotherPeeringAlreadyReferencesRemoteVnet"
    assert half(HUB) in second.body["error"]["message"]
    assert refusal(lab.put(half(HUB, "self"), to(HUB))) == "InvalidPeering"
    assert refusal(lab.put(half(HUB, "none"), to(vnet("none")))) == "InvalidResourceReference"
    assert refusal(lab.put(half(HUB, "bare"), {"properties": {}})) == "InvalidRequestFormat"


def test_a_network_that_is_being_made_is_not_peered_yet(lab: Lab) -> None:
    """L26."""
    answer = lab.put(vnet("new"), network_body("10.3.0.0/24"))
    refused = lab.put(half(HUB), to(vnet("new")))
    assert refusal(refused) == "ReferencedResourceNotProvisioned"
    assert "is not in Succeeded state. Resource is in Updating state" in refused.body["error"]["message"]
    lab.follow(answer)
    lab.made(half(HUB), to(vnet("new")))


def test_a_space_that_grows_is_out_of_sync_until_it_is_synced(lab: Lab) -> None:
    """R31."""
    lab.made(half(HUB), to(SPOKE))
    lab.made(half(SPOKE), to(HUB))
    wider: Body = {
        "location": "eastasia",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/24", "10.1.1.0/24"]}},
    }
    lab.made(SPOKE, wider)
    assert state(lab, HUB)[1] == "LocalNotInSync" and state(lab, SPOKE)[1] == "RemoteNotInSync"
    assert lab.properties(half(HUB))["remoteAddressSpace"]["addressPrefixes"] == ["10.1.0.0/24"]
    lab.made(half(HUB), to(SPOKE))
    assert state(lab, HUB)[1] == "LocalNotInSync"
    lab.follow(lab.put(half(HUB) + "?syncRemoteAddressSpace=true", to(SPOKE)))
    assert state(lab, HUB)[1] == state(lab, SPOKE)[1] == "FullyInSync"
    # Recorded: to sync again takes its time as well; any other PUT that changes nothing is over when it is answered.
    for asked, answered in (("", "Succeeded"), ("?syncRemoteAddressSpace=true", "Updating")):
        answer = lab.put(half(HUB) + asked, to(SPOKE))
        assert answer.body["properties"]["provisioningState"] == answered
        lab.follow(answer)
    meets: Body = {"location": "eastasia", "properties": {"addressSpace": {"addressPrefixes": ["10.10.0.0/16"]}}}
    assert refusal(lab.put(SPOKE, meets)) in ("VnetAddressSpacesOverlap", "NetcfgSubnetRangeOutsideVnet")


def test_a_gateway_is_borrowed_only_from_who_has_one_and_lends_it(lab: Lab) -> None:
    """R29, L30."""
    borrow = to(HUB, useRemoteGateways=True)
    assert refusal(lab.put(half(SPOKE), borrow)) == "RemoteVnetHasNoGateways"
    gateway(lab)
    lab.made(half(HUB), to(SPOKE))
    refused = lab.put(half(SPOKE), borrow)
    assert "has AllowGatewayTransit flag set to false" in refused.body["error"]["message"]
    lab.made(half(HUB), to(SPOKE, allowGatewayTransit=True))
    lab.made(half(SPOKE), borrow)
    shown = lab.properties(half(SPOKE))
    assert [item["id"] for item in shown["remoteGateways"]] == [net("gw", kind="virtualNetworkGateways")]


def test_a_gateway_that_is_still_being_made_is_not_borrowed(lab: Lab) -> None:
    inside = {"subnet": {"id": subnet("hub", "GatewaySubnet")}}
    body: Body = {
        "location": "eastasia",
        "properties": {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "Standard"},
            "ipConfigurations": [{"name": "default", "properties": inside}],
        },
    }
    answer = lab.put(net("gw", kind="virtualNetworkGateways"), body)
    lab.made(half(HUB), to(SPOKE, allowGatewayTransit=True))
    lab.wait(minutes=20)
    assert refusal(lab.put(half(SPOKE), to(HUB, useRemoteGateways=True))) == "RemoteVnetHasNoGateways"
    lab.follow(answer)
    lab.made(half(SPOKE), to(HUB, useRemoteGateways=True))


def test_a_network_borrows_from_one_and_not_beside_its_own(lab: Lab) -> None:
    gateway(lab)
    lab.made(vnet("hub2"), network_body("10.20.0.0/24", GatewaySubnet="10.20.0.0/25"))
    gateway(lab, "gw2", "hub2")
    for name, hub in (("p", HUB), ("q", vnet("hub2"))):
        lab.made(half(hub, "p"), to(SPOKE, allowGatewayTransit=True))
        body = to(hub, useRemoteGateways=True)
        if name == "p":
            lab.made(half(SPOKE, name), body)
        else:
            assert refusal(lab.put(half(SPOKE, name), body)) == "AnotherPeeringAlreadyUsesRemoteGateways"
    own = lab.put(half(HUB, "q"), to(vnet("hub2"), useRemoteGateways=True))
    assert refusal(own) == "ParentVnetAlreadyHasGateways"
    lab.made(subnet("spoke", "GatewaySubnet"), {"properties": {"addressPrefix": "10.1.0.128/25"}})
    inside = {"subnet": {"id": subnet("spoke", "GatewaySubnet")}}
    body = {
        "location": "eastasia",
        "properties": {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "Standard"},
            "ipConfigurations": [{"name": "default", "properties": inside}],
        },
    }
    assert refusal(lab.put(net("gw3", kind="virtualNetworkGateways"), body)) == "ParentVnetAlreadyHasGateways"


def test_a_gateway_that_is_borrowed_stays_lent(lab: Lab) -> None:
    gateway(lab)
    lab.made(half(HUB), to(SPOKE, allowGatewayTransit=True))
    lab.made(half(SPOKE), to(HUB, useRemoteGateways=True))
    refused = lab.put(half(HUB), to(SPOKE, allowGatewayTransit=False))
    assert refusal(refused) == "AllowGatewayTransitInUse"
    lab.made(half(SPOKE), to(HUB))
    lab.made(half(HUB), to(SPOKE, allowGatewayTransit=False))
