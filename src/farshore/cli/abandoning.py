"""Giving a run up and bringing its estate back: `farshore runs abandon`.

    may it be?    nobody drives it, nothing later stands on it, what was lost answers again
    settle        what was under way is looked at and followed to its end; nothing more begins
    read, plan, prove, show
    the old run is cancelled, and the way back is a run of its own, with all that a run has

Until the last line nothing is changed, but that the run is paused and what was in doubt is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.cli import runs
from farshore.cli.carrying import Carried, drive
from farshore.cli.hearing import Hearing
from farshore.cli.projects import subscriptions_of
from farshore.cli.runs import Run
from farshore.cli.words import many
from farshore.errors import ArmError, InputError, TransportError
from farshore.plan.model import CONTROL_PLANE, Lose, Phase, Restore
from farshore.run.driver import Driver
from farshore.run.events import Kind
from farshore.run.machine import initial
from farshore.run.states import RunStatus, StepState

if TYPE_CHECKING:
    from farshore.cli.stage import Stage
    from farshore.cli.views import View
    from farshore.estate.estate import Estate
    from farshore.plan.model import Plan
    from farshore.prove.values import Proof

PROBE = timedelta(seconds=15)
UNTOUCHED = frozenset({StepState.WAITING, StepState.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way back from a run, proven or not."""

    run: Run
    """The one that is given up."""
    estate: Estate
    plan: Plan
    proof: Proof


async def way_back(stage: Stage, declared: Estate, view: View, run_id: str | None) -> Way:
    """Find the way back. Raises `InputError` where there is none, or where it is not this run's turn."""
    from farshore.azure.inventory import read_estate
    from farshore.estate.estate import Estate
    from farshore.plan.abandon import Begun, as_left, make_abandonment
    from farshore.prove import prove

    run = runs.latest(stage.folder, stage.journal, run_id)
    _must_be_its_turn(stage, run)
    assert declared.project is not None
    before = runs.begun_with(stage.folder, run.id, declared.project)
    await _must_answer(stage, run, before)
    run = await _settled(stage, view, run)
    view.status("reading the estate ...")
    bodies = await read_estate(stage.client, subscriptions_of(declared))
    now = Estate.from_resources(bodies, declared.project).with_sites(await stage.sites(declared.sites))
    touched = frozenset(id_ for id_, record in run.state.steps.items() if record.state not in UNTOUCHED)
    done = frozenset(id_ for id_ in touched if run.state.is_behind(id_)) | frozenset(run.state.happened)
    begun = Begun(plan=run.plan, before=before, done=done, touched=touched, sites_known=stage.lab)
    now = as_left(begun, now)
    plan = make_abandonment(begun, now)
    return Way(run=run, estate=now, plan=plan, proof=prove(now, plan, tell=view.status))


async def go_back(stage: Stage, view: View, way: Way, by: str) -> Carried:
    """Give the run up, and carry the way back out. A proof that fails touches nothing."""
    if not way.proof.ok:
        return Carried(proof=way.proof)
    run_id = runs.new_id(stage.journal, f"{way.run.id}-abandoned")
    if way.run.state.status is not RunStatus.CANCELLED:
        body = {"by": by, "why": f"given up: {run_id} brings the estate back"}
        runs.tell(stage.journal, way.run, Kind.CANCELLED, max(stage.clock.now(), way.run.events[-1].at), body=body)
    runs.begin(stage.folder, run_id, way.estate, way.plan, way.proof)
    view.progress(f"run {run_id}: {many(len(way.plan.steps), 'step')}, proven over {many(way.proof.cuts, 'cut')}")
    run = Run(id=run_id, plan=way.plan, events=(), state=initial(way.plan))
    return await drive(run, (Phase.ABANDON,), stage, view)


# Whether it may be. ------------------------------------------------------------------------------------------------


def _must_be_its_turn(stage: Stage, run: Run) -> None:
    holder = stage.journal.holder(run.id)
    if holder is not None:
        raise InputError(
            f"Run {run.id} is driven by process {holder.pid} on {holder.host}",
            value=run.id,
            expected="a run that nobody drives",
            remedy=f"farshore runs pause {run.id}, and wait for what is under way",
        )
    if run.plan.of_phase(Phase.ABANDON):
        raise InputError(
            f"Run {run.id} is the way back from another run",
            value=run.id,
            expected="a run that goes to the far shore",
            remedy=run.next_action(),
        )
    if run.status == "over":
        raise InputError(
            f"Run {run.id} is over: it has come to its end, and there is nothing halfway to come back from",
            value=run.id,
            expected="a run that stopped on its way",
            remedy=f"farshore runs show {run.id} tells what it has done; the next command begins a new run from the "
            "estate as it is",
        )
    known = stage.journal.runs()
    for later in known[known.index(run.id) + 1 :]:
        other = runs.read(stage.folder, stage.journal, later)
        if not other.is_over:
            raise InputError(
                f"Run {later} was begun after {run.id} and is not over",
                value=run.id,
                expected="the latest of the runs that are under way",
                remedy=other.next_action(),
            )


async def _must_answer(stage: Stage, run: Run, before: Estate) -> None:
    """What the run's scenario has taken away has to be back, as far as that can be asked: the region's ARM."""
    from farshore.arm.http import Request
    from farshore.arm.versions import api_version

    lost: dict[str, None] = {}
    for event in run.plan.events:
        if event.id in run.state.happened:
            for effect in event.effects:
                if isinstance(effect, Lose):
                    lost |= dict.fromkeys(effect.elements)
                elif isinstance(effect, Restore):
                    lost = {name: None for name in lost if name not in effect.elements}
    region = run.plan.source_region
    if f"{CONTROL_PLANE}{region}" not in lost:
        return
    probe = next((m.id for m in run.plan.machines if before.get(m.id) is not None), None)
    assert probe is not None, "a machine of a plan is in the estate that it was made for"
    request = Request(
        method="GET", url=f"{probe.text}?api-version={api_version(probe.type)}", timeout=PROBE, repeatable=False
    )
    try:
        response = await stage.client.send(request)
    except (ArmError, TransportError):
        answered = False
    else:
        answered = response.status < 500
    if not answered:
        raise InputError(
            f"{region} does not answer: it is lost still, and nothing can come back to it",
            value=region,
            expected="a region that answers again",
            remedy="go on with the failover (farshore runs resume), and come home by reprotect and failback; or give "
            "the run up once the region has returned",
        )


async def _settled(stage: Stage, view: View, run: Run) -> Run:
    """The run with nothing under way any more."""
    if run.state.status is RunStatus.RUNNING:
        body: dict[str, Any] = {"by": "farshore runs abandon"}
        runs.tell(stage.journal, run, Kind.PAUSED, max(stage.clock.now(), run.events[-1].at), body=body)
    view.status("looking at what was under way ...")
    driver = Driver(
        run.plan,
        run_id=run.id,
        client=stage.client,
        journal=stage.journal,
        clock=stage.clock,
        on_event=Hearing(run.plan, view),
    )
    await driver.settle()
    return runs.read(stage.folder, stage.journal, run.id)
