"""`prove`: every moment a run can be in, and what must hold in it.

    cuts.py             the moments: downward-closed sets of what changes forwarding
    slices.py           which of them matter to one machine
    flows.py            what is promised, one flow of each class
    forwarding.py       which moments are the same to a packet, and which failures can matter
    evaluation.py       how each flow fares in each of them
    claims.py           what is claimed, and when
    counterexamples.py  the smallest example of what does not hold
    exposure.py         what a failure would cost that nobody promised to survive

`Proof.cuts` is the number of downward-closed sets of the plan's effectful steps and events, each counted once for
every outcome of its steps that may fail: the moments that can differ for any packet. It is counted exactly, also where
the slices make listing them all unnecessary. `Proof.states` is how many different networks those moments come to
(bodies, sites, what is lost; which machines run is looked at flow by flow).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from farshore.arm.ids import ResourceId, resource_id
from farshore.assess.objectives import objectives_of
from farshore.estate.estate import Estate
from farshore.estate.project import Objective
from farshore.plan.effects import start
from farshore.plan.model import Lose, Phase, Plan, Restore
from farshore.prove.claims import Claims
from farshore.prove.counterexamples import Collector, Fault
from farshore.prove.cuts import LIMIT, PHASES, Moment, count_cuts, explore, members, poset_of
from farshore.prove.evaluation import Evaluator, Outcome, State
from farshore.prove.exposure import Exposed
from farshore.prove.flows import EndKind, PromisedFlow, promised_flows
from farshore.prove.forwarding import Forwarding, Worlds
from farshore.prove.slices import Slice, Slices
from farshore.prove.values import Proof, Verdict
from farshore.routing.figures import describe
from farshore.routing.values import Disposition, Trace
from farshore.routing.verdicts import Verdict as Word

TOLD = 50
"""After so many moments it is told again how far a proof is."""


def prove(
    estate: Estate,
    plan: Plan,
    objectives: Iterable[Objective] | None = None,
    *,
    limit: int = LIMIT,
    tell: Callable[[str], None] = lambda line: None,
) -> Proof:
    """The proof of a plan. Objectives: those given, else the plan's own, else what the estate is there for. `tell`
    hears how far it is, every few moments. Raises `InputError` for an objective or effect that names what the estate
    does not have."""
    wanted = tuple(objectives) if objectives is not None else plan.objectives or objectives_of(estate)
    return _Prover(estate, plan, wanted, limit, tell).proof()


class _Prover:
    def __init__(
        self,
        estate: Estate,
        plan: Plan,
        objectives: tuple[Objective, ...],
        limit: int,
        tell: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self.tell = tell
        self.objectives = objectives
        self.limit = limit
        self.poset = poset_of(plan, estate)
        self.slices = Slices(plan, self.poset)
        self.flows = promised_flows(objectives, plan, estate, self.slices)
        self.worlds = Worlds(start(estate, plan), self.poset)
        self.claims = Claims(plan, estate, self.poset, self.slices)
        self.forwarding = Forwarding(self.worlds, _hosts(self.flows))
        self.collector = Collector(plan, self.poset)
        self.ends = [phase for phase in PHASES if plan.of_phase(phase)]
        self.exposed = Exposed(plan, self.claims)
        self.verdicts: dict[tuple[str, Phase], _Tally] = {}
        self.keys: set[str] = set()
        self.exhaustive = True
        self.evaluations = 0
        self.tried: set[str] = set()

    def proof(self) -> Proof:
        groups: dict[tuple[str, ...], list[PromisedFlow]] = {}
        for flow in self.flows:
            groups.setdefault(flow.ends, []).append(flow)
        for number, (machines, flows) in enumerate(groups.items(), 1):
            self._slice(self.slices.of(*machines), tuple(flows), f"proving: part {number} of {len(groups)}")
        self._unspoken(groups)
        found = self.collector.counterexamples()
        cuts = count_cuts(self.poset)
        return Proof(
            ok=all(item.exempt for item in found),
            cuts=len(self.keys) if cuts is None else cuts,
            states=len(self.forwarding.networks),
            evaluations=self.evaluations,
            exhaustive=self.exhaustive,
            failures=tuple(sorted(self.tried)),
            double_failures=len(self.exposed.pairs),
            double_failures_traced=self.exposed.traced,
            counterexamples=found,
            verdicts=tuple(self._verdicts()),
            exposures=self.exposed.ranked(),
            enumerated=frozenset(self.keys),
        )

    def _slice(self, part: Slice, flows: tuple[PromisedFlow, ...], name: str) -> None:
        """All moments of one slice, and the flows that it is about."""
        self.tell(name)
        evaluator = Evaluator(self.plan, part.machines, flows, self.worlds, self.forwarding, self.claims)
        reached = explore(self.poset, part.bits, self.worlds.first, self.worlds.advance, self.limit)
        self.exhaustive &= reached.exhaustive
        closing: dict[int, list[Phase]] = {}
        for phase in self.ends:
            closing.setdefault(self.poset.through(phase) & part.bits, []).append(phase)
        self.collector.begin()
        phases: dict[int, tuple[State, dict[Phase, None]]] = {}
        for number, (moment, world) in enumerate(reached.moments):
            if number % TOLD == 0:
                self.tell(f"{name}, {number:,} of {len(reached.moments):,} moments")
            self.keys.add(part.key(moment))
            state = evaluator.state(world)
            ending = closing.get(moment.done, [])
            for index, flow in enumerate(flows):
                faults = list(self._faults(flow, index, moment, state, bool(ending)))
                self.collector.see(moment, faults)
                wrong = next((fault.outcome for fault in faults if not fault.exempt), None)
                for phase in () if self.claims.nobody_there(flow, self.worlds[world]) else ending:
                    tally = self.verdicts.setdefault((flow.objective.name, phase), _Tally())
                    tally.add(flow.members, wrong or state.outcomes[index] or self._unsent(flow, world), wrong is None)
                if wrong is not None and not ending:
                    self.verdicts.setdefault((flow.objective.name, self._met(moment)), _Tally()).spoil(wrong)
            held = phases.setdefault(id(state), (state, {}))[1]
            held |= dict.fromkeys(ending or [self._reached(moment)])
        for state, seen in phases.values():
            self.exposed.see(tuple(seen), state, evaluator)
        self.evaluations += evaluator.evaluations
        self.tried |= evaluator.tried

    def _reached(self, moment: Moment) -> Phase:
        """The phase that a moment is in: the last of which anything is done."""
        done = [node.phase for index in members(moment.done) if (node := self.poset.nodes[index]).phase is not None]
        return max(done, key=PHASES.index, default=self.ends[0] if self.ends else PHASES[0])

    def _met(self, moment: Moment) -> Phase:
        """The phase in which a moment's faults are counted. What the scenario takes away belongs to the failover, what
        it gives back to the return, though no step of theirs is done yet; a phase that the plan has not got is counted
        in the one that comes next."""
        reached = PHASES.index(self._reached(moment))
        for index in members(moment.done):
            for effect in self.poset.nodes[index].effects:
                if isinstance(effect, Lose | Restore):
                    begun = Phase.RETURN if isinstance(effect, Restore) else Phase.FAILOVER
                    reached = max(reached, PHASES.index(begun))
        last = self.ends[-1] if self.ends else PHASES[0]
        return next((phase for phase in self.ends if PHASES.index(phase) >= reached), last)

    def _faults(self, flow: PromisedFlow, index: int, moment: Moment, state: State, ending: bool) -> Iterator[Fault]:
        """What speaks against one flow at one moment."""
        claimed = not flow.objective.deny and not self.claims.nobody_there(flow, self.worlds[state.world])
        promised = claimed and (ending or (state.on_feet[index] and self.claims.path_done(flow, moment)))
        if state.outcomes[index] is None and promised:
            outcome = self._unsent(flow, state.world)
            yield Fault(claim="reachability", kind="unreachable", flow=flow, failed=(), outcome=outcome)
        for element, outcome in state.bad[index]:
            failed = () if element is None else (str(element),)
            kind = outcome.verdict.kind
            if outcome.unsafe:
                exempt = self.claims.exempt(kind, moment, self.worlds[state.world])
                yield Fault(claim="safety", kind=kind, flow=flow, failed=failed, outcome=outcome, exempt=exempt)
            elif promised and (
                element is None or self.claims.survives(flow.objective, element, self.worlds[state.world])
            ):
                yield Fault(claim="reachability", kind="unreachable", flow=flow, failed=failed, outcome=outcome)

    def _unsent(self, flow: PromisedFlow, world: int) -> Outcome:
        """The outcome of a flow that nothing can send: the machine is not where it is promised."""
        sent = flow.at(self.worlds[world], expected=True)
        assert sent is not None, "every planned machine has an address"
        because = f"there is no {flow.source.shown} where it is promised"
        trace = Trace(flow=sent, hops=(), disposition=Disposition.NO_MACHINE, because=because)
        word = Word(kind="unreachable", because=because, disposition=Disposition.NO_MACHINE)
        return Outcome(word, trace, trace)

    def _unspoken(self, groups: dict[tuple[str, ...], list[PromisedFlow]]) -> None:
        """Moments of machines of which nothing is promised, and of the network alone: every claim holds there, and a
        journal can be checked against them too."""
        for machines in ((), *((machine.id.key,) for machine in self.plan.machines)):
            part = self.slices.of(*machines)
            if machines not in groups and f"{part.shape}:0:0" not in self.keys:
                reached = explore(self.poset, part.bits, 0, lambda key, index: 0, self.limit)
                self.exhaustive &= reached.exhaustive
                self.keys.update(part.key(moment) for moment, _ in reached.moments)

    def _verdicts(self) -> Iterator[Verdict]:
        for objective in self.objectives:
            for phase in self.ends:
                tally = self.verdicts.get((objective.name, phase))
                if tally is not None:
                    yield Verdict(
                        objective=objective.name,
                        phase=phase.value,
                        proven=tally.proven,
                        flows=tally.flows,
                        trace=tally.trace,
                    )


class _Tally:
    """What has been seen of one objective in one phase: at its end, and what went wrong before."""

    def __init__(self) -> None:
        self.proven = True
        self.flows = 0
        self.shown: Outcome | None = None

    def add(self, flows: int, outcome: Outcome, good: bool) -> None:
        self.flows += flows
        if self.shown is None or (self.proven and not good):
            self.shown = outcome
        self.proven &= good

    def spoil(self, outcome: Outcome) -> None:
        """Something was wrong in the midst of the phase, whatever its end is."""
        if self.proven:
            self.shown = outcome
        self.proven = False

    @property
    def trace(self) -> str:
        return "" if self.shown is None else describe((self.shown.forward, self.shown.back))


def _hosts(flows: Iterable[PromisedFlow]) -> tuple[ResourceId, ...]:
    """The NICs of hosts that objectives name, beside the planned machines."""
    ends = (end for flow in flows for end in (flow.source, flow.destination))
    return tuple(dict.fromkeys(resource_id(end.name) for end in ends if end.kind is EndKind.HOST))
