"""What happens to a group of flows in one forwarding state: as it is, and with each thing in it failed.

One evaluator serves one slice: the flows between the same machines (or a machine and the sites). It decides each
forwarding state once. A failure is tried only where it can matter to these flows: its element is on the part of the
network that they can reach (`forwarding.py`), and the flow is not already unsafe without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from farshore.arm.ids import ResourceId
from farshore.arm.network import normal_location
from farshore.estate.estate import Estate
from farshore.plan.effects import World
from farshore.plan.model import Plan
from farshore.prove.claims import SAFETY, Claims
from farshore.prove.flows import PromisedFlow
from farshore.prove.forwarding import Forwarding, Worlds, with_failed
from farshore.routing import Routing
from farshore.routing.failures import LINKS, Element, line_name
from farshore.routing.values import Hop, Trace
from farshore.routing.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one flow fared."""

    verdict: Verdict
    forward: Trace
    back: Trace

    @property
    def unsafe(self) -> bool:
        return self.verdict.kind in SAFETY


Outcomes = tuple[Outcome | None, ...]
"""One for each flow of the slice; None where nothing can send it."""


class State:
    """One forwarding state, decided.

    `world` is a world that has it; `on_feet` says for each flow whether the machines at its ends run where they are
    promised; `bad` what is not good for it, without failure (None) and with each.
    """

    __slots__ = ("bad", "failed", "on_feet", "outcomes", "world")

    def __init__(
        self, world: int, outcomes: Outcomes, failed: tuple[tuple[Element, Outcomes], ...], on_feet: tuple[bool, ...]
    ) -> None:
        self.world = world
        self.outcomes = outcomes
        self.failed = failed
        self.on_feet = on_feet
        every: list[tuple[Element | None, Outcomes]] = [(None, outcomes), *failed]
        self.bad = tuple(
            tuple(
                (element, found)
                for element, several in every
                if (found := several[index]) is not None and not found.verdict.good
            )
            for index in range(len(outcomes))
        )


class Evaluator:
    """See the theory above."""

    def __init__(
        self,
        plan: Plan,
        machines: tuple[str, ...],
        flows: tuple[PromisedFlow, ...],
        worlds: Worlds,
        forwarding: Forwarding,
        claims: Claims,
    ) -> None:
        self.flows = flows
        self.evaluations = 0
        self.tried: set[str] = set()
        """Names of the single failures."""
        self._machines = machines
        self._worlds = worlds
        self._forwarding = forwarding
        self._claims = claims
        self._states: dict[int, State] = {}
        self._nics: tuple[ResourceId, ...] = tuple(
            nic for item in plan.machines if item.id.key in machines for nic in (item.nic, item.target_nic)
        )

    def state(self, world: int) -> State:
        """The forwarding state of a world, decided when first met."""
        key = self._forwarding.key(world, self._machines, self._nics)
        found = self._states.get(key)
        if found is None:
            found = self._states[key] = self._decide(key, world)
        return found

    def world(self, state: State) -> World:
        """A world that has this forwarding state."""
        return self._worlds[state.world]

    def outcomes(self, world: int, failed: tuple[Element, ...], which: tuple[bool, ...] | None = None) -> Outcomes:
        """How the flows fare in a world with some elements failed; `which` leaves flows out."""
        here = self._worlds[world]
        routing = Routing(with_failed(here.estate, failed))
        return tuple(
            self._outcome(flow, world, routing) if which is None or which[index] else None
            for index, flow in enumerate(self.flows)
        )

    def met(self, world: int, outcome: Outcome) -> frozenset[str]:
        """Everything that the flow and its reply pass, by the names that a failure has (`routing/failures.py`)."""
        return frozenset(names_on(self._worlds[world].estate, outcome.forward.hops + outcome.back.hops))

    def _decide(self, key: int, world: int) -> State:
        here = self._worlds[world]
        routing = Routing(here.estate)
        cold = tuple(self._outcome(flow, world, routing) for flow in self.flows)
        which = tuple(outcome is not None and not outcome.unsafe for outcome in cold)
        failed: list[tuple[Element, Outcomes]] = []
        if any(which):
            for element in self._forwarding.failures(key, world, self._nics):
                self.tried.add(str(element))
                failed.append((element, self.outcomes(world, (element,), which)))
        feet = tuple(self._claims.on_its_feet(flow, here, routing.world) for flow in self.flows)
        return State(world=world, outcomes=cold, failed=tuple(failed), on_feet=feet)

    def _outcome(self, flow: PromisedFlow, world: int, routing: Routing) -> Outcome | None:
        here = self._worlds[world]
        sent = flow.at(here)
        if sent is None:
            return None
        self.evaluations += 1
        forward, back = routing.trace(sent)
        return Outcome(self._claims.verdict(flow, here, forward, back), forward, back)


def names_on(estate: Estate, hops: tuple[Hop, ...]) -> Iterator[str]:
    """The names in `Outside.down` of whatever would break these hops."""
    gateways: set[str] = set()
    circuits: set[str] = set()
    for before, after in pairwise(hops):
        if before.kind == after.kind == "site":
            yield line_name(before.name, after.name)
        elif before.kind == after.kind == "circuit":
            yield from _reaches(estate, {hop.id for hop in (before, after)})
    for hop in hops:
        if hop.state_key:
            yield from hop.state_key.split("|")
        if hop.kind == "router":
            site = str(hop.id).partition(":")[2].partition("/")[0]
            yield from (f"router:{site}/{name}".lower() for name in hop.name.split(", "))
        if not isinstance(hop.id, ResourceId):
            continue
        yield hop.id.key
        yield f"region:{normal_location((estate.get(hop.id) or {}).get('location'))}"
        if hop.kind == "gateway":
            gateways.add(hop.id.key)
            yield from (f"{hop.id.key}#{number}" for number in (0, 1))
        elif hop.kind == "circuit":
            named = set(hop.name.split(", "))
            for circuit in estate.express_route_circuits:
                if circuit.id.name.lower() in {name.lower() for name in named}:
                    circuits.add(circuit.id.key)
                    yield circuit.id.key
                    yield f"location:{(circuit.peering_location or '').lower()}"
                    yield from (f"{circuit.id.key}#{link}" for link in LINKS)
        elif hop.kind in ("machine", "appliance"):
            nic = estate.network_interface(hop.id)
            if nic is not None and nic.virtual_machine is not None:
                yield nic.virtual_machine.key
    for connection in estate.connections:
        ends = {id_.key for id_ in (connection.virtual_network_gateway1, connection.peer) if id_ is not None}
        if ends <= gateways | circuits:
            yield connection.id.key


def _reaches(estate: Estate, ends: set[object]) -> Iterator[str]:
    """Global Reach between two circuits, by the id of whichever holds it (E46)."""
    for circuit in estate.express_route_circuits:
        for reach in () if circuit.private_peering is None else circuit.private_peering.connections:
            if {circuit.id, reach.peer} == ends:
                yield reach.id.key
