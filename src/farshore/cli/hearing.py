"""What the journal writes, as a person watches it: lettered, site and long steps are told, all others pass by in one
line that the next one replaces."""

from __future__ import annotations

from datetime import timedelta

from farshore.cli.views import View
from farshore.plan.model import Plan, Step, StepKind
from farshore.run.events import Kind, RunEvent

LONG = timedelta(minutes=2)


class Hearing:
    """Give it to a driver as `on_event`."""

    def __init__(self, plan: Plan, view: View) -> None:
        self._plan, self._view = plan, view

    def __call__(self, event: RunEvent) -> None:
        step = self._plan.step(event.step) if event.step else None
        if step is None:
            return
        at = f"{event.at:%H:%M:%S}"
        if event.kind is Kind.DONE and _is_worth_telling(step):
            letter = f"({step.letter}) " if step.letter else ""
            self._view.progress(f"{at}    {letter}{step.title}")
        elif event.kind is Kind.FAILED:
            fault = event.body.get("fault") or {}
            expected = "as the plan expected" if event.body.get("expected") else "FAILED"
            self._view.progress(f"{at}    {step.title}: {expected}: {fault.get('message', '')}")
        elif event.kind is Kind.ASKED:
            self._view.progress(f"{at}    {step.title}: a person is asked")
        else:
            self._view.status(f"{at}  {step.title}")


def _is_worth_telling(step: Step) -> bool:
    return step.letter is not None or step.kind is StepKind.SITE or step.expected_duration >= LONG
