"""`farshore exercise`: the whole story in the lab, with proof and a report."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common


@click.command("exercise")
@click.option("--example", default=None, help="Tell the story of an example in place of a project.")
@click.option("--seed", type=int, default=None, help="The lab's seed: other durations, other luck.")
@click.option("--scenario", default="published", show_default=True, help="The story; `list` lists them.")
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), default=None, help="A plan file to prove and run."
)
@common
def command(app: App, example: str | None, seed: int | None, scenario: str, plan_file: Path | None) -> int:
    """Tell the whole story: to the far shore and back, in the embedded lab, with proof and a report."""
    from farshore.cli.options import refuse_given, refuse_scenario
    from farshore.errors import InputError

    if app.cloud not in (None, "lab"):
        raise InputError(
            "The whole story is told in the embedded lab",
            value=f"--cloud {app.cloud}",
            expected="exercise without --cloud",
            remedy="farshore provision, protect and the verbs after them act in the cloud in use",
        )
    if scenario == "list":
        refuse_given(
            {"example": "--example", "seed": "--seed", "plan_file": "--plan"},
            "is about one story, and --scenario list lists the stories",
            "--scenario list alone",
            "name one of the stories",
        )
        from farshore.cli.scenario_list import scenario_list

        app.view.answer(*scenario_list())
        return GOOD
    refuse_scenario(plan_file)
    import asyncio

    from farshore.cli.exercise.summary import leave_evidence, summary_of
    from farshore.cli.exercise.tell import tell
    from farshore.cli.projects import Folder, example_folder
    from farshore.cli.views.exercise import exercise_text

    folder = Folder(example_folder(example, app.project) if example is not None else app.project_dir)
    told = asyncio.run(
        tell(folder, app.view, example=example, seed=seed, scenario=scenario, plan_file=plan_file, wait=app.wait)
    )
    report = leave_evidence(told, folder)
    app.view.answer(summary_of(told, report), exercise_text(told, report))
    return GOOD if told.ok else BAD_ANSWER
