"""Templates deployed: what they make, in what order, how they fail, and what an answer looks like (L13, recorded)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, refusal, rid, vnet
from lab.resources.deployed import (
    DEPLOYMENTS,
    GROUP_ID,
    IP,
    NETWORK,
    NIC,
    at_subscription,
    deployed,
    deployment,
    failed,
    ip,
    network,
    nic,
    sent,
    template,
)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_deployment_answers_as_recorded(lab: Lab) -> None:
    body = sent(
        template(
            network("v"),
            nic("n"),
            parameters={"key": {"type": "securestring"}, "size": {"type": "int", "defaultValue": 3}},
        )
    )
    body["properties"]["template"]["resources"][1]["dependsOn"] = ["v"]
    body["properties"]["parameters"] = {"key": {"value": "secret"}}
    first = lab.put(deployment(), body)
    assert first.status == 201 and first.headers["azure-asyncoperation"].startswith(
        f"https://management.lab{deployment()}/operationStatuses/"
    )
    said = first.body["properties"]
    assert (said["provisioningState"], said["mode"]) == ("Accepted", "Incremental")
    assert said["parameters"] == {"key": {"type": "SecureString"}, "size": {"type": "Int", "value": 3}}
    assert said["providers"] == [
        {
            "namespace": "Microsoft.Network",
            "resourceTypes": [
                {"resourceType": "virtualNetworks", "locations": ["eastasia"]},
                {"resourceType": "networkInterfaces", "locations": ["eastasia"]},
            ],
        }
    ]
    (depends,) = said["dependencies"]
    assert (depends["resourceName"], [item["resourceName"] for item in depends["dependsOn"]]) == ("n", ["v"])
    assert "outputs" not in said and said["templateHash"].isdecimal()
    status = first.headers["azure-asyncoperation"]
    assert lab.get(status).body == {"status": "Accepted"}
    lab.wait(4)
    assert lab.get(status).body == {"status": "Running"}
    assert lab.follow(first).body == {"status": "Succeeded"}
    after = lab.properties(deployment())
    assert after["outputs"] == {} and after["duration"].startswith("PT")
    assert [item["id"] for item in after["outputResources"]] == [rid(NIC, "n"), vnet("v")]
    assert lab.put(deployment(), body).status == 200
    assert lab.send("HEAD", deployment()).status == 204


def test_a_reference_shows_what_the_template_deploys_as_its_own_api_version_does(lab: Lab) -> None:
    """Recorded, unless the reference names a version itself."""
    asked = {"mine": "reference('v')", "told": "reference('v', '2024-05-01')"}
    outputs = {name: {"type": "object", "value": f"[{text}]"} for name, text in asked.items()}
    old = {**network("v"), "apiVersion": "2019-06-01"}
    found = deployed(lab, sent(template(old, outputs=outputs)))["outputs"]
    # Old versions show this of a network, and new ones no longer.
    assert ["enableVmProtection" in found[name]["value"] for name in asked] == [True, False]


@pytest.mark.parametrize("spelled", ["resourcegroups", "resourceGroups", "RESOURCEGROUPS"])
def test_where_to_poll_repeats_the_clients_spelling_and_the_body_has_arms(lab: Lab, spelled: str) -> None:
    answer = lab.put(deployment().replace("resourceGroups", spelled), sent(template(network("v"))))
    polled = str(answer.headers["azure-asyncoperation"])
    assert f"/{spelled}/" in polled and lab.get(polled).status == 200
    assert answer.body["id"] == deployment()


def test_what_waits_is_begun_when_what_it_waits_for_is_there(lab: Lab) -> None:
    asks = ip(
        "after", tags={"guid": "[reference('v').resourceGuid]", "at": "[reference('v', '2024-05-01', 'Full').location]"}
    )
    lab.put(deployment(), sent(template(asks, network("v"))))
    lab.wait(4)
    assert lab.get(vnet("v")).status == 200 and lab.get(rid(IP, "after")).status == 404
    lab.wait(30)
    tags = lab.body(rid(IP, "after"))["tags"]
    assert tags == {"guid": lab.properties(vnet("v"))["resourceGuid"], "at": "eastasia"}


def test_outputs_are_what_the_resources_became(lab: Lab) -> None:
    outputs = {
        "address": {"type": "string", "value": "[reference('n').ipConfigurations[0].properties.privateIPAddress]"},
        "none": {"type": "string", "condition": False, "value": "[reference('nobody').x]"},
        "many": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
        "secret": {"type": "securestring", "value": "x"},
    }
    found = deployed(lab, sent(template(network("v"), nic("n", dependsOn=["v"]), outputs=outputs)))
    assert found["outputs"] == {
        "address": {"type": "String", "value": "10.0.0.4"},
        "many": {"type": "Array", "value": [0, 1]},
        "secret": {"type": "SecureString"},
    }


def test_what_fails_is_told_with_its_reasons_and_stops_what_waits_for_it_alone(lab: Lab) -> None:
    bad = network("bad", subnet="11.0.0.0/24")
    error = failed(lab, sent(template(bad, nic("n", net="bad", dependsOn=["bad"]), ip("other"))))
    assert error["code"] == "DeploymentFailed" and error["target"] == deployment()
    (reason,) = error["details"]
    assert (reason["code"], reason["target"]) == ("NetcfgSubnetRangeOutsideVnet", vnet("bad"))
    assert lab.get(rid(IP, "other")).status == 200 and lab.get(rid(NIC, "n")).status == 404
    listed = lab.body(deployment() + "/operations")["value"]
    # az leaves the provider out.
    assert lab.body(deployment().replace("/providers/Microsoft.Resources", "") + "/operations")["value"] == listed
    states = {item["properties"]["targetResource"]["resourceName"]: item["properties"] for item in listed}
    assert states["bad"]["statusCode"] == "BadRequest" and states["bad"]["provisioningState"] == "Failed"
    assert states["bad"]["statusMessage"]["error"]["code"] == "NetcfgSubnetRangeOutsideVnet"
    assert states["other"]["provisioningState"] == "Succeeded" and "n" not in states
    one = lab.body(listed[0]["id"])
    assert one == listed[0]
    assert refusal(lab.get(deployment() + "/operations/none"), 404) == "DeploymentOperationNotFound"


def test_a_deployment_lasts_as_long_as_its_slowest_resource_and_is_nobodys_meanwhile(lab: Lab) -> None:
    gateway: Body = {
        "type": "Microsoft.Network/virtualNetworkGateways",
        "apiVersion": "2024-05-01",
        "name": "gw",
        "location": "eastasia",
        "properties": {
            "gatewayType": "ExpressRoute",
            "sku": {"name": "ErGw1AZ", "tier": "ErGw1AZ"},
            "ipConfigurations": [
                {
                    "name": "default",
                    "properties": {"subnet": {"id": f"[resourceId('{NETWORK}/subnets', 'v', 'GatewaySubnet')]"}},
                }
            ],
        },
    }
    hub = network("v")
    hub["properties"]["subnets"] = [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.0.1.0/24"}}]
    found = lab.must(lab.put(deployment(), sent(template(hub, {**gateway, "dependsOn": ["v"]}))))
    lab.wait(60)
    assert lab.properties(deployment())["provisioningState"] == "Running"
    assert refusal(lab.put(deployment(), sent(template())), 409) == "DeploymentActiveAndUneditable"
    assert refusal(lab.delete(deployment()), 409) == "DeploymentActiveAndUneditable"
    assert lab.follow(found).body == {"status": "Succeeded"}
    assert lab.properties(deployment())["duration"] > "PT30M"  # E24: more than half an hour


def test_what_only_the_run_can_know_may_fail_it(lab: Lab) -> None:
    nowhere = f"[reference(resourceId('{IP}', 'nowhere')).ipAddress]"
    (reason,) = failed(lab, sent(template(ip("a", tags={"x": nowhere}))))["details"]
    assert reason["code"] == "ResourceNotFound"
    wrong = failed(lab, sent(template(ip("a"), outputs={"x": {"type": "int", "value": "text"}})))
    assert wrong["code"] == "DeploymentOutputEvaluationFailed" and "'x'" in wrong["message"]
    missing = "[reference('a').noSuchThing]"
    (reason,) = failed(lab, sent(template(ip("a"), ip("b", tags={"x": missing}))))["details"]
    assert reason["code"] == "InvalidTemplate" and "noSuchThing" in reason["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "InvalidRequestContent"),
        ({"properties": {}}, "InvalidRequestContent"),
        ({"properties": {"template": []}}, "InvalidRequestContent"),
        ({"properties": {"template": {"resources": []}}}, "InvalidTemplate"),
        (sent(template(), mode="Sometimes"), "InvalidRequestContent"),
        (sent(template(), unknown=1), "InvalidTemplate"),
        (sent(template(ip("a", "b"))), "InvalidTemplate"),
        (sent(template(ip("[noSuch()]"))), "InvalidTemplate"),
        (sent(template(ip("a", tags={"x": "[parameters('y')]"}))), "InvalidTemplate"),
        (sent(template(outputs={"x": {"type": "string", "value": "[variables('v')]"}})), "InvalidTemplate"),
        (sent(template(outputs={"x": {"type": "string"}})), "InvalidTemplate"),
        (sent(template(parameters={"p": {"type": "string"}})), "InvalidTemplate"),
        ({"properties": {"template": template(), "parameters": {"p": 1}}}, "InvalidDeploymentParameterValue"),
        (
            {"properties": {"template": template(), "parameters": {"p": {"reference": {}}}}},
            "KeyVaultParameterReferenceNotFound",
        ),
    ],
)
def test_what_is_no_deployment_is_refused_before_anything_happens(lab: Lab, body: Any, code: str) -> None:
    assert refusal(lab.put(deployment(), body)) == code
    assert refusal(lab.post(deployment() + "/validate", body)) == code
    asked = lab.post(deployment() + "/whatIf", body)
    if asked.status == 202:  # recorded: a template's fault is the answer to the question
        end = lab.follow(asked).body
        assert end["status"] == "Failed" and end["error"]["code"] == code == "InvalidTemplate"
        assert end["error"]["additionalInfo"][0]["type"] == "TemplateViolation"
    else:
        assert refusal(asked) == code
    assert lab.get(deployment()).status == 404 and lab.body(deployment("x").rsplit("/", 1)[0])["value"] == []


def test_types_and_links_that_the_lab_has_not_are_said_beforehand(lab: Lab) -> None:
    unknown = {"type": "Microsoft.Sql/servers", "apiVersion": "2021-01-01", "name": "s", "location": "eastasia"}
    assert refusal(lab.put(deployment(), sent(template(unknown))), 501) == "NotImplementedByLab"
    linked = {"properties": {"templateLink": {"uri": "https://example.com"}}}
    assert refusal(lab.put(deployment(), linked), 501) == "NotImplementedByLab"
    assert refusal(lab.put(deployment("x" * 65), sent(template()))) == "InvalidDeploymentName"
    assert refusal(lab.put(deployment(group="none"), sent(template())), 404) == "ResourceGroupNotFound"


def test_validate_keeps_nothing(lab: Lab) -> None:
    answer = lab.must(lab.post(deployment() + "/validate", sent(template(network("v"), ip("a")))))
    names = [item["id"].rsplit("/", 1)[-1] for item in answer.body["properties"]["validatedResources"]]
    assert names == ["v", "a"] and answer.body["properties"]["provisioningState"] == "Succeeded"
    lab.wait(60)
    assert lab.get(vnet("v")).status == lab.get(deployment()).status == 404


def test_complete_mode_takes_away_what_the_template_does_not_name(lab: Lab) -> None:
    deployed(lab, sent(template(network("v"), nic("n", dependsOn=["v"]), ip("a"))))
    lab.must(lab.put(f"{vnet('v')}/subnets/b", {"properties": {"addressPrefix": "10.0.9.0/24"}}))
    lab.wait(30)
    deployed(lab, sent(template(ip("a"), ip("b")), mode="Complete"))
    left = lab.body(f"{GROUP_ID}/resources")["value"]
    assert sorted(item["name"] for item in left) == ["a", "b"]
    assert lab.get(deployment()).status == 200


def test_cancel_begins_nothing_more(lab: Lab) -> None:
    first = lab.put(deployment(), sent(template(network("v"), nic("n", dependsOn=["v"]))))
    lab.wait(4)
    assert lab.post(deployment() + "/cancel").status == 204
    end = lab.get(first.headers["azure-asyncoperation"])
    assert end.body["status"] == "Canceled" and end.body["error"]["code"] == "DeploymentCanceled"
    lab.wait(60)
    assert lab.get(vnet("v")).status == 200 and lab.get(rid(NIC, "n")).status == 404
    assert lab.properties(deployment())["provisioningState"] == "Canceled"
    assert refusal(lab.post(deployment() + "/cancel"), 409) == "DeploymentCannotBeCancelled"


def test_delete_list_and_export(lab: Lab) -> None:
    made = template(ip("[concat('a', 'b')]"))
    deployed(lab, sent(made))
    assert lab.must(lab.post(deployment() + "/exportTemplate")).body == {"template": made}
    typed = {**made, "parameters": {"where": {"type": "string", "defaultValue": "here"}}}
    deployed(lab, sent(typed), deployment("typed"))
    kept = lab.must(lab.post(deployment("typed") + "/exportTemplate")).body["template"]
    assert kept["parameters"]["where"]["type"] == "String"
    lab.gone(deployment("typed"))
    collection = deployment("x").rsplit("/", 1)[0]
    lab.put(deployment("second"), sent(made))
    assert [item["name"] for item in lab.body(collection)["value"]] == ["main", "second"]
    running = lab.body(collection + "?$filter=provisioningState eq 'Accepted'")["value"]
    assert [item["name"] for item in running] == ["second"]
    assert lab.body(at_subscription().rsplit("/", 1)[0])["value"] == []
    lab.wait(60)
    gone = lab.delete(deployment())
    assert gone.status == 202 and lab.follow(gone).status == 204
    assert refusal(lab.get(deployment()), 404) == "DeploymentNotFound" and lab.get(rid(IP, "ab")).status == 200
    assert refusal(lab.post(deployment() + "/cancel"), 404) == "DeploymentNotFound"
    assert lab.send("HEAD", deployment()).status == 404 and lab.delete(deployment()).status == 204


def test_a_deployment_of_the_subscription_makes_a_group_and_deploys_into_it(lab: Lab) -> None:
    nested: Body = {
        "type": DEPLOYMENTS,
        "apiVersion": "2022-09-01",
        "name": "inside",
        "resourceGroup": "[parameters('group')]",
        "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('group'))]"],
        "properties": {
            "mode": "Incremental",
            "template": template(
                {**network("v"), "location": "[parameters('place')]"},
                outputs={"id": {"type": "string", "value": f"[resourceId(parameters('group'), '{IP}', 'x')]"}},
            ),
        },
    }
    whole = template(
        {
            "type": "Microsoft.Resources/resourceGroups",
            "apiVersion": "2022-09-01",
            "name": "[parameters('group')]",
            "location": "[parameters('place')]",
        },
        nested,
        parameters={
            "group": {"type": "string"},
            "place": {"type": "string", "defaultValue": "[deployment().location]"},
        },
        outputs={"id": {"type": "string", "value": "[reference('inside').outputs.id.value]"}},
    )
    assert refusal(lab.put(at_subscription(), sent(whole, group="new"))) == "LocationRequired"
    assert refusal(lab.put(at_subscription(), sent(whole, "Complete", "eastasia", group="new"))) == "InvalidDeployment"
    found = deployed(lab, sent(whole, location="southeastasia", group="new"), at_subscription())
    assert lab.body(vnet("v", group="new"))["location"] == "southeastasia"
    assert found["outputs"]["id"]["value"] == rid(IP, "x", group="new")
    made = [item["id"] for item in found["outputResources"]]
    assert sorted(made) == sorted([f"/subscriptions/{SUBSCRIPTION}/resourceGroups/new", vnet("v", group="new")])
    assert lab.body(deployment("inside", group="new"))["properties"]["provisioningState"] == "Succeeded"
    assert lab.body(at_subscription())["location"] == "southeastasia"
    assert refusal(lab.put(at_subscription(), sent(whole, location="eastasia", group="new")), 409) == (
        "InvalidDeploymentLocation"
    )


def test_a_nested_failure_is_told_from_the_inside_out(lab: Lab) -> None:
    inner = {
        "type": DEPLOYMENTS,
        "apiVersion": "2022-09-01",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": template(network("v", subnet="11.0.0.0/24"))},
    }
    (middle,) = failed(lab, sent(template(inner)))["details"]
    assert middle["code"] == "DeploymentFailed" and middle["target"] == deployment("inner")
    assert middle["details"][0]["code"] == "NetcfgSubnetRangeOutsideVnet"


def test_a_resource_that_another_operation_holds_is_tried_again(lab: Lab) -> None:
    lab.made(vnet("v"), {"location": "eastasia", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    subnets = [
        {
            "type": "Microsoft.Network/virtualNetworks/subnets",
            "apiVersion": "2024-05-01",
            "name": f"v/s{at}",
            "properties": {"addressPrefix": f"10.0.{at}.0/24"},
        }
        for at in range(3)
    ]
    deployed(lab, sent(template(*subnets)))
    assert [item["name"] for item in lab.properties(vnet("v"))["subnets"]] == ["s0", "s1", "s2"]


def test_a_lab_opened_again_goes_on_deploying(tmp_path: Any) -> None:
    lab = Lab(tmp_path / "lab.db")
    lab.put(deployment(), sent(template(network("v"), nic("n", dependsOn=["v"]))))
    lab.wait(3)
    lab.cloud.store.close()
    again = Lab(tmp_path / "lab.db", groups={})
    again.wait(60)
    assert again.properties(deployment())["provisioningState"] == "Succeeded"
    assert again.get(rid(NIC, "n")).status == 200
    again.cloud.store.close()


def test_a_group_that_goes_takes_its_deployments_along(lab: Lab) -> None:
    lab.put(deployment(), sent(template(network("v"), nic("n", dependsOn=["v"]))))
    lab.follow(lab.delete(GROUP_ID))
    assert lab.get(GROUP_ID).status == 404 and lab.get(deployment()).status in (404,)
    lab.must(lab.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": "eastasia"}))
    lab.wait(120)
    assert lab.get(deployment()).status == 404


def test_secure_values_are_in_no_journal_and_forgotten_at_the_end(lab: Lab) -> None:
    body = sent(template(ip("a"), parameters={"thing": {"type": "secureString"}}), thing="do-not-tell")
    deployed(lab, body)
    assert "do-not-tell" not in str(lab.journal())
    assert "do-not-tell" not in str(dict(lab.cloud.table("deployments")))


def test_a_vault_and_what_is_in_it_are_deployed(lab: Lab) -> None:
    vault = {
        "type": "Microsoft.RecoveryServices/vaults",
        "apiVersion": "2024-04-01",
        "name": "vault",
        "location": "southeastasia",
        "sku": {"name": "RS0", "tier": "Standard"},
        "properties": {"publicNetworkAccess": "Enabled"},
    }
    policy = {
        "type": "Microsoft.RecoveryServices/vaults/replicationPolicies",
        "apiVersion": "2024-10-01",
        "name": "vault/policy",
        "dependsOn": ["[resourceId('Microsoft.RecoveryServices/vaults', 'vault')]"],
        "properties": {
            "providerSpecificInput": {
                "instanceType": "A2A",
                "recoveryPointHistory": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 240,
                "multiVmSyncStatus": "Enable",
            }
        },
    }
    deployed(lab, sent(template(vault, policy)))
    at = rid("Microsoft.RecoveryServices/vaults/replicationPolicies", "vault", "policy")
    assert lab.properties(at)["providerSpecificDetails"]["instanceType"] == "A2A"


def test_a_region_that_is_silent_for_a_while_holds_a_deployment_up(lab: Lab) -> None:
    lab.put(deployment(), sent(template(ip("a"), ip("b", location="southeastasia"))))
    lab.fault(kind="region", region="southeastasia", state="lost")
    lab.wait(60)
    assert lab.properties(deployment())["provisioningState"] == "Running" and lab.get(rid(IP, "a")).status == 200
    lab.fault(kind="region", region="southeastasia", state="returned")
    lab.wait(minutes=10)
    assert lab.properties(deployment())["provisioningState"] == "Succeeded"


def test_locks_and_roles_are_deployed_like_everything_else(lab: Lab) -> None:
    lock = {
        "type": "Microsoft.Authorization/locks",
        "apiVersion": "2020-05-01",
        "name": "keep",
        "scope": f"{IP}/a",
        "dependsOn": ["a"],
        "properties": {"level": "CanNotDelete"},
    }
    role = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "[guid(resourceGroup().id, deployer().objectId)]",
        "properties": {
            "roleDefinitionId": "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions',"
            " 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]",
            "principalId": "11111111-0000-4000-8000-000000000000",
        },
    }
    deployed(lab, sent(template(ip("a"), lock, role)))
    assert refusal(lab.delete(rid(IP, "a")), 409) == "ScopeLocked"
    (assigned,) = lab.body(f"{GROUP_ID}/providers/Microsoft.Authorization/roleAssignments")["value"]
    assert assigned["properties"]["scope"] == GROUP_ID


def test_a_text_that_only_arm_reads_is_read_without_a_wire_too(lab: Lab) -> None:
    """`az deployment` puts a template's own text behind a bare name; the served door reads it, and so does the lab."""
    text = json.dumps(sent(template(ip("a")))).replace('"template":', "template: // as it is kept\n")
    assert lab.follow(lab.put(deployment(), text)).body == {"status": "Succeeded"}
    assert refusal(lab.put(deployment("y"), "{no: object")) == "InvalidRequestContent"
