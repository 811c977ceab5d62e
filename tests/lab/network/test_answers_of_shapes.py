"""What Azure answers about types of Microsoft.Network that are shape only, as recorded by its own clients."""

from __future__ import annotations

import copy

import pytest

from farshore.arm.json import Body
from lab.core.bench import NETWORK, SUBSCRIPTION, Lab, net, network_body, nic_body, refusal, rid, subnet, vnet
from lab.core.kinds import KINDS

WATCHER = net("watch", kind="networkWatchers")
CAPTURE = f"{WATCHER}/packetCaptures/monday"


def test_what_is_over_when_it_is_answered_can_be_polled_all_the_same() -> None:
    lab = Lab()
    for kind in ("networkWatchers", "ddosProtectionPlans", "networkProfiles"):
        answer = lab.put(net("one", kind=kind), {"location": "eastasia", "properties": {}})
        assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Succeeded"
        assert lab.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}


def test_parts_have_ids_below_their_whole_down_to_the_last() -> None:
    lab = Lab()
    lab.made(vnet("farm"), network_body("10.9.0.0/24", pods="10.9.0.0/25"))
    inner = {"name": "first", "properties": {"subnet": {"id": subnet("farm", "pods")}}}
    outer = {"name": "eth7", "properties": {"ipConfigurations": [inner]}}
    profile = net("pods", kind="networkProfiles")
    lab.made(profile, {"location": "eastasia", "properties": {"containerNetworkInterfaceConfigurations": [outer]}})
    (shown,) = lab.properties(profile)["containerNetworkInterfaceConfigurations"]
    (part,) = shown["properties"]["ipConfigurations"]
    assert part["id"] == f"{profile}/containerNetworkInterfaceConfigurations/eth7/ipConfigurations/first"
    assert part["type"].endswith("/containerNetworkInterfaceConfigurations/ipConfigurations")
    assert part["etag"] == shown["etag"] == lab.body(profile)["etag"]
    assert part["properties"]["provisioningState"] == "Succeeded"


def test_parts_are_under_way_as_long_as_their_whole() -> None:
    lab = Lab()
    lab.made(vnet("jump"), network_body("10.9.1.0/24", AzureBastionSubnet="10.9.1.0/26"))
    lab.made(net("out", kind="publicIPAddresses"), KINDS["public address"].body)
    item: Body = {
        "name": "only",
        "properties": {
            "subnet": {"id": subnet("jump", "AzureBastionSubnet")},
            "publicIPAddress": {"id": net("out", kind="publicIPAddresses")},
        },
    }
    host = net("jump", kind="bastionHosts")
    answer = lab.put(host, {"location": "eastasia", "properties": {"ipConfigurations": [item]}})
    (part,) = answer.body["properties"]["ipConfigurations"]
    assert part["id"] == f"{host}/bastionHostIpConfigurations/only"
    assert part["properties"]["provisioningState"] == "Updating"
    assert part["properties"]["privateIPAllocationMethod"] == "Dynamic"
    lab.follow(answer)
    (part,) = lab.properties(host)["ipConfigurations"]
    assert part["properties"]["provisioningState"] == "Succeeded" and "dnsName" in lab.properties(host)


def test_what_a_region_offers_is_listed_in_azures_form() -> None:
    lab = Lab()
    region = f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/locations/eastasia"
    rows = lab.body(f"{region}/availableDelegations")["value"]
    farm = next(row for row in rows if row["serviceName"] == "Microsoft.Web/serverFarms")
    assert farm["name"] == "Microsoft.Web.serverFarms" and farm["id"].endswith("/availableDelegations/" + farm["name"])
    assert farm["actions"] == [f"{NETWORK}/virtualNetworks/subnets/action"]
    for row in lab.body(f"{region}/virtualNetworkAvailableEndpointServices")["value"]:
        assert row["type"] == f"{NETWORK}/virtualNetworkEndpointServices" and row["id"].endswith("/" + row["name"])
    assert lab.body(f"{region}/availableServiceAliases")["value"][0]["resourceName"].startswith("/services/")
    tags = lab.body(f"{region}/serviceTags")
    assert tags["cloud"] == "Public" and {"Internet", "AzureLoadBalancer"} <= {row["name"] for row in tags["values"]}


