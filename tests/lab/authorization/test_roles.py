"""Role assignments honoured: least privilege can be tested. No assignment at all, and everybody is Owner."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.lab.authorization.roles import BY_GUID, allows
from lab.authorization.callers import (
    AT_SUBSCRIPTION,
    NOBODY,
    READER,
    ROLES,
    WRITER,
    as_,
    assignment,
    grant,
    granted,
    role_id,
)
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, network_body, nic_body, refusal, rid, subnet, vnet
from lab.resources.deployed import GROUP_ID, deployment, ip, network, sent, template

OTHER = f"{AT_SUBSCRIPTION}/resourceGroups/other"


@pytest.fixture
def lab() -> Lab:
    lab = Lab(groups={GROUP: "eastasia", "other": "eastasia"})
    lab.made(vnet("v"), network_body("10.0.0.0/16"))
    return lab


def test_without_any_assignment_everybody_is_owner(lab: Lab) -> None:
    assert lab.get(vnet("v"), **as_(NOBODY)).status == 200
    assert lab.put(vnet("w"), network_body("10.1.0.0/16"), **as_(NOBODY)).status == 201


def test_a_reader_reads_and_does_nothing_else(lab: Lab) -> None:
    grant(lab, READER, "Reader")
    me = as_(READER)
    before = lab.body(vnet("v"))
    assert lab.get(vnet("v"), **me).status == 200 and lab.send("HEAD", vnet("v"), **me).status == 204
    answer = lab.put(vnet("v"), network_body("10.9.0.0/16"), **me)
    assert refusal(answer, 403) == "AuthorizationFailed"
    assert answer.body["error"]["message"] == (
        f"The client '{READER}' with object id '{READER}' does not have authorization to perform action "
        f"'Microsoft.Network/virtualNetworks/write' over scope '{vnet('v')}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials."
    )
    for refused in (
        lab.patch(vnet("v"), {"tags": {"a": "b"}}, **me),
        lab.delete(vnet("v"), **me),
        lab.put(vnet("new"), network_body("10.9.0.0/16"), **me),
        lab.put(OTHER + "2", {"location": "eastasia"}, **me),
        lab.delete(GROUP_ID, **me),
        lab.put(assignment(AT_SUBSCRIPTION, 2), granted(READER, "Owner"), **me),
        lab.put(deployment(), sent(template(ip("a"))), **me),
    ):
        assert refusal(refused, 403) == "AuthorizationFailed"
    lab.wait(120)
    assert lab.body(vnet("v")) == before and lab.get(vnet("new")).status == 404


def test_a_part_of_a_resource_is_written_by_who_may_write_the_whole(lab: Lab) -> None:
    grant(lab, READER, "Reader")
    key = rid("Microsoft.Network/connections", "c") + "/sharedkey"
    assert refusal(lab.put(key, {"value": "mine"}, **as_(READER)), 403) == "AuthorizationFailed"
    assert refusal(lab.put(key, {"value": "mine"}), 404)


def test_a_contributor_of_a_group_writes_there_and_sees_nothing_elsewhere(lab: Lab) -> None:
    grant(lab, WRITER, "Contributor", GROUP_ID)
    me = as_(WRITER)
    lab.made(vnet("w"), network_body("10.1.0.0/16"), **me)
    assert refusal(lab.put(vnet("w", group="other"), network_body("10.1.0.0/16"), **me), 403) == "AuthorizationFailed"
    assert refusal(lab.get(OTHER, **me), 403) == refusal(lab.get(OTHER + "/resources", **me), 403)
    assert refusal(lab.put(assignment(GROUP_ID, 2), granted(WRITER, "Owner"), **me), 403) == "AuthorizationFailed"
    lab.made(vnet("hidden", group="other"), network_body("10.2.0.0/16"))
    for url in (f"{AT_SUBSCRIPTION}/resources", f"{AT_SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks"):
        assert sorted(item["name"] for item in lab.get(url, **me).body["value"]) == ["v", "w"]
    groups = lab.get(f"{AT_SUBSCRIPTION}/resourcegroups", **me).body["value"]
    assert [item["name"] for item in groups] == [GROUP]
    assert [item["subscriptionId"] for item in lab.get("/subscriptions", **me).body["value"]] == [SUBSCRIPTION]
    assert lab.get("/subscriptions", **as_(NOBODY)).body["value"] == []
    assert refusal(lab.get(AT_SUBSCRIPTION, **as_(NOBODY)), 403) == "AuthorizationFailed"


def test_the_owner_of_the_lab_cannot_lock_himself_out(lab: Lab) -> None:
    grant(lab, READER, "Reader")
    tenant = {
        "authorization": "Bearer " + __import__("farshore.lab.identity", fromlist=["token"]).token("t", 0, audience="")
    }
    assert lab.get(vnet("v"), **tenant).status == lab.get(vnet("v")).status == 200
    assert lab.get(vnet("v"), authorization="Bearer a.b.c").status == 200


def test_a_group_of_a_caller_counts(lab: Lab) -> None:
    from base64 import urlsafe_b64encode

    from farshore.arm.json import dumps

    grant(lab, WRITER, "Reader")
    claims = urlsafe_b64encode(dumps({"oid": NOBODY, "groups": [WRITER]})).decode().rstrip("=")
    assert lab.get(vnet("v"), authorization=f"Bearer e.{claims}.s").status == 200
    assert lab.get(vnet("v"), **as_(NOBODY)).status == 403


def test_a_role_of_one_provider_reaches_no_further(lab: Lab) -> None:
    grant(lab, WRITER, "Network Contributor")
    me = as_(WRITER)
    assert lab.put(vnet("w"), network_body("10.1.0.0/16"), **me).status == 201
    disk = rid("Microsoft.Compute/disks", "d")
    body = {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    assert refusal(lab.put(disk, body, **me), 403) == "AuthorizationFailed"


def test_a_deployment_is_made_with_the_rights_of_whoever_deploys(lab: Lab) -> None:
    grant(lab, WRITER, "Network Contributor")
    disk = {
        "type": "Microsoft.Compute/disks",
        "apiVersion": "2024-03-02",
        "name": "d",
        "location": "eastasia",
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1},
    }
    answer = lab.put(deployment(), sent(template(ip("a"), disk)), **as_(WRITER))
    assert refusal(answer, 403) == "InvalidTemplateDeployment"
    assert "'Microsoft.Compute/disks/write'" in answer.body["error"]["message"]
    first = lab.put(deployment(), sent(template(network("w"))), **as_(WRITER))
    lab.must(lab.delete(assignment(AT_SUBSCRIPTION)))
    grant(lab, READER, "Reader")
    (reason,) = lab.follow(first).body["error"]["details"]
    assert reason["code"] == "AuthorizationFailed"


def test_what_a_write_joins_needs_a_right_of_its_own(lab: Lab) -> None:
    lab.made(vnet("n", group="other"), network_body("10.3.0.0/16", a="10.3.0.0/24"))
    grant(lab, WRITER, "Contributor", GROUP_ID)
    nic = rid("Microsoft.Network/networkInterfaces", "nic")
    joined = subnet("n", "a", group="other")
    answer = lab.put(nic, nic_body(joined), **as_(WRITER))
    assert refusal(answer, 403) == "LinkedAuthorizationFailed" and lab.get(nic).status == 404
    said = answer.body["error"]["message"]
    assert "'Microsoft.Network/virtualNetworks/subnets/join/action'" in said and f"'{joined}'" in said
    remote = {"properties": {"remoteVirtualNetwork": {"id": vnet("n", group="other")}}}
    peering = vnet("v", "virtualNetworkPeerings", "p")
    assert refusal(lab.put(peering, remote, **as_(WRITER)), 403) == "LinkedAuthorizationFailed"
    grant(lab, WRITER, "Network Contributor", vnet("n", group="other"), 2)
    lab.made(nic, nic_body(joined), **as_(WRITER))
    assert lab.put(peering, remote, **as_(WRITER)).status == 201


def test_the_life_of_an_assignment(lab: Lab) -> None:
    first = lab.put(assignment(GROUP_ID), granted(READER, "Reader"))
    assert first.status == 201
    properties = first.body["properties"]
    assert (properties["scope"], properties["principalType"]) == (GROUP_ID, "ServicePrincipal")
    assert properties["roleDefinitionId"] == role_id("Reader")
    assert lab.put(assignment(GROUP_ID), granted(READER, "Reader")).status == 200
    assert refusal(lab.put(assignment(GROUP_ID, 2), granted(READER, "Reader")), 409) == "RoleAssignmentExists"
    assert refusal(lab.put(assignment(GROUP_ID), granted(READER, "Owner"))) == "RoleAssignmentUpdateNotPermitted"
    lab.must(lab.put(assignment(AT_SUBSCRIPTION, 3), granted(WRITER, "Owner")))
    lab.must(lab.put(assignment(vnet("v"), 4), granted(WRITER, "Reader")))

    def listed(scope: str, query: str = "") -> list[str]:
        url = f"{scope}/providers/Microsoft.Authorization/roleAssignments{query}"
        return sorted(item["name"][7] for item in lab.body(url)["value"])

    assert listed(GROUP_ID) == ["1", "3", "4"] and listed(GROUP_ID, "?$filter=atScope()") == ["1", "3"]
    assert listed(AT_SUBSCRIPTION, f"?$filter=principalId eq '{WRITER}'") == ["3", "4"]
    lab.gone(vnet("v"))
    assert listed(AT_SUBSCRIPTION) == ["1", "3"]
    gone = lab.delete(assignment(GROUP_ID))
    assert gone.status == 200 and gone.body["name"] == first.body["name"]
    assert lab.delete(assignment(GROUP_ID)).status == 204


def test_an_object_id_is_the_same_in_capitals(lab: Lab) -> None:
    who = "ABCDEF01-0000-4000-8000-00000000ABCD"
    grant(lab, who, "Reader")
    assert [item["subscriptionId"] for item in lab.must(lab.get("/subscriptions", **as_(who.lower()))).body["value"]]
    assert lab.put(assignment(AT_SUBSCRIPTION), granted(who.lower(), "Reader")).status == 200
    again = lab.put(assignment(AT_SUBSCRIPTION, 2), granted(who.lower(), "Reader"))
    assert refusal(again, 409) == "RoleAssignmentExists"


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("x", granted(READER, "Reader"), 400, "InvalidRoleAssignmentId"),
        (None, {}, 400, "InvalidRequestContent"),
        (None, {"properties": []}, 400, "InvalidRequestContent"),
        (None, {"properties": {"roleDefinitionId": "x", "principalId": READER}}, 404, "RoleDefinitionDoesNotExist"),
        (None, {"properties": {"roleDefinitionId": 3, "principalId": READER}}, 404, "RoleDefinitionDoesNotExist"),
        (None, {"properties": {"roleDefinitionId": "x", "principalId": "me"}}, 400, "InvalidPrincipalId"),
    ],
)
def test_what_is_no_assignment_is_refused(lab: Lab, name: Any, body: Any, status: int, code: str) -> None:
    url = assignment(GROUP_ID) if name is None else assignment(GROUP_ID).rsplit("/", 1)[0] + f"/{name}"
    assert refusal(lab.put(url, body), status) == code
    assert lab.get(vnet("v"), **as_(NOBODY)).status == 200
    nowhere = assignment(f"{AT_SUBSCRIPTION}/resourceGroups/none")
    assert refusal(lab.put(nowhere, granted(READER, "Reader")), 404) == "ResourceGroupNotFound"


def test_definitions_are_listed_found_and_made(lab: Lab) -> None:
    url = f"{AT_SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    (found,) = lab.body(f"{url}?$filter=roleName eq 'Contributor'")["value"]
    assert found["name"] == ROLES["Contributor"] and found["id"] == role_id("Contributor")
    assert lab.body(role_id("Reader"))["properties"]["permissions"][0]["actions"] == ["*/read"]
    tenant = "/providers/Microsoft.Authorization/roleDefinitions"
    assert len(lab.body(tenant)["value"]) == len(BY_GUID)
    assert lab.body(f"{tenant}/{ROLES['Reader']}")["properties"]["roleName"] == "Reader"
    own = f"{url}/bbbbbbbb-0000-4000-8000-000000000000"
    body = {
        "properties": {
            "roleName": "Starter",
            "assignableScopes": [AT_SUBSCRIPTION],
            "permissions": [{"actions": ["*/read", "Microsoft.Compute/*"], "notActions": ["*/delete"]}],
        }
    }
    assert lab.put(own, body).status == 201 and len(lab.body(url)["value"]) == len(BY_GUID) + 1
    lab.must(lab.put(assignment(AT_SUBSCRIPTION), {"properties": {"roleDefinitionId": own, "principalId": WRITER}}))
    disk = rid("Microsoft.Compute/disks", "d")
    sent_disk = {"location": "eastasia", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    lab.made(disk, sent_disk, **as_(WRITER))
    assert refusal(lab.delete(disk, **as_(WRITER)), 403) == "AuthorizationFailed"
    assert refusal(lab.delete(own)) == "RoleDefinitionHasAssignments"
    assert refusal(lab.delete(role_id("Reader"))) == "RoleDefinitionIsBuiltIn"
    assert refusal(lab.get(url + "/cccccccc-0000-4000-8000-000000000000"), 404) == "RoleDefinitionDoesNotExist"
    (permission,) = lab.get(f"{GROUP_ID}/providers/Microsoft.Authorization/permissions", **as_(WRITER)).body["value"]
    assert permission["notActions"] == ["*/delete"]


def test_roles_of_site_recovery_allow_what_their_names_say() -> None:
    items = (
        "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
    )
    for role, allowed, refused in (
        ("Site Recovery Contributor", f"{items}/write", "Microsoft.RecoveryServices/vaults/write"),
        ("Site Recovery Operator", f"{items}/unplannedFailover/action", f"{items}/write"),
    ):
        permissions = BY_GUID[ROLES[role]].body("")["properties"]["permissions"]
        assert allows(permissions, allowed) and not allows(permissions, refused)
