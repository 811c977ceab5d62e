"""`python -m bench`: measures all rows or those named, prints a table, writes bench.json; 1 where one is over."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.changes import LIMITS
from bench.growth import exponent
from bench.rows import CHANGED, GROWTH, MOST_GROWTH, ROWS, SLICE, Row

IMPORT_LIMIT = 0.150
"""Seconds that `import farshore.routing` may cost above bare Python."""


def main() -> int:
    """Everything asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=", ".join(row.name for row in ROWS) + "; all when none is named")
    parser.add_argument("--times", type=int, default=3, help="processes a figure, of which the median counts")
    parser.add_argument("--slice", action="store_true", help=f"only {', '.join(SLICE)} and growth over fewer sizes")
    parser.add_argument("--no-growth", action="store_true")
    parser.add_argument("--no-limits", action="store_true", help="a limit passed is said, and the status is 0")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    asked = parser.parse_args()
    names = asked.rows or (SLICE if asked.slice else [row.name for row in ROWS])
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    asked.out.mkdir(parents=True, exist_ok=True)
    heads = {"cells": 15, "failures": 9, "columns s": 11, "engine s": 14, "process s": 14, "MiB": 12, "pairs s": 14}
    print(f"{'row':<20}" + "".join(f"{head:>{width}}" for head, width in heads.items()))
    told: dict[str, Any] = {"cores": os.cpu_count(), "rows": []}
    for row in ROWS:
        if row.name in names:
            told["rows"].append(_row(row, asked.out, 1 if row.process is None else asked.times))
    told["import"] = _import(max(5, asked.times))
    if not asked.no_growth:
        told["growth"] = _growth(GROWTH[:4] if asked.slice else GROWTH, asked.out, asked.times)
    told["changes"] = _changes(asked.out)
    (asked.out / "bench.json").write_text(json.dumps(told, indent=2) + "\n")
    over = [
        text
        for part in (*told["rows"], told["import"], told["changes"], told.get("growth", {}))
        for text in part.get("over", [])
    ]
    for text in over:
        print(f"over its limit: {text}")
    return 1 if over and not asked.no_limits else 0


def _row(row: Row, out: Path, times: int) -> dict[str, Any]:
    folder = None if row.process is None else _folder(row, out)
    inside = [_one(row, folder) for _ in range(times)]
    found: dict[str, Any] = {
        "name": row.name,
        "machines": inside[0]["machines"],
        "cells": inside[0]["cells"],
        "failures": inside[0]["failures"],
        "columns": median(each["columns"] for each in inside),
        "engine": median(each["engine"] for each in inside),
        "memory": max(each["memory"] for each in inside),
        "laps": inside[0]["laps"],
    }
    if folder is not None:
        whole = [_process(folder) for _ in range(times)]
        found["process"] = median(seconds for seconds, _ in whole)
        found["memory"] = max(memory for _, memory in whole)
    if row.pairs is not None:
        found |= {"pairs": median(each["pairs"] for each in inside), "pair_count": inside[0]["pair_count"]}
    limits = {"engine": row.engine, "process": row.process, "memory": row.memory, "pairs": row.pairs}
    found["over"] = [
        f"{row.name}: {what} {found[what]:.2f}, limit {limit}"
        for what, limit in limits.items()
        if limit is not None and found[what] > limit
    ]
    print(
        f"{row.name:<20}{found['cells']:>15,}{found['failures']:>9,}"
        f"{found['columns']:>11.2f}{_of(found['engine'], row.engine):>14}{_of(found.get('process'), row.process):>14}"
        f"{found['memory']:>6} /{row.memory:>4}{_of(found.get('pairs'), row.pairs):>14}",
        flush=True,
    )
    return found


def _of(value: float | None, limit: float | None) -> str:
    return "" if value is None or limit is None else f"{value:.2f} / {limit:g}"


