"""Expressions of ARM templates: what they give, and how they say that they make no sense.

Values are those of Microsoft's own examples of each function where it has one; `uniqueString` and `guid` are what
Azure computes, bit by bit.
"""

from __future__ import annotations

from typing import Any

import pytest

from arm.templates import GROUP, SUBSCRIPTION, scope, value
from farshore.arm.templates import TemplateError
from farshore.arm.templates.evaluator import BUDGET

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plain", "plain"),
        ("[[plain]", "[plain]"),
        ("[not closed", "[not closed"),
        ("[ \n concat( 'it''s ' ,\n 'so' ) ]", "it's so"),
        ("[concat('a', 1, true())]", "a1True"),
        ("[concat(createArray(1), createArray('b'))]", [1, "b"]),
        ("[format('{0}-{1:D3}, {2} {{}}', 'a', 7, true())]", "a-007, True {}"),
        ("[format('{0,5}|{0,-5}|{1:N0}', 'ab', 12345)]", "   ab|ab   |12,345"),
        ("[padLeft(7, 3, '0')]", "007"),
        ("[toUpper(toLower('AbC'))]", "ABC"),
        ("[trim('  a ')]", "a"),
        ("[replace('1-2-3', '-', '')]", "123"),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[join(split('1,2', ','), '+')]", "1+2"),
        ("[substring('one two', 4, 3)]", "two"),
        ("[substring('one two', 4)]", "two"),
        ("[startsWith('abcdef', 'AB')]", True),
        ("[endsWith('abcdef', 'xy')]", False),
        ("[indexOf('abcABC', 'C')]", 2),
        ("[lastIndexOf('abcABC', 'c')]", 5),
        ("[base64ToString(base64('one, two'))]", "one, two"),
        ("[base64ToJson(base64('{\"a\": 1}')).a]", 1),
        ("[dataUriToString(dataUri('Hello'))]", "Hello"),
        ("[uri('http://contoso.com/resources/', 'nested.json')]", "http://contoso.com/resources/nested.json"),
        ("[uriComponentToString(uriComponent('a b/c'))]", "a b/c"),
        ("[uniqueString('hello', 'world')]", "a7wkljktk6wne"),
        ("[guid('a', 'b', 'c')]", "a98fa280-e03f-5afa-8d8e-92d0a9c201e8"),
        ("[string(createObject('a', true()))]", '{"a":true}'),
        ("[string(false())]", "False"),
        ("[json('null')]", None),
        ("[int('42')]", 42),
        ("[bool('TRUE')]", True),
        ("[float('3.5')]", 3.5),
        ("[length(createArray('a', 'b'))]", 2),
        ("[length('abc')]", 3),
        ("[empty(json('null'))]", True),
        ("[empty(createObject())]", True),
        ("[contains('OneTwo', 'two')]", False),
        ("[contains(createArray(1, 2), 2)]", True),
        ("[contains(createObject('One', 1), 'one')]", True),
        ("[first('abc')]", "a"),
        ("[last(createArray(1, 2, 3))]", 3),
        ("[skip(createArray(1, 2, 3), 1)]", [2, 3]),
        ("[take('abc', 9)]", "abc"),
        ("[range(5, 3)]", [5, 6, 7]),
        ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
        (
            "[union(createObject('a', createObject('b', 1)), createObject('a', createObject('c', 2)))]",
            {"a": {"b": 1, "c": 2}},
        ),
        ("[intersection(createArray(1, 2, 3), createArray(3, 2))]", [2, 3]),
        ("[intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))]", {"a": 1}),
        ("[flatten(createArray(createArray(1), createArray(2, 3)))]", [1, 2, 3]),
        ("[items(createObject('b', 2, 'a', 1))]", [{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
        ("[min(createArray(3, 1, 2))]", 1),
        ("[max(3, 5)]", 5),
        ("[add(1, mul(2, sub(9, 4)))]", 11),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[equals(createArray(1, 'a'), createArray(1, 'a'))]", True),
        ("[equals(1, true())]", False),
        ("[less('a', 'b')]", True),
        ("[greaterOrEquals(2, 2)]", True),
        ("[and(true(), not(false()), or(false(), true()))]", True),
        ("[if(false(), reference('nothing'), 'else')]", "else"),
        ("[or(true(), reference('nothing'))]", True),
        ("[coalesce(null(), json('null'), 'x')]", "x"),
        ("[tryGet(createObject('a', 1), 'b')]", None),
        ("[createObject('a', createArray(1, 2)).A[1]]", 2),
        ("[createObject('a', 1).?b]", None),
        ("[map(range(1, 3), lambda('n', mul(lambdaVariables('n'), 2)))]", [2, 4, 6]),
        ("[filter(range(1, 4), lambda('n', greater(lambdaVariables('n'), 2)))]", [3, 4]),
        ("[sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]", [1, 2, 3]),
        ("[reduce(range(1, 4), 0, lambda('s', 'n', add(lambdaVariables('s'), lambdaVariables('n'))))]", 10),
        ("[toObject(createArray('a', 'b'), lambda('n', lambdaVariables('n')), lambda('n', 1))]", {"a": 1, "b": 1}),
        (
            "[groupBy(createArray('aa', 'ab', 'b'), lambda('n', first(lambdaVariables('n'))))]",
            {"a": ["aa", "ab"], "b": ["b"]},
        ),
        ("[cidrSubnet('10.144.0.0/20', 24, 1)]", "10.144.1.0/24"),
        ("[cidrHost('10.144.3.0/24', 4)]", "10.144.3.5"),
        ("[parseCidr('10.144.0.0/20').lastUsable]", "10.144.15.254"),
        ("[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]", "2023-04-07T14:53:14Z"),
        ("[dateTimeAdd('2020-01-31T00:00:00Z', 'P1M', 'yyyy-MM-dd')]", "2020-02-29"),
        ("[dateTimeFromEpoch(dateTimeToEpoch('2026-03-01T08:00:00Z'))]", "2026-03-01T08:00:00Z"),
        ("[resourceGroup().tags.owner]", "us"),
        ("[deployment().name]", "main"),
        ("[resourceId('Microsoft.Network/virtualNetworks', 'v')]", NETWORK),
        ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]", f"{NETWORK}/subnets/s"),
        ("[resourceId('other', 'Microsoft.Network/virtualNetworks', 'v')]", NETWORK.replace("/rg/", "/other/")),
        (
            "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/r",
        ),
        (
            "[tenantResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
            "/providers/Microsoft.Authorization/roleDefinitions/r",
        ),
        (
            "[extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'l')]",
            f"{GROUP}/providers/Microsoft.Authorization/locks/l",
        ),
        ({"[concat('k', 1)]": ["[add(1, 1)]"]}, {"k1": [2]}),
        ({"copy": [{"name": "a", "count": 2, "input": {"n": "[copyIndex('a', 5)]"}}]}, {"a": [{"n": 5}, {"n": 6}]}),
    ],
)
def test_what_expressions_give(expression: Any, expected: Any) -> None:
    found = value(expression)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("[]", "ends too early"),
        ("[concat('a']]", "']' was not expected"),
        ("[1 + 2]", "not expected"),
        ("[concat.a]", "arguments in parentheses"),
        ("[noSuch('a')]", "'noSuch' is not valid"),
        ("[length(1)]", "must be a string, an array or an object, not Integer '1'"),
        ("[toLower()]", "requires 1 argument"),
        ("[add('a', 1)]", "must be an integer"),
        ("[div(1, 0)]", "division by zero"),
        ("[not('true')]", "must be a boolean"),
        ("[createArray(1)[3]]", "out of bounds"),
        ("[createObject('a', 1).b]", "available properties are 'a'"),
        ("[parameters('none')]", "parameter 'none' is not found"),
        ("[variables('none')]", "variable 'none' is not found"),
        ("[copyIndex()]", "can only be used in a resource with copy"),
        ("[utcNow()]", "default value of a parameter"),
        ("[resourceId('virtualNetworks', 'v')]", "fully qualified resource type"),
        ("[resourceId('Microsoft.Network/virtualNetworks', 'v', 's')]", "requires '1' resource name"),
        ("[managementGroup()]", "not expected at this location"),
        ("[substring('abc', 2, 5)]", "within the string"),
        ("[json('{')]", "a JSON string"),
        ("[range(0, 10001)]", "0 to 10000"),
        ("[map(createArray(1), 'x')]", "a lambda was expected"),
        ("[padLeft('a', 100000)]", "0 to 4096"),
        ("[subscription('x')]", "takes other arguments"),
        ("[if(false(), 1, fail('Not in this region.'))]", "Not in this region."),
        ("[" + "concat(" * 200 + "'a'" + ")" * 200 + "]", "nested too deeply"),
    ],
)
def test_what_makes_no_sense_is_said(expression: str, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        value(expression)
    assert says in caught.value.message and caught.value.code == "InvalidTemplate"


def test_a_template_that_computes_without_end_is_refused() -> None:
    body = "lambda('a', length(map(range(0, 1000), lambda('b', lambdaVariables('b')))))"
    with pytest.raises(TemplateError, match="too long"):
        value(f"[map(range(0, {BUDGET // 1000}), {body})]")
    doubled = {"variables": {f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 25)}}
    doubled["variables"]["v0"] = "aaaaaaaa"
    with pytest.raises(TemplateError, match="too long"):
        value("[variables('v24')]", doubled)


