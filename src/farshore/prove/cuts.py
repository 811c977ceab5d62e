"""Every moment a run can be in, as downward-closed sets of what changes forwarding.

A plan is a partial order of steps and events. A cut of a run is what is done, what is under way, and what the scenario
has taken away or given back. What a packet meets at a cut depends only on the effects that have happened, so steps
without effects are projected away, and the order that they carried is kept: a node comes below another when any chain
of `after` leads from one to the other.

Every state of every cut is a downward-closed set of these nodes (a downset), and every downset is a state of a cut:

  * What is done is downward closed: a step starts only when all it comes after is done, and an event happens only
    after what it comes after. A step under way has all below it done, so no two steps under way lie below one another.
    Whichever of them have already taken effect (nobody can tell: an answer may be lost on the way), what is done plus
    those is downward closed again. A downset of the whole order, projected on the nodes, is a downset of the
    projection.
  * Conversely each downset D of the projection is the projection of the set of everything at or below D, and that is
    a moment of the run that does D's steps first.

So the downsets are the moments, and a cut with k steps under way is covered when its 2^k downsets are. Three things
refine this. A site step that sets several routers sets them one after another: each is a node of its own, in no order
among them. A step that may fail (D62) can be behind us without having taken effect: a moment says which of those have
failed. And where the order of two unordered steps matters (both write one resource), a moment can have several worlds:
`explore` keeps them all.

A region whose ARM is lost takes writes on its own resources with it (E36): a put, delete or deallocate there that comes
after the loss waits for the return, and never happens where the scenario has none, nor does what comes after it.

The same argument lets a claim about one machine look at a slice: a subset of the nodes, with the induced order. The
downsets of the slice are exactly what the downsets of the whole leave in it (`slices.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from farshore.arm.ids import resource_id
from farshore.arm.network import normal_location
from farshore.estate.estate import Estate
from farshore.plan.model import CONTROL_PLANE, Effect, Event, Lose, Phase, Plan, Restore, SetRouter, Step, order

LIMIT = 20_000
"""How many moments a slice may have before the exploration is no longer exhaustive."""

PHASES = tuple(Phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing that happens at once and changes what a packet meets: a step, a part of a site step, an event."""

    id: str
    """Of the step or event."""
    effects: tuple[Effect, ...]
    phase: Phase | None = None
    """None for an event."""
    may_fail: bool = False
    impossible: bool = False
    """It needs a region that is lost by then and never returns."""


class Moment(NamedTuple):
    """A downset, as bits over `Poset.nodes`, and which of its steps have failed without effect."""

    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poset:
    """The nodes of a plan in an order that `after` allows, and for each the bits of those below it."""

    nodes: tuple[Node, ...]
    below: tuple[int, ...]
    stated: tuple[int, ...]
    """`below` without what a lost region adds: what the plan alone says."""
    bits: Mapping[str, int]
    """Id of any step or event to the bits of its own nodes (none for a step without effects)."""
    beneath: Mapping[str, int]
    """Id of any step or event to the bits of the nodes below it, by the plan alone."""

    @property
    def all(self) -> int:
        """Everything that can happen."""
        return sum(1 << index for index, node in enumerate(self.nodes) if not node.impossible)

    def closure(self, bits: int) -> int:
        """The nodes at or below these."""
        closed = bits
        for index in members(bits):
            closed |= self.below[index]
        return closed

    def ids(self, bits: int) -> tuple[str, ...]:
        """Ids of the steps and events of these nodes, each once, in order."""
        return tuple(dict.fromkeys(self.nodes[index].id for index in members(bits)))

    def through(self, phase: Phase) -> int:
        """The moment at the end of a phase: its steps and those of the phases before it done, and what they come
        after."""
        last = PHASES.index(phase)
        wanted = sum(
            1 << index
            for index, node in enumerate(self.nodes)
            if node.phase is not None and PHASES.index(node.phase) <= last
        )
        return self.closure(wanted & self.all) & self.all


def poset_of(plan: Plan, estate: Estate | None = None) -> Poset:
    """The poset of a plan. With its estate, steps that a lost region makes impossible wait (see the theory)."""
    items: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
    by_id = {item.id: item for item in items}
    bits: dict[str, int] = {}
    beneath: dict[str, int] = {}
    nodes: list[Node] = []
    stated: list[int] = []
    # `order` gives ids so that what a node comes after is met before it.
    for id_ in order(plan.steps, plan.events):
        item = by_id[id_]
        under = 0
        for before in item.after:
            under |= beneath[before] | bits[before]
        own = 0
        for effects in _parts(item):
            own |= 1 << len(nodes)
            phase = item.phase if isinstance(item, Step) else None
            nodes.append(Node(id=id_, effects=effects, phase=phase, may_fail=isinstance(item, Step) and item.may_fail))
            stated.append(under)
        beneath[id_], bits[id_] = under, own
    poset = Poset(nodes=tuple(nodes), below=tuple(stated), stated=tuple(stated), bits=bits, beneath=beneath)
    return poset if estate is None else _with_losses(poset, by_id, estate)


