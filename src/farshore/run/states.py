"""The life of a step and of a run, as tables.

                    ┌─────────────────────────────── retried ──────────────────────────────┐
                    ▼                                                                      │
    waiting ──► looking ──► acting ──► following ──► done                                failed
                    │        │  ▲ │                    ▲
                    │        │  └─┘ refused            │
                    │        ▼                         │
                    │     doubted ─────────────────────┤    a look decides: done, under way, or not there
                    │     asked ──► following ─────────┤    a person has said so; it is verified
                    └──────────────────────────────────┘    it was done already

`figure()` draws the whole table for the documentation. An event that the table does not hold raises and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from farshore.run.events import Kind


class StepState(StrEnum):
    WAITING = "waiting"
    LOOKING = "looking"
    ACTING = "acting"
    DOUBTED = "doubted"
    FOLLOWING = "following"
    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunStatus(StrEnum):
    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


ACTIVE = frozenset({StepState.LOOKING, StepState.ACTING, StepState.DOUBTED, StepState.FOLLOWING})
"""A command of the step is under way."""
UNDER_WAY = ACTIVE | {StepState.ASKED}
"""The step may have taken effect, and is not known to have."""
SETTLED = frozenset({StepState.DONE, StepState.FAILED, StepState.SKIPPED})

_S, _K = StepState, Kind

TRANSITIONS: Mapping[tuple[StepState, Kind], StepState] = {
    (_S.WAITING, _K.INTENDED): _S.LOOKING,
    (_S.WAITING, _K.SKIPPED): _S.SKIPPED,
    (_S.LOOKING, _K.ABSENT): _S.ACTING,
    (_S.LOOKING, _K.ACCEPTED): _S.FOLLOWING,
    (_S.LOOKING, _K.DONE): _S.DONE,
    (_S.LOOKING, _K.FAILED): _S.FAILED,
    (_S.ACTING, _K.ACCEPTED): _S.FOLLOWING,
    (_S.ACTING, _K.ASKED): _S.ASKED,
    (_S.ACTING, _K.REFUSED): _S.ACTING,
    (_S.ACTING, _K.DOUBTED): _S.DOUBTED,
    (_S.ACTING, _K.DONE): _S.DONE,
    (_S.ACTING, _K.FAILED): _S.FAILED,
    (_S.DOUBTED, _K.ABSENT): _S.ACTING,
    (_S.DOUBTED, _K.ACCEPTED): _S.FOLLOWING,
    (_S.DOUBTED, _K.DONE): _S.DONE,
    (_S.DOUBTED, _K.FAILED): _S.FAILED,
    (_S.FOLLOWING, _K.DONE): _S.DONE,
    (_S.FOLLOWING, _K.FAILED): _S.FAILED,
    (_S.FOLLOWING, _K.REFUSED): _S.ACTING,
    (_S.ASKED, _K.APPROVED): _S.FOLLOWING,
    (_S.ASKED, _K.FAILED): _S.FAILED,
    (_S.ASKED, _K.SKIPPED): _S.SKIPPED,
    (_S.FAILED, _K.RETRIED): _S.LOOKING,
    (_S.FAILED, _K.SKIPPED): _S.SKIPPED,
}

_R = RunStatus

RUN_TRANSITIONS: Mapping[tuple[RunStatus, Kind], RunStatus] = {
    (_R.NEW, _K.RUN_STARTED): _R.RUNNING,
    (_R.RUNNING, _K.DRIVER_STARTED): _R.RUNNING,
    (_R.RUNNING, _K.PHASE_STARTED): _R.RUNNING,
    (_R.RUNNING, _K.PHASE_ENDED): _R.RUNNING,
    (_R.RUNNING, _K.HAPPENED): _R.RUNNING,
    (_R.RUNNING, _K.PAUSED): _R.PAUSED,
    (_R.RUNNING, _K.RESUMED): _R.RUNNING,
    (_R.RUNNING, _K.CANCELLED): _R.CANCELLED,
    (_R.PAUSED, _K.DRIVER_STARTED): _R.PAUSED,
    (_R.PAUSED, _K.PHASE_STARTED): _R.PAUSED,
    (_R.PAUSED, _K.PHASE_ENDED): _R.PAUSED,
    (_R.PAUSED, _K.HAPPENED): _R.PAUSED,
    (_R.PAUSED, _K.RESUMED): _R.RUNNING,
    (_R.PAUSED, _K.CANCELLED): _R.CANCELLED,
    (_R.CANCELLED, _K.DRIVER_STARTED): _R.CANCELLED,
    (_R.CANCELLED, _K.HAPPENED): _R.CANCELLED,
    (_R.CANCELLED, _K.PHASE_ENDED): _R.CANCELLED,
}


def figure() -> str:
    """The tables as Mermaid state diagrams, for the documentation."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {StepState.WAITING}"]
    lines += [f"    {before} --> {after}: {kind}" for (before, kind), after in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in (StepState.DONE, StepState.SKIPPED)]
    lines += ["```", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {RunStatus.NEW}"]
    lines += [f"    {before} --> {after}: {kind}" for (before, kind), after in RUN_TRANSITIONS.items()]
    return "\n".join([*lines, "```", ""])
