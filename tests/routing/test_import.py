"""`import farshore.routing` is for other people's programs: it is quick, and it brings along nothing but Python."""

from __future__ import annotations

import subprocess
import sys
import time

LIMIT = 0.150
"""Seconds above bare Python."""


def _seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def test_it_costs_at_most_150_ms_above_bare_python() -> None:
    # The best of some: whatever else this machine does can only add to it.
    best = LIMIT
    for _ in range(12):
        best = min(best, _seconds("import farshore.routing") - _seconds(""))
        if best < LIMIT:
            return
    raise AssertionError(f"import farshore.routing never took less than {LIMIT} s above bare Python")


def test_it_brings_no_library_along() -> None:
    code = "import sys, farshore.routing; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert loaded.isdisjoint({"numpy", "msgspec", "yaml", "aiohttp", "azure", "jinja2", "click", "asyncio", "sqlite3"})
