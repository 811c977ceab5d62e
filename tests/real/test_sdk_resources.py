"""azure-mgmt-resource-deployments, -locks, -authorization and -resourcegraph as clients of the lab.

Made with what `tools/real.txt` installs; where one of them is not there its tests are left out.
"""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.authorization.callers import NOBODY, role_id
from lab.core.bench import GROUP, SUBSCRIPTION, network_body, vnet
from lab.resources.deployed import GROUP_ID, IP, ip, network, nic, sent, template
from real.clients import Azure, Credential, done


def client(azure: Azure, module: str, name: str) -> Any:
    return azure.client(getattr(pytest.importorskip(f"azure.mgmt.{module}"), name))


@pytest.fixture
def azure() -> Azure:
    return Azure()


def test_groups_lists_tags_and_providers(azure: Azure) -> None:
    resources = azure.resources
    made = resources.resource_groups.create_or_update("new", {"location": "eastasia", "tags": {"a": "b"}})
    assert made.properties.provisioning_state == "Succeeded"
    assert [item.name for item in resources.resource_groups.list(filter="tagName eq 'a' and tagValue eq 'b'")] == [
        "new"
    ]
    done(azure.network.virtual_networks.begin_create_or_update(GROUP, "v", network_body("10.0.0.0/16")))
    found = resources.resources.list(filter="resourceType eq 'Microsoft.Network/virtualNetworks'")
    assert [item.name for item in found] == ["v"]
    scope = vnet("v").lstrip("/")
    body: Body = {"operation": "Merge", "properties": {"tags": {"env": "prod"}}}
    tags = resources.tags
    update = getattr(tags, "begin_update_at_scope", None)
    said = done(update(scope, body)) if update is not None else tags.update_at_scope(scope, body)
    assert said.properties.tags == {"env": "prod"}
    assert tags.get_at_scope(scope).properties.tags == {"env": "prod"}
    provider = resources.providers.get("Microsoft.Network")
    kinds = {kind.resource_type: kind for kind in provider.resource_types}
    assert provider.registration_state == "Registered" and "2024-05-01" in kinds["virtualNetworks"].api_versions
    by_id = resources.resources.get_by_id(scope, api_version="2024-05-01")
    assert by_id.name == "v" and resources.resources.check_existence_by_id(scope, api_version="2024-05-01")


def test_a_deployment_from_validation_to_its_end(azure: Azure) -> None:
    deployments = client(azure, "resource.deployments", "DeploymentsMgmtClient").deployments
    operations = client(azure, "resource.deployments", "DeploymentsMgmtClient").deployment_operations
    whole = template(
        network("v"),
        nic("n", dependsOn=["v"]),
        parameters={"size": {"type": "int", "defaultValue": 2}},
        outputs={"size": {"type": "int", "value": "[parameters('size')]"}},
    )
    checked = done(deployments.begin_validate(GROUP, "main", sent(whole)))
    assert len(checked.properties.validated_resources) == 2
    what_if = done(deployments.begin_what_if(GROUP, "main", sent(whole)))
    assert what_if.status == "Succeeded" and {change.change_type for change in what_if.changes} == {"Create"}
    made = done(deployments.begin_create_or_update(GROUP, "main", sent(whole, size=3)))
    assert made.properties.provisioning_state == "Succeeded"
    assert made.properties.outputs == {"size": {"type": "Int", "value": 3}}
    assert deployments.check_existence(GROUP, "main") is True
    assert {item.properties.provisioning_state for item in operations.list(GROUP, "main")} == {"Succeeded"}
    assert [item.name for item in deployments.list_by_resource_group(GROUP)] == ["main"]
    assert deployments.export_template(GROUP, "main").template["resources"][0]["name"] == "v"
    done(deployments.begin_delete(GROUP, "main"))
    assert deployments.check_existence(GROUP, "main") is False


def test_a_deployment_that_fails_and_one_of_the_subscription(azure: Azure) -> None:
    from azure.core.exceptions import HttpResponseError

    deployments = client(azure, "resource.deployments", "DeploymentsMgmtClient").deployments
    with pytest.raises(HttpResponseError) as caught:
        done(deployments.begin_create_or_update(GROUP, "bad", sent(template(network("v", subnet="11.0.0.0/24")))))
    assert "NetcfgSubnetRangeOutsideVnet" in str(caught.value)
    with pytest.raises(HttpResponseError) as caught:
        done(deployments.begin_create_or_update(GROUP, "bad", sent(template(ip("a", "nowhere")))))
    assert caught.value.error is not None and caught.value.error.code == "InvalidTemplate"
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2022-09-01",
        "name": "made",
        "location": "[deployment().location]",
    }
    body = sent(template(group), location="southeastasia")
    done(deployments.begin_create_or_update_at_subscription_scope("sub", body))
    assert azure.resources.resource_groups.get("made").location == "southeastasia"


def test_locks(azure: Azure) -> None:
    from azure.core.exceptions import HttpResponseError

    locks = client(azure, "resource.locks", "ManagementLockClient").management_locks
    done(azure.network.virtual_networks.begin_create_or_update(GROUP, "v", network_body("10.0.0.0/16")))
    locks.create_or_update_at_resource_group_level(GROUP, "keep", {"properties": {"level": "CanNotDelete"}})
    assert [item.level for item in locks.list_at_resource_group_level(GROUP)] == ["CanNotDelete"]
    with pytest.raises(HttpResponseError) as caught:
        azure.network.virtual_networks.begin_delete(GROUP, "v")
    assert caught.value.error is not None and caught.value.error.code == "ScopeLocked"
    locks.delete_at_resource_group_level(GROUP, "keep")
    done(azure.network.virtual_networks.begin_delete(GROUP, "v"))


def test_role_assignments(azure: Azure) -> None:
    authorization = client(azure, "authorization", "AuthorizationManagementClient")
    (reader,) = authorization.role_definitions.list(f"/subscriptions/{SUBSCRIPTION}", filter="roleName eq 'Reader'")
    assert reader.id == role_id("Reader") and reader.role_type == "BuiltInRole"
    name = "11111111-0000-4000-8000-000000000000"
    body = {"properties": {"roleDefinitionId": reader.id, "principalId": NOBODY, "principalType": "ServicePrincipal"}}
    made = authorization.role_assignments.create(GROUP_ID, name, body)
    assert (made.principal_id, made.scope) == (NOBODY, GROUP_ID)
    assert [item.name for item in authorization.role_assignments.list_for_scope(GROUP_ID)] == [name]
    assert authorization.role_assignments.delete(GROUP_ID, name).name == name


def test_resource_graph(azure: Azure) -> None:
    module = pytest.importorskip("azure.mgmt.resourcegraph")
    graph = module.ResourceGraphClient(Credential(), **azure.options)
    azure.lab.made(f"{GROUP_ID}/providers/{IP}/a", {"location": "eastasia"})
    request = {
        "subscriptions": [SUBSCRIPTION],
        "query": "resources | where type =~ 'Microsoft.Network/publicIPAddresses'",
    }
    found = graph.resources(request)
    assert (found.total_records, found.count, found.result_truncated) == (1, 1, "false")
    assert found.data[0]["name"] == "a"