def test_an_appliance_of_a_hub_is_polled_at_its_own_provider_too() -> None:
    lab = Lab()
    answer = lab.put(rid(f"{NETWORK}/networkVirtualAppliances", "wall"), {"location": "eastasia", "properties": {}})
    assert "/locations/eastasia/nfvOperations/" in answer.headers["azure-asyncoperation"]


def test_a_policy_of_firewalls_is_polled_at_its_own_provider() -> None:
    lab = Lab()
    answer = lab.put(rid(f"{NETWORK}/firewallPolicies", "base"), {"location": "eastasia", "properties": {}})
    assert "/locations/eastasia/nfvOperations/" in answer.headers["azure-asyncoperation"]
    assert lab.follow(answer).body == {"status": "Succeeded"}


def test_a_capture_says_what_it_would_take_and_whether_it_still_does() -> None:
    lab = Lab()
    lab.made(WATCHER, {"location": "eastasia"})
    place = {"storagePath": "https://kept.example/traces/7/monday.cap"}
    sent = {"target": rid("Microsoft.Compute/virtualMachines", "press"), "storageLocation": place}
    shown = lab.made(CAPTURE, {"properties": {**sent, "timeLimitInSeconds": 90}})["properties"]
    assert shown["storageLocation"]["storagePathFileName"] == "monday.cap" and shown["filters"] == []
    assert (shown["bytesToCapturePerPacket"], shown["totalBytesPerSession"], shown["timeLimitInSeconds"]) == (
        0,
        1073741824,
        90,
    )
    asked = lab.post(f"{CAPTURE}/queryStatus")
    assert asked.status == 202 and asked.body["packetCaptureStatus"] == "Running"
    assert lab.follow(asked).body == asked.body
    ended = lab.follow(lab.post(f"{CAPTURE}/stop")).body
    assert ended == {"status": "Succeeded", "properties": {}}
    assert lab.follow(lab.post(f"{CAPTURE}/queryStatus")).body["packetCaptureStatus"] == "Stopped"


def test_a_standard_balancer_shows_the_addresses_of_its_pools_a_basic_one_does_not() -> None:
    lab = Lab()
    for sku in ("Standard", "Basic"):
        shown = public_balancer(lab, sku, "2020-05-01")
        assert ("loadBalancerBackendAddresses" in shown["backendAddressPools"][0]["properties"]) is (sku == "Standard")


def test_addresses_of_a_pool_are_parts_of_it_and_as_ready_as_it_is() -> None:
    lab = Lab()
    public_balancer(lab, "Standard", "2021-05-01")
    lab.made(vnet("pool"), network_body("10.9.2.0/24", web="10.9.2.0/25"))
    network = {"id": vnet("pool"), "properties": {"enableDdosProtection": False}}
    pool = f"{net('lb-Standard', kind='loadBalancers')}/backendAddressPools/web"
    sent = [{"name": "first", "properties": {"ipAddress": "10.9.2.4", "virtualNetwork": network}}]
    answer = lab.put(pool, {"name": "web", "properties": {"loadBalancerBackendAddresses": sent}})
    assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Updating"
    (item,) = answer.body["properties"]["loadBalancerBackendAddresses"]
    assert item["properties"]["provisioningState"] == "Updating"
    lab.follow(answer)
    shown = lab.body(pool)
    (item,) = shown["properties"]["loadBalancerBackendAddresses"]
    assert item == {
        "name": "first",
        "id": f"{pool}/loadBalancerBackendAddresses/first",
        "etag": shown["etag"],
        "properties": {
            "provisioningState": "Succeeded",
            "ipAddress": "10.9.2.4",
            "virtualNetwork": {"id": vnet("pool")},
        },
        "type": "Microsoft.Network/loadBalancers/backendAddressPools/loadBalancerBackendAddresses",
    }


