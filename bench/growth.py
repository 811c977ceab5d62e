"""How cost grows: the slope of log seconds over log networks, by least squares.

A slope of 1 is ten times the time for ten times the networks; the limit of twelve times is a slope of 1.08.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope. Needs two sizes at least."""
    x, y = [log(size) for size in sizes], [log(value) for value in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    across = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return across / sum((a - mean_x) ** 2 for a in x)
