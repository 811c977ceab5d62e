"""Facets: how often each value of a column stands in a query's answer, as recorded."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.core.bench import GROUP, Lab, network_body, refusal, vnet

URL = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
QUERY = "resources | project name, location"


@pytest.fixture(scope="module")
def lab() -> Lab:
    """Three networks in one region, one in another."""
    lab = Lab(groups={GROUP: "eastasia", "Other": "southeastasia"})
    for n in range(3):
        lab.made(vnet(f"v{n}"), network_body(f"10.{n}.0.0/16"))
    lab.made(vnet("far", group="Other"), network_body("10.9.0.0/16", "southeastasia"))
    return lab


def asked(lab: Lab, *facets: Any) -> list[Body]:
    return list(lab.must(lab.post(URL, {"query": QUERY, "facets": list(facets)})).body["facets"])


def test_values_are_counted_and_the_most_frequent_come_first(lab: Lab) -> None:
    (found,) = asked(lab, {"expression": "location"})
    assert found == {
        "expression": "location",
        "totalRecords": 2,
        "count": 2,
        "data": [{"location": "eastasia", "count": 3}, {"location": "southeastasia", "count": 1}],
        "resultType": "FacetResult",
    }
    (found,) = asked(lab, {"expression": "location", "options": {"sortOrder": "asc", "$top": 1}})
    assert (found["totalRecords"], found["data"]) == (2, [{"location": "southeastasia", "count": 1}])


def test_what_names_no_column_is_an_error_beside_the_others(lab: Lab) -> None:
    good, bad = asked(lab, {"expression": "location"}, {"expression": "depth"})
    assert (good["resultType"], bad["resultType"]) == ("FacetResult", "FacetError")
    assert [error["code"] for error in bad["errors"]] == ["NoValidColumns", "InvalidColumnNames"]


@pytest.mark.parametrize("facets", [{"expression": "x"}, ["x"], [{}], [{"expression": "name", "options": {"$top": 0}}]])
def test_what_is_no_facet_is_refused(lab: Lab, facets: Any) -> None:
    assert refusal(lab.post(URL, {"query": QUERY, "facets": facets})) == "BadRequest"