def test_a_nic_in_a_pool_is_an_address_of_it_named_by_its_group() -> None:
    lab = Lab()
    public_balancer(lab, "Standard", "2021-05-01")
    lab.made(vnet("pool"), network_body("10.9.2.0/24", web="10.9.2.0/25"))
    pool = f"{net('lb-Standard', kind='loadBalancers')}/backendAddressPools/all"
    inner = {"subnet": {"id": subnet("pool", "web")}, "loadBalancerBackendAddressPools": [{"id": pool}]}
    nic = net("one", kind="networkInterfaces")
    lab.made(nic, {"location": "eastasia", "properties": {"ipConfigurations": [{"name": "main", "properties": inner}]}})
    (item,) = lab.properties(pool)["loadBalancerBackendAddresses"]
    group = nic.split("/")[4]
    assert item["name"] == f"{group}_onemain" and item["id"].endswith(f"/{group}_onemain")
    held = {"id": f"{nic}/ipConfigurations/main"}
    assert item["properties"] == {"provisioningState": "Succeeded", "networkInterfaceIPConfiguration": held}


@pytest.mark.parametrize("sku", ["Standard", "Basic"])
@pytest.mark.parametrize(("version", "there"), [("2019-07-01", True), ("2021-02-01", True), ("2021-03-01", False)])
def test_a_public_front_showed_its_version_once(sku: str, version: str, there: bool) -> None:
    (front,) = public_balancer(Lab(), sku, version)["frontendIPConfigurations"]
    assert ("privateIPAddressVersion" in front["properties"]) is there


def test_a_sku_is_spelled_as_azure_does_and_showed_no_tier_once() -> None:
    lab = Lab()
    sku = {"name": "standard", "tier": "Global"}
    for kind in ("publicIPAddresses", "loadBalancers", "natGateways"):
        url = net("out", kind=kind)
        assert lab.made(url, {"location": "eastasia", "sku": sku, "properties": {}})["sku"] == {
            **sku,
            "name": "Standard",
        }
        assert lab.body(f"{url}?api-version=2020-03-01")["sku"] == {"name": "Standard"}


def public_balancer(lab: Lab, sku: str, version: str) -> Body:
    """Its properties as an api-version shows them."""
    address = net(f"out-{sku}", kind="publicIPAddresses")
    lab.made(address, {**KINDS["public address"].body, "sku": {"name": sku}})
    front = {"name": "door", "properties": {"publicIPAddress": {"id": address}}}
    parts = {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "all"}]}
    balancer = net(f"lb-{sku}", kind="loadBalancers")
    lab.made(balancer, {"location": "eastasia", "sku": {"name": sku}, "properties": parts})
    return dict(lab.body(f"{balancer}?api-version={version}")["properties"])


def test_words_of_a_rule_are_spelled_as_azure_does_and_what_it_refers_to_is_an_id() -> None:
    lab = Lab()
    public_balancer(lab, "Basic", "2022-01-01")
    balancer = net("lb-Basic", kind="loadBalancers")
    body = lab.body(balancer)
    (front,), (pool,) = body["properties"]["frontendIPConfigurations"], body["properties"]["backendAddressPools"]
    sent = {"frontendIPConfiguration": front, "backendAddressPool": pool, "frontendPort": 8, "backendPort": 8}
    rule = {"name": "r", "properties": {**sent, "protocol": "tcp", "loadDistribution": "default"}}
    probe = {"name": "p", "properties": {"protocol": "http", "port": 8, "requestPath": "/"}}
    body["properties"] |= {"loadBalancingRules": [rule], "probes": [probe]}
    lab.made(balancer, body)
    shown = lab.properties(f"{balancer}/loadBalancingRules/r")
    assert (shown["protocol"], shown["loadDistribution"]) == ("Tcp", "Default")
    assert shown["frontendIPConfiguration"] == {"id": front["id"]}
    assert shown["backendAddressPool"] == {"id": pool["id"]}
    assert "disableOutboundSnat" not in shown
    assert lab.properties(f"{balancer}/probes/p")["protocol"] == "Http"


