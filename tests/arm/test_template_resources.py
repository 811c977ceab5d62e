"""The resources that a template declares: loops, conditions, children, ids, order."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from arm.templates import AT_SUBSCRIPTION, GROUP, PLACE, SUBSCRIPTION, scope
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.templates import Declared, Place, Scope, TemplateError, declared, inner_of

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "topologies"
IP = "Microsoft.Network/publicIPAddresses"


def ip(name: str, *depends: str, **more: Any) -> Body:
    return {"type": IP, "apiVersion": "2024-05-01", "name": name, "dependsOn": list(depends), **more}


def made(*resources: Body, place: Place = PLACE, **template: Any) -> list[Declared]:
    return declared(scope({"resources": list(resources), **template}, place))


def order(*resources: Body, **template: Any) -> list[str]:
    return [item.name for item in made(*resources, **template)]


def test_order_is_that_of_dependencies_however_they_are_written() -> None:
    assert order(ip("a", "b"), ip("b", f"{IP}/c"), ip("c")) == ["c", "b", "a"]
    assert order(ip("a", f"[resourceId('{IP}', 'b')]"), ip("b")) == ["b", "a"]
    by_loop = ip("[concat('n', copyIndex())]", copy={"name": "ips", "count": 2})
    assert order(ip("a", "ips"), by_loop) == ["n0", "n1", "a"]


def test_reference_is_a_dependency_too() -> None:
    asks = ip("a", tags={"x": f"[reference(resourceId('{IP}', 'b')).ipAddress]"})
    assert order(asks, ip("b")) == ["b", "a"]
    by_name = ip("a", tags={"x": "[if(true(), reference('b').ipAddress, '')]"})
    assert order(by_name, ip("b")) == ["b", "a"]
    turns = ip(
        "[concat('a', copyIndex())]",
        tags={"x": "[reference(concat('b', copyIndex())).ipAddress]"},
        copy={"name": "as", "count": 2},
    )
    found = {item.name: item.waits_for for item in made(turns, ip("b0"), ip("b1"))}
    assert [text.rsplit("/", 1)[-1] for text in found["a1"]] == ["b1"]


def test_what_is_not_deployed_is_waited_for_by_nobody() -> None:
    off = ip("b", condition="[equals(1, 2)]")
    (first, second) = made(ip("a", "b"), off)
    assert {first.name: first.deployed, second.name: second.deployed} == {"a": True, "b": False}
    assert first.waits_for == second.waits_for == ()


def test_a_loop_makes_its_turns_and_a_serial_one_waits_between_batches() -> None:
    body = ip(
        "[concat('n', copyIndex(1))]",
        copy={"name": "loop", "count": 3, "mode": "Serial", "batchSize": 2},
        tags={"at": "[string(copyIndex('loop'))]"},
    )
    within = scope({"resources": [body]})
    one, two, three = declared(within)
    assert [item.name for item in (one, two, three)] == ["n1", "n2", "n3"]
    assert three.body(within) == {"tags": {"at": "2"}}
    assert (one.waits_for, two.waits_for, three.waits_for) == ((), (), (one.key, two.key))
    assert made(ip("x", "loop"), ip("n", copy={"name": "loop", "count": 0}))[0].waits_for == ()


def test_properties_are_unrolled_within_the_turn_of_their_resource() -> None:
    body = ip(
        "[concat('n', copyIndex())]",
        copy={"name": "outer", "count": 2},
        properties={
            "copy": [{"name": "tags", "count": 2, "input": "[add(mul(copyIndex('outer'), 10), copyIndex('tags'))]"}]
        },
    )
    within = scope({"resources": [body]})
    assert [item.body(within)["properties"] for item in declared(within)] == [{"tags": [0, 1]}, {"tags": [10, 11]}]


def test_children_stand_inside_or_by_themselves() -> None:
    network = {
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2024-05-01",
        "name": "v",
        "resources": [{"type": "subnets", "apiVersion": "2024-05-01", "name": "s", "dependsOn": ["v"]}],
    }
    alone = {"type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "1", "name": "v/t", "dependsOn": ["v"]}
    found = made(network, alone)
    assert [item.id.removeprefix(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/") for item in found] == [
        "v",
        "v/subnets/s",
        "v/subnets/t",
    ]
    lock = {"type": "Microsoft.Authorization/locks", "apiVersion": "1", "name": "l"}
    on_network = {**lock, "scope": "Microsoft.Network/virtualNetworks/v", "dependsOn": ["v"]}
    old = {"type": "Microsoft.Network/virtualNetworks/providers/locks", "apiVersion": "1"}
    old["name"] = "v/Microsoft.Authorization/m"
    ids = [item.id for item in made({**network, "resources": []}, on_network, old, lock)]
    base = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
    assert ids == [
        base,
        f"{base}/providers/Microsoft.Authorization/locks/l",
        f"{base}/providers/Microsoft.Authorization/locks/m",
        f"{GROUP}/providers/Microsoft.Authorization/locks/l",
    ]


def test_names_that_are_symbols() -> None:
    template: Body = {
        "languageVersion": "2.0",
        "resources": {
            "there": {**ip("old"), "existing": True},
            "many": ip("[concat('m', copyIndex())]", copy={"name": "many", "count": 2}),
            "one": ip("o", "many", tags={"x": "[reference('many[1]').ipAddress]"}),
        },
    }
    del template["resources"]["there"]["dependsOn"]
    within = scope(template)
    found = declared(within)
    assert [(item.name, item.deployed) for item in found] == [("old", False), ("m0", True), ("m1", True), ("o", True)]
    assert within.resolve("there") == f"{GROUP}/providers/{IP}/old"


def test_a_deployment_of_the_subscription_makes_groups_and_deploys_into_them() -> None:
    group = {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "1", "name": "g", "location": "eastasia"}
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "1",
        "name": "d",
        "resourceGroup": "g",
        "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'g')]"],
        "properties": {"mode": "Incremental", "template": {"resources": []}},
    }
    one, two = made(nested, group, place=AT_SUBSCRIPTION)
    assert one.id == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
    assert two.id == f"{one.id}/providers/Microsoft.Resources/deployments/d" and two.waits_for == (one.key,)


def nested(scope_: str | None, **template: Any) -> Body:
    options = {} if scope_ is None else {"expressionEvaluationOptions": {"scope": scope_}}
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "1",
        "name": "[concat('d', copyIndex())]",
        "copy": {"name": "ds", "count": 2},
        "properties": {
            "mode": "Incremental",
            **options,
            "parameters": {"p": {"value": "[concat('inner', copyIndex())]"}},
            "template": {
                "parameters": {"p": {"type": "string"}},
                "variables": {"v": "inner"},
                "resources": [ip("[concat(parameters('p'), '-', variables('v'))]")],
                **template,
            },
        },
    }


@pytest.mark.parametrize(("how", "name"), [("inner", "inner1-inner"), ("outer", "outer-outer"), (None, "outer-outer")])
def test_a_nested_template_sees_its_own_or_the_outer_one(how: str | None, name: str) -> None:
    within = scope(
        {
            "parameters": {"p": {"type": "string", "defaultValue": "outer"}},
            "variables": {"v": "outer"},
            "resources": [nested(how)],
        }
    )
    item = declared(within)[1]
    inner = inner_of(within, item, item.body(within)["properties"])
    assert [below.name for below in declared(inner.scope(PLACE))] == [name]


def test_an_outer_scope_brings_its_loop() -> None:
    within = scope({"resources": [nested("outer", resources=[ip("[concat('n', copyIndex('ds'))]")])]})
    item = declared(within)[1]
    inner = inner_of(within, item, item.body(within)["properties"])
    assert [below.name for below in declared(inner.scope(PLACE))] == ["n1"]


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ([ip("a", "b")], "'b' is not defined in the template"),
        ([ip("a", "b"), ip("b", "a")], "Circular dependency"),
        ([ip("a"), ip("a")], "defined multiple times"),
        ([ip("a/b")], "incorrect segment lengths"),
        ([{"type": "publicIPAddresses", "name": "a"}], "incorrect segment lengths"),
        ([{"name": "a"}], "has no type"),
        ([{"type": IP}], "has no name"),
        (["a"], "has no type"),
        ([ip("a", condition="maybe")], "must be a boolean"),
        ([ip("a", copy={"name": "l", "count": -1})], "non-negative"),
        ([ip("a", copy={"name": "l", "count": "[json('{}')]"})], "non-negative"),
        ([ip("a", copy=3)], "must be an object"),
        ([ip("[copyIndex('l')]", copy={"name": "l", "count": 2})], "must be a text"),
        ([ip("[reference('b').x]"), ip("b")], "not expected at this location"),
        ([ip("a", condition="[reference('b').x]"), ip("b")], "not expected at this location"),
        ([ip("a", copy={"name": "l", "count": "[length(listKeys('b', '1').keys)]"}), ip("b")], "not expected"),
        ([ip("a", dependsOn=[1])], "array of texts"),
        ([ip("a", dependsOn="a")], "array of texts"),
        ([ip("a", scope=3)], "scope '3'"),
        ([ip("a", resources={})], "must be an array"),
    ],
)
def test_what_is_no_template_is_refused(resources: Any, says: str) -> None:
    if "must be an array" in says:
        resources[0]["resources"] = {"x": 1}
    with pytest.raises(TemplateError) as caught:
        made(*resources)
    assert says in caught.value.message


# Templates of the field. ---------------------------------------------------------------------------------------------


def everything(within: Scope, place: Place) -> list[Body]:
    """Bodies of all that is deployed, what is nested too."""
    found = []
    within.lenient = True
    for item in declared(within):
        if not item.deployed:
            continue
        body = item.body(within)
        if item.type.lower() == "microsoft.resources/deployments":
            id_ = resource_id(item.id)
            group = id_.group_id
            there = Place(subscription=id_.subscription, group=group)
            found += everything(inner_of(within, item, body["properties"]).scope(there), there)
        else:
            found.append({"id": item.id, "type": item.type, **body})
    return found


NOT_COMPARED = {"apiVersion", "name", "dependsOn", "comments", "copy", "condition", "scope", "metadata"}
NOT_SAID = ("location1", "location2")
"""Parameters without a default for which others chose something that the template does not allow."""


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where a body differs from what was written down; what only a deployment knows is not compared."""
    if isinstance(theirs, str) and any(mark in theirs for mark in ("<", "REDACTED", "uniq0000")):
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = {key for key in theirs if not key.startswith("[")} - NOT_COMPARED
        return [text for key in sorted(keys) for text in differences(ours.get(key), theirs.get(key), f"{path}.{key}")]
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        return [
            text
            for at, pair in enumerate(zip(ours, theirs, strict=True))
            for text in differences(*pair, f"{path}[{at}]")
        ]
    return [] if ours == theirs else [f"{path}: {ours!r} where {theirs!r} was expected"]


