"""`farshore prove`: every moment a run can be in, and what holds in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common

if TYPE_CHECKING:
    from farshore.plan.model import Plan
    from farshore.prove.values import Proof


@click.command("prove")
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), default=None, help="A plan file to prove.")
@click.option("--scenario", default="published", show_default=True, help="The story to plan when no file is given.")
@click.option("--as-it-is", is_flag=True, help="No plan: who reaches whom today, and what every failure would cost.")
@click.option("--pairs", is_flag=True, help="With --as-it-is: every pair of failures, too.")
@click.option("--port", default="tcp/443", show_default=True, help="With --as-it-is: the service asked for.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="With --as-it-is: a folder for columns.")
@common
def command(
    app: App, plan_file: Path | None, scenario: str, as_it_is: bool, pairs: bool, port: str, out: Path | None
) -> int:
    """Prove the plan safe at every moment and under every single failure, and every machine reachable.

    Where a claim fails, the smallest counterexample is told, and the smallest change of the plan that mends it; where
    the assessment finds errors, the smallest change of the estate or of farshore.yaml. Each was proven before it is
    offered. Steps that Site Recovery would refuse where they stand are told too: packets know nothing of them, and a
    run would halt there.

    With --as-it-is there is no plan: every machine and every part of the sites' prefixes, both ways, with nothing
    failed and under every single failure, or every pair. It is made for estates of a hundred thousand machines.
    """
    from farshore.cli.options import STORY, refuse_given, refuse_scenario
    from farshore.cli.views.lines import shown

    if as_it_is:
        refuse_given(
            STORY,
            "is about a plan, and --as-it-is looks at none",
            "--as-it-is without it",
            "leave out one of the two",
        )
        from farshore.cli.standing import described, standing_of, unsafe

        answer = standing_of(app.project_dir, port, pairs=pairs, out=out)
        app.view.answer(answer, shown(described(answer)))
        return BAD_ANSWER if unsafe(answer) else GOOD
    refuse_given(
        {"pairs": "--pairs", "port": "--port", "out": "--out"},
        "is about the estate as it is, and the proof of a plan has none",
        "--as-it-is with it",
        "say --as-it-is too, or leave it out",
    )
    refuse_scenario(plan_file)
    from farshore.cli import planned
    from farshore.cli.projects import read_folder
    from farshore.cli.views.plan import refusal_lines, short_lines, warning_lines
    from farshore.plan.foreseen import shorts
    from farshore.plan.left_running import left_running
    from farshore.plan.refused import refusals
    from farshore.prove import prove
    from farshore.prove.describe import describe_proof
    from farshore.prove.file import proof_as_json
    from farshore.prove.mends import with_mends
    from farshore.prove.repair import with_repair

    _, estate = read_folder(app.project_dir)
    plan = planned.plan_for(estate, scenario, plan_file)
    for finding in plan.findings:
        app.view.progress(f"{finding.code} {finding.severity.value}  {finding.summary}")
    proof = prove(estate, plan.plan, tell=app.view.status)
    if not proof.ok:
        proof = with_mends(estate, plan.plan, proof)
    proof = with_repair(estate, proof, plan.plan.scenario)
    short = shorts(plan.plan, estate)
    refused = refusals(plan.plan)
    left = left_running(plan.plan)
    document = {
        **proof_as_json(proof),
        "objectives_not_kept": [item.as_json() for item in short],
        "refused": [item.as_json() for item in refused],
        "left_running": [item.as_json() for item in left],
    }
    lines = [shown(describe_proof(proof)), *_between_shores(plan.plan, proof)]
    app.view.answer(document, "\n".join([*lines, *short_lines(short), *warning_lines(left), *refusal_lines(refused)]))
    return GOOD if proof.ok and not plan.drifted and not refused else BAD_ANSWER


def _between_shores(plan: Plan, proof: Proof) -> list[str]:
    """What to do where only some machines go home and the others don't reach them (docs/guide/runs.md)."""
    from farshore.cli.views.lines import shown
    from farshore.plan.scenario.scenario import scenario_named
    from farshore.plan.scenario.words import Back

    apart = any(item.kind == "unreachable" and item.after.startswith("failback/") for item in proof.counterexamples)
    if not apart or scenario_named(plan.scenario).back is not Back.PARTIAL:
        return []
    return [
        "",
        shown(
            "Where only some machines go home, those on both shores that are promised to each other need a way between"
            " the two networks: on one circuit their gateways have to allow it (allowRemoteVnetTraffic, E38)."
        ),
    ]
