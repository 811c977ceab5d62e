"""`import farshore.routing` is for other people's programs: it is quick, and it brings along nothing but Python."""

from __future__ import annotations

import subprocess
import sys
import time

import farshore.routing

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


def test_every_name_is_found_in_its_module_and_no_other_is() -> None:
    for name in farshore.routing.__all__:
        assert getattr(farshore.routing, name).__name__ == name
    assert set(dir(farshore.routing)) == set(farshore.routing.__all__)
    assert not hasattr(farshore.routing, "nothing")


def test_no_module_has_the_name_of_a_thing_it_gives() -> None:
    """`from farshore.routing import select` would answer the module, once somebody had imported it."""
    code = "import sys, farshore.routing as r; [getattr(r, n) for n in r.__all__]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {f"farshore.routing.{name}" for name in farshore.routing.__all__} & set(loaded)


def test_the_whole_of_it_brings_no_library_along() -> None:
    code = "import sys; from farshore.routing import *; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert loaded.isdisjoint({"numpy", "msgspec", "yaml", "aiohttp", "azure", "jinja2", "click", "asyncio", "sqlite3"})
