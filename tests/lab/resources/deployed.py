"""Templates to deploy, and deployments followed to their end."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, rid

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
IP, NETWORK, NIC = (
    f"Microsoft.Network/{kind}" for kind in ("publicIPAddresses", "virtualNetworks", "networkInterfaces")
)
DEPLOYMENTS = "Microsoft.Resources/deployments"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"


def template(*resources: Body, **parts: Any) -> Body:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **parts}


def ip(name: str, *depends: str, **more: Any) -> Body:
    return {
        "type": IP,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "eastasia",
        "dependsOn": list(depends),
        **more,
    }


def network(name: str, space: str = "10.0.0.0/16", subnet: str = "10.0.0.0/24", **more: Any) -> Body:
    return {
        "type": NETWORK,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "[resourceGroup().location]",
        "properties": {
            "addressSpace": {"addressPrefixes": [space]},
            "subnets": [{"name": "a", "properties": {"addressPrefix": subnet}}],
        },
        **more,
    }


def nic(name: str, net: str = "v", **more: Any) -> Body:
    subnet = {"id": f"[resourceId('{NETWORK}/subnets', '{net}', 'a')]"}
    return {
        "type": NIC,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "eastasia",
        "properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": subnet}}]},
        **more,
    }


def deployment(name: str = "main", group: str = GROUP) -> str:
    return rid(DEPLOYMENTS, name, group=group)


def at_subscription(name: str = "main") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/{DEPLOYMENTS}/{name}"


def sent(template: Body, mode: str = "Incremental", location: str | None = None, **parameters: Any) -> Body:
    values = {name: {"value": value} for name, value in parameters.items()}
    body: Body = {"properties": {"mode": mode, "template": template, "parameters": values}}
    return body if location is None else {**body, "location": location}


def deployed(lab: Lab, body: Body, url: str | None = None) -> Body:
    """Properties of a deployment that has succeeded."""
    url = url or deployment()
    end = lab.follow(lab.put(url, body))
    assert end.body == {"status": "Succeeded"}, end.body
    return lab.properties(url)


def failed(lab: Lab, body: Body, url: str | None = None) -> Body:
    """The error of a deployment that has failed."""
    url = url or deployment()
    end = lab.follow(lab.put(url, body))
    assert end.body["status"] == "Failed", end.body
    found = lab.properties(url)
    assert found["provisioningState"] == "Failed" and found["error"] == end.body["error"]
    return dict(end.body["error"])


def changes(lab: Lab, body: Body, url: str | None = None) -> dict[str, Body]:
    """What a what-if says, by the name of the resource."""
    end = lab.follow(lab.post((url or deployment()) + "/whatIf", body))
    assert end.status == 200 and end.body["status"] == "Succeeded"
    return {change["resourceId"].rsplit("/", 1)[-1]: change for change in end.body["properties"]["changes"]}
