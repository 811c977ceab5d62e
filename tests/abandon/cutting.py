"""A run that is given up at one of its moments, in a lab: cut, brought back, compared."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from matrix.cell import Silence, remembered
from matrix.estates import write

from farshore import examples
from farshore.arm.http import Request, Response
from farshore.azure.conversation import Sender
from farshore.azure.inventory import read_estate
from farshore.cli import abandoning, runs
from farshore.cli.carrying import Carried, drive
from farshore.cli.exercise.compare import UNEXPLAINED, residue
from farshore.cli.exercise.outage import Outage
from farshore.cli.exercise.residents import Residents, traffic_of
from farshore.cli.exercise.story import moves
from farshore.cli.projects import Folder, read_folder, subscriptions_of
from farshore.cli.stage import Stage, open_stage
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan import make_plan
from farshore.plan.model import CONTROL_PLANE, Phase, Plan, Shore, StepKind
from farshore.plan.scenario.scenario import scenario_named
from farshore.run import run_phases
from farshore.run.events import Kind, RunEvent
from farshore.times import moment

PREPARING = (Phase.PROVISION, Phase.PROTECT, Phase.DRILL)


class CutError(Exception):
    """The process ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    step: str
    kind: Kind
    """`done`: after the step; `accepted`: while it is under way; `absent`: its answer is lost along with the process.
    A step that ends before that, found done or refused, is cut there."""


@dataclass(slots=True)
class Given:
    """What came of giving a run up."""

    plan: Plan
    way: abandoning.Way
    carried: Carried
    residue: list[dict[str, Any]]
    exposed: list[dict[str, Any]]
    last: dict[str, str]
    """Each flow's last packet: how it ended."""
    begun_at: datetime
    """When the way back began."""

    def wrong(self) -> list[str]:
        """What is not as it should be, in sentences."""
        found = [] if self.way.proof.ok else [self.way.proof.counterexamples[0].summary]
        if self.carried.run is None or not self.carried.ok:
            run = self.carried.run
            return [*found, f"it did not come to its end: {None if run is None else run.failed}"]
        found += [f"{row['id']} {row['path']}: {row['why']}" for row in self.residue if not _made_again(row)]
        found += [f"{row['name']} was {row['disposition']} until {row['until']}" for row in self.unexplained_packets()]
        return found + [f"{name} ends as {word}" for name, word in self.last.items() if word != "Delivered"]

    def unexplained_packets(self) -> list[dict[str, Any]]:
        """Packets that met old data or a second network, but for those of the while in which nobody stood guard: from
        the region's return until the way back has done what it owes from its beginning."""
        run = self.carried.run
        assert run is not None
        steps = run.state.steps
        owed = [steps[id_].settled_at for item in self.way.plan.obligations for id_ in item.discharged_by]
        until = max((at for at in owed if at is not None), default=None)
        found = [row for row in self.exposed if moment(row["until"]) > self.begun_at + SLACK]
        return [row for row in found if until is None or moment(row["until"]) > until + SLACK]


SLACK = timedelta(seconds=30)
"""Between the end of a step and the last packet that it has ended."""


def _made_again(row: dict[str, Any]) -> bool:
    """What is not told anew: a property of what has been made again, by Site Recovery (S46, S47) or by a write."""
    return row["path"] != "" and not row["id"].startswith("sites/") and row["why"] != UNEXPLAINED


def cuts_of(topology: str, scenario: str, phases: tuple[Phase, ...]) -> Iterator[Cut]:
    """Every step of these phases: under way, and done."""
    from matrix.estates import small

    for step in make_plan(small(topology), None, scenario).of_phase(*phases):
        if step.kind is not StepKind.CHECK:
            yield Cut(step=step.id, kind=Kind.ABSENT)
            yield Cut(step=step.id, kind=Kind.ACCEPTED)
        yield Cut(step=step.id, kind=Kind.DONE)


def given_up(folder: Path, topology: str, scenario: str, cut: Cut, *, whole: bool = False) -> Given | None:
    """Tell the story until the cut, give the run up, and look. None where the cut was the story's end: then there is
    nothing to give up, and that is said. `whole`: of the example with all its machines."""
    if whole:
        shutil.copytree(examples.path(topology), folder)
    else:
        write(topology, folder)
    return asyncio.run(_given_up(Folder(folder), scenario, cut))