def members(bits: int) -> Iterator[int]:
    """Indexes of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


@dataclass(frozen=True, slots=True)
class Reached:
    """What `explore` found: moments in the order found (fewest steps first), and whether it saw them all."""

    moments: tuple[tuple[Moment, int], ...]
    """Each with the key of its world; a moment with two worlds stands twice."""
    exhaustive: bool


def explore(poset: Poset, within: int, first: int, advance: Callable[[int, int], int], limit: int = LIMIT) -> Reached:
    """Every moment of a slice, from nothing done to all done.

    `first` is the key of the world at the start and `advance(key, index)` that of the world after one more node.
    Beyond `limit` moments the search starts again phase by phase, each from what the earlier phases have done and with
    its share of the limit, and the answer is not exhaustive.
    """
    within &= poset.all
    found = _breadth_first(poset, within, {(Moment(), first): None}, advance, limit)
    if len(found) <= limit:
        return Reached(tuple(found), True)
    partial: dict[tuple[Moment, int], None] = {}
    share = max(1, limit // (len(PHASES) + 1))
    start = Moment()
    key = first
    for phase in PHASES:
        partial |= dict.fromkeys(list(_breadth_first(poset, within, {(start, key): None}, advance, share))[:share])
        # The next phase begins where this one's end left the world, by one order of its steps.
        for index in members(poset.through(phase) & within & ~start.done):
            key = advance(key, index)
            start = Moment(start.done | 1 << index, start.failed)
            partial[start, key] = None
    partial |= dict.fromkeys(list(_breadth_first(poset, within, {(start, key): None}, advance, share))[:share])
    ordered = sorted(partial, key=lambda item: item[0].done.bit_count())
    return Reached(tuple(ordered), False)


def _breadth_first(
    poset: Poset,
    within: int,
    starts: dict[tuple[Moment, int], None],
    advance: Callable[[int, int], int],
    limit: int,
) -> dict[tuple[Moment, int], None]:
    """Moments above `starts`, each once, in order of how much is done; stops soon after `limit`."""
    found = dict(starts)
    frontier = list(starts)
    candidates = [(index, 1 << index, poset.below[index] & within) for index in members(within)]
    while frontier and len(found) <= limit:
        following: dict[tuple[Moment, int], None] = {}
        for moment, key in frontier:
            done, failed = moment.done, moment.failed
            for index, bit, under in candidates:
                if done & bit or under & ~done:
                    continue
                following[Moment(done | bit, failed), advance(key, index)] = None
                if poset.nodes[index].may_fail:
                    following[Moment(done | bit, failed | bit), key] = None
        fresh = [item for item in following if item not in found]
        found |= dict.fromkeys(fresh)
        frontier = fresh
    return found


def count_cuts(poset: Poset, budget: int = 50_000) -> int | None:
    """How many moments the whole plan has: downsets, each times the outcomes of its steps that may fail.

    Exact, and counted without listing: parts that no order joins multiply; of two layers, one wholly below the other,
    a downset holds some of the lower or all of it and some of the upper; otherwise it either lacks a node (and all
    above it) or has it (and all below it). None when that takes more than `budget` different parts.
    """
    known: dict[int, int] = {}
    up = [0] * len(poset.nodes)
    for index, under in enumerate(poset.below):
        for lower in members(under):
            up[lower] |= 1 << index
    joined = [poset.below[index] | up[index] for index in range(len(poset.nodes))]

    def weight(bits: int) -> int:
        return math.prod(2 if poset.nodes[index].may_fail else 1 for index in members(bits))

    def count(part: int) -> int:
        if part not in known:
            if len(known) > budget:
                raise OverflowError
            known[part] = math.prod(connected(piece) for piece in _components(part, joined))
        return known[part]

    def connected(part: int) -> int:
        if part & (part - 1) == 0:
            return 1 + weight(part)
        layers = _layers(part, poset.below)
        if len(layers) > 1:
            total, through = 0, 1
            for layer in layers[:-1]:
                total += through * (count(layer) - weight(layer))
                through *= weight(layer)
            return total + through * count(layers[-1])
        pivot = max(members(part), key=lambda index: (joined[index] & part).bit_count())
        having = (poset.below[pivot] | 1 << pivot) & part
        return count(part & ~(up[pivot] | 1 << pivot)) + weight(having) * count(part & ~having)

    try:
        return count(poset.all)
    except (OverflowError, RecursionError):
        return None


def _layers(part: int, below: tuple[int, ...]) -> list[int]:
    """The finest split into layers, each wholly below the next."""
    ordered = list(members(part))
    shared = [0] * len(ordered)
    common = part
    for place in range(len(ordered) - 1, -1, -1):
        common &= below[ordered[place]]
        shared[place] = common
    layers, layer, before = [], 0, 0
    for place, index in enumerate(ordered):
        if layer and not before & ~shared[place]:
            layers.append(layer)
            layer = 0
        layer |= 1 << index
        before |= 1 << index
    return [*layers, layer]


def _components(part: int, joined: list[int]) -> Iterator[int]:
    while part:
        piece = frontier = part & -part
        while frontier:
            reached = 0
            for index in members(frontier):
                reached |= joined[index]
            frontier = reached & part & ~piece
            piece |= frontier
        yield piece
        part &= ~piece


# A run's journal against the proof. --------------------------------------------------------------------------------


def states_of(
    poset: Poset, done: Iterable[str], under_way: Iterable[str], events: Iterable[str], within: int
) -> Iterator[Moment]:
    """The moments of a slice that one cut can be in: what is done and has happened, with every choice of the nodes
    under way, and either outcome of each step that may fail.

    Nothing comes where this is no cut of the plan: an id it does not hold, a step done or begun before what it comes
    after.
    """
    finished, begun = {*done, *events}, set(under_way)
    if not (finished | begun) <= poset.bits.keys() or finished & begun:
        return
    base = 0
    for id_ in finished:
        base |= poset.bits[id_]
    if any(poset.beneath[id_] & ~base for id_ in finished | begun):
        return
    open_ = 0
    for id_ in begun:
        open_ |= poset.bits[id_]
    for chosen in _subsets(open_ & within):
        reached = (base & within) | chosen
        fallible = sum(1 << index for index in members(reached) if poset.nodes[index].may_fail)
        for failed in _subsets(fallible):
            yield Moment(reached, failed)


def _subsets(bits: int) -> Iterator[int]:
    chosen = bits
    while True:
        yield chosen
        if not chosen:
            return
        chosen = (chosen - 1) & bits


# Building. ---------------------------------------------------------------------------------------------------------


def _parts(item: Step | Event) -> list[tuple[Effect, ...]]:
    """A step's effects in the pieces that happen at once: each router by itself, the rest together."""
    if not item.effects:
        return []
    if isinstance(item, Event):
        return [item.effects]
    routers: list[tuple[Effect, ...]] = [(effect,) for effect in item.effects if isinstance(effect, SetRouter)]
    rest = tuple(effect for effect in item.effects if not isinstance(effect, SetRouter))
    return [rest, *routers] if rest else routers


