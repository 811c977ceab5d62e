"""What fuzzing has found, each in its smallest form, so that it stays mended without a fuzzer's luck."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.http import Request
from farshore.arm.json import dumps
from farshore.lab.recovery.names import ITEMS
from lab.authorization.callers import AT_SUBSCRIPTION
from lab.core.bench import net, vnet
from lab.core.kinds import PEERING
from lab.fuzz import corpus, rules
from lab.fuzz.estate import CLUSTER, FAR_PEERING, NEAR_PEERING
from lab.fuzz.mangling import Case
from lab.fuzz.rig import Rig, Sent, rig
from lab.fuzz.table import Operation
from lab.recovery.estate import AWAY, HOME, POLICY, VAULT, container, fabric, network_mapping
from lab.resources.deployed import GROUP_ID

ACCOUNT = f"{GROUP_ID}/providers/Microsoft.Automation/automationAccounts/auto"
PREFIX = net("new", kind="publicIPPrefixes")
WATCHER = net("watcher", kind="networkWatchers")
DEEP: Any = "x"
for _ in range(180):
    DEEP = {"properties": DEEP}
JOB = {"properties": {"runbook": {"name": "book/../book"}}}
MAPPED = {"recoveryFabricName": "a/b", "recoveryNetworkId": "x"}
NO_LIST = {**PEERING["properties"], "connections": ["x"]}
NO_NAME = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "a/b", "properties": {}}]}
FABRIC_PROVIDER = f"{fabric(HOME)}/replicationRecoveryServicesProviders/x"


def asked(lab: Rig, method: str, path: str, content: Any = b"", query: str = "") -> tuple[int, Any]:
    """Status and error of a request that is held to all that holds of every answer."""
    sent = Sent(
        method=method,
        path=path,
        query=query or "api-version=2024-05-01",
        content=content if isinstance(content, bytes) else dumps(content),
    )
    answer = rules.holds(lab, Case(operation=Operation(method, "path", "", path), sent=sent))
    return answer.status, answer.json.get("error") if isinstance(answer.json, dict) else None


ASSIGNMENT = f"{GROUP_ID}/providers/Microsoft.Authorization/roleAssignments/aaaaaaa1-0000-4000-8000-000000000000"
REFUSED: list[tuple[str, str, Any, int]] = [
    ("PUT", ASSIGNMENT, {"properties": {"level": "CanNotDelete"}}, 400),
    ("PUT", vnet("new"), b'{"a":' * 50_000, 400),
    ("PUT", vnet("new"), b'{"properties":' * 900 + b"{}" + b"}" * 900, 400),
    ("PUT", vnet("new"), b'{"tags": {"a": "\xff"}}', 400),
    ("GET", "//[" + vnet("hub"), b"", 501),
    ("GET", "https://[/subscriptions", b"", 501),
    ("PUT", f"{AT_SUBSCRIPTION}/x/y/providers/Microsoft.Network/routeTables/new", {"location": "eastasia"}, 400),
    ("HEAD", f"{AT_SUBSCRIPTION}/x/y/providers/Microsoft.RecoveryServices/replicationEligibilityResults/x", b"", 400),
    ("PUT", vnet("new"), {"location": "eastasia", "properties": NO_NAME}, 400),
    ("PUT", vnet("new"), {"location": "eastasia", "properties": {"subnets": DEEP}}, 400),
    ("PUT", FAR_PEERING, {"properties": NO_LIST}, 400),
    ("PUT", PREFIX, {"location": "eastasia", "properties": {"prefixLength": "x"}}, 400),
    ("PUT", PREFIX, {"location": "eastasia", "properties": {"prefixLength": 99}}, 400),
    ("PUT", f"{ACCOUNT}/jobs/new", JOB, 400),
    ("PATCH", fabric(HOME), {"properties": {}}, 405),
    ("PATCH", container(HOME), {"properties": {}}, 405),
    ("DELETE", f"{VAULT}/replicationEvents/x", b"", 405),
    ("PUT", f"{CLUSTER}/recoveryPoints/new", {"properties": {}}, 405),
    ("PUT", FABRIC_PROVIDER, {"properties": {}}, 501),
    ("PUT", network_mapping(HOME) + "-x", {"properties": MAPPED}, 400),
    ("PUT", f"{VAULT}/replicationPolicies/new", {"properties": {"providerSpecificInput": {"instanceType": DEEP}}}, 400),
    ("POST", f"{container(AWAY)}/switchprotection", {"properties": {"replicationProtectedItemName": DEEP}}, 400),
    ("POST", f"{WATCHER}/topology", {"targetResourceGroupName": [DEEP]}, 400),
    ("POST", f"{WATCHER}/connectivityCheck", {"source": {"resourceId": DEEP}, "destination": {"address": "x"}}, 400),
    ("POST", f"{WATCHER}/securityGroupView", {"targetResourceId": "x", "targetNicResourceId": [DEEP]}, 400),
    ("PUT", net("new", kind="routeTables"), {"location": DEEP}, 400),
    ("PUT", f"{GROUP_ID}/providers/Microsoft.RecoveryServices/vaults/new", {"location": DEEP}, 400),
    ("POST", f"{NEAR_PEERING}/routeTables", b"", 400),
    ("POST", "/_lab/durations", {"name": {"a": 1}, "seconds": 1}, 400),
    ("POST", "/_lab/durations", {"name": "network.put", "seconds": [1]}, 400),
    ("POST", "/_lab/sites", {"site": [DEEP]}, 404),
    ("POST", "/_lab/sites", {"site": "datacenter", "routers": [{"name": {"a": 1}}]}, 400),
    ("GET", "/_lab/requests?since=" + "9" * 5000, b"", 400),
    ("GET", "/_lab/writes?since=" + "9" * 5000, b"", 400),
    ("GET", f"{AT_SUBSCRIPTION}/providers/Microsoft.Network/vpnGateways/natRules", b"", 404),
]


@pytest.mark.parametrize("found", REFUSED, ids=[f"{each[0]} {each[1][-60:]}" for each in REFUSED])
def test_it_is_refused_and_nothing_changes(found: tuple[str, str, Any, int]) -> None:
    method, path, content, status = found
    with rig() as lab:
        path, _, query = path.partition("?")
        assert asked(lab, method, path, content, query)[0] == status


def test_a_name_that_no_header_can_hold_is_escaped_in_the_urls_to_poll() -> None:
    with rig() as lab:
        path = f"{GROUP_ID}/providers/Microsoft.Compute/disks/%E5%90%8D"
        disk = {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
        sent = Sent(method="PUT", path=path, content=dumps(disk))
        answer = rules.holds(lab, Case(operation=Operation("PUT", "path", "", path), sent=sent))
        assert answer.status == 202 and answer.headers["location"].isascii()
        assert not rules.followed(lab, answer)
        assert lab.send(Sent(method="GET", path=path)).json["name"] == "名"


def test_a_key_that_is_not_ascii_is_a_wrong_key() -> None:
    path, _, _ = corpus.openings()["/_blob"]
    with rig() as lab:
        answer = lab.send(Sent(method="GET", path=path, headers={"authorization": "SharedKey blobsaway:\xe9"}))
        assert answer.status == 403, answer


def test_what_a_vpn_gateway_without_a_hub_shows_can_be_sent_back() -> None:
    with rig() as lab:
        path = net("one", kind="vpnGateways") + "/vpnConnections/one"
        shown = lab.send(Sent(method="GET", path=path)).content
        assert b"None/" not in shown
        assert asked(lab, "PUT", path, shown)[0] == 200


@pytest.mark.parametrize("direction", [None, DEEP, ["PrimaryToRecovery"]])
def test_a_machine_is_failed_over_in_a_direction(direction: Any) -> None:
    item = corpus.ids()[ITEMS.lower()][-1]
    with rig() as lab:
        status, error = asked(
            lab, "POST", f"{item}/unplannedFailover", {"properties": {"failoverDirection": direction}}
        )
        assert (status, error["code"]) == (400, "InvalidFailoverDirection")


@pytest.mark.parametrize("url", ["https://[", "//[x/subscriptions"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with rig() as lab:
        answer = lab.cloud.handle(Request(method="GET", url=url), lab.cloud.now)
        assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequestUri")


def test_a_policy_is_changed_by_patch() -> None:
    """Not all of Site Recovery's objects take one; those that do still do."""
    body = {"properties": {"replicationProviderSettings": {"instanceType": "A2A", "recoveryPointHistory": 60}}}
    with rig() as lab:
        assert asked(lab, "PATCH", POLICY, body)[0] == 202


def test_a_neighbour_that_is_no_address_is_refused() -> None:
    """The engine's own word for it came as a 500."""
    gateway = net("gw", kind="virtualNetworkGateways")
    with rig() as lab:
        query = "api-version=2024-05-01&peer=x"
        status, error = asked(lab, "POST", f"{gateway}/getAdvertisedRoutes", {}, query)
        assert (status, error["code"]) == (400, "InvalidRequestFormat")
