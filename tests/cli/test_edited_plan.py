"""A plan that somebody has edited so that Site Recovery would refuse a part of it (S45): who tells, what happens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from matrix.estates import write

from farshore.cli.projects import read_folder
from farshore.plan import make_plan, plan_as_json
from farshore.schemas import read
from outside import answer, farshore


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project, and beside it its plan without the commits."""
    place = tmp_path_factory.mktemp("edited") / "project"
    write("single-circuit-new-addresses", place)
    _, estate = read_folder(place)
    plan = make_plan(estate)
    gone = {step.id: step.after for step in plan.steps if step.action.verb == "commit"}
    steps = tuple(
        replace(step, after=tuple(before for id_ in step.after for before in gone.get(id_, (id_,))))
        for step in plan.steps
        if step.id not in gone
    )
    events = tuple(
        replace(event, after=tuple(before for id_ in event.after for before in gone.get(id_, (id_,))))
        for event in plan.events
    )
    (place / "plan.json").write_text(json.dumps(plan_as_json(replace(plan, steps=steps, events=events))))
    return place


def test_prove_tells_what_would_be_refused(folder: Path) -> None:
    document = answer(folder, "prove", "--plan", "plan.json", status=2)
    jsonschema.validate(document, read("proof"))
    assert document["ok"]
    assert {row["step"].split("/")[0] for row in document["refused"]} == {"reprotect"}
    assert all("has to be committed (S45, S50)" in row["said"] for row in document["refused"])


def test_an_exercise_of_it_touches_nothing(folder: Path) -> None:
    document = answer(folder, "exercise", "--plan", "plan.json", status=2)
    last: dict[str, Any] = document["phases"][-1]
    assert (last["name"], last["ok"]) == ("prove", False)


def test_a_run_of_it_begins_with_a_warning(folder: Path) -> None:
    """What comes before may be what is needed tonight."""
    process = farshore(folder, "provision", "--plan", "plan.json")
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "warning: Site Recovery refuses reprotect/" in told
    assert "the run will halt there" in told