def test_variables_may_be_made_of_each_other_and_of_copies_but_not_of_themselves() -> None:
    template = {
        "variables": {
            "copy": [{"name": "nics", "count": 2, "input": "[concat(variables('prefix'), copyIndex('nics', 1))]"}],
            "prefix": "nic",
            "one": "[variables('other')]",
            "other": "[variables('one')]",
        }
    }
    assert value("[variables('NICS')]", template) == ["nic1", "nic2"]
    with pytest.raises(TemplateError, match="refers to itself"):
        value("[variables('one')]", template)


def test_a_template_has_functions_of_its_own() -> None:
    template = {
        "variables": {"v": 1},
        "functions": [
            {
                "namespace": "contoso",
                "members": {
                    "name": {
                        "parameters": [{"name": "of", "type": "string"}],
                        "output": {"type": "string", "value": "[concat(toLower(parameters('of')), '-x')]"},
                    },
                    "peeks": {"parameters": [], "output": {"type": "int", "value": "[variables('v')]"}},
                },
            }
        ],
    }
    assert value("[contoso.NAME('AB')]", template) == "ab-x"
    with pytest.raises(TemplateError, match="'variables' is not valid"):
        value("[contoso.peeks()]", template)
    with pytest.raises(TemplateError, match=r"takes 1 argument"):
        value("[contoso.name()]", template)


