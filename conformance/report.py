"""The printed table: one line a recording, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from conformance import on_purpose
from conformance.compare import Count, Score

HEADS = ("paths", "%", "statuses", "codes", "headers", "words", "ids", "more", "skipped", "outside", "meant")


def table(scores: Mapping[str, Score]) -> list[str]:
    rows = [(name, *_cells(score)) for name, score in scores.items()]
    rows.append(("all", *_cells(total(scores))))
    wide = max(len(row[0]) for row in rows)
    widths = [max(len(head), *(len(row[at + 1]) for row in rows)) for at, head in enumerate(HEADS)]
    lines = [" " * wide + "".join(f"  {head:>{width}}" for head, width in zip(HEADS, widths, strict=True))]
    for name, *cells in rows:
        lines.append(
            f"{name:<{wide}}" + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        )
    return lines


def total(scores: Mapping[str, Score]) -> Score:
    found = Score()
    for score in scores.values():
        for item in fields(Score):
            mine, theirs = getattr(found, item.name), getattr(score, item.name)
            if isinstance(mine, Count):
                mine.matched += theirs.matched
                mine.total += theirs.total
            else:
                setattr(found, item.name, mine + theirs)
    return found


def _cells(score: Score) -> list[str]:
    counts = (score.statuses, score.codes, score.headers, score.words, score.ids)
    return [
        f"{score.paths.matched}/{score.paths.total}",
        f"{100 * score.paths.share:.1f}",
        *(f"{count.matched}/{count.total}" for count in counts),
        str(score.more),
        str(score.skipped),
        str(score.outside),
        str(sum(on_purpose.reason_of(one) is not None for one in score.differences)),
    ]
