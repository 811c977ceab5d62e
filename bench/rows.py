"""What is measured, and the limits that Farshore has set itself for two cores."""

from __future__ import annotations

from dataclasses import dataclass

from farshore.generate import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One estate to measure on, and the most that it may cost: seconds, and MiB of resident memory."""

    name: str
    shape: Shape
    engine: float
    process: float | None
    """None: too big to be written to a file first; its bodies go from the generator to the engine."""
    memory: int
    pairs: float | None = None


def _shape(spokes: int, machines: int, shape: str, routes: int = 0, hubs: int = 0) -> Shape:
    return Shape(
        spokes=spokes, machines=machines, prefixes=4_000, seed=1, shape=shape, routes_per_table=routes, hubs=hubs
    )


def _both(name: str, spokes: int, machines: int, limits: dict[str, float], routes: int = 0, hubs: int = 0) -> list[Row]:
    return [
        Row(
            name=f"{name} {shape}",
            shape=_shape(spokes, machines, shape, routes, hubs),
            engine=limits["engine"],
            process=limits.get("process"),
            memory=int(limits["memory"]),
            pairs=limits.get("pairs"),
        )
        for shape in ("shared", "adversarial")
    ]


ROWS: tuple[Row, ...] = (
    *_both("10k", 500, 10_000, {"engine": 1.0, "process": 3.0, "memory": 512, "pairs": 2.0}),
    *_both("10k-400", 500, 10_000, {"engine": 5.0, "process": 7.0, "memory": 768}, routes=398),
    *_both("100k", 5_000, 100_000, {"engine": 10.0, "process": 25.0, "memory": 1536, "pairs": 20.0}, hubs=20),
    Row(
        name="1m adversarial",
        shape=_shape(5_000, 1_000_000, "adversarial", hubs=20),
        engine=20.0,
        process=None,
        memory=2048,
    ),
)

SLICE = ("10k shared", "10k adversarial")
"""What CI measures."""

GROWTH = tuple(
    Row(name=f"{spokes} networks", shape=_shape(spokes, 20 * spokes, "adversarial"), engine=0, process=None, memory=0)
    for spokes in (250, 500, 1_000, 2_000, 4_000)
)
MOST_GROWTH = 12.0
"""Ten times the networks may cost so many times the time."""

CHANGED = (
    Row(name="1000 networks shared", shape=_shape(1_000, 20_000, "shared"), engine=0, process=None, memory=0),
    next(row for row in GROWTH if row.shape.spokes == 1_000),
)
"""On which single changes are made: few tables for all, and one for every subnet."""