def _folder(row: Row, out: Path) -> Path:
    shape = row.shape
    folder = out / row.name.replace(" ", "-")
    if not (folder / "farshore.yaml").exists():
        options = {
            "spokes": shape.spokes,
            "machines": shape.machines,
            "prefixes": shape.prefixes,
            "seed": shape.seed,
            "shape": shape.shape,
            "hubs": shape.hubs,
            "routes-per-table": shape.routes_per_table,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "farshore.cli", "generate", *words, "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def _one(row: Row, folder: Path | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.one", row.name, *([] if folder is None else [str(folder)])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _process(folder: Path) -> tuple[float, int]:
    """Seconds and MiB of the whole command, as a user runs it."""
    command = [
        sys.executable,
        "-m",
        "farshore.cli",
        "prove",
        "--as-it-is",
        "--format",
        "json",
        "--project",
        str(folder),
    ]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode not in (0, 2):
        raise SystemExit(f"{' '.join(command)} ended with {running.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss // 1024


def _import(times: int) -> dict[str, Any]:
    """What the library costs to import, above Python itself."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    bare = median(seconds("") for _ in range(times))
    with_it = median(seconds("import farshore.routing") for _ in range(times))
    above = with_it - bare
    print(f"import farshore.routing: {above * 1000:.0f} ms above bare Python, limit {IMPORT_LIMIT * 1000:.0f}")
    over = [f"import farshore.routing: {above:.3f} s, limit {IMPORT_LIMIT}"] if above > IMPORT_LIMIT else []
    return {"seconds": above, "over": over}


def _changes(out: Path) -> dict[str, Any]:
    """Single changes at 1,000 networks of either shape, each proven again."""
    over: list[str] = []
    return {"shapes": {row.shape.shape: _changes_of(row, out, over) for row in CHANGED}, "over": over}


def _changes_of(row: Row, out: Path, over: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.changes", str(_folder(row, out))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    kinds: dict[str, Any] = json.loads(done.stdout)
    print(f"\n{f'one change, {row.shape.shape}':<24}{'median ms':>14}{'p99 ms':>14}{'changes':>9}{'anew':>6}")
    for kind, found in kinds.items():
        for what, limit in zip(("median", "p99"), LIMITS[kind], strict=True):
            if limit is not None and found[what] > limit:
                over.append(f"one {kind} changed, {row.shape.shape}: {what} {found[what]:.1f} ms, limit {limit:g}")
        middle, worst = (
            f"{found[what]:.1f}" + (f" / {limit:g}" if limit is not None else "")
            for what, limit in zip(("median", "p99"), LIMITS[kind], strict=True)
        )
        print(f"{kind:<24}{middle:>14}{worst:>14}{found['changes']:>9}{found['anew']:>6}")
    return kinds


def _growth(rows: tuple[Row, ...], out: Path, times: int) -> dict[str, Any]:
    """Sizes in turn, round after round, so that a slow minute of the machine meets all of them."""
    folders = {row.name: _folder(row, out) for row in rows}
    rounds = [[_one(row, folders[row.name]) for row in rows] for _ in range(times)]
    sizes = [row.shape.spokes for row in rows]
    seconds = [median(each[at]["engine"] for each in rounds) for at in range(len(rows))]
    slope = exponent(sizes, seconds)
    print(f"\n{'networks':>9}{'cells':>15}{'failures':>9}{'engine s':>10}")
    for at, size in enumerate(sizes):
        print(f"{size:>9,}{rounds[0][at]['cells']:>15,}{rounds[0][at]['failures']:>9,}{seconds[at]:>10.2f}")
    print(f"ten times the networks cost {10**slope:.1f} times the time (exponent {slope:.2f}), limit {MOST_GROWTH:g}")
    over = [f"growth: {10**slope:.1f} times, limit {MOST_GROWTH:g}"] if 10**slope > MOST_GROWTH else []
    counted = [
        {"networks": size, "cells": rounds[0][at]["cells"], "engine": seconds[at]} for at, size in enumerate(sizes)
    ]
    return {"sizes": counted, "exponent": slope, "times": 10**slope, "over": over}


if __name__ == "__main__":
    raise SystemExit(main())
