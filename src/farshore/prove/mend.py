"""The change that mends a plan where its proof fails: tried, and offered only when the proof then holds better.

Four kinds of change are derivable from a counterexample, and tried in this order:

  * what the planner makes of this estate and this plan has not: a step put back, an order kept
  * another order: steps that were not done yet come before the step that brought the fault, with whatever they need
    that stood between; the fewest of one letter, else of the phase
  * a site step that is missing before two networks answer: one router of the site prefers its circuit (D51, D90)
  * a fence that is missing before old machines return: the routers that lead to them deny the moved prefixes (D51)

Each is proven anew, with the objective in question first, then with all of them. It is offered when the fault is gone
and nothing is wrong that was not wrong before; else there is none. Mends for all that a proof found, such that they can
be had together, are put together by `mends.py`; what to do about the estate itself is found by `repair.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from farshore.arm.decode import Network
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Router, Site
from farshore.plan.actions import router_settings, site_change
from farshore.plan.effects import apply, start
from farshore.plan.model import Event, Phase, Plan, SetRouter, Step, StepKind, order
from farshore.prove.lost import below, listed, lost_of, moves_a_machine
from farshore.prove.prover import prove
from farshore.prove.values import Counterexample, Proof
from farshore.routing.verdicts import UNSAFE

MOST_TRIED = 16
WHOLE_TRIED = 6
"""Changes that are proven with all objectives, not only with the one that failed."""
PREFERRED = 200
"""Above the default of 100 (E42)."""


def mend(estate: Estate, plan: Plan, counterexample: Counterexample) -> str | None:
    """The smallest change found that takes the counterexample away and brings no other, in words; None where none
    was."""
    found = mended(estate, plan, counterexample)
    return None if found is None else found[0]


def mended(estate: Estate, plan: Plan, counterexample: Counterexample) -> tuple[str, Plan] | None:
    """The same, with the plan as it would be. A change after which the whole plan is proven is taken before one that
    only takes the counterexample away."""
    found = search(estate, plan, counterexample, prove(estate, plan))
    return None if found is None else (found.text, found.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """A change in words, the plan as it would be, and its proof."""

    text: str
    plan: Plan
    proof: Proof


def search(
    estate: Estate, plan: Plan, example: Counterexample, held: Proof, keeps: Callable[[Plan], bool] = lambda plan: True
) -> Mend | None:
    """The best change found for one of the counterexamples in `held`, which is the plan's proof with all objectives.
    `keeps`: what else the changed plan has to be."""
    objectives = [item for item in plan.objectives if item.name == example.objective]
    several = bool(objectives) and len(plan.objectives) > 1
    known, place = faults_of(held), place_of(example)
    best: Mend | None = None
    whole = 0
    for text, changed in islice(_candidates(estate, plan, example), MOST_TRIED):
        if not keeps(changed):
            continue
        # One objective's proof is the cheap one: what fails there needs no other.
        proof = prove(estate, changed, objectives if several else None)
        if place in faults_of(proof) or _worse(proof, known):
            continue
        if several:
            if whole == WHOLE_TRIED or (best is not None and not proof.ok):
                continue
            whole += 1
            proof = prove(estate, changed)
            if _worse(proof, known):
                continue
        if proof.ok:
            return Mend(text=text, plan=changed, proof=proof)
        best = best or Mend(text=text, plan=changed, proof=proof)
    return best


Place = tuple[str, str, str]
"""Where a proof failed, the same in a changed plan's: claim, objective, and the step or event after which."""


def place_of(item: Counterexample) -> Place:
    return item.claim, item.objective, item.after


def faults_of(proof: Proof) -> dict[Place, int]:
    """Where a proof failed, and how badly, 0 the worst. The exempt interval is the topology's, whatever the plan."""
    found: dict[Place, int] = {}
    for item in proof.counterexamples:
        if not item.exempt:
            bad = UNSAFE.index(item.kind) if item.kind in UNSAFE else len(UNSAFE)
            found[place_of(item)] = min(bad, found.get(place_of(item), bad))
    return found


def _worse(proof: Proof, known: Mapping[Place, int]) -> bool:
    """Whether a proof failed where nothing was wrong before, or more badly than before."""
    return any(place not in known or bad < known[place] for place, bad in faults_of(proof).items())


def _candidates(estate: Estate, plan: Plan, example: Counterexample) -> Iterator[tuple[str, Plan]]:
    yield from lost_of(estate, plan, example)
    if not example.after:
        return
    yield from _orders(plan, example)
    if example.kind == "ambiguous":
        yield from _preferences(estate, plan, example)
    if example.kind in ("stale", "wrong-owner"):
        yield from _fences(estate, plan, example)


# Another order. ----------------------------------------------------------------------------------------------------


def _orders(plan: Plan, example: Counterexample) -> Iterator[tuple[str, Plan]]:
    brought = plan.step(example.after)
    if brought is None:
        return
    open_ = [
        step
        for step in plan.of_phase(brought.phase)
        if step.effects and step.id not in example.cut.done and step.id != example.after
    ]
    groups: list[list[Step]] = [[step] for step in open_ if step.kind is StepKind.SITE]
    letters = dict.fromkeys(step.letter for step in open_ if step.letter is not None)
    groups += [[step for step in open_ if step.letter == letter] for letter in reversed(letters)]
    groups.append([step for step in open_ if not moves_a_machine(plan, step)])
    for group in groups:
        changed: Plan | None = plan
        for step in group:
            changed = None if changed is None else _before(changed, step.id, brought.id)
        if group and changed is not None and changed != plan:
            yield f"let {listed(step.id for step in group)} come before {brought.id}", changed


