"""With nothing ahead recovery takes as much longer as was predicted: told once in the lab, with two machines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from outside import answer, run

GONE = re.compile(r"/(app2|file1|web1|web2)\b")


@pytest.mark.parametrize("ahead", ["all-ahead", "nothing-ahead"])
def test_recovery_takes_as_long_as_was_predicted(ahead: str, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    run(tmp_path, "new", str(folder), "--example", "two-circuits-two-locations")
    estate = json.loads((folder / "estate.json").read_text())
    (folder / "estate.json").write_text(json.dumps([body for body in estate if not GONE.search(body["id"])]))
    project = (folder / "farshore.yaml").read_text()
    (folder / "farshore.yaml").write_text(re.sub(r"boot_order: .*", "boot_order: [[db1], [app1]]", project))

    told = answer(folder, "exercise", "--project", str(folder), "--scenario", f"{ahead}+no-drill")
    assert told["ok"] and len(told["machines"]) == 2
    for machine in told["machines"]:
        time = machine["recovery_time_seconds"]
        assert 0.8 <= time["measured"] / time["predicted"] <= 1.25, time
