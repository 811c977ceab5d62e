"""A plan as people read it: phase by phase, each step with its letter, duration and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from farshore.cli.views.human import style
from farshore.cli.views.lines import shown
from farshore.cli.views.table import table
from farshore.cli.words import many
from farshore.times import span

if TYPE_CHECKING:
    from farshore.plan.foreseen import Short
    from farshore.plan.model import Plan, Step
    from farshore.plan.refused import Refusal

HEADS = ("", "kind", "expected", "step")


def plan_text(plan: Plan, short: Sequence[Short] = ()) -> str:
    """Every step, under its phase, in an order that the graph allows; then obligations and predictions, and the
    objectives that they fall short of."""
    from farshore.plan.foreseen import recovery_line
    from farshore.plan.model import Phase, order

    rank = {id_: index for index, id_ in enumerate(order(plan.steps, plan.events))}
    counted = many(len(plan.steps), "step")
    lines = [f"{plan.scenario}: {plan.topology}, {plan.source_region} to {plan.target_region}, {counted}"]
    for phase in Phase:
        steps = sorted(plan.of_phase(phase), key=lambda step: rank[step.id])
        if steps:
            lines += ["", style(phase.value, "strong"), *table(HEADS, [_row(step) for step in steps])]
    if plan.obligations:
        lines += ["", style("obligations", "strong")]
        for owed in plan.obligations:
            lines += table(("",), [(owed.title,), (f"because {owed.because}",)])[1:]
    lines += _by_hand(plan)
    lines += remains_lines(plan)
    if line := recovery_line(plan):
        lines += ["", line]
    lines += short_lines(short)
    lines += ["", "a to d: the article's steps; S42, D62 and the like: docs/reference/facts.md"]
    return "\n".join(lines)


def short_lines(short: Sequence[Short]) -> list[str]:
    """A warning for each objective that a plan foresees not to keep."""
    return warning_lines(short)


def warning_lines(told: Sequence[object]) -> list[str]:
    return ["", *(f"{style('warning', 'warning')}  {shown(str(item))}" for item in told)] if told else []


def refusal_lines(refused: Sequence[Refusal]) -> list[str]:
    """An error for each step that Site Recovery refuses where it stands."""
    return ["", *(f"{style('error', 'error')}  {shown(str(item))}" for item in refused)] if refused else []


def remains_lines(plan: Plan) -> list[str]:
    """What a plan that takes things down leaves standing, each with the reason."""
    if not plan.remains:
        return []
    from farshore.arm.ids import resource_id

    rows = [(resource_id(r.id).short if r.id.startswith("/") else r.id, r.why) for r in plan.remains]
    return ["", style("stays", "strong"), *table(("", ""), rows)[1:]]


def _by_hand(plan: Plan) -> list[str]:
    """What neither Site Recovery nor a step carries, each with what a person does, and the records that change."""
    lines = []
    for title, how in (("not carried: by hand", "hand"), ("not understood: look at it", "not-understood")):
        rows = [row for row in plan.carried if row.how == how]
        if rows:
            lines += ["", style(title, "strong")]
            lines += table(
                ("",),
                [
                    (f"{'network' if row.machine is None else row.machine.name}: {row.instruction} ({row.why})",)
                    for row in rows
                ],
            )[1:]
    if plan.names:
        lines += ["", style("names whose addresses change", "strong")]
        heads = ("record", "now", "after the failover", "because")
        lines += table(heads, [(row.record, row.old, row.new, row.because) for row in plan.names])
    return lines


def _row(step: Step) -> tuple[str, ...]:
    return step.letter or "", step.kind.value, span(step.expected_duration), step.title
