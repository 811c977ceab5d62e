"""`farshore drill --tabletop` and `--history`: a plan told round a table, and what the drills of a project proved.

A tabletop that is recorded is a file of its own, `.farshore/tabletops/DATE-SCENARIO.json`: it has no run, since nothing
ran. Every other drill is read from its run's plan, proof and journal. A project of a lab lives in the lab's time: there
the last thing that any run did is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farshore.arm.json import loads, pretty
from farshore.cli import runs
from farshore.cli.planned import plan_for
from farshore.cli.projects import Folder, read_folder
from farshore.cli.stage import BEGINNING
from farshore.estate.project import Project
from farshore.plan.drift import digests
from farshore.plan.drills import DrillKind, kinds_of
from farshore.plan.model import Phase
from farshore.report.history import Drilled, Judged, judged
from farshore.report.learned import is_over, learned
from farshore.report.tabletop import Tabletop, tabletop
from farshore.times import moment, stamp


def tell_tabletop(folder: Folder, scenario: str, plan_file: Path | None, *, record: bool) -> Tabletop:
    """The plan of the project as it lies in its files, told; no cloud is asked."""
    project, estate = read_folder(folder.path)
    plan = plan_for(estate, scenario, plan_file).plan
    told = tabletop(plan)
    if record:
        now = _now(folder, project)
        place = folder.state / "tabletops"
        place.mkdir(parents=True, exist_ok=True)
        body = {**told.as_json(), "at": stamp(now), "made_from": dict(plan.made_from)}
        runs.write_whole(place / f"{now:%Y%m%dT%H%M%S}-{plan.scenario}.json", pretty(body).encode())
    return told


def history(folder: Folder) -> tuple[Judged, ...]:
    """Every drill of the project, judged against the estate as its file has it."""
    project, estate = read_folder(folder.path)
    drills = [*_of_runs(folder), *_tabletops(folder)]
    now = _now(folder, project)
    return judged(drills, digests(estate), max((now, *(one.at for one in drills))))


def _now(folder: Folder, project: Project) -> datetime:
    if project.cloud != "lab":
        return datetime.now(UTC)
    if not folder.runs_db.is_file():
        return BEGINNING
    with closing(runs.open_journal(folder)) as journal:
        told = [journal.read(run_id)[-1].at for run_id in journal.runs()]
    return max(told, default=BEGINNING)


def _of_runs(folder: Folder) -> Iterator[Drilled]:
    if not folder.runs_db.is_file():
        return
    with closing(runs.open_journal(folder)) as journal:
        for run_id in journal.runs():
            run = runs.read(folder, journal, run_id)
            begun = set(run.state.started)
            for kind in kinds_of(run.plan):
                phases = (Phase.FAILOVER, Phase.FAILBACK) if kind is DrillKind.CONNECTIVITY else (Phase.DRILL,)
                if not begun & set(phases):
                    continue
                steps = [run.state.steps[step.id] for step in run.plan.of_phase(*phases)]
                at = max(step.settled_at or step.intended_at or run.events[0].at for step in steps)
                over = is_over(run.plan, run.state.ended)
                found = learned(run.plan, runs.proof_of(folder, run.id)) if over else ()
                yield Drilled(
                    run=run.id,
                    kind=kind,
                    scenario=run.plan.scenario,
                    at=at,
                    ok=over,
                    learned=found,
                    made_from=run.plan.made_from,
                )


def _tabletops(folder: Folder) -> Iterator[Drilled]:
    for path in sorted((folder.state / "tabletops").glob("*.json")):
        body: dict[str, Any] = loads(path.read_bytes())
        yield Drilled(
            run=path.stem,
            kind=DrillKind.TABLETOP,
            scenario=str(body["scenario"]),
            at=moment(str(body["at"])),
            ok=True,
            made_from=body["made_from"],
        )