async def _given_up(folder: Folder, scenario: str, cut: Cut) -> Given | None:
    _, declared = read_folder(folder.path)
    async with open_stage(folder, declared, cloud="lab", fresh=True, seed=1) as stage:
        before = await _reading(stage, declared)
        plan = make_plan(before, None, scenario)
        proof = remembered(before, plan)
        assert proof.ok
        runs.begin(folder, "run", before, plan, proof)
        residents = Residents(stage.handles, traffic_of(before, plan))
        await residents.watch_for(away=False)
        outage = Outage(stage.handles, plan, scenario_named(scenario).returns)
        if await _until(stage, plan, cut, outage, residents):
            if f"{CONTROL_PLANE}{plan.source_region}" in outage.elements:
                with pytest.raises(InputError, match="does not answer"):
                    await abandoning.way_back(stage, declared, Silence(), "run")
            await _give_back(stage, outage)
        if runs.read(folder, stage.journal, "run").status == "over":
            with pytest.raises(InputError, match="is over"):
                await abandoning.way_back(stage, declared, Silence(), "run")
            return None
        way = await abandoning.way_back(stage, declared, Silence(), "run")
        there = [machine for machine in way.plan.machines if machine.at is Shore.HOME]
        if len(there) < len(way.plan.machines):
            await residents.watch_for(away=True, but=[text for m in there for text in (m.address, m.nic.text)])
        begun_at = stage.clock.now()
        carried = await abandoning.go_back(stage, Silence(), way, "a test")
        while carried.run is not None and carried.run.waiting:
            for id_ in carried.run.waiting:
                stage.journal.ask(carried.run.id, Kind.APPROVED, id_, {"by": "a test"})
            carried = await drive(carried.run, (Phase.ABANDON,), stage, Silence())
        await stage.clock.sleep(timedelta(minutes=5), "settling")
        after = await _reading(stage, declared)
        if carried.ok:
            await residents.watch_for(away=False)
            await residents.round()
        diary = await residents.hear()
        both = Plan(
            estate=plan.estate,
            scenario=plan.scenario,
            topology=plan.topology,
            steps=plan.steps,
            events=plan.events,
            machines=plan.machines,
        )
        return Given(
            plan=plan,
            way=way,
            carried=carried,
            residue=residue(before, after, both),
            exposed=diary.exposed,
            begun_at=begun_at,
            last={f"{name}: {flow}": answer["disposition"] for (name, flow), answer in diary.last.items()},
        )


class Severed:
    """A wire that is cut once it has been armed: the next write arrives, and nobody hears its answer."""

    def __init__(self, client: Sender) -> None:
        self._client = client
        self.armed = False

    async def send(self, request: Request) -> Response:
        response = await self._client.send(request)
        if self.armed and not request.repeatable and request.method != "GET":
            raise CutError
        return response


async def _until(stage: Stage, plan: Plan, cut: Cut, outage: Outage, residents: Residents) -> bool:
    """Drive the story; the process ends at the cut. Whether what the scenario takes is lost then."""
    wire = Severed(stage.client)
    over = lost = False

    def hear(event: RunEvent) -> None:
        nonlocal over
        if event.step == cut.step:
            wire.armed = event.kind is Kind.ABSENT is cut.kind
            if event.kind in (Kind.DONE, Kind.FAILED) or event.kind is Kind.ACCEPTED is cut.kind:
                over = True
                raise CutError

    async def tell(*phases: Phase, happened: tuple[str, ...] = ()) -> None:
        while True:
            outcome = await run_phases(
                plan,
                [phase for phase in phases if plan.of_phase(phase)],
                run_id="run",
                client=wire,
                journal=stage.journal,
                clock=stage.clock,
                actuators=stage.actuators,
                happened=happened,
                on_event=hear,
            )
            if not outcome.waiting:
                assert not outcome.failed, outcome.faults
                return
            for id_ in outcome.waiting:
                step = plan.step(id_)
                assert step is not None
                await outage.by_person(step.effects)
                stage.journal.ask("run", Kind.APPROVED, id_, {"by": "a test"})

    try:
        for phase in PREPARING:
            await tell(phase)
        await outage.strike()
        lost = True
        await tell(Phase.FAILOVER, happened=(plan.events[0].id,))
        await residents.watch_for(away=moves(plan))
        await tell(Phase.COMMIT)
        lost = await _give_back(stage, outage)
        happened = tuple(event.id for event in plan.events[1:])
        await tell(Phase.RETURN, happened=happened)
        await tell(Phase.REPROTECT)
        await tell(Phase.FAILBACK)
    except CutError:
        over = True
    assert over, f"the story never came to {cut}"
    return lost and bool(outage.elements)


async def _give_back(stage: Stage, outage: Outage) -> bool:
    later = await outage.give_back(stage.clock.now())
    await stage.clock.sleep(later + timedelta(minutes=15), "the return")
    await outage.people_undo()
    return False


async def _reading(stage: Stage, declared: Estate) -> Estate:
    bodies = await read_estate(stage.client, subscriptions_of(declared))
    estate = Estate.from_resources(bodies, declared.project)
    return estate.with_sites(await stage.sites(declared.sites))
