"""What a site's router tells, and what it prefers, changed and proven again.

A prefix that a router begins or stops to tell is felt at the ends inside it and nowhere else. So everything is
looked at through those few ends (few.py), before and after.

A local preference moves flows on their way in. Where it takes them to another gateway, or past another stateful
firewall, the island is counted again; where each flow still arrives as it did, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network
from farshore.routing.scale.answers import Answers
from farshore.routing.scale.changes.few import Few, Stacks, alike, around, at_ends, same, telling
from farshore.routing.scale.changes.proven import Difference, Moment, Proven
from farshore.routing.scale.conditions import Condition
from farshore.routing.scale.ingress import Entries, Ingress, preferring
from farshore.routing.scale.islands import Island
from farshore.routing.scale.line import Bools, span
from farshore.routing.scale.model import Model
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.prefixes import Prefixes
from farshore.routing.scale.tally import Counts


def told(proven: Proven, site: str, router: str, prefix: Network, says: bool) -> Difference | None:
    """What comes of a site's router telling a prefix of its site's, or not telling it. None where ranges collide
    there, or a way leads past an appliance with a security group of its own; and for no such router or prefix."""
    model = proven.reach.model
    columns = _sessions(model, site, router)
    at = _numbered(model.sessions.prefixes, prefix)
    if not len(columns) or at < 0:
        return None
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    first, last = span(prefix)
    of_end = np.flatnonzero((model.ends.first >= np.uint64(first)) & (model.ends.last <= np.uint64(last)))
    # By gateway, the columns that are this router's.
    its = [np.isin(gateway.columns, columns) for gateway in model.gateways]
    touched = {number for number, mine in enumerate(its) if mine.any()}
    if not len(of_end) or not touched or (model.sessions.says[at, columns] == says).all():
        return found
    if model.ends.contested[of_end].any():
        return None
    chain = around(model, of_end)
    saying: Bools = np.asarray(model.sessions.says[chain].any(axis=0))
    few = telling(model, of_end.astype(np.int32), chain, at, columns, says)
    answers = Answers(few)
    stacks = proven.kept("stacks", lambda: Stacks.of(model))
    for number, island in enumerate(proven.reach.islands):
        if touched.isdisjoint(island.gateways):
            continue
        units: Few | None = None
        for condition, moments in _alike_here(few, saying, island, proven.moments[number]):
            if not any((condition.heard[gateway] & its[gateway]).any() for gateway in island.gateways):
                continue
            bases = {source: answers.base(source, condition) for source in moments[0].bases}
            was = {source: at_ends(base, of_end) for source, base in moments[0].bases.items()}
            if alike(was, bases) and answers.behind(island.targets) <= bases.keys():
                # Appliances follow their own tables' bases: with these the same, all is.
                continue
            ways = answers.ways(island.targets, condition)
            vectors = {target: answers.vector(way) for target, way in zip(island.targets, ways, strict=True)}
            before = was, {target: codes[of_end] for target, codes in moments[0].vectors.items()}
            if same(before, (bases, vectors)):
                continue
            if units is None:
                units = Few.of(model, stacks, island.units, of_end)
            cells = units.cells(before, (bases, vectors))
            known: dict[bytes, npt.NDArray[np.int64] | None] = {}
            for moment in moments:
                arriving = moment.ways_in.tobytes()
                if arriving not in known:
                    known[arriving] = units.change(cells, moment.ways_in)
                change = known[arriving]
                if change is None:
                    return None
                found[moment.who] += change
    return found


def _alike_here(
    few: Model, saying: Bools, island: Island, moments: Sequence[Moment]
) -> list[tuple[Condition, list[Moment]]]:
    """An island's moments, those together that differ only in sessions which tell nothing around here, neither
    before (`saying`) nor after."""
    relevant = [(saying | few.sessions.says.any(axis=0))[gateway.columns] for gateway in few.gateways]
    found: dict[tuple[object, ...], tuple[Condition, list[Moment]]] = {}
    for moment in moments:
        condition = moment.condition
        heard = list(condition.heard)
        for number in island.gateways:
            heard[number] = heard[number] & relevant[number]
        key = (
            *(heard[number].tobytes() for number in island.gateways),
            *(condition.states[target] for target in island.targets),
        )
        if key not in found:
            found[key] = (replace(condition, heard=tuple(heard)), [])
        found[key][1].append(moment)
    return list(found.values())


def tells(model: Model, site: str, router: str, prefix: Network) -> bool:
    """Whether a site's router tells a prefix now, on any of its links."""
    at = _numbered(model.sessions.prefixes, prefix)
    return at >= 0 and bool(model.sessions.says[at, _sessions(model, site, router)].any())


def preferred(proven: Proven, site: str, router: str, preference: int) -> Difference | None:
    """What comes of a router having another local preference (E42). None for no such router."""
    reach, model = proven.reach, proven.reach.model
    columns = _sessions(model, site, router)
    if not len(columns):
        return None
    at = next(number for number, held in enumerate(model.sessions.sites) if held.name == site)
    found = np.zeros((len(proven.elements) + 1, len(WORDS)), dtype=np.int64)
    islands = [
        replace(island, ingress=_preferring(island.ingress, at, columns, preference)) for island in reach.islands
    ]
    other = replace(reach, islands=islands, _entries={})
    for number, island in enumerate(reach.islands):
        if not len(island.ingress.prefixes):
            continue
        counts = model.units.count[island.units].astype(np.int64)
        known: dict[tuple[object, ...], Counts] = {}
        for moment in proven.moments[number]:
            if _alike(reach.entries(number, moment.condition)[at], other.entries(number, moment.condition)[at]):
                continue
            ways_in = other.ways_in(number, moment.condition)
            if not np.array_equal(ways_in, moment.ways_in):
                after = reach.tallied(number, moment.condition, ways_in, reach.answers, known)
                found[moment.who] += counts @ (after - reach.count(number, moment.condition))
    return found


def _sessions(model: Model, site: str, router: str) -> npt.NDArray[np.int64]:
    return np.array(
        [
            number
            for number, session in enumerate(model.sessions.all)
            if model.sessions.sites[session.site].name == site and session.router.name == router
        ],
        dtype=np.int64,
    )


def _numbered(prefixes: Prefixes, prefix: Network) -> int:
    """Which of some prefixes one is; -1 for none."""
    first, _ = span(prefix)
    here = np.flatnonzero((prefixes.first == np.uint64(first)) & (prefixes.length == prefix.prefixlen))
    return int(here[0]) if len(here) else -1


# Preferences


def _preferring(ingress: Ingress, site: int, columns: npt.NDArray[np.int64], preference: int) -> Ingress:
    held = ingress.sites[site]
    rank = np.where(np.isin(held.columns, columns), preferring(held.rank, preference), held.rank)
    sites = list(ingress.sites)
    sites[site] = replace(held, rank=rank)
    return replace(ingress, sites=tuple(sites))


def _alike(one: Entries, other: Entries) -> bool:
    return (
        one.every == other.every
        and np.array_equal(one.which, other.which)
        and np.array_equal(one.goes_by, other.goes_by)
    )
