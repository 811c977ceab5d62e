"""A plan told round a table, and the history of drills: text, clock, decay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from farshore import examples, schemas
from farshore.cli.views.lines import fitted
from farshore.plan import make_plan
from farshore.plan.drills import DrillKind
from farshore.plan.model import StepKind
from farshore.report.history import LASTS, Drilled, due, history_text, judged
from farshore.report.tabletop import tabletop, tabletop_text
from outside import answer
from plan.estates import TWO, example


@pytest.mark.parametrize("name", examples.names())
def test_every_step_is_told_once_and_after_what_it_waits_for(name: str) -> None:
    plan = make_plan(example(name))
    told = tabletop(plan)
    assert sorted(line.step for line in told.lines) == sorted(
        [*(s.id for s in plan.steps), *(e.id for e in plan.events)]
    )
    lines = {line.step: line for line in told.lines}
    assert lines["disaster"].begins_seconds == 0
    for step in plan.steps:
        for before in step.after:
            assert lines[before].ends_seconds <= lines[step.id].begins_seconds + 0.001, (before, step.id)
    assert {line.step for line in told.lines if line.stops} == {
        step.id for step in plan.steps if step.kind in (StepKind.SITE, StepKind.PERSON)
    }


@pytest.mark.parametrize("room", [80, 140])
def test_a_tabletop_says_who_does_what_in_any_width(room: int) -> None:
    text = fitted(tabletop_text(tabletop(make_plan(example(TWO)))), room)
    assert max(map(len, text.splitlines())) <= room
    flat = " ".join(text.split())
    assert "T+0" in flat
    assert "STOPS" in flat
    assert "db1: not served for" in flat
    assert "ce2" in flat, "the exact router"
    assert "local preference" in flat


def test_a_proof_of_the_past_decays_by_age_and_by_change() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    one = Drilled(
        run="a", kind=DrillKind.PATH, scenario="path-drill", at=at, ok=True, made_from={"/x/table": "1", "/x/vm": "2"}
    )
    same = {"/x/table": "1", "/x/vm": "2", "/x/new": "3"}
    assert judged([one], same, at + LASTS - timedelta(days=1))[0].counts
    assert not judged([one], same, at + LASTS)[0].counts
    (changed,) = judged([one], {**same, "/x/table": "9"}, at)
    assert changed.changed == ("/x/table",)
    assert not changed.counts
    assert due([changed])[DrillKind.PATH] is None
    assert "stale by change: table" in history_text((changed,))
    assert due(judged([one], same, at))[DrillKind.PATH] is not None
    assert due(judged([one], same, at))[DrillKind.ISOLATED] is None


def test_a_recorded_tabletop_is_in_the_history_and_begins_no_run(tmp_path: Path) -> None:
    folder = tmp_path / TWO
    here = ("--project", str(folder))
    answer(tmp_path, "new", str(folder), "--example", TWO)
    told = answer(tmp_path, "drill", "--tabletop", "--scenario", "path-drill", *here)
    assert told["stops"]
    assert answer(tmp_path, "drill", "--history", *here)["value"] == []
    answer(tmp_path, "drill", "--tabletop", "--record", *here)
    found = answer(tmp_path, "drill", "--history", *here)
    assert [(row["kind"], row["counts"], row["changed"]) for row in found["value"]] == [("tabletop", True, [])]
    jsonschema.validate(told, schemas.read("tabletop"))
    jsonschema.validate(found, schemas.read("history"))
    assert found["due"]["path"] is None
    assert found["due"]["tabletop"] == found["value"][0]["due"]
    assert not (folder / ".farshore" / "runs.db").exists()
