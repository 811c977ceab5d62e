"""Templates both ways: an appliance's into puts, the target network as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.arm.ids import resource_id
from farshore.errors import InputError
from farshore.estate.project import Appliance
from farshore.plan import make_plan
from farshore.plan.model import Phase, StepKind
from farshore.plan.templates import as_template, expand, read_template
from plan.estates import NEW, TWO, example, source_id

GROUP = resource_id("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg")
NIC = source_id("Microsoft.Network/networkInterfaces", "nva-nic")


def evaluated(expression: Any, **parameters: Any) -> Any:
    template = {
        "parameters": {
            "size": {"type": "string", "defaultValue": "[concat('Standard_', 'D2')]"},
            "ask": {"type": "string"},
        },
        "variables": {"names": {"first": ["a", "b"]}, "full": "[format('{0}-{1}', parameters('size'), 'x')]"},
        "resources": [{"type": "Microsoft.Network/publicIPAddresses", "name": "p", "properties": {"v": expression}}],
    }
    (body,) = expand(template, GROUP, "southeastasia", parameters, file="t.json")
    return body["properties"]["v"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("[[not an expression]", "[not an expression]"),
        ("[parameters('size')]", "Standard_D2"),
        ("[variables('full')]", "Standard_D2-x"),
        ("[variables('names').first[1]]", "b"),
        ("[toLower(resourceGroup().location)]", "southeastasia"),
        ("[concat('it''s ', subscription().subscriptionId)]", "it's 00000000-0000-0000-0000-000000000001"),
        ("[createArray(1, int('2'))]", [1, 2]),
        (
            "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]",
            f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
        ),
        (
            "[resourceId('other', 'Microsoft.Network/virtualNetworks', 'v')]",
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers"
            "/Microsoft.Network/virtualNetworks/v",
        ),
        ({"a": ["[true()]", 3]}, {"a": [True, 3]}),
    ],
)
def test_expressions(expression: Any, value: Any) -> None:
    assert evaluated(expression) == value


def test_a_given_parameter_wins_over_its_default() -> None:
    assert evaluated("[parameters('size')]", size="Standard_F2") == "Standard_F2"


@pytest.mark.parametrize(
    "expression",
    ["[reference('x').id]", "[variables('none')]", "[concat('a']", "[1 + 2]", "[variables('names').second]", "[]"],
)
def test_what_cant_be_evaluated_is_named(expression: str) -> None:
    with pytest.raises(InputError) as caught:
        evaluated(expression)
    assert caught.value.file == "t.json" and caught.value.value


def test_a_parameter_without_a_value_is_named() -> None:
    with pytest.raises(InputError, match="parameter 'ask' is not provided"):
        evaluated("[parameters('ask')]")


def test_resources_come_after_what_they_depend_on() -> None:
    def resource(name: str, *depends: str) -> dict[str, Any]:
        return {"type": "Microsoft.Network/publicIPAddresses", "name": name, "dependsOn": list(depends)}

    by_id = "[resourceId('Microsoft.Network/publicIPAddresses', 'c')]"
    made = expand({"resources": [resource("a", by_id), resource("b", "a"), resource("c")]}, GROUP, "x", {}, file="t")
    assert [body["name"] for body in made] == ["c", "a", "b"]
    with pytest.raises(InputError, match="a -> b -> a"):
        expand({"resources": [resource("a", "b"), resource("b", "a")]}, GROUP, "x", {}, file="t")


def test_the_appliance_of_the_examples_stands_where_next_hops_lead() -> None:
    for name, address in ((TWO, "10.10.10.10"), (NEW, "10.110.10.10")):
        plan = make_plan(example(name))
        check = plan.step("provision/appliance-check/nva-nic")
        assert check is not None and check.action.arguments["address"] == address
        nic = plan.step("provision/appliance/nva-nic/networkInterfaces/nva-nic")
        assert nic is not None
        body = nic.action.arguments["body"]
        assert isinstance(body, dict)
        (configuration,) = body["properties"]["ipConfigurations"]
        assert configuration["properties"]["privateIPAddress"] == address
        assert configuration["properties"]["subnet"]["id"].endswith("Source-Hub-vNet-asr/subnets/nva")
        assert "virtualMachine" not in body["properties"]


def test_an_appliance_by_hand_is_asked_for_and_read_back() -> None:
    plan = make_plan(example(TWO, appliances=(Appliance(source=NIC, manual=True),)))
    step = plan.step("provision/appliance/nva-nic")
    assert step is not None and step.kind is StepKind.PERSON
    assert "10.10.10.10" in str(step.action.arguments["instruction"])
    check = plan.step("provision/appliance-check/nva-nic")
    assert check is not None and check.after == (step.id,)


def test_an_appliance_that_exists_is_checked_and_its_address_is_the_next_hop() -> None:
    estate = example(TWO)
    other = Appliance(source=NIC, existing=source_id("Microsoft.Network/networkInterfaces", "web1-nic"))
    plan = make_plan(example(TWO, appliances=(other,)))
    check = plan.step("provision/appliance-check/nva-nic")
    assert check is not None and check.action.arguments["address"] == "10.1.0.4" and estate is not None
    table = plan.step("provision/route-table/rt-source-vnet1")
    assert table is not None and "10.1.0.4" in str(table.action.arguments["body"])


def test_an_appliance_that_is_nowhere_is_bad_input() -> None:
    nobody = source_id("Microsoft.Network/networkInterfaces", "nobody")
    with pytest.raises(InputError, match="appliance nobody is not in the estate"):
        make_plan(example(TWO, appliances=(Appliance(source=nobody, manual=True),)))


def test_a_template_that_is_no_template(tmp_path: Path) -> None:
    project = str(tmp_path / "farshore.yaml")
    with pytest.raises(InputError, match="can't be read"):
        read_template(project, "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        read_template(project, "bad.json")
    (tmp_path / "empty.json").write_text("{}")
    with pytest.raises(InputError, match="has no resources"):
        read_template(project, "empty.json")


@pytest.mark.parametrize("name", examples.names())
def test_the_target_as_a_template(name: str) -> None:
    template = as_template(make_plan(example(name)))
    resources = {f"{r['type']}/{r['name']}": r for r in template["resources"]}
    ids = {
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-farshore-dr/providers/"
        + _path(r["type"], r["name"])
        for r in template["resources"]
    }
    assert "Microsoft.Network/virtualNetworkGateways/ergw-source-hub-asr" in resources
    for resource in resources.values():
        assert set(resource.get("dependsOn", ())) <= ids
        assert {"type", "apiVersion", "name"} <= set(resource) and "id" not in resource
    if name == TWO:
        connection = resources["Microsoft.Network/connections/cn-source-hub-asr"]
        assert any("virtualNetworkGateways" in id_ for id_ in connection["dependsOn"])
        assert any(id_.endswith("virtualMachines/nva") for id_ in connection["dependsOn"])
    assert len(template["resources"]) == sum(
        step.action.verb == "put" for step in make_plan(example(name)).of_phase(Phase.PROVISION)
    )


def _path(type_: str, name: str) -> str:
    namespace, *kinds = type_.split("/")
    return namespace + "".join(f"/{kind}/{part}" for kind, part in zip(kinds, name.split("/"), strict=True))
