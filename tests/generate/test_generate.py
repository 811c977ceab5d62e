"""Generated estates: the same seed the same bytes, within Azure's limits, read by our own strict reading."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.arm.json import dumps
from farshore.assess import assess
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import read_project
from farshore.generate import Shape, generate, project
from farshore.generate.shape import MOST_ROUTES

SHAPES = st.builds(
    Shape,
    spokes=st.integers(1, 30),
    machines=st.integers(1, 120),
    prefixes=st.integers(4, 80),
    seed=st.integers(0, 1000),
    shape=st.sampled_from(("shared", "adversarial")),
    hubs=st.integers(0, 4),
    circuits=st.integers(0, 6),
    routes_per_table=st.integers(0, 30),
    drift=st.booleans(),
)


def _estate(shape: Shape, folder: Path) -> Estate:
    (folder / "farshore.yaml").write_text(yaml.safe_dump(project(shape)))
    return Estate.from_resources(list(generate(shape)), read_project(folder / "farshore.yaml"))


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_one_seed_is_one_estate_to_the_byte(shape: Shape) -> None:
    assert [dumps(body) for body in generate(shape)] == [dumps(body) for body in generate(shape)]
    assert project(shape) == project(shape)


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_names_are_unique_and_what_a_body_names_stands_before_it(shape: Shape) -> None:
    seen: set[str] = set()
    for body in generate(shape):
        key = str(body["id"]).lower()
        assert key not in seen
        seen.add(key)
    kinds = Counter(key.split("/")[7] for key in seen)
    assert kinds["virtualmachines"] >= shape.machines


def test_a_seed_s_estate_is_read_strictly_and_assessed(tmp_path: Path) -> None:
    estate = _estate(Shape(spokes=24, machines=120, prefixes=40, seed=7), tmp_path)
    codes = Counter(finding.code for finding in assess(estate).findings)
    assert codes, "an estate with drifted spokes is not clean"


def test_an_adversarial_estate_shares_no_table(tmp_path: Path) -> None:
    estate = _estate(Shape(spokes=24, machines=120, prefixes=40, seed=7, shape="adversarial"), tmp_path)
    named = Counter(_tables(estate))
    assert named and max(named.values()) == 1


def _tables(estate: Estate) -> list[str]:
    found: list[str] = []
    for body in estate.resources.values():
        inside: Any = body.get("properties") or {}
        for subnet in inside.get("subnets") or ():
            table = (subnet.get("properties") or {}).get("routeTable")
            if table:
                found.append(str(table["id"]).lower())
    return found


@settings(max_examples=20, deadline=None)
@given(st.integers(MOST_ROUTES - 1, 1000))
def test_a_table_beyond_azure_s_limit_is_refused_with_its_number(routes: int) -> None:
    with pytest.raises(InputError) as refused:
        Shape(routes_per_table=routes)
    assert "R11" in str(refused.value.expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"spokes": 0},
        {"machines": 0},
        {"prefixes": 3},
        {"shape": "odd"},
        {"spokes": 1000, "hubs": 1},
        {"hubs": 300},
        {"machines": 100_000_000},
        {"prefixes": 1_000_000},
    ],
)
def test_what_can_t_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Shape(**wrong)
