"""What a failure would cost that nobody promised to survive: ranked, never a failure of the proof.

In every state that a cut can be in: every single failure that stops a flow which goes on without it, and every pair of
failures that does although neither alone would. What a pair does to safety (two things gone, and traffic meets a stale
machine) is told here too.

The order: most machines first; of these, what nobody notices before what BGP tells at once; singles before pairs.
"""

from __future__ import annotations

from itertools import combinations

from farshore.estate.project import Topology
from farshore.plan.model import Phase, Plan
from farshore.prove.claims import Claims
from farshore.prove.cuts import PHASES
from farshore.prove.evaluation import Evaluator, Outcome, State
from farshore.prove.values import Exposure
from farshore.routing.failures import Element

AWAY = frozenset({Phase.FAILOVER, Phase.COMMIT, Phase.RETURN, Phase.REPROTECT})
"""Phases at whose end the target serves."""
MOST = 200
"""The rest is counted by nobody: whoever has so many exposures reads the first."""


class Exposed:
    """Exposures as they are found."""

    def __init__(self, plan: Plan, claims: Claims) -> None:
        self._plan = plan
        self._claims = claims
        self.pairs: set[frozenset[str]] = set()
        """Every pair of failures that was looked at, by what is down."""
        self.traced = 0
        """How often one was: the others can't meet."""
        self._found: dict[tuple[str, ...], _Sum] = {}

    def see(self, phases: tuple[Phase, ...], state: State, evaluator: Evaluator) -> None:
        """One state of a slice, and the phases that have it at some moment."""
        for elements, machines, silent in (*self._singles(state, evaluator), *self._pairs(state, evaluator)):
            names = tuple(str(element) for element in elements)
            found = self._found.setdefault(names, _Sum(elements))
            for phase in phases:
                found.phases.setdefault(phase, set()).update(machines)
            if silent:
                found.silent = silent

    def ranked(self) -> tuple[Exposure, ...]:
        made = []
        for names, found in self._found.items():
            by_machines: dict[frozenset[str], list[Phase]] = {}
            for phase, machines in found.phases.items():
                by_machines.setdefault(frozenset(machines), []).append(phase)
            for lost, phases in by_machines.items():
                phases.sort(key=PHASES.index)
                exposure = Exposure(
                    failed=names,
                    phase=", ".join(phase.value for phase in phases),
                    machines=tuple(sorted(lost)),
                    noticed=found.silent or _noticed(found.elements),
                    cure=self._cure(found.elements, away=set(phases) <= AWAY),
                )
                made.append(((-len(lost), not (found.silent or _silent(found.elements)), len(names), names), exposure))
        return tuple(exposure for _, exposure in sorted(made, key=lambda item: item[0])[:MOST])

    def _singles(self, state: State, evaluator: Evaluator) -> list[_Cost]:
        found: list[_Cost] = []
        world = evaluator.world(state)
        for element, outcomes in state.failed:
            lost: set[str] = set()
            for flow, cold, outcome in zip(evaluator.flows, state.outcomes, outcomes, strict=True):
                if cold is None or outcome is None or not cold.verdict.good or outcome.verdict.good or outcome.unsafe:
                    continue
                if not self._claims.survives(flow.objective, element, world):
                    lost.update(flow.machines)
            if lost:
                found.append(((element,), frozenset(lost), ""))
        return found

    def _pairs(self, state: State, evaluator: Evaluator) -> list[_Cost]:
        """A pair can only stop a flow that goes on without either if each lies on the way that the other leaves it:
        taking away what a flow does not use leaves every choice on its way as it was."""
        met: dict[int, frozenset[str]] = {}

        def touches(element: Element, outcome: Outcome) -> bool:
            on_way = met.get(id(outcome))
            if on_way is None:
                on_way = met[id(outcome)] = evaluator.met(state.world, outcome)
            return not on_way.isdisjoint(element.down)

        found: list[_Cost] = []
        for (one, first), (other, second) in combinations(state.failed, 2):
            if one.down >= other.down or other.down >= one.down:
                continue
            self.pairs.add(one.down | other.down)
            which = tuple(
                cold is not None
                and cold.verdict.good
                and left is not None
                and right is not None
                and left.verdict.good
                and right.verdict.good
                and touches(other, left)
                and touches(one, right)
                for cold, left, right in zip(state.outcomes, first, second, strict=True)
            )
            if not any(which):
                continue
            self.traced += 1
            lost: set[str] = set()
            silent = ""
            for flow, outcome in zip(
                evaluator.flows, evaluator.outcomes(state.world, (one, other), which), strict=True
            ):
                if outcome is not None and not outcome.verdict.good:
                    lost.update(flow.machines)
                    if outcome.unsafe:
                        silent = f"nobody notices: {outcome.verdict.because}"
            if lost:
                found.append(((one, other), frozenset(lost), silent))
        return found

    def _cure(self, elements: tuple[Element, ...], *, away: bool) -> str:
        alone = len(elements) == 1
        return "; or ".join(dict.fromkeys(self._cure_of(element, away, alone) for element in elements))

    def _cure_of(self, element: Element, away: bool, alone: bool) -> str:
        match element.kind:
            case "circuit" | "peering-location" | "router":
                return self._other_circuit(element.kind, away, alone)
            case "circuit-link":
                return "repair the link: the circuit has no third"
            case "gateway" | "gateway-instance":
                return "a zone-redundant gateway SKU, and the gateway's template at hand"
            case "connection":
                return "make the connection again; its body is in the plan"
            case "site-link" | "global-reach":
                return "a circuit of its own for the site that goes by it"
            case "appliance":
                return "two appliances behind an internal load balancer: a route has no health of its own (R25)"
        return "the failover that this plan is for" if element.name == self._plan.source_region else "fail back"

    def _other_circuit(self, kind: str, away: bool, alone: bool) -> str:
        topology = self._plan.topology
        if topology.startswith("single-circuit"):
            return "a second circuit, in another peering location (D57)"
        if kind == "peering-location" and topology == Topology.TWO_CIRCUITS_ONE_LOCATION:
            return "a circuit in another peering location (D53)"
        if topology == Topology.TWO_CIRCUITS_NEW_ADDRESSES:
            # What a pair takes away and neither of the two alone had another way already.
            return (
                "connect both hubs to both circuits ahead (D91)"
                if alone
                else "a further circuit for both hubs, in another peering location"
            )
        idle, serving = ("source", "target") if away else ("target", "source")
        return f"withdraw and delete the {idle}'s connection, then connect its circuit to the {serving}'s hub (D91)"


_Cost = tuple[tuple[Element, ...], frozenset[str], str]
"""What failed, which machines that costs, and why nobody notices (empty where BGP tells)."""


class _Sum:
    def __init__(self, elements: tuple[Element, ...]) -> None:
        self.elements = elements
        self.phases: dict[Phase, set[str]] = {}
        self.silent = ""


def _silent(elements: tuple[Element, ...]) -> bool:
    return any(element.kind == "appliance" for element in elements)


def _noticed(elements: tuple[Element, ...]) -> str:
    if _silent(elements):
        return "by nobody: routes to a dead appliance stay Active and the traffic is lost (R25)"
    if any(element.kind == "region" for element in elements):
        return "by everyone"
    return "at once: BGP withdraws the routes"
