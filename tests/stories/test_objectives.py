"""An exercise whose recovery time passes its objective goes to its end, says so and ends with 2."""

from __future__ import annotations

import shutil
from pathlib import Path

from farshore import examples
from outside import answer


def test_an_objective_that_is_not_kept_is_no_success(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(examples.path("single-circuit-kept-addresses"), folder)
    project = folder / "farshore.yaml"
    project.write_text(project.read_text().replace("recovery_time_minutes: 60", "recovery_time_minutes: 5"))
    told = answer(folder, "exercise", "--scenario", "no-drill+no-way-back", status=2)
    assert not told["ok"] and told["halted"] is None and all(phase["ok"] for phase in told["phases"])
    assert {(row["what"], row["excuse"]) for row in told["objectives_not_kept"]} == {("recovery time", None)}
    assert "Not kept" in Path(told["report"]).read_text()