@pytest.mark.skipif(not DATA.is_dir(), reason="no topologies: FARSHORE_REAL_DATA names their folder")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.template.json")), ids=lambda path: path.name.split(".")[0])
def test_templates_of_the_field_give_what_they_gave_when_they_were_written_down(path: Path) -> None:
    template = json.loads(path.read_text())
    written = json.loads(path.with_name(path.name.replace(".template.", ".resolved.")).read_text())
    given = dict(written["_source"]["parameters_we_chose"])
    for name, declaration in template["parameters"].items():
        if name not in given and "defaultValue" not in declaration:
            given[name] = declaration.get("allowedValues", [f"<param:{name}>"])[0]
    first = resource_id(written["resources"][0]["id"])
    group = first.group_id
    assert group is not None
    place = Place(
        subscription=first.subscription,
        group=None if "subscriptionDeployment" in template["$schema"] else group,
        resource_group={"id": group.text, "name": group.name, "location": "eastus"},
        about_subscription={
            "id": f"/subscriptions/{first.subscription}",
            "subscriptionId": first.subscription,
            "tenantId": "t",
        },
        deployment={"name": "main"},
        environment={"suffixes": {"storage": "core.windows.net"}},
    )
    ours = {body["id"].lower(): body for body in everything(Scope(template, place, given), place)}
    compared = 0
    for body in written["resources"]:
        like = re.escape(body["id"].lower()).replace("uniq0000", "[a-z2-7]{13}")
        found = next((mine for key, mine in ours.items() if re.fullmatch(like, key)), None)
        assert found is not None, f"{body['id']} is not among {sorted(ours)}"
        if set(NOT_SAID) & set(template["parameters"]):
            body = {key: value for key, value in body.items() if key != "location"}
        assert differences(found, body) == []
        compared += 1
    assert compared == len(written["resources"]) > 0