def _before(plan: Plan, earlier: str, later: str) -> Plan | None:
    """The plan with one step before another. What stands between them because it comes after `later` and the moved
    step needs it moves along; an event never does."""
    items: dict[str, Step | Event] = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    above = _above(items, later)
    needed = below(items, earlier) | {earlier}
    moving = above & needed
    if any(isinstance(items[id_], Event) for id_ in moving):
        return None
    floor = items[later].after

    def placed(step: Step) -> Step:
        if step.id == later:
            return replace(step, after=tuple(dict.fromkeys((*step.after, earlier))))
        if step.id not in moving or later not in step.after:
            return step
        after = (before for id_ in step.after for before in (floor if id_ == later else (id_,)))
        return replace(step, after=tuple(dict.fromkeys(after)))

    try:
        return replace(plan, steps=tuple(placed(step) for step in plan.steps))
    except InputError:
        return None


def _above(items: dict[str, Step | Event], id_: str) -> set[str]:
    return {other for other in items if id_ in below(items, other)}


# A site step that is missing. --------------------------------------------------------------------------------------


def _preferences(estate: Estate, plan: Plan, example: Counterexample) -> Iterator[tuple[str, Plan]]:
    site = estate.site(example.flow.source) or next(iter(estate.sites), None)
    if site is None:
        return
    here = _site_at(estate, plan, example, site)
    for router in here.routers:
        wanted = replace(router, local_preference=max(PREFERRED, *(r.local_preference + 100 for r in here.routers)))
        text = (
            f"a site step is missing: before {example.after}, router {router.name} at {site.name} must prefer what "
            f"circuit {router.circuit.name} offers (local preference {wanted.local_preference}), on every router"
        )
        changed = _with_site_step(plan, example.after, site, "prefer", [wanted])
        if changed is not None:
            yield text, changed


def _fences(estate: Estate, plan: Plan, example: Counterexample) -> Iterator[tuple[str, Plan]]:
    site = estate.site(example.flow.source) or next(iter(estate.sites), None)
    prefixes = _networks_of_machines(estate, plan)
    if site is None or not prefixes:
        return
    here = _site_at(estate, plan, example, site)
    for router in here.routers:
        denied = tuple(Filter(direction="in", prefix=prefix, action="deny") for prefix in prefixes)
        wanted = replace(router, filters=(*router.filters, *denied))
        text = (
            f"a fence is missing: before {example.after}, router {router.name} at {site.name} must deny what circuit "
            f"{router.circuit.name} offers of {listed(map(str, prefixes))}"
        )
        changed = _with_site_step(plan, example.after, site, "fence", [wanted])
        if changed is not None:
            yield text, changed


def _site_at(estate: Estate, plan: Plan, example: Counterexample, site: Site) -> Site:
    """The site as it stands at the counterexample."""
    items: dict[str, Step | Event] = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    world = start(estate, plan)
    for id_ in order(plan.steps, plan.events):
        if id_ in example.cut.done:
            world = apply(world, items[id_].effects)
    return world.estate.site(site.name) or site


def _networks_of_machines(estate: Estate, plan: Plan) -> tuple[Network, ...]:
    found: dict[Network, None] = {}
    for machine in plan.machines:
        nic = estate.network_interface(machine.nic)
        subnet = None if nic is None or nic.primary is None else nic.primary.subnet
        network = None if subnet is None else estate.virtual_network(subnet.parent)
        found |= dict.fromkeys(() if network is None else network.address_space)
    return tuple(found)


def _with_site_step(plan: Plan, before: str, site: Site, name: str, routers: list[Router]) -> Plan | None:
    """The plan with a new site step right before a step or an event."""
    items: dict[str, Step | Event] = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    later = items.get(before)
    if later is None:
        return None
    phase = later.phase if isinstance(later, Step) else _phase_before(items, later)
    new = Step(
        id=f"{phase.value}/{name}/{site.name}/{routers[0].name}",
        kind=StepKind.SITE,
        phase=phase,
        title=f"Site {site.name}: {name} on {routers[0].name}",
        subject=f"sites/{site.name}/routers/{routers[0].name}",
        action=site_change(site.name, [router_settings(router) for router in routers], []),
        after=later.after,
        effects=tuple(SetRouter(site=site.name, router=router) for router in routers),
    )
    if new.id in items:
        return None
    steps = tuple(replace(s, after=(*s.after, new.id)) if s.id == before else s for s in plan.steps)
    events = tuple(replace(e, after=(*e.after, new.id)) if e.id == before else e for e in plan.events)
    return replace(plan, steps=(*steps, new), events=events)


def _phase_before(items: dict[str, Step | Event], event: Event) -> Phase:
    phases = [item.phase for id_ in below(items, event.id) if isinstance(item := items[id_], Step)]
    return max(phases, key=list(Phase).index, default=Phase.PROVISION)
