"""`farshore plan`: the target network and every step, there and back, as a file to review."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common


@click.command("plan")
@click.option("--scenario", default="published", show_default=True, help="The story to plan; `list` lists them.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write the plan to a file.")
@click.option("--postures", is_flag=True, help="Compare the postures of the target's link, and what is built ahead.")
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    default=None,
    help="With --postures: what a month of each thing costs.",
)
@click.option(
    "--prices-template",
    "template_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write a file of prices to fill in, with what this estate needs.",
)
@common
def command(
    app: App, scenario: str, out: Path | None, postures: bool, prices_file: Path | None, template_file: Path | None
) -> int:
    """Work out every step to the far shore and back.

    With --postures: each posture of the target's link (cold, silent, armed) with all, nothing or the project's own
    list provisioned ahead, each with its predicted recovery time, what it costs a month, what single failures cost,
    and what stands ahead.
    """
    from farshore.cli.options import check_plan_file, refuse_given

    if scenario == "list":
        refuse_given(
            {
                "out": "--out",
                "postures": "--postures",
                "prices_file": "--prices",
                "template_file": "--prices-template",
            },
            "is about a plan, and --scenario list lists the stories",
            "--scenario list alone",
            "name one of the stories",
        )
        from farshore.cli.scenario_list import scenario_list

        app.view.answer(*scenario_list())
        return GOOD
    if not postures:
        refuse_given(
            {"prices_file": "--prices"},
            "is about postures, and one plan has no price",
            "--postures with it",
            "say --postures too, or leave it out",
        )
    if postures or template_file is not None:
        refuse_given(
            {"out": "--out"},
            "writes one plan, and postures are compared",
            "--postures or --prices-template without it",
            "leave out one of the two",
        )
        return _compare(app, scenario, prices_file, template_file, postures)

    from farshore.arm.json import pretty
    from farshore.assess import assess
    from farshore.cli.projects import read_folder
    from farshore.cli.views.findings import findings_text
    from farshore.cli.views.plan import plan_text
    from farshore.plan import make_plan
    from farshore.plan.file import plan_as_json
    from farshore.plan.foreseen import shorts

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
    short = shorts(plan, estate)
    document = {**document, "objectives_not_kept": [item.as_json() for item in short]}
    app.view.answer(document, plan_text(plan, short) + (f"\nwritten to {out}" if out else ""))
    return GOOD


def _compare(app: App, scenario: str, prices_file: Path | None, template_file: Path | None, postures: bool) -> int:
    from farshore.cli.options import check_new_file
    from farshore.cli.postures import all_meters, postures_of
    from farshore.cli.projects import read_folder
    from farshore.cli.views.postures import postures_text
    from farshore.estate.files import read_text
    from farshore.plan.prices import parse_prices, template

    prices = None if prices_file is None else parse_prices(read_text(prices_file), file=str(prices_file))
    if template_file is not None:
        check_new_file(template_file)
    _, estate = read_folder(app.project_dir)
    if template_file is not None:
        text = template(all_meters(estate, scenario))
        template_file.write_text(text, encoding="utf-8")
        if not postures:
            app.view.answer({"file": str(template_file), "text": text}, f"{text}\nwritten to {template_file}")
            return GOOD
    answer = postures_of(estate, scenario, prices)
    app.view.answer(answer, postures_text(answer))
    return GOOD