def test_a_firewall_of_a_hub_has_no_rules_of_its_own() -> None:
    lab = Lab()
    for name, more in (("AZFW_VNet", True), ("AZFW_Hub", False)):
        body = {"location": "eastasia", "zones": [], "properties": {"sku": {"name": name, "tier": "Standard"}}}
        shown = lab.made(net(f"fw-{more}", kind="azureFirewalls"), body)
        assert "zones" not in shown
        for key in ("threatIntelMode", "networkRuleCollections", "applicationRuleCollections", "natRuleCollections"):
            assert (key in shown["properties"]) is more


def test_a_firewall_in_a_hub_has_the_addresses_that_were_asked_for() -> None:
    lab = Lab()
    hub = net("hub", kind="virtualHubs")
    lab.made(hub, {"location": "eastasia", "properties": {"addressPrefix": "10.77.0.0/24"}})
    asked: Body = {"virtualHub": {"id": hub}, "sku": {"name": "AZFW_Hub"}}
    asked["hubIPAddresses"] = {"publicIPs": {"addresses": [], "count": 2}}
    shown = lab.made(net("fw", kind="azureFirewalls"), {"location": "eastasia", "properties": asked})["properties"]
    assert shown["hubIPAddresses"]["privateIPAddress"].startswith("10.77.0.")
    assert len({row["address"] for row in shown["hubIPAddresses"]["publicIPs"]["addresses"]}) == 2


def test_a_plan_against_floods_shows_a_state_and_no_more() -> None:
    shown = Lab().made(net("plan", kind="ddosProtectionPlans"), {"location": "eastasia"})
    assert set(shown["properties"]) == {"provisioningState"}


def test_groups_of_rules_are_listed_by_their_policy_and_spelled_in_their_providers_way() -> None:
    lab = Lab()
    policy = net("base", kind="firewallPolicies")
    made = lab.made(policy, {"location": "eastasia", "properties": {}})
    assert made["type"] == "Microsoft.Network/FirewallPolicies"
    new, old = f"{policy}/ruleCollectionGroups/new", f"{policy}/ruleGroups/old"
    assert lab.made(new, {"properties": {"priority": 200}})["type"].endswith("/RuleCollectionGroups")
    shown = lab.made(f"{old}?api-version=2020-04-01", {"properties": {"priority": 300, "rules": [{"name": "one"}]}})
    assert shown["location"] == "eastasia" and shown["properties"]["rules"][0]["priority"] == 0
    listed = [row["id"].rsplit("/", 2)[1:] for row in lab.properties(policy)["ruleCollectionGroups"]]
    assert listed == [["ruleCollectionGroups", "new"], ["ruleCollectionGroups", "old"]]
    assert {"ruleGroups", "sku"} & set(lab.body(f"{policy}?api-version=2020-03-01")["properties"]) == {"ruleGroups"}
    answer = lab.delete(old)
    assert answer.status == 202 and answer.body["properties"]["provisioningState"] == "Deleting"
    lab.follow(answer)
    gone = lab.delete(policy)
    assert gone.status == 200 and "azure-asyncoperation" not in gone.headers
    assert lab.get(policy).status == 404


