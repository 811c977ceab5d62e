"""What the checks of a user share: ask, and ask again until it holds or its time is over.

A service comes up after its machine does, so one answer that is not good is no end. What stays so fails the step, in
one sentence: which check, of what machine, what was asked and from where, how often, what came last, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from farshore.azure.conversation import pause
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import BEAT, Present, Situation, Talk
from farshore.times import span

CODE = "CheckFailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One try. `asked_from`: where it was asked, in words."""

    good: bool
    said: str
    asked_from: str
    more: dict[str, Any] = field(default_factory=dict)


def until_it_holds(situation: Situation, what: str, once: Callable[[], Talk[Answer]]) -> Talk[Present]:
    """Try every ten seconds, on the beat of the step's intention, within the check's time."""
    told = situation.arguments
    within = timedelta(seconds=float(told["within_seconds"]))
    tries, now = 0, situation.now
    while True:
        answer = yield from once()
        tries += 1
        if answer.good:
            result = {"asked": what, "asked_from": answer.asked_from, "said": answer.said, "tries": tries}
            return Present(result={**result, **answer.more})
        now = yield from pause(BEAT, situation.intended_at)
        if now - situation.now >= within:
            break
    often = "once" if tries == 1 else f"{tries} times"
    raise ArmError(
        Fault(
            code=CODE,
            message=f"check {told['check']} does not hold for machine {told['machine']} ({told['address']}): {what} was"
            f" asked from {answer.asked_from}, {often} within {span(within.total_seconds())}, and the last answer was:"
            f" {answer.said}. When it is mended, `farshore runs retry {situation.step}` and `farshore runs resume`;"
            f" `farshore runs skip {situation.step} --why ...` goes on without it",
        )
    )
