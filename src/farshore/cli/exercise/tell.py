"""One exercise from a project folder to what it left: the stage is set, the story told, the stage cleared."""

from __future__ import annotations

from pathlib import Path

from farshore.cli.exercise.story import Prover, Story, Told
from farshore.cli.planned import plan_for
from farshore.cli.projects import Folder, read_folder
from farshore.cli.runs import new_id
from farshore.cli.stage import open_stage
from farshore.cli.views import View
from farshore.prove import prove


async def tell(
    folder: Folder,
    view: View,
    *,
    example: str | None,
    seed: int | None,
    scenario: str,
    plan_file: Path | None,
    wait: bool = False,
    prover: Prover = prove,
    whole_disks: bool = True,
) -> Told:
    """Tell the story of a project in a fresh lab of its own, whose state stays in `.farshore/lab.db`. Whoever tells
    many stories may have a plan's proof already (`prover`), and compare of disks what was written (`whole_disks`)."""
    _, declared = read_folder(folder.path)
    if plan_file is not None:
        plan_for(declared, scenario, plan_file)  # a file that is no plan of this estate costs nobody the last lab
    async with open_stage(folder, declared, cloud="lab", wait=wait, fresh=True, seed=seed) as stage:
        run_id = new_id(stage.journal, "exercise")
        story = Story(
            stage,
            folder,
            declared,
            view,
            example=example,
            scenario=scenario,
            plan_file=plan_file,
            run_id=run_id,
            prover=prover,
            whole_disks=whole_disks,
        )
        return await story.tell()
