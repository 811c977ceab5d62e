"""A plan as people read it: phase by phase, each step with its letter, duration and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.cli.views.human import style
from farshore.times import span

if TYPE_CHECKING:
    from farshore.plan.model import Plan, Step


def plan_text(plan: Plan) -> str:
    """Every step, under its phase, in an order that the graph allows; then obligations and predictions."""
    from farshore.plan.model import Phase, order

    rank = {id_: index for index, id_ in enumerate(order(plan.steps, plan.events))}
    lines = [f"{plan.scenario}: {plan.topology}, {plan.source_region} to {plan.target_region}, {len(plan.steps)} steps"]
    for phase in Phase:
        steps = sorted(plan.of_phase(phase), key=lambda step: rank[step.id])
        if steps:
            lines += ["", style(phase.value, "strong")]
            lines += [_step_line(step) for step in steps]
    if plan.obligations:
        lines += ["", style("obligations", "strong")]
        for owed in plan.obligations:
            lines += [f"  {owed.title}", f"      because {owed.because}"]
    if plan.predicted_recovery_seconds:
        slowest = max(plan.predicted_recovery_seconds.values())
        lines += ["", f"predicted recovery: every machine served again {span(slowest)} after the region is lost"]
    return "\n".join(lines)


def _step_line(step: Step) -> str:
    letter = step.letter or " "
    return f"  {letter} {step.kind.value:<6} {span(step.expected_duration):>11}  {step.title}"
