"""`farshore plan`: the target network and every step, there and back, as a file to review."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common


@click.command("plan")
@click.option("--scenario", default="published", show_default=True, help="The story to plan; `list` lists them.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write the plan to a file.")
@common
def command(app: App, scenario: str, out: Path | None) -> int:
    """Work out every step to the far shore and back."""
    from farshore.cli.options import check_plan_file, refuse_given
    from farshore.plan import scenarios

    if scenario == "list":
        refuse_given(
            {"out": "--out"},
            "writes a plan, and --scenario list lists the stories",
            "--scenario list alone",
            "name one of the stories",
        )
        rows = [{"name": name, "title": title} for name, title in scenarios().items()]
        app.view.answer(rows, "\n".join(f"{row['name']:<12}  {row['title']}" for row in rows))
        return GOOD

    from farshore.arm.json import pretty
    from farshore.assess import assess
    from farshore.cli.projects import read_folder
    from farshore.cli.views.findings import findings_text
    from farshore.cli.views.plan import plan_text
    from farshore.plan import make_plan
    from farshore.plan.file import plan_as_json

    if out is not None:
        check_plan_file(out)
    _, estate = read_folder(app.project_dir)
    assessment = assess(estate)
    if not assessment.ok:
        app.view.progress("The estate has errors; a plan made of it would carry them to the far shore.")
        app.view.answer(assessment.as_json(), findings_text([f for f in assessment.findings if f.severity == "error"]))
        return BAD_ANSWER
    plan = make_plan(estate, assessment, scenario)
    document = plan_as_json(plan)
    if out is not None:
        out.write_text(pretty(document))
    app.view.answer(document, plan_text(plan) + (f"\nwritten to {out}" if out else ""))
    return GOOD
