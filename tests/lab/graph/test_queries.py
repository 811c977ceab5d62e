"""Resource Graph: the queries that this field uses, what they answer, and what is refused (L14)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.lab import Settings
from lab.authorization.callers import READER, as_, grant
from lab.core.bench import (
    GROUP,
    SUBSCRIPTION,
    Lab,
    example_lab,
    machine_body,
    network_body,
    nic_body,
    refusal,
    rid,
    subnet,
    vnet,
)
from lab.resources.deployed import GROUP_ID, IP

URL = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = Lab(groups={GROUP: "eastasia", "Other": "southeastasia"})
    hub = network_body("10.0.0.0/16", app="10.0.0.0/24", db="10.0.1.0/24")
    lab.made(vnet("hub"), {**hub, "tags": {"env": "prod", "tier": "1"}})
    lab.made(vnet("spoke", group="Other"), {**network_body("10.1.0.0/16", "southeastasia"), "tags": {"env": "test"}})
    for n in range(3):
        lab.made(rid("Microsoft.Network/networkInterfaces", f"nic{n}"), nic_body(subnet("hub", "app")))
    lab.made(f"{GROUP_ID}/providers/{IP}/ip", {"location": "eastasia", "sku": {"name": "Standard"}})
    return lab


def ask(lab: Lab, query: str, **options: Any) -> list[Any]:
    return list(lab.must(lab.post(URL, {"query": query, "options": options})).body["data"])


NETWORKS = "resources | where type =~ 'Microsoft.Network/virtualNetworks'"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"{NETWORKS} | project name | order by name asc", [{"name": "hub"}, {"name": "spoke"}]),
        (f"{NETWORKS} and resourceGroup == 'other' | project name", [{"name": "spoke"}]),
        (f"{NETWORKS} | where tags.env == 'prod' | project tags['tier']", [{"tags_tier": "1"}]),
        (f"{NETWORKS} | where isnotempty(tags.tier) | count", [{"Count": 1}]),
        (f"{NETWORKS} | where location in~ ('EastAsia', 'x') | project location", [{"location": "eastasia"}]),
        (f"{NETWORKS} | where name !in ('hub') | project name", [{"name": "spoke"}]),
        (f"{NETWORKS} | where name contains 'PO' | project name", [{"name": "spoke"}]),
        (f"{NETWORKS} | where id has 'hub' | project name", [{"name": "hub"}]),
        (f"{NETWORKS} | where id has 'hu' | count", [{"Count": 0}]),
        (f"{NETWORKS} | where name startswith 'HU' or name endswith 'zz' | project n = toupper(name)", [{"n": "HUB"}]),
        (f"{NETWORKS} | where name matches regex '^h.b$' | project name", [{"name": "hub"}]),
        (f"{NETWORKS} | where not(name == 'hub') | project name", [{"name": "spoke"}]),
        (
            f"{NETWORKS} | extend n = array_length(properties.subnets) | project name, n | order by n",
            [{"name": "hub", "n": 2}, {"name": "spoke", "n": 0}],
        ),
        (
            f"{NETWORKS} | where name == 'hub' | mv-expand s = properties.subnets"
            " | project subnet = tostring(s.name), prefix = s.properties.addressPrefix | order by subnet desc",
            [{"subnet": "db", "prefix": "10.0.1.0/24"}, {"subnet": "app", "prefix": "10.0.0.0/24"}],
        ),
        (
            f"{NETWORKS} | mv-expand s = properties.subnets | where isempty(s) | project name",
            [{"name": "spoke"}],
        ),
        (
            "resources | summarize count() by type | order by count_ desc, type asc | take 2",
            [
                {"type": "microsoft.network/networkinterfaces", "count_": 3},
                {"type": "microsoft.network/virtualnetworks", "count_": 2},
            ],
        ),
        (
            "Resources | summarize n = count(), names = make_set(name) by location | order by location asc | limit 1",
            [{"location": "eastasia", "n": 5, "names": ["hub", "nic0", "nic1", "nic2", "ip"]}],
        ),
        ("resources | summarize dcount(location), max(strlen(name))", [{"dcount_location": 2, "max_Column2": 5}]),
        (
            "resources | distinct location | order by location desc",
            [{"location": "southeastasia"}, {"location": "eastasia"}],
        ),
        ("resources | where name == 'none' | summarize count()", [{"count_": 0}]),
        (
            "resources | where type == 'microsoft.network/networkinterfaces'"
            " | extend net = tolower(tostring(properties.ipConfigurations[0].properties.subnet.id))"
            " | extend net = substring(net, 0, indexof(net, '/subnets/'))"
            f" | join kind=leftouter ({NETWORKS} | project net = tolower(id), env = tags.env) on net"
            " | summarize nics = count() by tostring(env)",
            [{"env": "prod", "nics": 3}],
        ),
        (
            f"{NETWORKS} | join kind=leftouter (resources | where name startswith 'nic' | project name, location)"
            " on $left.location == $right.location | project name, other = name1 | order by name asc, other asc",
            [
                {"name": "hub", "other": "nic0"},
                {"name": "hub", "other": "nic1"},
                {"name": "hub", "other": "nic2"},
                {"name": "spoke", "other": None},
            ],
        ),
        (
            f"{NETWORKS} | join kind=leftanti (resources | where name == 'ip') on location | project name",
            [{"name": "spoke"}],
        ),
        (
            "resources | where name == 'ip' | parse id with * '/resourceGroups/' rg '/providers/' rest"
            " | project rg, strlen(rest) > 5",
            [{"rg": "rg-lab", "Column2": True}],
        ),
        (
            "resources | where name == 'ip' | project size = iff(sku.name =~ 'standard', 'big', 'small'),"
            " case(1 == 2, 'a', 2 == 2, 'b', 'c'), strcat(name, '-', location), split(name, 'i')[1]",
            [{"size": "big", "Column2": "b", "Column3": "ip-eastasia", "Column4": "p"}],
        ),
        ("resources | where name == 'ip' | project a = 7 / 2, b = 7 % 2, c = -1 + 2 * 3", [{"a": 3, "b": 1, "c": 5}]),
        (
            "resources | where name == 'ip' | project x = parse_json('{\"a\": [1, 2]}').a[1], y = dynamic([3])[0]",
            [{"x": 2, "y": 3}],
        ),
        (
            "resources | where name == 'ip' | project ok = now() - 1h < now() and now() > datetime(2020-01-01)",
            [{"ok": True}],
        ),
        (
            "resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups'"
            " | project name | order by name asc",
            [{"name": "Other"}, {"name": GROUP}],
        ),
        (
            "resourcecontainers | where type == 'microsoft.resources/subscriptions' | project subscriptionId",
            [{"subscriptionId": SUBSCRIPTION}],
        ),
        (
            f"{NETWORKS} | project kind = 'net', name"
            " | union (resources | where name == 'ip' | project kind = 'ip', name)"
            " | summarize count() by kind | order by kind asc",
            [{"kind": "ip", "count_": 1}, {"kind": "net", "count_": 2}],
        ),
        (
            "where name == 'ip' | project-keep name, lo* | project-rename place = location",
            [{"name": "ip", "place": "eastasia"}],
        ),
        ('resources // all\n| where name == "ip"\n| project name', [{"name": "ip"}]),
        (
            "resources | summarize arg_max(name, location) by type | where type endswith 'virtualnetworks'"
            " | project name, location",
            [{"name": "spoke", "location": "southeastasia"}],
        ),
        ("resources | top 1 by name desc | project name", [{"name": "spoke"}]),
        ("resources | where properties.nothing.at.all == 'x' | count", [{"Count": 0}]),
        (
            "resources | where name between ('hub' .. 'ip') | project name | order by name asc",
            [{"name": "hub"}, {"name": "ip"}],
        ),
    ],
)
def test_what_queries_answer(lab: Lab, query: str, expected: list[Body]) -> None:
    assert ask(lab, query) == expected


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 400, "empty"),
        ("resources |", 400, "ends too early"),
        ("resources | where", 400, "ends too early"),
        ("resources | wher name == 'x'", 400, "wher"),
        ("resources | where Name == 'x'", 400, "'Name'; did you mean 'name'?"),
        ("resources | where name == 'x", 400, "not expected"),
        ("resources | project", 400, "ends too early"),
        ("resources | summarize name", 400, "aggregates"),
        ("resources | take many", 400, "no whole number"),
        ("resources | where tolower() == 'x'", 400, "other arguments"),
        ("resources | project-away nothing", 400, "'nothing'"),
        ("resources | join (resources) on nothing", 400, "'nothing'"),
        ("resources | where name matches regex '('", 400, "no regular expression"),
        ("nowhere | take 1", 400, "nowhere"),
        ("resources | where (((name", 400, "ends too early"),
        ("resources | where " + "(" * 200 + "1", 400, "nested too deeply"),
        ("resources | render piechart", 501, "the operator 'render'"),
        ("resources | where geo_distance(name) > 3", 501, "the function 'geo_distance'"),
        ("resources | summarize percentile(name)", 501, "the aggregate 'percentile'"),
        ("resources | join kind=fancy (resources) on id", 501, "a join of kind 'fancy'"),
        ("advisorresources | take 1", 501, "the table 'advisorresources'"),
    ],
)
def test_what_isnt_understood_is_refused(lab: Lab, query: str, status: int, says: str) -> None:
    answer = lab.post(URL, {"query": query})
    assert refusal(answer, status) == ("NotImplementedByLab" if status == 501 else "BadRequest")
    error = answer.body["error"]
    assert says in error["message"]
    if status == 400:
        assert error["details"][0]["code"] == "InvalidQuery" and error["details"][1]["line"] >= 1


def test_pages(lab: Lab) -> None:
    whole = lab.must(lab.post(URL, {"query": "resources | project id, name | order by name asc"})).body
    assert (whole["totalRecords"], whole["count"], whole["resultTruncated"]) == (6, 6, "false")
    seen, options = [], {"$top": 4}
    while True:
        query = "resources | project id, name | order by name asc"
        page = lab.must(lab.post(URL, {"query": query, "options": options})).body
        seen += [row["name"] for row in page["data"]]
        if "$skipToken" not in page:
            break
        options = {"$top": 4, "$skipToken": page["$skipToken"]}
    assert seen == [row["name"] for row in whole["data"]]
    cut = lab.must(lab.post(URL, {"query": "resources | project name", "options": {"$top": 2}})).body
    assert cut["resultTruncated"] == "true" and "$skipToken" not in cut
    assert [row["name"] for row in ask(lab, "resources | order by name asc", **{"$skip": 5})] == ["spoke"]
    for wrong in (
        {"$top": 0},
        {"$top": 1001},
        {"$top": "x"},
        {"$skipToken": "x"},
        {"resultFormat": "xml"},
        {"$skip": -1},
    ):
        assert refusal(lab.post(URL, {"query": "resources", "options": wrong})) == "BadRequest"


def test_a_table_has_columns_with_types(lab: Lab) -> None:
    query = "resources | where name == 'hub' | project name, tags, n = 1, yes = true"
    found = lab.must(lab.post(URL, {"query": query, "options": {"resultFormat": "table"}})).body["data"]
    assert found["columns"] == [
        {"name": "name", "type": "string"},
        {"name": "tags", "type": "object"},
        {"name": "n", "type": "integer"},
        {"name": "yes", "type": "boolean"},
    ]
    assert found["rows"] == [["hub", {"env": "prod", "tier": "1"}, 1, True]]


def test_only_what_may_be_read_in_the_subscriptions_that_were_named(lab: Lab) -> None:
    other = lab.must(lab.post(URL, {"query": "resources", "subscriptions": ["00000000-0000-0000-0000-00000000000f"]}))
    assert other.body["data"] == []
    mine = Lab(groups={GROUP: "eastasia", "other": "eastasia"})
    for group in (GROUP, "other"):
        mine.made(vnet("v", group=group), network_body("10.0.0.0/16"))
    grant(mine, READER, "Reader", GROUP_ID)
    seen = mine.must(mine.post(URL, {"query": "resources | project resourceGroup"}, **as_(READER))).body["data"]
    assert seen == [{"resourceGroup": GROUP}]
    assert len(ask(mine, "authorizationresources | where type == 'microsoft.authorization/roleassignments'")) == 1


def test_what_a_vault_protects_is_a_table_of_its_own() -> None:
    lab = example_lab()
    kinds = "resources | summarize n = count() by type | order by n desc"
    assert {"microsoft.compute/virtualmachines", "microsoft.network/expressroutecircuits"} <= {
        row["type"] for row in ask(lab, kinds)
    }
    machines = (
        "resources | where type =~ 'microsoft.compute/virtualmachines' | mv-expand nic ="
        " properties.networkProfile.networkInterfaces | extend nicId = tolower(tostring(nic.id))"
        " | join kind=leftouter (resources | where type =~ 'microsoft.network/networkinterfaces' | extend nicId ="
        " tolower(id), ip = tostring(properties.ipConfigurations[0].properties.privateIPAddress) | project nicId, ip)"
        " on nicId | project name, ip"
    )
    found = ask(lab, machines)
    assert found and all(row["ip"] for row in found)
    assert ask(lab, "recoveryservicesresources | count")[0]["Count"] >= 0


@pytest.mark.parametrize(
    "body",
    [{}, {"query": 3}, {"query": "resources", "subscriptions": "x"}, {"query": "resources", "subscriptions": [1]}],
)
def test_what_is_no_query_is_refused(lab: Lab, body: Any) -> None:
    assert refusal(lab.post(URL, body)) == "BadRequest"
    assert refusal(lab.post(URL, [])) == "InvalidRequestContent"
    assert refusal(lab.post(URL, {"query": "resources", "managementGroups": ["x"]}), 501)


def test_a_machine_says_whether_it_runs() -> None:
    lab = Lab()
    lab.made(vnet("v"), network_body("10.0.0.0/16", s="10.0.0.0/24"))
    for name in ("one", "two"):
        nic, machine = rid("Microsoft.Network/networkInterfaces", name), rid("Microsoft.Compute/virtualMachines", name)
        lab.made(nic, nic_body(subnet("v", "s")))
        lab.made(machine, machine_body(nic))
    lab.follow(lab.post(rid("Microsoft.Compute/virtualMachines", "two") + "/deallocate"))
    found = ask(
        lab,
        "resources | where type =~ 'microsoft.compute/virtualmachines' | project name,"
        " code = properties.extended.instanceView.powerState.code,"
        " said = tostring(properties.extended.instanceView.powerState.displayStatus) | order by name asc",
    )
    assert found == [
        {"name": "one", "code": "PowerState/running", "said": "VM running"},
        {"name": "two", "code": "PowerState/deallocated", "said": "VM deallocated"},
    ]


def test_fifteen_queries_in_five_seconds() -> None:
    lab = Lab(settings=Settings())
    left = [lab.post(URL, {"query": "resources"}).headers["x-ms-user-quota-remaining"] for _ in range(15)]
    assert left == [str(n) for n in range(14, -1, -1)]
    refused = lab.post(URL, {"query": "resources"})
    assert refusal(refused, 429) == "RateLimiting" and int(refused.headers["retry-after"]) <= 5
    lab.wait(5)
    assert lab.post(URL, {"query": "resources"}).status == 200
