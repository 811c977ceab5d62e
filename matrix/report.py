"""The matrix as people read it: by estate and outage what was carried out, how it ended, how near predictions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from farshore.plan.scenario.scenario import scenario_named
from matrix.cell import Result
from matrix.estates import variant_of

HEADS = ("outage", "cells", "good", "asked", "measured / predicted", "exempt", "bytes lost")
ENOUGH = 3
NEAR = (0.8, 1.25)
"""Measured over predicted recovery time, in the median per scenario."""


def report(results: Sequence[Result], left_out: Mapping[str, Counter[str]]) -> str:
    """The whole matrix."""
    lines: list[str] = []
    by_estate: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_estate[result.estate].append(result)
    for name, found in by_estate.items():
        variant = variant_of(name)
        title = name if variant is None else f"{name}: {variant.says}"
        lines += [title, *_table(found), ""]
    lines += _reasons(left_out)
    bad = [result for result in results if not result.ok]
    lines += [f"not good: {result.estate} {result.scenario}: {result.said}" for result in bad]
    far = far_off(results)
    lines += [f"far from its prediction: {name}: {ratio:.2f}" for name, ratio in far.items()]
    missed = sum(result.not_kept > 0 for result in results if result.ok)
    lines += [f"objectives not kept, with an excuse: in {missed} cells"] if missed else []
    decided = sum(result.decisions > 0 for result in results)
    lines.append(
        f"{len(results)} cells, {len(results) - len(bad)} good, {decided} of them after a person's decision; "
        f"{len(far)} scenarios far from their predictions"
    )
    return "\n".join(lines)


def far_off(results: Iterable[Result]) -> dict[str, float]:
    """Scenarios, over all estates, whose median ratio is not near. Fewer than `ENOUGH` cells have no median to speak
    of: a slice says of them only what the table shows."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if result.ratio is not None:
            ratios[result.scenario].append(result.ratio)
    medians = {name: median(found) for name, found in ratios.items() if len(found) >= ENOUGH}
    return {name: ratio for name, ratio in medians.items() if not NEAR[0] <= ratio <= NEAR[1]}


def _table(results: Sequence[Result]) -> list[str]:
    by_outage: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        scenario = scenario_named(result.scenario)
        returns = "" if scenario.returns.value == "together" else f", {scenario.returns.value}"
        by_outage[f"{scenario.outage.value}{returns}"].append(result)
    rows = [HEADS, *(_row(outage, found) for outage, found in by_outage.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(outage: str, results: Sequence[Result]) -> tuple[str, ...]:
    ratios = [result.ratio for result in results if result.ratio is not None]
    spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
    exempt = max((result.exposed_seconds for result in results), default=0.0)
    return (
        outage,
        str(len(results)),
        str(sum(result.ok for result in results)),
        str(sum(result.decisions > 0 for result in results) or ""),
        spread,
        f"{exempt:.0f} s" if exempt else "",
        f"{max(result.bytes_lost for result in results):,}",
    )


def _reasons(left_out: Mapping[str, Counter[str]]) -> list[str]:
    """Why combinations are left out, and how many of all estates' for that."""
    counts: Counter[str] = sum(left_out.values(), Counter())
    return ["left out, because", *(f"  {count:>5}  {reason}" for reason, count in counts.most_common()), ""]