def test_what_is_offered_in_a_region_is_listed() -> None:
    lab = Lab()
    for name, keys in (
        ("availablePrivateEndpointTypes", {"resourceName", "displayName", "apiVersion"}),
        ("availableDelegations", {"serviceName", "actions"}),
        ("virtualNetworkAvailableEndpointServices", set()),
        ("availableServiceAliases", {"resourceName"}),
    ):
        rows = lab.body(f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/locations/eastasia/{name}")["value"]
        assert all(set(row) == {"name", "id", "type", *keys} for row in rows) and rows
    nowhere = lab.get(f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/locations/atlantis/availableDelegations")
    assert refusal(nowhere) == "InvalidLocation"


def test_global_reach_needs_a_circuit_for_which_the_provider_has_done_its_part() -> None:
    lab = Lab()
    peerings = []
    for name, range_, place in (("east", "172.16.0", "Hong Kong"), ("west", "172.16.8", "Singapore")):
        circuit = net(name, kind="expressRouteCircuits")
        body = copy.deepcopy(KINDS["circuit"].body)
        body["properties"]["serviceProviderProperties"]["peeringLocation"] = place
        lab.made(circuit, body)
        properties = {
            "peeringType": "AzurePrivatePeering",
            "peerASN": 64999,
            "primaryPeerAddressPrefix": f"{range_}.0/30",
            "secondaryPeerAddressPrefix": f"{range_}.4/30",
            "vlanId": 30,
        }
        lab.made(f"{circuit}/peerings/AzurePrivatePeering", {"properties": properties})
        peerings.append(f"{circuit}/peerings/AzurePrivatePeering")
    link = f"{peerings[0]}/connections/over"
    sent = {"properties": {"peerExpressRouteCircuitPeering": {"id": peerings[1]}, "addressPrefix": "172.16.40.0/29"}}
    answer = lab.put(link, sent)
    assert answer.status == 201 and answer.body["properties"]["circuitConnectionStatus"] == "Disconnected"
    end = lab.follow(answer).body
    assert (end["status"], end["error"]["code"]) == ("Failed", "InitiatingCircuitNotProvisioned")
    # The circuit has failed with it, and with the circuit what else is there, until something succeeds.
    circuit = net("east", kind="expressRouteCircuits")
    for one in (link, peerings[0], circuit):
        assert lab.properties(one)["provisioningState"] == "Failed"
    assert lab.properties(link)["circuitConnectionStatus"] == "Connected"
    lab.made(f"{circuit}/authorizations/some", {"properties": {}})
    assert lab.properties(peerings[0])["provisioningState"] == "Succeeded"
    assert lab.properties(link)["circuitConnectionStatus"] == "Disconnected"
    assert lab.get(f"{peerings[1]}/peerConnections/over").status == 404
    lab.wait(days=2)
    lab.follow(lab.put(link, sent))
    assert lab.properties(link)["circuitConnectionStatus"] == "Connected"
    assert lab.get(f"{peerings[1]}/peerConnections/over").status == 200


def test_words_of_policies_are_shown_as_azure_spells_them() -> None:
    lab = Lab()
    lab.made(vnet("farm"), network_body("10.9.2.0/24"))
    policies = {"privateEndpointNetworkPolicies": "disabled", "privateLinkServiceNetworkPolicies": "ENABLED"}
    shown = lab.made(subnet("farm", "pods"), {"properties": {"addressPrefix": "10.9.2.0/25", **policies}})
    assert shown["properties"]["privateEndpointNetworkPolicies"] == "Disabled"
    assert shown["properties"]["privateLinkServiceNetworkPolicies"] == "Enabled"


def test_a_policy_for_the_web_looks_on_until_it_is_told_to_act() -> None:
    lab = Lab()
    url = net("guard", kind="applicationGatewayWebApplicationFirewallPolicies")
    rules = {"managedRuleSets": [{"ruleSetType": "OWASP", "ruleSetVersion": "3.2"}]}
    shown = lab.made(url, {"location": "eastasia", "properties": {"managedRules": rules}})["properties"]
    assert (shown["policySettings"]["state"], shown["policySettings"]["mode"]) == ("Disabled", "Detection")
    for version, there in (("2020-04-01", False), ("2023-02-01", True)):
        body = lab.body(f"{url}?api-version={version}")
        assert body["type"] == f"{NETWORK}/ApplicationGatewayWebApplicationFirewallPolicies"
        settings = {"requestBodyInspectLimitInKB", "fileUploadEnforcement", "requestBodyEnforcement"}
        assert (settings <= set(body["properties"]["policySettings"])) is there
    assert shown["managedRules"]["exclusions"] == [] and shown["customRules"] == []
    assert shown["managedRules"]["managedRuleSets"][0]["ruleGroupOverrides"] == []


def test_default_rules_can_be_read_by_themselves_and_written_by_nobody() -> None:
    lab = Lab()
    group = net("gate", kind="networkSecurityGroups")
    shown = lab.made(group, {"location": "eastasia", "properties": {}})["properties"]["defaultSecurityRules"]
    assert lab.body(f"{group}/defaultSecurityRules")["value"] == shown and len(shown) == 6
    answer = lab.get(shown[2]["id"])
    assert answer.body == shown[2] and answer.headers["etag"] == shown[2]["etag"]
    assert lab.get(f"{group}/defaultSecurityRules/Mine").status == 404
    assert refusal(lab.put(shown[2]["id"], {"properties": {}}), 405) == "MethodNotAllowed"


def test_a_group_of_ranges_is_of_the_firewalls_provider_and_gone_at_once() -> None:
    lab = Lab()
    url = net("ranges", kind="ipGroups")
    answer = lab.put(url, {"location": "eastasia", "properties": {"ipAddresses": ["10.1.0.0/24"]}})
    assert "/nfvOperations/" in answer.headers["azure-asyncoperation"]
    assert answer.body["type"] == "Microsoft.Network/IpGroups" and answer.body["id"] == url
    lab.follow(answer)
    gone = lab.delete(url)
    assert gone.status == 200 and not {"location", "azure-asyncoperation"} & set(gone.headers)
    assert lab.get(url).status == 404


def test_a_plan_of_protection_tells_whom_it_protects_and_nothing_else() -> None:
    lab = Lab()
    url = net("plan", kind="ddosProtectionPlans")
    made = lab.made(url, {"location": "eastasia"})
    assert set(made["properties"]) == {"provisioningState"}
    body = network_body("10.9.0.0/24")
    body["properties"] |= {"ddosProtectionPlan": {"id": url}, "enableDdosProtection": True}
    lab.made(vnet("farm"), body)
    assert lab.properties(url)["virtualNetworks"] == [{"id": vnet("farm")}]


def test_a_type_is_spelt_as_its_provider_spells_it() -> None:
    lab = Lab()
    body: Body = {"location": "eastasia", "properties": {"cidr": "40.40.40.0/24"}}
    shown = lab.made(net("own", kind="customIpPrefixes"), body)
    assert shown["type"] == f"{NETWORK}/customIPPrefixes" and "/customIPPrefixes/own" in shown["id"]
    assert lab.made(net("own", kind="customipprefixes"), body)["id"] == shown["id"]
    assert shown["properties"]["commissionedState"] == "Provisioning"
    assert shown["properties"]["failedReason"] == "" and shown["properties"]["childCustomIpPrefixes"] == []
    policy = lab.made(net("guard", kind="applicationGatewayWebApplicationFirewallPolicies"), {"location": "eastasia"})
    assert policy["type"] == f"{NETWORK}/ApplicationGatewayWebApplicationFirewallPolicies"


def test_containers_share_no_subnet_with_what_has_an_address() -> None:
    lab = Lab()
    lab.made(vnet("farm"), network_body("10.9.3.0/24", pods="10.9.3.0/25"))
    lab.made(net("hen", kind="networkInterfaces"), nic_body(subnet("farm", "pods")))
    inner = {"name": "first", "properties": {"subnet": {"id": subnet("farm", "pods")}}}
    outer = {"name": "eth0", "properties": {"ipConfigurations": [inner]}}
    body = {"location": "eastasia", "properties": {"containerNetworkInterfaceConfigurations": [outer]}}
    answer = lab.put(net("pods", kind="networkProfiles"), body)
    assert refusal(answer) == "IpConfigProfileCannotReferToSubnetInUseWithResource"


def test_only_a_provider_lists_details_when_there_are_none() -> None:
    """ARM's own errors are a code and a message."""
    lab = Lab()
    assert set(lab.get(net("none", kind="networkProfiles")).body["error"]) == {"code", "message"}
    lab.made(vnet("farm"), network_body("10.9.4.0/24"))
    assert set(lab.get(subnet("farm", "none")).body["error"]) == {"code", "message", "details"}
