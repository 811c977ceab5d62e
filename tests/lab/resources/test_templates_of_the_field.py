"""Published templates deployed in the lab, and what became of them beside what they were written down to be.

A template that deploys a type which the lab has not is refused with that type's name before anything is made; every
other one must succeed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import registry
from lab.core.bench import Lab, refusal

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data") / "topologies"
TEMPLATES = sorted(DATA.glob("*.template.json"))
REFUSED = {"qs-expressroute-private-peering-vnet": "PublicIpWithBasicSkuNotAllowedOnExpressRouteGateways"}
"""L35: the template is from a time when that was allowed."""
VALUES = {
    "adminPassword": "Secret-of-the-lab-1",
    "storageAccountName": "stfield",
    "location1": "eastus",
    "location2": "westus2",
    "uniqueDnsPrefixForVM": "field",
    "principalId": "11111111-0000-4000-8000-000000000000",
}


@pytest.mark.skipif(not TEMPLATES, reason="no topologies: FARSHORE_REAL_DATA names their folder")
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name.split(".")[0])
def test_a_published_template_is_deployed(path: Path) -> None:
    template = json.loads(path.read_text())
    written = json.loads(path.with_name(path.name.replace(".template.", ".resolved.")).read_text())
    given = dict(written["_source"]["parameters_we_chose"])
    for name, declaration in template["parameters"].items():
        if name not in given and "defaultValue" not in declaration:
            given[name] = VALUES.get(name) or declaration.get("allowedValues", ["field"])[0]
    first = resource_id(written["resources"][0]["id"])
    lab = Lab(groups={})
    group = f"/subscriptions/{first.subscription}/resourceGroups/{first.resource_group}"
    whole = "/deploymentTemplate.json" not in template["$schema"]
    if not whole:
        lab.must(lab.put(group, {"location": "eastus"}))
    body: Body = {"properties": {"mode": "Incremental", "template": template}}
    body["properties"]["parameters"] = {name: {"value": value} for name, value in given.items()}
    root = f"/subscriptions/{first.subscription}" if whole else group
    url = f"{root}/providers/Microsoft.Resources/deployments/field"
    answer = lab.put(url, {**body, "location": "eastus"} if whole else body)
    if answer.status == 501:
        _must_name_what_is_missing(answer.body["error"]["message"], written)
        assert refusal(answer, 501) == "NotImplementedByLab" and lab.body(f"{group}/resources")["value"] == []
        return
    end = lab.follow(answer)
    if end.body["status"] == "Failed":
        # Nested deployments learn late of a type that the lab has not; and what Azure refuses by now it refuses here.
        assert REFUSED.get(path.name.split(".")[0], "NotImplementedByLab") in json.dumps(end.body), end.body
        return
    networks = [item for item in written["resources"] if item["type"].lower() == "microsoft.network/virtualnetworks"]
    for item in networks:
        made = lab.properties(item["id"])
        assert made["addressSpace"] == item["properties"]["addressSpace"]
        prefixes = {subnet["name"]: subnet["properties"]["addressPrefix"] for subnet in made["subnets"]}
        said = {inner["name"]: inner["properties"]["addressPrefix"] for inner in item["properties"].get("subnets", [])}
        assert said.items() <= prefixes.items()


def _must_name_what_is_missing(said: str, written: Any) -> None:
    named = next(word.rstrip(",") for word in said.split() if word.startswith("Microsoft."))
    assert named.lower() not in registry.TYPES


@pytest.mark.skipif(not TEMPLATES, reason="no topologies: FARSHORE_REAL_DATA names their folder")
def test_some_are_deployed_to_their_end() -> None:
    """So that the test above can't pass by refusing all of them."""
    types = {path.name.split(".")[0]: json.loads(path.read_text())["resources"] for path in TEMPLATES}
    whole = [name for name, items in types.items() if all(item["type"].lower() in registry.TYPES for item in items)]
    assert {"qs-expressroute-private-peering-vnet", "qs-userdefined-routes-appliance"} <= set(whole)
