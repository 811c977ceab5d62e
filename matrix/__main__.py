"""python -m matrix: carry the matrix out, or a seeded slice of it, and print what came of it. Exit status 2 where a
cell did not end good, or a scenario's recovery times are far from their predictions."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from matrix.cell import Result, carry_out
from matrix.cells import Cell, cells
from matrix.estates import names, topology_of
from matrix.report import far_off, report

OUT = Path("build/matrix/matrix.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--slice", type=int, default=0, help="carry out so many cells, chosen by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="of the slice, and of the labs")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--topology", choices=sorted({*map(topology_of, names())}), action="append", help="only these")
    parser.add_argument("--estate", choices=names(), action="append", help="only these: a topology's, or a variant")
    parser.add_argument("--scenario", action="append", help="only these scenarios, by name")
    parser.add_argument("--full", action="store_true", help="also cells that carry out the same moments again")
    parser.add_argument("--list", action="store_true", help="say what would be carried out")
    asked = parser.parse_args()
    chosen: list[Cell] = []
    left_out: dict[str, Counter[str]] = {}
    for name in names():
        if name not in (asked.estate or [name]) or topology_of(name) not in (asked.topology or [topology_of(name)]):
            continue
        found, left_out[name] = cells(name, full=asked.full)
        chosen += [cell for cell in found if not asked.scenario or cell.scenario in asked.scenario]
    if asked.slice:
        chosen = random.Random(asked.seed).sample(chosen, min(asked.slice, len(chosen)))
    if asked.list:
        print("\n".join(f"{cell.estate} {cell.scenario}" for cell in chosen))
        return 0
    begun = time.monotonic()
    results = sorted(carried_out(chosen, asked.seed, asked.jobs), key=lambda r: (r.estate, r.scenario))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps([result.as_json() for result in results], indent=1))
    print(report(results, left_out))
    print(f"{time.monotonic() - begun:.0f} s; every cell is in {OUT}")
    return 0 if all(result.ok for result in results) and not far_off(results) else 2


def carried_out(chosen: list[Cell], seed: int, jobs: int) -> Iterator[Result]:
    """The results as they come; a line about each that is not good, at once. Neighbours share their proofs."""
    ordered = sorted(chosen, key=lambda cell: (cell.estate, sorted(cell.scenario.split("+"))))
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        several = pool.map(carry_out, ordered, [seed] * len(ordered), chunksize=max(1, min(8, len(ordered) // jobs)))
        for number, result in enumerate(several, 1):
            if not result.ok:
                print(f"NOT GOOD {result.estate} {result.scenario}: {result.said}", file=sys.stderr)
            if number % 50 == 0:
                print(f"{number} of {len(chosen)}", file=sys.stderr)
            yield result


if __name__ == "__main__":
    raise SystemExit(main())
