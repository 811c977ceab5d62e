"""The combinations of a topology, and why the others make no sense there.

`why_not` says what an estate can't meet. Beside it the matrix leaves out what would carry out the same moments again:
each rule says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from farshore import examples
from farshore.estate.project import Link
from farshore.plan.make import designed
from farshore.plan.scenario.scenario import ON_PURPOSE, Scenario
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import Back, Drill, Outage, Over, Returns
from matrix.estates import small

BESIDE = (Returns.CONTROL_FIRST, Returns.DATA_FIRST, Returns.FLAPPING, Returns.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    topology: str
    scenario: str


def cells(topology: str, *, full: bool = False) -> tuple[tuple[Cell, ...], Counter[str]]:
    """The cells of a topology, and how many combinations each reason leaves out. `full`: also those that carry out the
    same moments again."""
    estate = small(topology)
    found: list[Cell] = []
    left_out: Counter[str] = Counter()
    for scenario in _all():
        reason = (None if full else _same_again(scenario)) or why_not(scenario, designed(estate, scenario))
        if reason is None:
            found.append(Cell(topology=topology, scenario=scenario.name))
        else:
            left_out[reason] += 1
    return tuple(found), left_out


def topologies() -> tuple[str, ...]:
    return examples.names()


def _all() -> Iterator[Scenario]:
    for outage, returns, posture, over, back in product(Outage, Returns, Link, Over, Back):
        yield Scenario(outage=outage, returns=returns, posture=posture, over=over, back=back, drill=Drill.NONE)


def _same_again(scenario: Scenario) -> str | None:
    default = Over.PLANNED if scenario.outage in ON_PURPOSE else Over.LATEST
    if scenario.back is Back.PARTIAL:
        return "machines on both shores have no way to each other in these estates (E38); tests/stories has one that do"
    if scenario.returns in BESIDE and scenario.over is not default:
        return "how a region returns meets the same moments whichever recovery point machines went to (--full)"
    if scenario.back is not Back.FAILBACK and scenario.over is not default:
        return "the commit takes all recovery points away (S44): no way back can tell which one it was (--full)"
    return None
