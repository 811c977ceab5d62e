"""The combinations of an estate, and why the others make no sense there.

`why_not` says what an estate can't meet. Beside it the matrix leaves out what would carry out the same moments again:
each rule says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from farshore.estate.project import Link
from farshore.plan.make import designed
from farshore.plan.scenario.scenario import Scenario, usual_over
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import Back, Drill, Outage, Over, Returns
from matrix.estates import small, variant_of

BESIDE = (Returns.CONTROL_FIRST, Returns.DATA_FIRST, Returns.FLAPPING, Returns.EARLY, Returns.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    estate: str
    """Its name: a topology's, or a topology's and a variant's."""
    scenario: str


def cells(name: str, *, full: bool = False) -> tuple[tuple[Cell, ...], Counter[str]]:
    """The cells of an estate, and how many combinations each reason leaves out. `full`: also those that carry out the
    same moments again."""
    estate = small(name)
    found: list[Cell] = []
    left_out: Counter[str] = Counter()
    for scenario in _all():
        reason = (None if full else _same_again(scenario, name)) or why_not(scenario, designed(estate, scenario))
        if reason is None:
            found.append(Cell(estate=name, scenario=scenario.name))
        else:
            left_out[reason] += 1
    return tuple(found), left_out


def _all() -> Iterator[Scenario]:
    for outage, returns, posture, over, back in product(Outage, Returns, Link, Over, Back):
        yield Scenario(outage=outage, returns=returns, posture=posture, over=over, back=back, drill=Drill.NONE)


def _same_again(scenario: Scenario, name: str) -> str | None:
    default = usual_over(scenario.outage)
    variant = variant_of(name)
    if variant is not None and not variant.meets(scenario):
        return f"{variant.says}: no difference to it beside the topology's plain estate (--full)"
    if variant is None and scenario.back is Back.PARTIAL:
        return "machines on both shores have no way to each other here (E38): carried out where gateways give them one"
    if scenario.returns in BESIDE and scenario.over is not default:
        return "how a region returns meets the same moments whichever recovery point machines went to (--full)"
    if scenario.returns is Returns.EARLY and scenario.back is not Back.FAILBACK:
        return "how it ends meets the same moments whether the region was back early or not (--full)"
    if scenario.back is not Back.FAILBACK and scenario.over is not default:
        return "the commit takes all recovery points away (S44): no way back can tell which one it was (--full)"
    return None
