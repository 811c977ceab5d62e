"""What every resource of the lab does: create, read, list, replace, tag, delete, by ARM's own rules (L5 to L12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import (
    COMPUTE,
    GROUP,
    NETWORK,
    SUBSCRIPTION,
    Lab,
    machine_body,
    net,
    network_body,
    nic_body,
    refusal,
    rid,
    subnet,
    vnet,
)

STORAGE = "Microsoft.Storage/storageAccounts"
CIRCUIT: Body = {
    "location": "eastasia",
    "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
    "properties": {
        "serviceProviderProperties": {
            "serviceProviderName": "Equinix",
            "peeringLocation": "Hong Kong",
            "bandwidthInMbps": 1000,
        }
    },
}
PEERING: Body = {
    "properties": {
        "peeringType": "AzurePrivatePeering",
        "peerASN": 65010,
        "primaryPeerAddressPrefix": "172.16.0.0/30",
        "secondaryPeerAddressPrefix": "172.16.0.4/30",
        "vlanId": 100,
    }
}
RULE: Body = {
    "properties": {
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "priority": 200,
        "sourcePortRange": "*",
        "destinationPortRange": "443",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
    }
}
ROUTE: Body = {
    "properties": {
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": "10.10.10.10",
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one type of the lab is made: its id, its body, and what must be there before."""

    url: str
    body: Body
    before: Callable[[Lab], object] = lambda lab: None
    created: int = 201
    updated: int = 200
    deleted: int = 202
    state: str = "Updating"
    tagged: bool = True
    headers: tuple[str, ...] = ("azure-asyncoperation",)
    delete_headers: tuple[str, ...] = ("azure-asyncoperation", "location")
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What the finished resource says of itself, beside what was sent."""


def hub(lab: Lab) -> None:
    lab.made(vnet("hub"), network_body("10.10.10.0/24", nva="10.10.10.0/25", GatewaySubnet="10.10.10.128/25"))


def spoke(lab: Lab) -> None:
    lab.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))


def nic(lab: Lab) -> None:
    spoke(lab)
    lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("spoke", "app")))


GATEWAY: Body = {
    "location": "eastasia",
    "properties": {
        "gatewayType": "ExpressRoute",
        "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ"},
        "ipConfigurations": [{"name": "default", "properties": {"subnet": {"id": subnet("hub", "GatewaySubnet")}}}],
    },
}


def gateway(lab: Lab) -> None:
    hub(lab)
    lab.made(net("gw", kind="virtualNetworkGateways"), GATEWAY)


def circuit(lab: Lab) -> None:
    lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT)
    lab.made(net("er", kind="expressRouteCircuits") + "/peerings/AzurePrivatePeering", PEERING)
    lab.wait(days=1)


def both(lab: Lab) -> None:
    gateway(lab)
    circuit(lab)


def peers(lab: Lab) -> None:
    hub(lab)
    spoke(lab)


KINDS = {
    "network": Kind(url=vnet("hub"), body=network_body("10.10.10.0/24", nva="10.10.10.0/25")),
    "subnet": Kind(
        url=subnet("spoke", "db"), body={"properties": {"addressPrefix": "10.1.0.128/25"}}, before=spoke, tagged=False
    ),
    "peering": Kind(
        url=vnet("hub", "virtualNetworkPeerings", "to-spoke"),
        body={"properties": {"remoteVirtualNetwork": {"id": vnet("spoke")}}},
        before=peers,
        tagged=False,
        shown={"peeringState": "Initiated", "peeringSyncLevel": "RemoteNotInSync"},
    ),
    "route table": Kind(
        url=net("rt", kind="routeTables"),
        body={"location": "eastasia", "properties": {"routes": [{"name": "all", **ROUTE}]}},
        shown={"disableBgpRoutePropagation": False},
    ),
    "route": Kind(
        url=net("rt", kind="routeTables") + "/routes/all",
        body=ROUTE,
        before=lambda lab: lab.made(net("rt", kind="routeTables"), {"location": "eastasia"}),
        tagged=False,
        shown={"hasBgpOverride": False},
    ),
    "security group": Kind(
        url=net("nsg", kind="networkSecurityGroups"),
        body={"location": "eastasia", "properties": {"securityRules": [{"name": "web", **RULE}]}},
    ),
    "security rule": Kind(
        url=net("nsg", kind="networkSecurityGroups") + "/securityRules/web",
        body=RULE,
        before=lambda lab: lab.made(net("nsg", kind="networkSecurityGroups"), {"location": "eastasia"}),
        tagged=False,
    ),
    "interface": Kind(
        url=net("nic", kind="networkInterfaces"),
        body=nic_body(subnet("spoke", "app")),
        before=spoke,
        # Recorded: one that no machine has is done when it is answered, and so is its deletion.
        state="Succeeded",
        deleted=200,
        shown={"enableIPForwarding": False},
    ),
    "public address": Kind(
        url=net("pip", kind="publicIPAddresses"),
        body={
            "location": "eastasia",
            "sku": {"name": "Standard"},
            "properties": {"publicIPAllocationMethod": "Static"},
        },
        shown={"publicIPAddressVersion": "IPv4"},
    ),
    "circuit": Kind(
        url=net("er", kind="expressRouteCircuits"),
        body=CIRCUIT,
        shown={"circuitProvisioningState": "Enabled", "serviceProviderProvisioningState": "NotProvisioned"},
    ),
    "circuit peering": Kind(
        url=net("er", kind="expressRouteCircuits") + "/peerings/AzurePrivatePeering",
        body=PEERING,
        before=lambda lab: lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT),
        tagged=False,
        shown={"azureASN": 12076, "state": "Enabled"},
    ),
    "authorization": Kind(
        url=net("er", kind="expressRouteCircuits") + "/authorizations/far",
        body={"properties": {}},
        before=lambda lab: lab.made(net("er", kind="expressRouteCircuits"), CIRCUIT),
        tagged=False,
        shown={"authorizationUseStatus": "Available"},
    ),
    "gateway": Kind(url=net("gw", kind="virtualNetworkGateways"), body=GATEWAY, before=hub),
    "connection": Kind(
        url=net("cn", kind="connections"),
        body={
            "location": "eastasia",
            "properties": {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": net("gw", kind="virtualNetworkGateways")},
                "peer": {"id": net("er", kind="expressRouteCircuits")},
            },
        },
        before=both,
        shown={"connectionStatus": "Connected", "routingWeight": 0},
    ),
    "disk": Kind(
        url=rid(f"{COMPUTE}/disks", "d"),
        body={"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
        created=202,
        updated=202,
        state="Updating",
        headers=("azure-asyncoperation", "location"),
        shown={"diskState": "Unattached", "diskSizeBytes": 4 << 30},
    ),
    "snapshot": Kind(
        url=rid(f"{COMPUTE}/snapshots", "s"),
        body={
            "location": "eastasia",
            "properties": {
                "creationData": {"createOption": "Copy", "sourceResourceId": rid(f"{COMPUTE}/disks", "d")},
            },
        },
        before=lambda lab: lab.made(
            rid(f"{COMPUTE}/disks", "d"),
            {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
        ),
        created=202,
        updated=202,
        state="Updating",
        headers=("azure-asyncoperation", "location"),
        shown={"diskSizeGB": 4},
    ),
    "availability set": Kind(
        url=rid(f"{COMPUTE}/availabilitySets", "set"),
        body={"location": "eastasia", "sku": {"name": "Aligned"}},
        created=200,
        deleted=200,
        state="",
        headers=(),
        delete_headers=(),
        shown={"platformFaultDomainCount": 2},
    ),
    "machine": Kind(
        url=rid(f"{COMPUTE}/virtualMachines", "vm"),
        body=machine_body(net("nic", kind="networkInterfaces")),
        before=nic,
        state="Creating",
    ),
    "storage account": Kind(
        url=rid(STORAGE, "stlab"),
        body={"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        created=202,
        deleted=200,
        state="",
        headers=("location",),
        delete_headers=(),
        shown={"statusOfPrimary": "available"},
    ),
}
ALL = pytest.mark.parametrize("name", KINDS)


def ready(name: str) -> tuple[Lab, Kind]:
    lab, kind = Lab(), KINDS[name]
    kind.before(lab)
    return lab, kind


@ALL
def test_it_is_made_and_says_so_when_it_is_done(name: str) -> None:
    lab, kind = ready(name)
    answer = lab.put(kind.url, kind.body)
    assert answer.status == kind.created
    assert tuple(item for item in ("azure-asyncoperation", "location") if item in answer.headers) == kind.headers
    if kind.state:
        assert answer.body["properties"]["provisioningState"] == kind.state
        assert lab.properties(kind.url)["provisioningState"] in (kind.state, "Creating")
    lab.follow(answer)
    body = lab.body(kind.url)
    assert body["id"] == kind.url and body["name"] == kind.url.rsplit("/", 1)[1]
    assert kind.url.count("/providers/") == 1 and body["type"].split("/")[0] in kind.url
    assert body["properties"].get("provisioningState", "Succeeded") == "Succeeded"
    assert {key: body["properties"].get(key) for key in kind.shown} == dict(kind.shown)


@ALL
def test_it_is_there_in_any_case_of_its_letters_and_in_its_lists(name: str) -> None:
    lab, kind = ready(name)
    body = lab.made(kind.url, kind.body)
    prefix, _, rest = kind.url.partition(f"/resourceGroups/{GROUP}/")
    shouted = f"{prefix}/RESOURCEGROUPS/{GROUP.upper()}/{rest.upper()}"
    assert lab.body(shouted) == body
    assert body["id"] in {row["id"] for row in lab.body(kind.url.rsplit("/", 1)[0])["value"]}
    if kind.tagged:
        everywhere = f"/subscriptions/{SUBSCRIPTION}/{rest.rsplit('/', 1)[0]}"
        assert body["id"] in {row["id"] for row in lab.body(everywhere)["value"]}
    # The same name in other letters is the same resource: nothing is made twice.
    assert lab.put(shouted, kind.body).status == kind.updated
    assert len(lab.body(kind.url.rsplit("/", 1)[0])["value"]) == 1 + (name == "subnet")


@ALL
def test_the_same_put_again_changes_nothing(name: str) -> None:
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    again = lab.put(kind.url, kind.body)
    assert again.status == kind.updated
    lab.follow(again)
    after = lab.body(kind.url)
    assert _without_times(after) == _without_times(before)


@ALL
def test_what_was_read_can_be_written_back(name: str) -> None:
    """Read-modify-write, as every tool does it: read-only properties that come along count for nothing."""
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    assert _without_times(lab.made(kind.url, before)) == _without_times(before)


@ALL
def test_it_goes_and_going_twice_is_going_once(name: str) -> None:
    lab, kind = ready(name)
    lab.made(kind.url, kind.body)
    answer = lab.delete(kind.url)
    assert answer.status == kind.deleted
    assert tuple(item for item in ("azure-asyncoperation", "location") if item in answer.headers) == kind.delete_headers
    if kind.delete_headers:
        assert lab.properties(kind.url)["provisioningState"] == "Deleting"
        assert lab.delete(kind.url).status in (202, 409)
    lab.follow(answer)
    assert refusal(lab.get(kind.url), 404) in ("ResourceNotFound", "NotFound")
    assert lab.delete(kind.url).status == 204
    assert kind.url not in {row["id"] for row in lab.body(kind.url.rsplit("/", 1)[0])["value"]}


@ALL
def test_an_api_version_is_demanded(name: str) -> None:
    lab, kind = ready(name)
    for method in ("GET", "PUT", "DELETE"):
        answer = lab.send(method, kind.url + "?api-version", kind.body)
        assert refusal(answer) == "MissingApiVersionParameter"
    assert lab.get(kind.url).status == 404


@ALL
def test_conditions_are_honoured(name: str) -> None:
    """L10: If-Match on what is there, If-None-Match on what is not."""
    lab, kind = ready(name)
    assert refusal(lab.put(kind.url, kind.body, If_Match="*"), 412) == "PreconditionFailed"
    assert lab.get(kind.url).status == 404
    lab.follow(lab.put(kind.url, kind.body, If_None_Match="*"))
    assert refusal(lab.put(kind.url, kind.body, If_None_Match="*"), 412) == "PreconditionFailed"
    assert refusal(lab.put(kind.url, kind.body, If_Match='W/"00000000-0000-0000-0000-000000000000"'), 412)
    assert refusal(lab.delete(kind.url, If_Match='"old"'), 412) == "PreconditionFailed"
    etag = lab.body(kind.url).get("etag", "*")
    lab.follow(lab.put(kind.url, kind.body, If_Match=str(etag)))
    if etag != "*":
        assert lab.body(kind.url)["etag"] != etag
        assert refusal(lab.put(kind.url, kind.body, If_Match=str(etag)), 412) == "PreconditionFailed"
    lab.follow(lab.delete(kind.url, If_Match="*"))
    assert lab.get(kind.url).status == 404


@ALL
def test_tags_are_changed_by_a_patch(name: str) -> None:
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    answer = lab.patch(kind.url, {"tags": {"owner": "network"}})
    if not kind.tagged:
        assert answer.status == 405
        return
    assert answer.status == 200 and answer.body["tags"] == {"owner": "network"}
    if name == "gateway":  # recorded: it is Updating for two minutes
        assert answer.body["properties"]["provisioningState"] == "Updating"
        lab.wait(minutes=5)
    after = lab.body(kind.url)
    assert after["tags"] == {"owner": "network"}
    assert _without_times(after["properties"]) == _without_times(before["properties"])


@ALL
def test_nothing_is_made_in_a_group_that_is_not_there(name: str) -> None:
    lab, kind = ready(name)
    elsewhere = kind.url.replace(f"/resourceGroups/{GROUP}/", "/resourceGroups/nowhere/")
    assert refusal(lab.put(elsewhere, kind.body), 404) == "ResourceGroupNotFound"
    assert refusal(lab.get(elsewhere), 404) in ("ResourceNotFound", "NotFound", "ResourceGroupNotFound")


@ALL
def test_a_place_is_needed_and_kept(name: str) -> None:
    lab, kind = ready(name)
    if not kind.tagged:
        parent = kind.url.rsplit("/", 2)[0]
        assert refusal(lab.put(parent + "x" + kind.url.removeprefix(parent), kind.body), 404) == (
            "ParentResourceNotFound"
        )
        return
    assert refusal(lab.put(kind.url, {**kind.body, "location": None})) == "LocationRequired"
    lab.made(kind.url, kind.body)
    moved = lab.put(kind.url, {**kind.body, "location": "southeastasia"})
    assert refusal(moved, 409) == "InvalidResourceLocation"
    # A region's two spellings are one region.
    lab.made(kind.url, {**kind.body, "location": "East Asia"})


@ALL
def test_a_body_that_is_no_object_is_refused(name: str) -> None:
    lab, kind = ready(name)
    bodies: tuple[Any, ...] = (None, [], "text", 5)
    for body in bodies:
        assert refusal(lab.put(kind.url, body)) == "InvalidRequestContent"
    assert lab.get(kind.url).status == 404


def test_a_type_that_the_lab_does_not_have_is_told_so() -> None:
    lab = Lab()
    for type_ in ("frontDoors", "dnsZones", "trafficManagerProfiles"):
        url = net("x", kind=type_)
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = lab.send(method, url, {"location": "eastasia"})
            assert refusal(answer, 501) == "NotImplementedByLab"
            assert type_ in answer.body["error"]["message"]
        assert refusal(lab.get(url.rsplit("/", 1)[0]), 501) == "NotImplementedByLab"
    lab.made(vnet("hub"), network_body("10.0.0.0/24"))
    assert refusal(lab.post(vnet("hub", "checkNothing")), 501) == "NotImplementedByLab"


def test_every_answer_has_arms_headers_and_echoes_the_clients_id() -> None:
    lab = Lab()
    answer = lab.put(vnet("hub"), network_body("10.0.0.0/24"), x_ms_client_request_id="mine-7")
    headers = answer.headers
    assert headers["x-ms-client-request-id"] == "mine-7"
    for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id", "cache-control"):
        assert headers[name], name
    assert headers["x-ms-routing-request-id"].startswith("LAB:20260301T080000Z:")
    refused = lab.get(vnet("none"))
    assert refused.status == 404 and refused.headers["x-ms-request-id"] != headers["x-ms-request-id"]


def test_a_long_list_comes_in_pages() -> None:
    """L11: the next link is followed as it stands."""
    from farshore.lab import Settings

    lab = Lab(settings=Settings(throttling=False, page_size=7))
    for number in range(17):
        lab.put(net(f"rt{number}", kind="routeTables"), {"location": "eastasia"})
    url: str | None = net("x", kind="routeTables").rsplit("/", 1)[0]
    seen: list[str] = []
    sizes = []
    while url is not None:
        page = lab.body(url)
        sizes.append(len(page["value"]))
        seen += [row["name"] for row in page["value"]]
        url = page.get("nextLink")
    assert sizes == [7, 7, 3] and seen == [f"rt{number}" for number in range(17)]
    assert f"{NETWORK}/routeTables" in str(lab.body(net("rt3", kind="routeTables"))["type"])


def _without_times(body: Any) -> Any:
    """Without what must differ: the etag, and when keys were made."""
    dropped = ("etag", "keyCreationTime", "creationTime")
    if isinstance(body, dict):
        return {key: _without_times(item) for key, item in body.items() if key not in dropped}
    return [_without_times(item) for item in body] if isinstance(body, list) else body