def _with_losses(poset: Poset, by_id: Mapping[str, Step | Event], estate: Estate) -> Poset:
    """The same poset with steps on a lost region's own resources after its return, or impossible."""
    below = list(poset.below)
    lost: dict[str, int] = {}
    back: dict[str, int] = {}
    for index, node in enumerate(poset.nodes):
        for effect in node.effects:
            if isinstance(effect, Lose | Restore):
                table = lost if isinstance(effect, Lose) else back
                for element in effect.elements:
                    table[element] = table.get(element, 0) | 1 << index
    impossible = 0
    changed = False
    for index, node in enumerate(poset.nodes):
        item = by_id[node.id]
        if isinstance(item, Step) and not item.may_fail:
            element = f"{CONTROL_PLANE}{_location(item, estate)}"
            if lost.get(element, 0) & below[index]:
                if element not in back:
                    impossible |= 1 << index
                elif not back[element] & below[index]:
                    first = next(members(back[element]))
                    if not below[first] & 1 << index:
                        below[index] |= below[first] | 1 << first
                        changed = True
    # What lies above a changed node inherits; nodes stand in order, but an added edge may point forward.
    while changed:
        changed = False
        for index in range(len(below)):
            wider = below[index]
            for lower in members(below[index]):
                wider |= below[lower]
            if wider != below[index]:
                below[index], changed = wider, True
    nodes = tuple(
        Node(
            id=node.id,
            effects=node.effects,
            phase=node.phase,
            may_fail=node.may_fail,
            impossible=bool((below[index] | 1 << index) & impossible),
        )
        for index, node in enumerate(poset.nodes)
    )
    return Poset(nodes=nodes, below=tuple(below), stated=poset.stated, bits=poset.bits, beneath=poset.beneath)


def _location(step: Step, estate: Estate) -> str:
    """The region whose control plane a step's write needs, for writes that go to the resource itself."""
    arguments = step.action.arguments
    body = arguments.get("body")
    if isinstance(body, dict) and isinstance(body.get("location"), str):
        return normal_location(body["location"])
    text = arguments.get("id")
    if step.action.verb not in ("put", "delete", "deallocate") or not isinstance(text, str):
        return ""
    id_ = resource_id(text)
    found = estate.get(id_) or {}
    if not found.get("location") and id_.parent is not None:
        found = estate.get(id_.parent) or {}
    location = found.get("location")
    return normal_location(location) if isinstance(location, str) else ""
