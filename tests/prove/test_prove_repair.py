"""Repairs: what the search offers, what it leaves alone, and how the command line tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assess.bench import bench, built
from farshore import examples
from farshore.arm.ids import resource_id
from farshore.cli.app import run
from farshore.prove.edits import edits_of
from farshore.prove.repair import repair


def test_a_sound_estate_needs_nothing() -> None:
    assert repair(examples.read("two-circuits-two-locations")[1]) is None


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
