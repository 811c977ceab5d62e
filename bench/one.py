"""One measurement: `python -m bench.one NAME [FOLDER]`, in a process of its own, answers a line of JSON.

From a folder the estate is read as `farshore prove` reads it; without one, bodies come from the generator. A parsed
estate is its columns. `engine` is all that comes after: the model, everything with nothing failed, every failure.
`columns` is what making columns of bodies costs, that of getting the bodies themselves taken off.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.rows import GROWTH, ROWS, Row


def measured(row: Row, folder: Path | None) -> dict[str, Any]:
    """Seconds and counts of one row."""
    import yaml

    from farshore.estate.files import each_body
    from farshore.estate.project import read_project
    from farshore.generate import generate, project

    gc.disable()
    if folder is None:
        import tempfile

        with tempfile.TemporaryDirectory() as made:
            (Path(made) / "farshore.yaml").write_text(yaml.safe_dump(project(row.shape)))
            around = read_project(Path(made) / "farshore.yaml")
        return _measured(lambda: generate(row.shape), around, pairs=False)
    return _measured(
        lambda: each_body(folder / "estate.json"), read_project(folder / "farshore.yaml"), row.pairs is not None
    )


def _measured(bodies: Callable[[], Iterable[Any]], project: Any, pairs: bool) -> dict[str, Any]:
    from farshore.routing.failures import elements
    from farshore.routing.scale.columns import columns_of_bodies
    from farshore.routing.scale.pairs import pairs_of
    from farshore.routing.scale.peerings import peerings_of
    from farshore.routing.scale.reach import Reach

    laps = _Laps()
    deque(bodies(), maxlen=0)
    laps.lap("bodies")
    columns = columns_of_bodies(bodies, project)
    laps.lap("columns")
    gc.freeze()
    reach = Reach.of(columns)
    laps.lap("cold")
    every = elements(columns.skeleton)
    standings = [reach.under(element) for element in every]
    laps.lap("failures")
    peerings = peerings_of(reach)
    laps.lap("peerings")
    seconds = laps.seconds
    answer: dict[str, Any] = {
        "machines": int(reach.model.units.count.sum()),
        "ends": len(reach.model.ends),
        "cells": sum(reach.totals().values()),
        "failures": len(every) + len(peerings),
        "columns": max(0.0, seconds["columns"] - seconds["bodies"]),
        "engine": sum(seconds[lap] for lap in ("cold", "failures", "peerings")),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if pairs:
        found = pairs_of(reach, every, standings, peerings.spokes)
        laps.lap("pairs")
        answer |= {"pair_count": found.number, "pairs": laps.seconds["pairs"]}
    return answer | {"laps": {name: round(value, 4) for name, value in laps.seconds.items()}}


class _Laps:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._since
        self._since = now


if __name__ == "__main__":
    asked = next(row for row in (*ROWS, *GROWTH) if row.name == sys.argv[1])
    print(json.dumps(measured(asked, Path(sys.argv[2]) if len(sys.argv) > 2 else None)))
