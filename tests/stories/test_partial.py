"""Some machines go home and the others stay: the whole story, and what the comparison says of those who are away."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from farshore import examples
from outside import answer

STAY = {"app1", "app2", "web1", "web2"}


def test_those_who_stay_are_told_and_everything_else_is_as_it_was(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(examples.path("single-circuit-new-addresses"), project)
    described = yaml.safe_load((project / "farshore.yaml").read_text())
    # Machines are promised to the site only: the two networks have no way to each other (E38).
    described["objectives"] = described["objectives"][:1]
    (project / "farshore.yaml").write_text(yaml.safe_dump(described))
    told = answer(project, "exercise", "--project", str(project), "--scenario", "partial")
    assert told["ok"]
    verdicts = [row["verdict"] for row in told["objectives"] if row["phase"] == "failback"]
    assert verdicts == ["Delivered"], "by packets: those at home at home, those who stay where they are"
    away = [row for row in told["residue"] if "stays in southeastasia, protected towards eastasia" in row["why"]]
    absent = [row["id"] for row in away if row["path"] == "" and row["after"] is None]
    gone = {id_.rsplit("/", 1)[-1] for id_ in absent if "/disks/" not in id_}
    assert gone == STAY | {f"{name}-nic" for name in STAY}
    assert answer(project, "runs", "verify")["ok"]
