"""Machines of one consistency group go to one moment, by data: told in the lab, in a disaster and by a point that
applications agreed to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from farshore import examples
from outside import answer

GROUP = {"web1", "web2", "app1"}


@pytest.mark.parametrize("scenario", ["no-drill", "application-consistent+no-drill+no-way-back"])
def test_a_group_is_of_one_moment(scenario: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(
        examples.path("two-circuits-two-locations"), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    project = yaml.safe_load((folder / "farshore.yaml").read_text())
    project["machines"]["consistency_groups"] = [sorted(GROUP)]
    (folder / "farshore.yaml").write_text(yaml.safe_dump(project))
    told = answer(folder, "exercise", "--scenario", scenario)
    assert told["ok"], told["halted"]
    times = {row["id"].rsplit("/", 1)[-1]: row["recovery_point"]["time"] for row in told["machines"]}
    assert len({times[name] for name in GROUP}) == 1
    assert len({times[name] for name in set(times) - GROUP} | {times["web1"]}) > 1, "those beside have their own"
    for row in told["machines"]:
        for disk in row["disks"]:
            assert disk["recovery_point_sha256"] == disk["failed_over_sha256"]
