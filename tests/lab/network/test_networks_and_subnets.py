"""Networks, subnets and what refers to them: ranges, use, names that are Azure's own (L20 to L25, L33, R35)."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, net, network_body, nic_body, refusal, subnet, vnet

HUB = network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25")


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("hub"), HUB)
    return made


def sub(prefix: str, **more: object) -> Body:
    return {"properties": {"addressPrefix": prefix, **more}}


@pytest.mark.parametrize(
    ("space", "code"),
    [
        ("10.0.0.1/24", "InvalidAddressPrefixFormat"),
        ("10.0.0.0/33", "InvalidAddressPrefixFormat"),
        ("ten", "InvalidAddressPrefixFormat"),
    ],
)
def test_a_range_with_host_bits_or_none_at_all_is_refused(space: str, code: str) -> None:
    lab = Lab()
    assert refusal(lab.put(vnet("n"), network_body(space))) == code
    lab.made(vnet("n"), network_body("10.0.0.0/24"))
    assert refusal(lab.put(subnet("n", "s"), sub(space))) == code


def test_a_network_needs_a_space_that_does_not_meet_itself() -> None:
    lab = Lab()
    empty: Body = {"location": "eastasia", "properties": {"addressSpace": {"addressPrefixes": []}}}
    assert refusal(lab.put(vnet("n"), empty)) == "InvalidRequestFormat"
    assert refusal(lab.put(vnet("n"), {"location": "eastasia"})) == "InvalidRequestFormat"
    twice: Body = {
        "location": "eastasia",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.0.1.0/24"]}},
    }
    assert refusal(lab.put(vnet("n"), twice)) == "InvalidAddressSpace"
    assert lab.get(vnet("n")).status == 404


def test_a_subnet_lies_inside_its_network_and_meets_no_other(lab: Lab) -> None:
    outside = lab.put(subnet("hub", "s"), sub("10.10.11.0/24"))
    assert refusal(outside) == "NetcfgSubnetRangeOutsideVnet"
    assert "Subnet 's' is not valid" in outside.body["error"]["message"]
    assert refusal(lab.put(subnet("hub", "s"), sub("10.10.10.64/26"))) == "NetcfgSubnetRangesOverlap"
    body = network_body("10.1.0.0/24", one="10.1.0.0/25", two="10.1.0.0/26")
    assert refusal(lab.put(vnet("spoke"), body)) == "NetcfgSubnetRangesOverlap"
    assert lab.get(vnet("spoke")).status == 404


def test_subnets_that_a_put_leaves_out_stay_and_those_that_a_list_leaves_out_go(lab: Lab) -> None:
    """L12."""
    without = {"location": "eastasia", "properties": {"addressSpace": HUB["properties"]["addressSpace"]}}
    assert len(lab.made(vnet("hub"), without)["properties"]["subnets"]) == 2
    # `null` is no list: it leaves out, it does not empty.
    null: Body = {**without, "properties": {"addressSpace": HUB["properties"]["addressSpace"], "subnets": None}}
    assert len(lab.made(vnet("hub"), null)["properties"]["subnets"]) == 2
    one = network_body("10.10.10.0/24", nva="10.10.10.0/25")
    assert [item["name"] for item in lab.made(vnet("hub"), one)["properties"]["subnets"]] == ["nva"]
    assert lab.get(subnet("hub", "GatewaySubnet")).status == 404


def test_a_subnet_in_use_neither_goes_nor_moves(lab: Lab) -> None:
    lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("hub", "nva")))
    refused = lab.delete(subnet("hub", "nva"))
    assert refusal(refused) == "InUseSubnetCannotBeDeleted"
    assert "nic/ipConfigurations/a" in refused.body["error"]["message"]
    assert refusal(lab.put(subnet("hub", "nva"), sub("10.10.10.0/26"))) == "InUseSubnetCannotBeUpdated"
    assert refusal(lab.delete(vnet("hub"))) == "InUseSubnetCannotBeDeleted"
    other = network_body("10.10.10.0/24", GatewaySubnet="10.10.10.128/25")
    assert refusal(lab.put(vnet("hub"), other)) == "InUseSubnetCannotBeDeleted"
    assert lab.properties(subnet("hub", "nva"))["provisioningState"] == "Succeeded"
    smaller: Body = {"location": "eastasia", "properties": {"addressSpace": {"addressPrefixes": ["10.10.10.128/25"]}}}
    assert refusal(lab.put(vnet("hub"), smaller)) == "NetcfgSubnetRangeOutsideVnet"
    lab.gone(net("nic", kind="networkInterfaces"))
    lab.gone(subnet("hub", "nva"))


def test_a_subnet_shows_who_is_in_it_and_its_table(lab: Lab) -> None:
    table = net("rt", kind="routeTables")
    lab.made(table, {"location": "eastasia"})
    lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("hub", "nva")))
    lab.made(subnet("hub", "nva"), sub("10.10.10.0/25", routeTable={"id": table.upper()}))
    shown = lab.properties(subnet("hub", "nva"))
    assert [item["id"] for item in shown["ipConfigurations"]] == [
        net("nic", kind="networkInterfaces") + "/ipConfigurations/a"
    ]
    assert [item["id"] for item in lab.properties(table)["subnets"]] == [subnet("hub", "nva")]
    refused = lab.delete(table)
    assert refusal(refused) == "InUseRouteTableCannotBeDeleted"
    lab.made(subnet("hub", "nva"), sub("10.10.10.0/25"))
    lab.gone(table)


def test_a_reference_must_lead_somewhere_in_the_same_region(lab: Lab) -> None:
    for kind, name in (("routeTables", "routeTable"), ("networkSecurityGroups", "networkSecurityGroup")):
        target = net("there", kind=kind)
        body = sub("10.10.10.0/25", **{name: {"id": target}})
        missing = lab.put(subnet("hub", "nva"), body)
        assert refusal(missing) == "InvalidResourceReference"
        lab.made(target, {"location": "southeastasia"})
        assert refusal(lab.put(subnet("hub", "nva"), body)) == "InvalidResourceReference"
    nonsense = sub("10.10.10.0/25", routeTable={"id": "rt"})
    assert refusal(lab.put(subnet("hub", "nva"), nonsense)) == "LinkedInvalidPropertyId"


def test_gateway_subnet_takes_no_security_group_and_no_machine(lab: Lab) -> None:
    group = net("nsg", kind="networkSecurityGroups")
    lab.made(group, {"location": "eastasia"})
    refused = lab.put(subnet("hub", "gatewaysubnet"), sub("10.10.10.128/25", networkSecurityGroup={"id": group}))
    assert refusal(refused) == "NetworkSecurityGroupCannotBeAttachedToGatewaySubnet"
    nic = lab.put(net("nic", kind="networkInterfaces"), nic_body(subnet("hub", "GatewaySubnet")))
    assert refusal(nic) == "SubnetIsReservedForGateway"


def test_one_network_is_written_by_one_at_a_time(lab: Lab) -> None:
    """L16: the second write is told which operation it must wait for."""
    lab.made(vnet("spoke"), network_body("10.1.0.0/16"))
    first = lab.put(subnet("spoke", "a"), sub("10.1.0.0/24"))
    assert first.status == 201
    second = lab.put(subnet("spoke", "b"), sub("10.1.1.0/24"))
    assert refusal(second, 409) == "AnotherOperationInProgress"
    assert first.headers["azure-asyncoperation"] in second.body["error"]["message"]
    assert int(second.headers["retry-after"]) > 0
    assert lab.get(subnet("spoke", "b")).status == 404
    assert lab.put(net("rt", kind="routeTables"), {"location": "eastasia"}).status == 201
    lab.follow(first)
    lab.made(subnet("spoke", "b"), sub("10.1.1.0/24"))


def test_a_service_endpoint_shows_its_regions(lab: Lab) -> None:
    """R22."""
    endpoints = [{"service": "Microsoft.Storage"}, {"service": "Microsoft.Storage.Global"}]
    made = lab.made(subnet("hub", "nva"), sub("10.10.10.0/25", serviceEndpoints=endpoints))
    assert [item["locations"] for item in made["properties"]["serviceEndpoints"]] == [["eastasia"], ["*"]]


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ({"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}, "RouteNextHopIpAddressRequired"),
        (
            {"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet", "nextHopIpAddress": "10.0.0.4"},
            "RouteNextHopIpAddressNotAllowed",
        ),
        ({"addressPrefix": "0.0.0.0/0", "nextHopType": "Elsewhere"}, "InvalidRequestFormat"),
        ({"addressPrefix": "10.0.0.1/8", "nextHopType": "None"}, "InvalidAddressPrefixFormat"),
        ({"nextHopType": "None"}, "InvalidRequestFormat"),
        (
            {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "nva"},
            "InvalidAddressPrefixFormat",
        ),
    ],
)
def test_a_route_that_azure_would_not_take(route: Body, code: str) -> None:
    """R7, alone and inside its table."""
    lab = Lab()
    table = net("rt", kind="routeTables")
    inside = {"location": "eastasia", "properties": {"routes": [{"name": "r", "properties": route}]}}
    assert refusal(lab.put(table, inside)) == code
    lab.made(table, {"location": "eastasia"})
    assert refusal(lab.put(table + "/routes/r", {"properties": route})) == code


def test_a_table_holds_each_prefix_once() -> None:
    """Two routes for one prefix have no order between them."""
    lab = Lab()
    table = net("rt", kind="routeTables")
    route: Body = {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}}
    twice = [{"name": "a", **route}, {"name": "b", **route}]
    assert refusal(lab.put(table, {"location": "eastasia", "properties": {"routes": twice}})) == ("RouteConflict")
    lab.made(table, {"location": "eastasia", "properties": {"routes": twice[:1]}})
    assert refusal(lab.put(table + "/routes/b", route)) == "RouteConflict"
    lab.made(table + "/routes/a", route)


def test_rules_have_a_priority_of_their_own_each_way() -> None:
    """R42."""
    lab = Lab()
    group = net("nsg", kind="networkSecurityGroups")

    def rule(priority: object, direction: str = "Inbound") -> Body:
        ports = {"sourcePortRange": "*", "destinationPortRange": "*"}
        both = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "access": "Allow", "protocol": "*"}
        return {"properties": {"priority": priority, "direction": direction, **ports, **both}}

    lab.made(group, {"location": "eastasia"})
    assert len(lab.properties(group)["defaultSecurityRules"]) == 6
    for priority in (99, 4097, None, "high"):
        assert refusal(lab.put(group + "/securityRules/r", rule(priority))) == "SecurityRuleInvalidPriority"
    lab.made(group + "/securityRules/a", rule(100))
    assert refusal(lab.put(group + "/securityRules/b", rule(100))) == "SecurityRuleConflict"
    lab.made(group + "/securityRules/b", rule(100, "Outbound"))
    lab.made(group + "/securityRules/a", rule(100))
    lab.made(subnet("n", "s").rsplit("/", 2)[0], network_body("10.0.0.0/24"))
    lab.made(subnet("n", "s"), sub("10.0.0.0/25", networkSecurityGroup={"id": group}))
    refused = lab.delete(group)
    assert refusal(refused) == "InUseNetworkSecurityGroupCannotBeDeleted"
    assert subnet("n", "s") in refused.body["error"]["message"]


def test_a_new_service_endpoint_is_under_way_with_its_subnet(lab: Lab) -> None:
    """Recorded. What was there before is not."""
    endpoints = [{"service": "Microsoft.Storage"}]
    for sent, states in (
        (endpoints, ["Updating"]),
        ([*endpoints, {"service": "Microsoft.Sql"}], ["Succeeded", "Updating"]),
    ):
        answer = lab.put(subnet("hub", "nva"), sub("10.10.10.0/25", serviceEndpoints=sent))
        assert [item["provisioningState"] for item in answer.body["properties"]["serviceEndpoints"]] == states
        lab.follow(answer)
        over = lab.properties(subnet("hub", "nva"))["serviceEndpoints"]
        assert {item["provisioningState"] for item in over} == {"Succeeded"}


def test_a_delegation_shows_what_its_service_may_do(lab: Lab) -> None:
    for service, last in (
        ("Microsoft.Web/serverFarms", "subnets/action"),
        ("Microsoft.Sql/managedInstances", "unprepareNetworkPolicies/action"),
    ):
        delegations = [{"name": "0", "properties": {"serviceName": service}}]
        made = lab.made(subnet("hub", "nva"), sub("10.10.10.0/25", delegations=delegations))
        (item,) = made["properties"]["delegations"]
        assert item["properties"]["actions"][-1].endswith(last)


def test_a_region_lists_the_services_that_may_be_in_a_subnet(lab: Lab) -> None:
    here = f"/subscriptions/{SUBSCRIPTION}"
    place = "providers/Microsoft.Network/locations/eastasia"
    (first, *_) = lab.body(f"{here}/{place}/virtualNetworkAvailableEndpointServices")["value"]
    assert set(first) == {"name", "id", "type"}
    assert first["id"].startswith(f"{here}/providers/Microsoft.Network/virtualNetworkEndpointServices/")
    for scope, above in ((here, here), (f"{here}/resourceGroups/{GROUP}", f"{here}/resourceGroup/{GROUP}")):
        (one, *_) = lab.body(f"{scope}/{place}/availableDelegations")["value"]
        assert set(one) == {"name", "id", "type", "serviceName", "actions"}
        assert one["id"] == f"{above}/providers/Microsoft.Network/availableDelegations/{one['name']}"
    nowhere = f"{here}/{place.replace('eastasia', 'atlantis')}/availableDelegations"
    assert refusal(lab.get(nowhere)) == "InvalidLocation"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"destinationPortRange": "80,443"}, "SecurityRuleInvalidPortRange"),
        ({"destinationPortRange": "65536"}, "SecurityRuleInvalidPortRange"),
        ({"sourcePortRanges": ["90-80"]}, "SecurityRuleInvalidPortRange"),
        ({"sourceAddressPrefix": "20.20.20.20/16"}, "SecurityRuleInvalidAddressPrefix"),
        ({"destinationAddressPrefixes": ["10.0.0.0/33"]}, "SecurityRuleInvalidAddressPrefix"),
    ],
)
def test_a_rule_whose_ports_or_prefixes_are_none_is_refused(said: Body, code: str) -> None:
    lab = Lab()
    group = net("nsg", kind="networkSecurityGroups")
    rule: Body = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*"}
    rule |= {"sourcePortRange": "*", "destinationPortRange": "0-65535"}
    # An empty text is none (recorded).
    rule |= {"sourceAddressPrefix": "VirtualNetwork", "destinationAddressPrefix": ""}
    rule |= {"destinationAddressPrefixes": ["10.0.0.0/8", "10.0.0.4", "fd00::/8"]}
    lab.made(group, {"location": "eastasia", "properties": {"securityRules": [{"name": "a", "properties": rule}]}})
    assert refusal(lab.put(f"{group}/securityRules/a", {"properties": rule | said})) == code
    whole = {"location": "eastasia", "properties": {"securityRules": [{"name": "a", "properties": rule | said}]}}
    assert refusal(lab.put(group, whole)) == code