# Parameters. ---------------------------------------------------------------------------------------------------------


def with_parameter(**declaration: Any) -> dict[str, Any]:
    return {"parameters": {"p": {"type": "string", **declaration}}}


def test_defaults_are_evaluated_and_may_know_the_time() -> None:
    template = {
        "parameters": {
            "a": {"type": "string", "defaultValue": "[concat(parameters('b'), '-', resourceGroup().location)]"},
            "b": {"type": "string", "defaultValue": "[utcNow()]"},
            "c": {"type": "string", "defaultValue": "[newGuid()]"},
        }
    }
    made = scope(template, b="x")
    assert made.value("[parameters('A')]") == "x-eastasia"
    assert value("[parameters('b')]", template) == "20260301T080000Z"
    assert value("[parameters('c')]", template) == made.value("[parameters('c')]") != ""


@pytest.mark.parametrize(
    ("template", "given", "says"),
    [
        (with_parameter(), {}, "'p' is not provided"),
        (with_parameter(), {"q": 1}, "'q' in the parameters file are not valid"),
        (with_parameter(), {"p": 1}, "Expected 'String, Uri'. Actual 'Integer'"),
        (with_parameter(type="int"), {"p": True}, "Expected 'Integer'. Actual 'Boolean'"),
        (with_parameter(type="array"), {"p": {}}, "Expected 'Array'. Actual 'Object'"),
        (with_parameter(allowedValues=["a", "b"]), {"p": "c"}, "not part of the allowed value(s): 'a,b'"),
        (with_parameter(minLength=2), {"p": "c"}, "greater than or equal to '2'"),
        (with_parameter(maxLength=2), {"p": "abc"}, "less than or equal to '2'"),
        (with_parameter(type="int", minValue=2), {"p": 1}, "greater than or equal to '2'"),
        (with_parameter(type="int", maxValue=2), {"p": 3}, "less than or equal to '2'"),
        (with_parameter(type="text"), {"p": "a"}, "The allowed types are"),
        (with_parameter(defaultValue="[parameters('p')]"), {}, "refers to itself"),
        (with_parameter(defaultValue=1), {}, "Actual 'Integer'"),
    ],
)
def test_parameters_are_of_their_type_and_within_their_bounds(template: Any, given: Any, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        scope(template, **given).check_parameters()
    assert says in caught.value.message


def test_a_null_is_as_good_as_nothing_given() -> None:
    assert value("[parameters('p')]", with_parameter(defaultValue="d"), p=None) == "d"
    assert value("[parameters('p')]", with_parameter(nullable=True)) is None
