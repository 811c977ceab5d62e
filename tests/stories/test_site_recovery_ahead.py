"""Site Recovery makes networks and mappings itself when replication is enabled (D11, D22, D44), and the plan completes
them: the whole story in the lab, where addresses are kept and where Site Recovery's copy is wrong (D86)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from farshore import examples
from outside import answer

MADE = {"Source-vNet1-asr", "Source-vNet2-asr"}


@pytest.mark.parametrize("name", ["two-circuits-two-locations", "single-circuit-new-addresses"])
def test_the_plan_completes_what_site_recovery_made(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(name), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    told = answer(folder, "exercise", "--scenario", "site-recovery-ahead")
    assert told["ok"], told["halted"]
    assert [phase["name"] for phase in told["phases"]][:2] == ["enable", "read"]
    plan = json.loads((Path(told["report"]).parent / "plan.json").read_text())
    steps = {step["id"]: step for step in plan["steps"]}
    completed = {
        step["title"].split()[3] for step in steps.values() if step["title"].startswith("Complete the network")
    }
    assert completed == MADE, "the hub has no machine that is replicated, and is the plan's to make (S31)"
    adopted = [step for step in steps.values() if step["title"].endswith("is replicated to southeastasia already")]
    assert len(adopted) == sum(machine["managed"] for machine in plan["machines"]) > 0
