"""Whatever is sent: an answer with ARM's own error, never a failure of the lab, and a refused write changes nothing.

Requests that make sense, with a part of them replaced by something else.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farshore.arm.json import Body
from lab.authorization.callers import AT_SUBSCRIPTION, READER, assignment, granted, role_id
from lab.core.bench import GROUP, Lab, network_body, vnet
from lab.resources.deployed import (
    DEPLOYMENTS,
    GROUP_ID,
    IP,
    at_subscription,
    deployment,
    ip,
    network,
    nic,
    sent,
    template,
)

MANY = settings(
    max_examples=int(os.environ.get("FARSHORE_FUZZ", "250")),
    deadline=None,
    derandomize=not os.environ.get("FARSHORE_FUZZ_NEW"),
    suppress_health_check=list(HealthCheck),
)
NOT_STATE = ("requests", "counters", "meta", "graph.quota")
TAGS = "/providers/Microsoft.Resources/tags/default"
LOCK = "/providers/Microsoft.Authorization/locks/keep"
GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        [
            "[",
            "[]",
            "[[x]",
            "[parameters('p')]",
            "[variables('v')]",
            "[copyIndex()]",
            "[reference('v')]",
            "[reference('v').a[0].b]",
            "[listKeys('x', '1')]",
            "[resourceId('a/b', 'c')]",
            "[concat(createArray(1), 'a')]",
            "[json('{')]",
            "[if(true(), 1, 2)]",
            "[deployment().properties.template]",
            "[format('{0', 1)]",
            "[substring('abc', -1)]",
            "[range(0, 5)]",
            "[utcNow()]",
            "[dateTimeAdd('2020', 'P99999Y')]",
            "[cidrSubnet('10.0.0.0/8', 33, 0)]",
            "/subscriptions/x/resourceGroups/y",
            "Microsoft.Network/virtualNetworks/v",
            "",
            "a/b/c",
            "eastasia",
            "\u0000",
        ]
    ),
    st.lists(st.sampled_from([1, "a", None, {}, []]), max_size=3),
    st.dictionaries(
        st.sampled_from(["name", "count", "type", "value", "a", "copy"]), st.sampled_from([1, "a", None, []])
    ),
)

NESTED: Body = {
    "type": DEPLOYMENTS,
    "apiVersion": "2022-09-01",
    "name": "inner",
    "dependsOn": ["v"],
    "properties": {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": "inner"},
        "parameters": {"p": {"value": "[reference('v').resourceGuid]"}},
        "template": template(
            ip("x"), parameters={"p": {"type": "string"}}, outputs={"o": {"type": "string", "value": "a"}}
        ),
    },
}
WHOLE = sent(
    template(
        network("v"),
        nic("n", dependsOn=["v"]),
        ip("[concat('i', copyIndex())]", copy={"name": "ips", "count": 2, "mode": "serial", "batchSize": 1}),
        ip("c", "ips", condition="[equals(parameters('p'), 'x')]", tags={"t": "[variables('v')[0]]"}),
        NESTED,
        parameters={"p": {"type": "string", "defaultValue": "x", "allowedValues": ["x", "y"], "maxLength": 3}},
        variables={"v": ["a"], "copy": [{"name": "w", "count": 2, "input": "[copyIndex('w')]"}]},
        functions=[
            {
                "namespace": "n",
                "members": {"f": {"parameters": [{"name": "a", "type": "int"}], "output": {"type": "int", "value": 1}}},
            }
        ],
        outputs={
            "o": {"type": "string", "value": "[reference('v').provisioningState]"},
            "p": {"type": "int", "value": 1},
        },
    )
)
WRITES: list[tuple[str, str, Body]] = [
    ("PUT", deployment(), WHOLE),
    ("PUT", at_subscription(), {**WHOLE, "location": "eastasia"}),
    ("POST", deployment() + "/validate", WHOLE),
    ("POST", deployment() + "/whatIf", WHOLE),
    (
        "PUT",
        vnet("old") + LOCK,
        {"properties": {"level": "ReadOnly", "notes": "x", "owners": [{"applicationId": "y"}]}},
    ),
    ("PUT", GROUP_ID + TAGS, {"properties": {"tags": {"a": "b"}}}),
    ("PATCH", vnet("old") + TAGS, {"operation": "Merge", "properties": {"tags": {"a": "b"}}}),
    ("PUT", assignment(GROUP_ID), granted(READER, "Reader")),
    (
        "PUT",
        role_id("Reader")[:-1] + "0",
        {
            "properties": {
                "roleName": "Own",
                "assignableScopes": [AT_SUBSCRIPTION],
                "permissions": [{"actions": ["*"], "notActions": ["*/delete"]}],
            }
        },
    ),
    ("POST", f"{GROUP_ID}/moveResources", {"resources": [vnet("old")], "targetResourceGroup": GROUP_ID}),
    (
        "POST",
        GRAPH,
        {"query": "resources | take 1", "subscriptions": [], "options": {"$top": 1, "resultFormat": "table"}},
    ),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(body: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    found = copy.deepcopy(body)
    target = found
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = junk
    return found


def state(lab: Lab) -> dict[str, Any]:
    tables = lab.cloud.store._tables
    return {name: dict(table) for name, table in tables.items() if name not in NOT_STATE and len(table)}


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, str, Any]:
    method, url, body = draw(st.sampled_from(WRITES))
    for _ in range(draw(st.integers(1, 2))):
        where = draw(st.sampled_from(list(places(body))))
        body = replaced(body, where, draw(JUNK))
    return method, url, body


@MANY
@given(mangled())
def test_a_request_with_a_part_of_it_wrong(request: tuple[str, str, Any]) -> None:
    lab = Lab()
    lab.made(vnet("old"), network_body("10.9.0.0/16"))
    method, url, body = request
    before = state(lab)
    answer = lab.send(method, url, body)
    assert answer.status < 500 or answer.status == 501, answer.body
    if answer.status >= 400:
        assert answer.body["error"]["code"] and answer.body["error"]["message"]
        assert state(lab) == before
        return
    # What was accepted ends, one way or the other, and can be read.
    lab.wait(hours=3)
    if "/deployments/" in url and method == "PUT":
        assert lab.properties(url)["provisioningState"] in ("Succeeded", "Failed")
        assert lab.get(url + "/operations").status == 200


WORDS = st.sampled_from(
    """
    resources | where project extend summarize by count() take limit order desc asc join kind=leftouter on mv-expand
    parse with distinct union ( ) [ ] , . = == =~ != in in~ contains has startswith and or not name type tags properties
    id 'a' "b" 1 2.5 7d -1 * + - / % tostring(name) tolower( isnotempty( array_length( dynamic([1]) strcat( make_set(
    arg_max( $left $right .. between matches regex iff( case( ago(1d) datetime(2020-01-01) top nulls first ; // @'x'
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


@MANY
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_a_query_of_any_words(query: str) -> None:
    lab = LAB
    answer = lab.post(GRAPH, {"query": "resources | " + query})
    assert answer.status in (200, 400, 501), answer.body


LAB = Lab()
LAB.made(vnet("v"), network_body("10.0.0.0/16", a="10.0.0.0/24"))
LAB.made(f"{GROUP_ID}/providers/{IP}/a", {"location": "eastasia", "tags": {"a": "b"}})

PARTS = st.sampled_from(
    [
        *("register", "validate", "whatIf", "cancel", "exportTemplate", "permissions", "Microsoft.ResourceGraph"),
        *(" ", "%"),
        *("subscriptions", AT_SUBSCRIPTION.split("/")[2], "resourceGroups", GROUP, "providers", "Microsoft.Resources"),
        *("deployments", "tags", "default", "Microsoft.Authorization", "locks", "roleAssignments", "roleDefinitions"),
        *(
            "operations",
            "x",
            "Microsoft.Network",
            "virtualNetworks",
            "v",
            "resources",
            "tagNames",
            "locations",
            "tenants",
        ),
        *(
            "register",
            "validate",
            "whatIf",
            "cancel",
            "exportTemplate",
            "permissions",
            "Microsoft.ResourceGraph",
            " ",
            "%",
        ),
    ]
)


@MANY
@given(
    st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]),
    st.lists(PARTS, max_size=9),
    st.sampled_from(
        [None, {}, [], "x", {"properties": {}}, {"properties": {"tags": {"a": "b"}}, "operation": "Merge"}]
    ),
)
def test_a_path_of_any_parts(method: str, parts: list[str], body: Any) -> None:
    answer = LAB.ask(method, "/" + "/".join(parts), body)
    assert answer is not None and (answer.status < 500 or answer.status == 501), answer
