"""VPN gateways, their connections and shared keys, as recorded: what is shown while they are made and after."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import Lab, net, network_body, refusal, subnet, vnet
from lab.core.kinds import KINDS, LOCAL_GATEWAY, VPN_GATEWAY, hub, tunnel

GATEWAY = net("vpn", kind="virtualNetworkGateways")
CONNECTION = net("cn", kind="connections")
KEY = CONNECTION + "/sharedkey"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    tunnel(made)
    return made


def connected(lab: Lab) -> Body:
    return lab.made(CONNECTION, KINDS["vpn connection"].body)


def test_a_gateway_under_way_has_a_client_configuration_and_no_addresses() -> None:
    lab = Lab()
    hub(lab)
    plain = {key: item for key, item in VPN_GATEWAY["properties"].items() if key != "vpnClientConfiguration"}
    answer = lab.put(GATEWAY, {**VPN_GATEWAY, "properties": plain})
    young = answer.body["properties"]
    assert young["vpnClientConfiguration"]["vpnClientProtocols"] == ["OpenVPN", "IkeV2"]
    assert young["bgpSettings"]["asn"] == 0 and "bgpPeeringAddress" not in young["bgpSettings"]
    assert young["ipConfigurations"][0]["properties"]["provisioningState"] == "Updating"
    lab.follow(answer)
    ready = lab.properties(GATEWAY)
    assert "vpnClientConfiguration" not in ready
    assert ready["bgpSettings"]["asn"] == 65515
    peer = ready["bgpSettings"]["bgpPeeringAddresses"][0]
    assert peer["defaultBgpIpAddresses"] == ["10.10.10.254"] == [ready["bgpSettings"]["bgpPeeringAddress"]]
    assert peer["ipconfigurationId"] == ready["ipConfigurations"][0]["id"]


def test_each_instance_of_an_active_active_gateway_has_its_own_addresses() -> None:
    lab = Lab()
    hub(lab)
    items = []
    for name in ("one", "two"):
        address = net(name, kind="publicIPAddresses")
        standard = {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
        lab.made(address, {"location": "eastasia", **standard})
        inner = {"subnet": {"id": subnet("hub", "GatewaySubnet")}, "publicIPAddress": {"id": address}}
        items.append({"name": name, "properties": inner})
    both = {**VPN_GATEWAY["properties"], "activeActive": True, "ipConfigurations": items}
    shown = lab.made(GATEWAY, {**VPN_GATEWAY, "properties": both})["properties"]["bgpSettings"]
    peers = shown["bgpPeeringAddresses"]
    assert [peer["defaultBgpIpAddresses"] for peer in peers] == [["10.10.10.132"], ["10.10.10.133"]]
    addresses = [lab.properties(net(name, kind="publicIPAddresses"))["ipAddress"] for name in ("one", "two")]
    assert [peer["tunnelIpAddresses"] for peer in peers] == [[address] for address in addresses]


def test_a_reset_takes_its_time_and_tells_nothing(lab: Lab) -> None:
    answer = lab.post(GATEWAY + "/reset")
    assert answer.status == 202 and {"azure-asyncoperation", "location"} <= set(answer.headers)
    assert refusal(lab.post(GATEWAY + "/reset"), 409) == "AnotherOperationInProgress"
    lab.wait(minutes=40)
    assert lab.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded", "properties": {}}
    assert lab.get(answer.headers["location"]).status == 200


def test_a_shared_key_is_shown_by_itself_and_not_in_lists(lab: Lab) -> None:
    connected(lab)
    assert lab.body(KEY) == {"value": "a-key-of-the-test"}
    row = lab.body(CONNECTION.rsplit("/", 1)[0])["value"][0]
    assert not {"sharedKey", "connectionStatus"} & set(row["properties"])
    assert lab.properties(CONNECTION)["sharedKey"] == "a-key-of-the-test"


def test_a_shared_key_is_set_and_reset(lab: Lab) -> None:
    connected(lab)
    answer = lab.put(KEY, {"value": "another-key"})
    assert (answer.status, answer.body) == (200, None) and "azure-asyncoperation" in answer.headers
    lab.follow(answer)
    assert lab.body(KEY) == {"value": "another-key"}
    answer = lab.post(KEY + "/reset", {"keyLength": 40})
    assert answer.status == 202
    lab.follow(answer)
    assert len(lab.body(KEY)["value"]) == 40 and lab.body(KEY)["value"] != "another-key"
    for length in (0, 129, "long"):
        assert refusal(lab.post(KEY + "/reset", {"keyLength": length})) == "InvalidSharedKeyLength"
    assert refusal(lab.put(KEY, {})) == "InvalidRequestFormat"


def test_a_shared_key_never_stands_in_the_log_of_writes(lab: Lab) -> None:
    connected(lab)
    lab.follow(lab.put(KEY, {"value": "another-key"}))
    assert "another-key" not in str(lab.journal()) and "a-key-of-the-test" not in str(lab.journal())


def test_a_local_gateway_in_use_stays(lab: Lab) -> None:
    connected(lab)
    site = net("site", kind="localNetworkGateways")
    assert refusal(lab.delete(site)) == "LocalNetworkGatewayInUseCannotBeDeleted"
    lab.follow(lab.delete(CONNECTION))
    lab.follow(lab.delete(site))
    assert lab.get(site).status == 404


def test_what_a_connection_joins_does_not_change(lab: Lab) -> None:
    connected(lab)
    lab.made(net("other", kind="localNetworkGateways"), {**LOCAL_GATEWAY})
    body = KINDS["vpn connection"].body
    other = {"localNetworkGateway2": {"id": net("other", kind="localNetworkGateways")}}
    moved = {**body, "properties": {**body["properties"], **other}}
    assert refusal(lab.put(CONNECTION, moved)) == "PropertyChangeNotAllowed"


def test_two_networks_meet_where_their_connections_have_one_key(lab: Lab) -> None:
    lab.made(vnet("far"), network_body("10.20.0.0/24", GatewaySubnet="10.20.0.128/25"))
    far = net("far", kind="virtualNetworkGateways")
    place = [{"name": "default", "properties": {"subnet": {"id": subnet("far", "GatewaySubnet")}}}]
    lab.made(far, {**VPN_GATEWAY, "properties": {**VPN_GATEWAY["properties"], "ipConfigurations": place}})
    for name, one, other in (("out", GATEWAY, far), ("back", far, GATEWAY)):
        properties = {"connectionType": "Vnet2Vnet", "sharedKey": "k"}
        ends = {"virtualNetworkGateway1": {"id": one}, "virtualNetworkGateway2": {"id": other}}
        lab.made(net(name, kind="connections"), {"location": "eastasia", "properties": {**properties, **ends}})
    assert lab.properties(net("out", kind="connections"))["connectionStatus"] == "Connected"
    lab.follow(lab.put(net("back", kind="connections") + "/sharedkey", {"value": "another"}))
    assert lab.properties(net("out", kind="connections"))["connectionStatus"] == "Unknown"
