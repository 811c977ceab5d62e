"""Repairs: what the search offers, what it leaves alone, and how the command line tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assess.bench import TWO, bench, built
from assess.broken import At
from assess.paired import PAIRED
from farshore import examples
from farshore.arm.ids import resource_id
from farshore.cli.app import run
from farshore.plan.make import make_plan
from farshore.prove import prove
from farshore.prove.edits import edits_of
from farshore.prove.repair import repair
from prove.faults.reading import estate_of


def test_a_sound_estate_needs_nothing() -> None:
    assert repair(examples.read("two-circuits-two-locations")[1]) is None


def test_two_circuits_of_the_source_whose_weights_the_site_mirrors_need_nothing() -> None:
    """E42: nor does the plan, which leaves what the site prefers among them as it is, break it on its way."""
    estate = estate_of(At(PAIRED, TWO))
    assert repair(estate) is None
    assert prove(estate, make_plan(estate)).ok


def test_no_edit_connects_a_gateway_to_a_circuit_that_it_is_connected_to() -> None:
    estate = estate_of(At(PAIRED, TWO))
    circuits = [connection.peer for connection in estate.connections]
    for connection in estate.connections:
        for edit in edits_of(estate, connection.id):
            left = [held.peer for held in edit.apply(estate).connections]
            assert len(left) < len(circuits) or len(set(left)) == len(left), edit.text


def test_two_faults_take_two_edits() -> None:
    here = bench()
    here.properties("nva-nic")["enableIPForwarding"] = False
    here.properties("rt-source-vnet1")["disableBgpRoutePropagation"] = False
    found = repair(here.estate(), proven=False)
    assert found is not None
    assert sorted(edit.subject.rsplit("/", 1)[-1] for edit in found.edits) == ["nva-nic", "rt-source-vnet1"]


def test_nothing_that_holds_data_is_offered_to_be_deleted() -> None:
    estate = built().estate()
    for body in estate.resources.values():
        id_ = str(body["id"])
        if any(kind in id_.lower() for kind in ("virtualmachines", "disks", "vaults", "circuits", "storage")):
            assert not [edit for edit in edits_of(estate, resource_id(id_)) if edit.text.startswith("delete")]


def test_a_broken_deny_is_mended_by_a_change_and_never_by_asking_less() -> None:
    here = bench()
    forbidden = {"name": "no ssh", "from": "datacenter", "to": "machines", "ports": ["tcp/22"], "deny": True}
    here.project["objectives"].append(forbidden)
    found = repair(here.estate(), proven=False)
    assert found is None or not any(edit.weakens for edit in found.edits), found
    kept = here.estate() if found is None else found.estate
    assert kept.project is not None and "no ssh" in [item.name for item in kept.project.objectives]


def test_a_denied_icmp_objective_is_mended_at_the_group_that_denies_it() -> None:
    here = bench()
    here.project["objectives"] = [{"name": "ping", "from": "datacenter", "to": "machines", "ports": ["icmp"]}]
    rule = {"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "Icmp"}
    every = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "sourcePortRange": "*"}
    group = next(item for item in here.resources if item["type"].lower().endswith("/networksecuritygroups"))
    rules = group["properties"].setdefault("securityRules", [])
    rules.append({"name": "no-ping", "properties": {**rule, **every, "destinationPortRange": "*"}})
    found = repair(here.estate(), proven=False)
    assert found is not None
    groups = {"nsg-source-vnet1-app", "nsg-source-vnet2-app"}
    assert {edit.subject.rsplit("/", 1)[-1] for edit in found.edits} == groups, found.text


def test_an_objective_that_survives_what_the_topology_can_t_is_asked_to_promise_less() -> None:
    here = bench("single-circuit-kept-addresses")
    here.project["objectives"][0].update(survive=["circuit-link", "circuit"])
    found = repair(here.estate(), proven=False)
    assert found is not None and [edit.weakens for edit in found.edits] == [True]
    assert "not claim to survive the loss of any one circuit" in found.text


def test_prove_tells_what_to_do_about_the_estate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = bench()
    here.properties("rt-source-gateway")["routes"].pop(0)
    for source in examples.path("two-circuits-two-locations").iterdir():
        if source.is_file():
            shutil.copyfile(source, tmp_path / source.name)
    (tmp_path / "estate.json").write_text(json.dumps(here.resources))
    assert run(["prove", "--project", str(tmp_path), "--format", "json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    (edit,) = answer["repair"]
    assert edit["subject"].endswith("/routeTables/rt-source-gateway")
    assert "10.1.0.0/24" in edit["text"] and "10.10.10.10" in edit["text"]
