"""Carrying a plan out, so that no crash loses anything.

run_phases(plan, phases, ...)    -> RunOutcome     drive some phases of a plan; call it again for more, or after a crash
record_event(journal, ...)                         what the scenario took away or gave back
cuts_of(plan, events)                              the moments that a run passed through
uncovered(proof, plan, events)   -> str | None     the first of them that the proof had not looked at
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from farshore.azure.conversation import Sender
from farshore.clock import ActorClock, Clock
from farshore.plan.model import Phase, Plan
from farshore.run import machine
from farshore.run.actuators import NameActuator, SiteActuator
from farshore.run.cuts import cuts_of, uncovered
from farshore.run.driver import Driver, Hear, RunOutcome
from farshore.run.events import Kind
from farshore.run.journal import Journal
from farshore.run.probers import Prober

__all__ = ["Driver", "RunOutcome", "cuts_of", "record_event", "run_phases", "uncovered"]


async def run_phases(
    plan: Plan,
    phases: Sequence[Phase],
    *,
    run_id: str,
    client: Sender,
    journal: Journal,
    clock: ActorClock,
    actuators: Mapping[str, SiteActuator] | None = None,
    names: NameActuator | None = None,
    prober: Prober | None = None,
    happened: Iterable[str] = (),
    said: Mapping[str, Any] | None = None,
    on_event: Hear | None = None,
    width: int = machine.WIDTH,
) -> RunOutcome:
    """Drive these phases until nothing is under way. `said`: what is written with the events that have happened.
    Raises `HeldError` where another process has the run."""
    driver = Driver(
        plan,
        run_id=run_id,
        client=client,
        journal=journal,
        clock=clock,
        actuators=actuators,
        names=names,
        prober=prober,
        on_event=on_event,
        width=width,
    )
    return await driver.drive(phases, happened, said)


def record_event(journal: Journal, plan: Plan, run_id: str, event: str, clock: Clock, **more: Any) -> None:
    """Write that an event of the plan's scenario has happened; once is enough."""
    state = machine.fold(plan, journal.read(run_id))
    if event in state.happened:
        return
    journal.hold(run_id)
    journal.append(run_id, [machine.event(state, "", Kind.HAPPENED, clock.now(), {"event": event, **more})])
    journal.release(run_id)
