"""The engine against measured Azure tables: every row of every case that is here, system, user and BGP alike."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from farshore.routing import Routing
from routing.cases import DATA, asked, case_files, comparisons, flat, load, main, read_case

pytestmark = pytest.mark.skipif(
    not case_files(), reason=f"no measured routing cases in {DATA} (set FARSHORE_REAL_DATA)"
)


@pytest.mark.parametrize("path", case_files(), ids=lambda path: path.stem)
def test_every_measured_row_is_ours_and_no_other(path: Any) -> None:
    wrong = []
    for name, found, _ in comparisons(read_case(path)):
        wrong += [f"{name}\n  not ours:  {row}" for row in found.missing]
        wrong += [f"{name}\n  only ours: {row}" for row in found.extra]
    assert not wrong, "\n".join(wrong)


def test_how_many_measured_rows_were_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """What `.ci/run` prints: the real cases that ran."""
    with capsys.disabled():
        print()
        assert main([]) == 0


@pytest.mark.parametrize("path", case_files(), ids=lambda path: path.stem)
def test_the_answers_are_never_read(path: Any) -> None:
    """Shuffled expectations, of effective routes and of BGP tables, give the same tables: only the questions come from
    there."""
    case = read_case(path)
    spoiled = copy.deepcopy(case)
    dice = random.Random(7)
    for kind, held in (("expected", "rows"), ("expected_bgp", "routes")):
        items = [item for state in spoiled["states"] for item in state.get(kind, [])]
        rows = [row for item in items for row in item[held]]
        dice.shuffle(rows)
        for item in items:
            item[held] = [rows.pop() for _ in range(min(len(rows), dice.randrange(3)))]
    assert _answers(case) == _answers(spoiled)


def _answers(case: Any) -> list[Any]:
    found: list[Any] = []
    for state in load(case):
        routing = Routing(state.estate)
        found += [flat(routing.effective_routes(nic)) for nic in state.nics]
        found += [asked(routing, *table) for table in ((of, what, to, at) for of, what, to, at in state.tables)]
    return found
