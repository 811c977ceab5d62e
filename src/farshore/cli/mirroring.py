"""`farshore new NAME --mirror PROJECT`: the project after a run that stayed, its two regions having changed places.

which run?      PROJECT's latest, which is over and whose scenario says `stay`
read            the estate as PROJECT's cloud has it now
turn round      `plan/mirror.py`
write, read     farshore.yaml and estate.json into a new folder beside, which takes NAME once both can be read
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from farshore.cli import readings, runs
from farshore.cli.projects import Folder, read_folder, subscriptions_of
from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.cli.app import App
    from farshore.cli.runs import Run


def mirror(app: App, project: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """Write the mirror of `project` into `folder`, whole or not at all; what there is to say of it, by key of
    farshore.yaml. Raises `InputError` where the latest run has not ended by staying."""
    from farshore.estate.files import load, write_estate, write_text
    from farshore.estate.project_yaml import project_yaml
    from farshore.plan.mirror import mirrored

    old = Folder(project.resolve())
    declared, before = read_folder(old.path)
    run = _stayed(old)
    begun = runs.begun_with(old, run.id, declared)
    cloud = app.cloud or declared.cloud
    now = readings.from_cloud(app, old, cloud, subscriptions_of(before)).estate
    turned = mirrored(begun, run.plan, now, folder.resolve().name)
    top = (
        f"{declared.name} with its regions changed: run {run.id} has moved the machines to"
        f" {turned.project.source_region}, and they stay there.",
    )
    place = folder.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
    try:
        new = Folder(beside)
        write_text(new.yaml, project_yaml(turned.project, {"": top, **turned.notes}))
        write_estate(new.estate, now)
        load(beside)
        beside.chmod(0o755)
        beside.replace(place)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return dict(turned.notes)


def _stayed(folder: Folder) -> Run:
    from farshore.plan.model import Phase
    from farshore.plan.scenario.scenario import scenario_named
    from farshore.plan.scenario.words import Back

    if not folder.runs_db.is_file():
        raise InputError(
            "There are no runs in this project: nothing has been moved that a mirror could begin from",
            value=str(folder.path),
            expected="a project whose latest run was a `stay` and is over",
            remedy="farshore new NAME --estate FILE begins a project from an estate",
        )
    journal = runs.open_journal(folder)
    try:
        run = runs.latest(folder, journal, None)
    finally:
        journal.close()
    if scenario_named(run.plan.scenario).back is not Back.STAY or run.plan.of_phase(Phase.ABANDON):
        raise InputError(
            f"Run {run.id} did not end with the machines on the far shore for good",
            value=run.plan.scenario
            if not run.plan.of_phase(Phase.ABANDON)
            else f"the way back from {run.plan.scenario}",
            expected="a run whose scenario says `stay`",
            remedy="farshore plan --scenario stay plans one; farshore runs list shows what there was",
        )
    if run.status != "over":
        raise InputError(
            f"Run {run.id} is not over: it is {run.status}",
            value=run.id,
            expected="a run that has come to its end",
            remedy=run.next_action(),
        )
    return run
