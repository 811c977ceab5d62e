"""A whole story with a drill over the path, doubted from outside: what the drill proved, and what it left."""

from __future__ import annotations

import json
from pathlib import Path

from outside import answer


def test_sites_reach_the_machines_of_a_path_drill_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    name = "single-circuit-new-addresses"
    told = answer(tmp_path, "exercise", "--example", name, "--project", str(tmp_path), "--scenario", "path-drill")
    assert told["ok"], told["halted"]
    run = Path(told["report"]).parent
    report = Path(told["report"]).read_text()
    assert report.count("appliance nva") == 2 * len(told["machines"]), "each machine, there and back"
    assert not [row for row in told["residue"] if "drill" in row["id"].lower() or row["id"].lower().endswith("-test")]
    assert not [row for row in told["residue"] if "/routes/" in row["id"] and "drill" in row["why"]]
    events = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    looked = [event for event in events if event["step"] == "drill/clean" and "result" in event["body"]]
    assert looked
    result = looked[-1]["body"]["result"]
    assert any(text.endswith("-test") for text in result["absent"])
    shown = [row for rows in result["tables"].values() for row in rows]
    assert shown
    assert not [row for row in shown if row.startswith(("10.201.", "10.202."))]
