"""Records of a private zone lead to the far shore and home again: by the program (in the lab by the lab, which writes
them through ARM), and what a program can't know by a person. Told in the lab, with new addresses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from farshore import examples
from farshore.estate.estate import Change
from outside import answer
from plan.estates import NEW, example
from plan.test_plan_renaming import ZONE as AT_HOME
from plan.test_plan_renaming import endpoint, record

# A zone in a group of the lost region can't be written while that is lost (L36, FS802).
ZONE = AT_HOME.replace("rg-source", "rg-expressroute")
ZONE_BODY = {
    "id": ZONE,
    "name": "corp",
    "type": "Microsoft.Network/privateDnsZones",
    "location": "global",
    "properties": {},
}


def test_names_lead_there_and_home(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(NEW), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    records = [record("web1", "10.1.0.4"), record("db1", "10.1.0.6"), record("keys", "10.1.0.40")]
    bodies = [ZONE_BODY, *({**body, "id": body["id"].replace(AT_HOME, ZONE)} for body in records)]
    estate = example(NEW).with_changes(
        [Change(put=body) for body in [*bodies, endpoint("pe", "Source-vNet1", "10.1.0.40")]]
    )
    (folder / "estate.json").write_text(json.dumps(list(estate.resources.values())))
    project = yaml.safe_load((folder / "farshore.yaml").read_text())
    project["dns"] = {"command": ["/no/such/program/and/the/lab/does/not/ask/for/it"]}
    (folder / "farshore.yaml").write_text(yaml.safe_dump(project))
    told = answer(folder, "exercise")
    assert told["ok"], told["halted"]
    assert [row["step"] for row in told["decisions"]] == ["failover/names-by-hand", "failback/names-by-hand"]
    assert "keys" in told["decisions"][0]["asked"]
    run = Path(told["report"]).parent
    done = [
        event
        for line in (run / "journal.jsonl").read_text().splitlines()
        if (event := json.loads(line)).get("step") in ("failover/names", "failback/names") and event["kind"] == "done"
    ]
    shown = [[row["addresses"] for row in event["body"]["result"]["records"]] for event in done]
    assert shown == [[["10.101.0.6"], ["10.101.0.4"]], [["10.1.0.6"], ["10.1.0.4"]]], "read in ARM, there and at home"
    assert not [row for row in told["residue"] if "/A/" in row["id"]], "as they were"
