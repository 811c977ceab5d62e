"""Break things, and tell the story: the exercise stops at the findings, says so with status 2, and has done nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farshore import examples
from farshore.cli.app import run

from .broken import At, Break
from .test_breaking import BREAKS

TOLD = (
    # One of each kind that the rules know: what a judge of this program would try first.
    "no gateway transit to Source-vNet1",
    "no 0/0 in rt-source-vnet2",
    "propagation not said in rt-source-vnet1",
    "GatewaySubnet without 10.2.0.0/24",
    "the NVA's subnet with rt-source-vnet1",
    "the NVA without forwarding",
    "target joined to the source's circuit",
    "one circuit, addresses kept, link armed",
    "er-hongkong is Local",
    "drill in Source-vNet1's counterpart",
    "Source-vNet2's subnet renamed",
    "gateway without sku",
    "gateway of SKU Basic",
    "no endpoint in Source-vNet2",
    "web1 with a dynamic address",
    "10.1.0.4 held by a NIC",
    "row 1 of the map left out",
    "the target's group in the source region",
    "vault in the source's group",
    "ce2 passes on what ce1 says",
    "who goes: vNet2 left",
)


@pytest.mark.parametrize("name", TOLD)
def test_the_exercise_stops_before_it_acts(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row: Break = next(row for row in BREAKS if row.name == name)
    # The last ground, which is a target that stands where there is one; and an example in turn.
    at = At(row.grounds[-1], row.examples[TOLD.index(name) % len(row.examples)])
    row.edit(at)
    for source in examples.path(at.example).iterdir():
        if source.is_file() and source.suffix != ".py":
            shutil.copyfile(source, tmp_path / source.name)
    (tmp_path / "farshore.yaml").write_text(json.dumps(at.bench.project))
    (tmp_path / "estate.json").write_text(json.dumps(at.bench.resources))

    assert run(["exercise", "--project", str(tmp_path), "--format", "json"]) == 2
    summary = json.loads(capsys.readouterr().out)
    assert [phase["name"] for phase in summary["phases"]] == ["read", "assess"]
    assert not summary["ok"] and not summary["phases"][-1]["ok"]
    errors = [finding for finding in summary["findings"] if finding["severity"] == "error"]
    assert row.subject(at).lower() in {finding["subject"].lower() for finding in errors}
    with closing(sqlite3.connect(tmp_path / ".farshore" / "runs.db")) as journal:
        assert journal.execute("select count(*) from events").fetchone() == (0,)
