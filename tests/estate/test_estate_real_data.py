"""Everything that real subscriptions, templates and publications hold can be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.estate import Change, Estate
from farshore.estate.files import read_estate_file
from farshore.estate.reading import NESTED, find, resources_of

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
TOPOLOGIES = sorted((DATA / "topologies").glob("*.resolved.json")) + sorted(
    (DATA / "topologies" / "inventories").glob("*.json")
)
CASES = sorted((DATA / "routing-cases").glob("*.json"))

needs_data = pytest.mark.skipif(not TOPOLOGIES, reason="no real data: set FARSHORE_REAL_DATA to its folder")


def models(estate: Estate) -> list[Any]:
    return [
        *estate.virtual_networks,
        *estate.route_tables,
        *estate.network_security_groups,
        *estate.network_interfaces,
        *estate.virtual_network_gateways,
        *estate.connections,
        *estate.express_route_circuits,
        *estate.virtual_machines,
    ]


@needs_data
@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_a_real_topology_reads_and_loses_nothing(path: Path) -> None:
    estate = read_estate_file(path)
    assert models(estate)
    for body in resources_of(json.loads(path.read_text())):
        found = find(estate.resources, resource_id(body["id"]))
        assert found is not None
        id_ = resource_id(body["id"])
        assert (id_.key in estate.resources) == (id_.type.lower() not in NESTED or body["id"] in estate.unread)
    again = Estate.from_resources(list(estate.resources.values()))
    assert again.fingerprint == estate.fingerprint and again.unread == estate.unread


@needs_data
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_measured_case_reads_in_each_of_its_states(path: Path) -> None:
    case = json.loads(path.read_text())
    estate = Estate.from_resources(case["estate"])
    for state in case["states"]:
        changes = [
            Change(put=change["put"]) if "put" in change else Change(delete=resource_id(change["delete"]))
            for change in state["changes"]
        ]
        after = estate.with_changes(changes)
        assert models(after)
        for change in changes:
            if change.put is not None:
                assert after.get(change.put["id"]) is not None
