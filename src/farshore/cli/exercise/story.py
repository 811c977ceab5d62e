"""A scenario's whole story, told once: from an estate to the far shore and back, in the lab.

    enable                                             only where a scenario begins with what Site Recovery makes itself
    read -> assess -> plan -> prove                    nothing is touched until all of it is good
    provision -> protect -> drill                      ahead of any disaster
    disaster -> failover                               what the scenario takes is lost while machines write
    return -> reprotect -> failback                    the guard is on before the region answers
    compare                                            is the estate again what it was?

A story has the parts that its plan has steps for. Nothing here is the lab's doing but the outage itself, the return,
and the witnesses: packets, writes, checksums. All else goes the way it would go against Azure: the same client, the
same plan, the same run, one journal for the story. Where the run stops and asks a person, the story is that person: it
is written down what was asked, and it goes on once that is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from farshore.assess import assess
from farshore.azure.inventory import read_estate
from farshore.cli import runs
from farshore.cli.exercise import measure, portal, verdicts
from farshore.cli.exercise.compare import residue, unexplained
from farshore.cli.exercise.disks import DiskReader
from farshore.cli.exercise.log import HaltedError, Phases
from farshore.cli.exercise.outage import Outage
from farshore.cli.exercise.path import PathWatch, tried
from farshore.cli.exercise.residents import Residents, traffic_of
from farshore.cli.hearing import Hearing
from farshore.cli.planned import Planned, plan_for, speaks_against
from farshore.cli.projects import Folder, subscriptions_of
from farshore.cli.stage import Stage
from farshore.cli.views import View
from farshore.cli.words import many
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside
from farshore.plan.builders.outage import DISASTER, RETURN
from farshore.plan.drills import DrillKind, kinds_of, leads_through
from farshore.plan.durations import DECISION
from farshore.plan.graph import finish_times
from farshore.plan.interruption import staying
from farshore.plan.model import Phase, Plan
from farshore.plan.recovery import APPLICATION_CONSISTENT_IN_MINUTES
from farshore.plan.scenario.outages import silent_sites
from farshore.plan.scenario.scenario import Scenario, scenario_named
from farshore.plan.scenario.words import Ahead, Over, Returns
from farshore.report import learned, record
from farshore.run import RunOutcome, record_event, run_phases, uncovered
from farshore.run.events import Kind, RunEvent
from farshore.times import span, stamp

if TYPE_CHECKING:
    from farshore.assess import Assessment
    from farshore.prove.values import Proof

OUTAGE = timedelta(minutes=30)
"""How long the region stays away once everything runs on the far shore."""
SETTLING = timedelta(minutes=5)
"""After a return, where nothing else follows."""
Prover = Callable[[Estate, Plan], "Proof"]
WATCHING = timedelta(minutes=5)
"""How long the guard watches before the region gives a sign of life."""


@dataclass(slots=True)
class Told:
    """What the story left: the values that the summary and the report are made of."""

    example: str | None
    phases: Phases
    estate: Estate | None = None
    assessment: Assessment | None = None
    planned: Planned | None = None
    proof: Proof | None = None
    outcome: RunOutcome | None = None
    events: Sequence[RunEvent] = ()
    machines: list[dict[str, Any]] = field(default_factory=list)
    objectives: list[dict[str, Any]] = field(default_factory=list)
    not_kept: list[dict[str, Any]] = field(default_factory=list)
    """Objectives whose recovery time or point a machine has passed."""
    guard: dict[str, Any] = field(default_factory=dict)
    residue: list[dict[str, Any]] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)
    exposed: list[dict[str, Any]] = field(default_factory=list)
    """Each while in which packets of a flow met old data or a second network."""
    decisions: list[dict[str, Any]] = field(default_factory=list)
    """Where the run stopped and asked a person: the step, what was asked, when."""
    maps: list[tuple[str, Estate]] = field(default_factory=list)
    wall_seconds: float = 0.0
    simulated_seconds: float = 0.0
    run_id: str = ""
    halted: str | None = None

    @property
    def plan(self) -> Plan | None:
        return None if self.planned is None else self.planned.plan

    @property
    def held(self) -> bool:
        """Whether it came to its end: whatever is about safety, ways and bytes held. Of times this says nothing."""
        return self.halted is None and all(phase.ok for phase in self.phases.told)

    @property
    def ok(self) -> bool:
        """Held, and each objective kept but for those that no plan could keep on this way."""
        return self.held and all(row["excuse"] for row in self.not_kept)


class Story:
    """Tells the story on one stage."""

    def __init__(
        self,
        stage: Stage,
        folder: Folder,
        declared: Estate,
        view: View,
        *,
        example: str | None,
        scenario: str,
        plan_file: Path | None,
        run_id: str,
        prover: Prover,
        whole_disks: bool,
    ) -> None:
        self._stage, self._folder, self._declared, self._view = stage, folder, declared, view
        self._scenario, self._plan_file = scenario, plan_file
        self._prover, self._whole_disks = prover, whole_disks
        self._phases = Phases(stage.clock, view)
        self._told = Told(example=example, phases=self._phases, run_id=run_id)
        self._residents: Residents | None = None
        self._outage: Outage | None = None
        self._lost_at: datetime | None = None
        self._returned_at: datetime | None = None

    async def tell(self) -> Told:
        """The whole story; a phase that is not good ends it, and what there is by then is told."""
        started_wall, started = time.monotonic(), self._stage.clock.now()
        try:
            await self._tell()
        except HaltedError as halted:
            self._told.halted = str(halted)
        self._told.events = self._stage.journal.read(self._told.run_id)
        self._told.wall_seconds = time.monotonic() - started_wall
        self._told.simulated_seconds = (self._stage.clock.now() - started).total_seconds()
        return self._told

    async def _tell(self) -> None:
        if scenario_named(self._scenario).ahead is Ahead.SITE_RECOVERY:
            await self._enable()
        estate = await self._read()
        self._assess(estate)
        plan = self._plan(estate)
        self._prove(estate, plan)
        runs.begin(self._folder, self._told.run_id, estate, plan, self._told.proof)
        scenario = scenario_of(plan)
        self._outage = Outage(self._stage.handles, plan, scenario.returns)
        self._residents = Residents(self._stage.handles, traffic_of(estate, plan))
        await self._residents.watch_for(away=False)
        self._told.maps.append(("Before: the estate as it was read", estate))
        await self._run("provision", Phase.PROVISION)
        await self._run("protect", Phase.PROTECT)
        if plan.of_phase(Phase.DRILL):
            await self._drill(plan)
        await self._wait_for_points(plan)
        await self._disaster(plan)
        await self._failover(plan)
        if scenario.returns is Returns.NEVER:
            await self._judge_traffic(plan, None)
            return
        if plan.of_phase(Phase.RETURN):
            await self._return(plan)
        if plan.of_phase(Phase.REPROTECT):
            await self._run("reprotect", Phase.REPROTECT)
        if plan.of_phase(Phase.FAILBACK):
            await self._failback(plan)
        else:
            # What came back by itself has started by then, each thing in its own time.
            await self._stage.clock.sleep(SETTLING, "settling")
        await self._compare(estate, plan)
        await self._judge_traffic(plan, self._returned_at)

    # Before anything is touched. -----------------------------------------------------------------------------------

    async def _enable(self) -> None:
        """Somebody has enabled replication in the portal before Farshore comes."""
        with self._phases("enable") as phase:
            machines = await portal.enable(self._stage.client, self._stage.clock, self._declared)
            phase.said = f"{many(len(machines), 'machine')} replicated as the portal does; Site Recovery made networks"

    async def _read(self) -> Estate:
        with self._phases("read") as phase:
            bodies = await read_estate(self._stage.client, subscriptions_of(self._declared))
            project = self._declared.project
            assert project is not None, "a story is told of a project"
            estate = Estate.from_resources(bodies, project)
            phase.said = f"{many(len(estate.resources), 'resource')}, {many(len(estate.virtual_machines), 'machine')}"
            self._told.estate = estate
            return estate

    def _assess(self, estate: Estate) -> None:
        with self._phases("assess") as phase:
            # The estate as it was given too: a lab makes up anew what Azure only shows (a peering's state), and what
            # is wrong with that would go unseen.
            given = assess(self._declared)
            self._told.assessment = assess(estate) if given.ok else given
            counts = {
                s: sum(f.severity == s for f in self._told.assessment.findings) for s in ("error", "warning", "info")
            }
            phase.said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing found"
            if not self._told.assessment.ok:
                phase.halt(f"{phase.said}; nothing was touched")

    def _plan(self, estate: Estate) -> Plan:
        with self._phases("plan") as phase:
            self._told.planned = plan_for(estate, self._scenario, self._plan_file)
            plan = self._told.planned.plan
            slowest = max(plan.predicted_recovery_seconds.values(), default=0.0)
            phase.said = f"{many(len(plan.steps), 'step')}; recovery predicted within {span(slowest)}"
            if self._told.planned.drifted:
                drift = self._told.planned.drift
                phase.halt(f"the estate has changed since this plan was made: {drift}; nothing was touched")
            return plan

    def _prove(self, estate: Estate, plan: Plan) -> None:
        with self._phases("prove") as phase:
            proof = self._told.proof = self._prover(estate, plan)
            whole = "all of them" if proof.exhaustive else "NOT all of them"
            failures = f"{len(proof.failures)} single and {many(proof.double_failures, 'double failure')}"
            phase.said = f"{many(proof.cuts, 'cut')}, {many(proof.states, 'state')}, {failures}, {whole}"
            against = speaks_against(plan, proof)
            if against is not None:
                phase.halt(f"{against} Nothing was touched.")

    # Acting. -------------------------------------------------------------------------------------------------------

    async def _run(self, name: str, *phases: Phase, happened: Sequence[str] = ()) -> RunOutcome:
        """One or more phases of the plan, as one phase of the story."""
        with self._phases(name) as phase:
            return await self._drive(phase, *phases, happened=happened)

    async def _drive(self, phase: Any, *phases: Phase, happened: Sequence[str] = ()) -> RunOutcome:
        plan = self._told.plan
        assert plan is not None
        outcome = await self._driven(plan, phases, happened)
        while outcome.waiting and not outcome.failed:
            for step in outcome.waiting:
                await self._decide(plan, step, outcome)
            outcome = await self._driven(plan, phases, ())
        done = plan.of_phase(*phases)
        phase.said = many(len(done), "step")
        if outcome.halted:
            failed = outcome.failed
            phase.halt("; ".join(f"{id_}: {_fault(outcome, id_)}" for id_ in failed) or "the run did not end")
        return outcome

    async def _driven(self, plan: Plan, phases: Sequence[Phase], happened: Sequence[str]) -> RunOutcome:
        self._told.outcome = await run_phases(
            plan,
            phases,
            run_id=self._told.run_id,
            client=self._stage.client,
            journal=self._stage.journal,
            clock=self._stage.clock,
            actuators=self._stage.actuators,
            names=self._stage.names,
            prober=self._stage.prober,
            happened=happened,
            on_event=Hearing(plan, self._view),
        )
        return self._told.outcome

    async def _decide(self, plan: Plan, step_id: str, outcome: RunOutcome) -> None:
        """The run has stopped and asks: somebody decides, it is done outside, and they say so."""
        step = plan.step(step_id)
        assert step is not None and self._outage is not None
        asked = [event for event in self._stage.journal.read(self._told.run_id) if event.step == step_id]
        instruction = next((e.body["instruction"] for e in reversed(asked) if "instruction" in e.body), "")
        self._told.decisions.append({"step": step_id, "asked": instruction, "at": stamp(self._stage.clock.now())})
        await self._stage.clock.sleep(step.expected_duration, "a person")
        await self._outage.by_person(step.effects)
        arguments: Any = step.action.arguments
        for name in arguments.get("deciders", ["the story's person"])[: arguments.get("quorum", 1)]:
            self._stage.journal.ask(self._told.run_id, Kind.APPROVED, step_id, {"by": name})

    def _asked_in(self, phase: Phase) -> bool:
        """Whether the run has stopped in a phase and asked a person."""
        return any(decision["step"].startswith(f"{phase.value}/") for decision in self._told.decisions)

    async def _drill(self, plan: Plan) -> None:
        with self._phases("drill") as phase:
            watch = self._path_watch(plan)
            await self._drive(phase, Phase.DRILL)
            if watch is not None:
                await watch.stop()
                if watch.missed:
                    phase.halt(f"no packet of {watch.missed[0].name} arrived at {watch.missed[0].address} in the drill")
            ways = (
                [] if watch is None else [f"{flow.name}: {learned.way_of(said)}" for flow, said in watch.proven.items()]
            )
            self._told.learned = learned.sentences(plan, self._told.proof, ways)
            phase.said += f"; {self._told.learned[0]}"

    def _path_watch(self, plan: Plan) -> PathWatch | None:
        """Sites send packets to the machines of a path drill while they stand."""
        if DrillKind.PATH not in kinds_of(plan):
            return None
        assert self._residents is not None
        flows = tried(plan, self._residents.traffic)
        watch = PathWatch(self._stage.handles, self._stage.clock, flows, through=leads_through(plan))
        watch.start()
        return watch

    async def _wait_for_points(self, plan: Plan) -> None:
        """Who is to go to an older, an application-consistent or a shared point has one by then (S25)."""
        age = _AGES.get(scenario_of(plan).over)
        if age is None and any(step.action.verb == "shared_point" for step in plan.steps):
            age = TWO_POINTS
        if age is not None:
            await self._stage.clock.sleep(age, "recovery points")

    async def _disaster(self, plan: Plan) -> None:
        """What is lost goes while machines write; it takes people a while to decide (DECISION). Where nothing is lost
        the decision is all there is."""
        assert self._residents is not None and self._outage is not None
        if not self._outage.elements:
            await self._verdicts(plan, "drill", away=False)
            self._lost_at = self._stage.clock.now()
            record_event(self._stage.journal, plan, self._told.run_id, DISASTER, self._stage.clock)
            return
        with self._phases("disaster") as phase:
            await self._verdicts(plan, "drill", away=False)
            answer = await self._outage.strike()
            self._lost_at = verdicts.time_of(answer, self._stage.clock.now())
            await self._residents.watch_for(away=moves(plan))
            record_event(self._stage.journal, plan, self._told.run_id, DISASTER, self._stage.clock)
            await self._stage.clock.sleep(DECISION.duration, "decision")
            phase.said = next(event.title for event in plan.events if event.id == DISASTER)

    async def _failover(self, plan: Plan) -> None:
        assert self._residents is not None and self._outage is not None and self._lost_at is not None
        away = moves(plan)
        await self._residents.watch_for(away=away)
        with self._phases("failover") as phase:
            early = await self._back_early(plan) if scenario_of(plan).returns is Returns.EARLY else ()
            driven = [Phase.FAILOVER, Phase.COMMIT, *([Phase.RETURN] if early else [])]
            outcome = await self._drive(phase, *(p for p in driven if plan.of_phase(p)), happened=early)
            silent = silent_sites(self._declared.sites, self._outage.elements)
            await self._verdicts(plan, "failover", away=away, silent=silent)
            lost = Outside(down=frozenset() if early else frozenset(self._outage.elements))
            self._told.maps.append((_AFTER[away], (await self._reading()).with_outside(lost)))
            reader = DiskReader(self._stage.client, self._stage.clock, written=not self._whole_disks)
            assert self._told.estate is not None
            objectives = record.wanted_of(plan, self._told.estate)
            self._told.machines = await measure.machines(
                plan, outcome.state, self._stage.handles, reader, self._lost_at, objectives
            )
            slowest = max((m["recovery_time_seconds"]["measured"] or 0 for m in self._told.machines), default=0)
            phase.said += f"; served again within {span(slowest)}" + (" of the loss" if self._outage.elements else "")
            excuse = verdicts.excuse_of(plan, waited=self._asked_in(Phase.FAILOVER))
            rows, estate = self._told.machines, self._told.estate
            self._told.not_kept = record.objectives_not_kept(plan, estate, rows, excuse)
            wrong = verdicts.wrong_machines(plan, rows)
            if wrong:
                phase.halt("; ".join(wrong))

    async def _back_early(self, plan: Plan) -> list[str]:
        """What was lost will come back by itself while the failover is under way, and the guard is on from the start.
        When hangs on the plan alone, so that many plans meet many moments. Its events."""
        assert self._outage is not None
        ends = finish_times(plan.of_phase(Phase.FAILOVER)).values()
        part = crc32(f"{plan.estate} {plan.scenario}".encode()) % 1000 / 1000
        at = self._returned_at = self._stage.clock.now() + part * max(ends, default=timedelta(0))
        await self._outage.give_back(at)
        return _returns(plan)

    async def _return(self, plan: Plan) -> None:
        """The guard watches; then what was lost comes back by itself, a region's machines with old data. One that came
        back early is there by now."""
        assert self._residents is not None and self._outage is not None
        early = self._returned_at is not None
        if not early:
            await self._stage.clock.sleep(OUTAGE, "outage")
        with self._phases("return") as phase:
            outcome = self._told.outcome if early else await self._back(plan, phase)
            assert outcome is not None
            await self._outage.people_undo()
            await self._verdicts(plan, "return", away=moves(plan))
            diary = await self._residents.hear()
            self._told.guard = {
                **record.guard(plan, outcome.state),
                "exposure_seconds": diary.exposed_seconds,
                "exposure_packets": diary.exposed_packets,
            }
            phase.said += f"; exposure {span(diary.exposed_seconds)}, {many(diary.exposed_packets, 'packet')}"

    async def _back(self, plan: Plan, phase: Any) -> RunOutcome:
        assert self._outage is not None
        at = self._returned_at = self._stage.clock.now() + WATCHING
        later = await self._outage.give_back(at)
        if not _watches(plan):
            await self._stage.clock.sleep(WATCHING, "return")
        if later:
            # It comes back in parts: what can be done before the last of them is.
            await self._driven(plan, (Phase.RETURN,), [RETURN])
            await self._stage.clock.sleep(max(at + later - self._stage.clock.now(), timedelta(0)), "return")
        return await self._drive(phase, Phase.RETURN, happened=_returns(plan))

    async def _failback(self, plan: Plan) -> None:
        assert self._residents is not None
        away = staying(plan)
        returned = [machine for machine in plan.machines if machine.id.key not in away]
        home = [text for machine in returned for text in (machine.address, machine.nic.text)]
        with self._phases("failback") as phase:
            await self._drive(phase, Phase.FAILBACK)
            await self._verdicts(plan, "failback", away=bool(away), but=home)

    async def _verdicts(
        self, plan: Plan, phase: str, *, away: bool, but: Sequence[str] = (), silent: frozenset[str] = frozenset()
    ) -> None:
        """Every objective by the lab's own packets; one that is not met halts the story. Nobody is at a site that is
        `silent`."""
        assert self._residents is not None and self._told.proof is not None
        await self._residents.watch_for(away=away, but=but)
        await self._residents.round()
        rows = verdicts.objectives(plan, self._told.proof, self._residents.diary, phase)
        self._told.objectives += rows
        bad = verdicts.unmet(plan, rows, silent)
        if bad:
            raise HaltedError(f"{bad[0]['name']} is not met after {phase}: {bad[0]['verdict']}")

    async def _judge_traffic(self, plan: Plan, returned_at: datetime | None) -> None:
        """No packet of any second met old data or a second network, but in the one interval that is exempt (D63)."""
        assert self._residents is not None
        diary = await self._residents.hear()
        self._told.exposed = diary.exposed
        wrong = verdicts.exposed(plan, diary.exposed, returned_at)
        if wrong:
            raise HaltedError(wrong)

    async def _reading(self) -> Estate:
        bodies = await read_estate(self._stage.client, subscriptions_of(self._declared))
        estate = Estate.from_resources(bodies, self._declared.project)
        return estate.with_sites(await self._stage.sites(self._declared.sites))

    async def _compare(self, before: Estate, plan: Plan) -> None:
        with self._phases("compare") as phase:
            after = await self._reading()
            self._told.maps.append(("After: home again", after))
            self._told.residue = residue(before, after, plan)
            strange = unexplained(self._told.residue)
            phase.said = f"{many(len(self._told.residue), 'difference')}, {len(strange)} of them unexplained"
            if strange:
                phase.halt(f"{strange[0]['id']} {strange[0]['path']}: {strange[0]['why']}")
            assert self._told.proof is not None
            missed = uncovered(self._told.proof, plan, self._stage.journal.read(self._told.run_id))
            if missed:
                phase.halt(f"the run passed through a moment that the proof had not looked at: {missed}")


_AFTER = {True: "After failover: the far shore serves", False: "After the outage: the source serves"}
TWO_POINTS = timedelta(minutes=10)
"""A point follows every five minutes (S25)."""
_AGES = {
    Over.CHOSEN: timedelta(minutes=20),
    Over.CHANGED: timedelta(minutes=20),
    Over.APPLICATION: timedelta(minutes=APPLICATION_CONSISTENT_IN_MINUTES + 10),
}
"""How long replication runs before the disaster, so that there is a point such as the scenario asks for."""


def scenario_of(plan: Plan) -> Scenario:
    """The scenario that a plan was made for."""
    return scenario_named(plan.scenario)


def moves(plan: Plan) -> bool:
    """Whether machines move in it."""
    return any(step.action.verb == "failover" for step in plan.of_phase(Phase.FAILOVER))


def _returns(plan: Plan) -> list[str]:
    """The events with which what was lost comes back."""
    return [event.id for event in plan.events if event.id.startswith(RETURN)]


def _watches(plan: Plan) -> bool:
    return any(step.action.verb == "await_region" for step in plan.of_phase(Phase.RETURN))


def _fault(outcome: RunOutcome, step_id: str) -> str:
    fault = outcome.faults.get(step_id)
    return "failed" if not fault else str(fault.get("message") or fault.get("code"))
