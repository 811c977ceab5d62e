"""The engine against measured Azure tables: every row of every case that is here, system, user and BGP alike."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from farshore.routing import Routing
from routing.cases import DATA, Comparison, case_files, compare, compare_bgp, flat, load, read_case

pytestmark = pytest.mark.skipif(
    not case_files(), reason=f"no measured routing cases in {DATA} (set FARSHORE_REAL_DATA)"
)

VIRTUAL_WAN = ("microsoft.network/virtualwans", "microsoft.network/virtualhubs/hubvirtualnetworkconnections")
"""Resource types whose routing the engine does not have: cases that hold them are reported, not compared."""


def _beyond_us(case: Mapping[str, Any]) -> str | None:
    """The first resource type of a case that the engine has no routing for."""
    bodies = [*case["estate"], *(c["put"] for s in case["states"] for c in s["changes"] if "put" in c)]
    return next((str(b["type"]) for b in bodies if str(b.get("type", "")).lower() in VIRTUAL_WAN), None)


def _comparisons(case: Mapping[str, Any]) -> Iterator[tuple[str, Comparison]]:
    for state, raw in zip(load(case), case["states"], strict=True):
        routing = Routing(state.estate)
        for item in raw["expected"]:
            yield f"{state.name}: {item['nic']}", compare(routing.effective_routes(item["nic"]), item)
        for item in raw.get("expected_bgp", []):
            of, instance, to = item["of"], item.get("instance"), item.get("to")
            if item["what"] == "learned":
                ours = routing.learned_routes(of, instance, to)
            else:
                ours = routing.advertised_routes(f"{of}#{instance}" if instance else of, to)
            yield f"{state.name}: {item['what']} {of} {to or ''}", compare_bgp(ours, item)


@pytest.mark.parametrize("path", case_files(), ids=lambda path: path.stem)
def test_every_measured_row_is_ours_and_no_other(path: Any) -> None:
    case = read_case(path)
    beyond = _beyond_us(case)
    if beyond is not None:
        pytest.skip(f"{path.stem}: the engine has no {beyond}")
    wrong = []
    for name, found in _comparisons(case):
        wrong += [f"{name}\n  not ours:  {row}" for row in found.missing]
        wrong += [f"{name}\n  only ours: {row}" for row in found.extra]
    assert not wrong, "\n".join(wrong)


def test_how_many_measured_rows_were_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """What `.ci/run` prints: the real cases that ran."""
    ran, rows, ignored, left_out = 0, 0, 0, []
    for path in case_files():
        case = read_case(path)
        if _beyond_us(case):
            left_out.append(path.stem)
            continue
        ran += 1
        for _, found in _comparisons(case):
            rows += found.matched
            ignored += found.ignored
    others = ", ".join(left_out) or "none"
    with capsys.disabled():
        print(f"\nreal routing cases: {ran} ran, {rows} rows matched, {ignored} ignored, not ours yet: {others}")
    assert ran + len(left_out) == len(case_files())


@pytest.mark.parametrize("path", case_files(), ids=lambda path: path.stem)
def test_the_answers_are_never_read(path: Any) -> None:
    """Shuffled and emptied expectations give the same tables: only the questions come from there."""
    case = read_case(path)
    spoiled = copy.deepcopy(case)
    dice = random.Random(7)
    rows = [row for state in spoiled["states"] for item in state["expected"] for row in item["rows"]]
    dice.shuffle(rows)
    for state in spoiled["states"]:
        for item in state["expected"]:
            item["rows"], rows = rows[: dice.randrange(3)], rows
        for item in state.get("expected_bgp", []):
            item["routes"] = []
    ours = [[flat(Routing(s.estate).effective_routes(nic)) for nic in s.nics] for s in load(case)]
    again = [[flat(Routing(s.estate).effective_routes(nic)) for nic in s.nics] for s in load(spoiled)]
    assert ours == again
