"""One machine of an example to the far shore and back, through a network that loses the first answer of every write,
and by processes that are killed again and again: steps are in doubt, and nothing is done twice. A failover POST has no
name that ARM would know again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from farshore.arm.http import Request
from farshore.estate.project import Machines
from farshore.lab.regions import give_back, lose
from farshore.plan import make_plan
from farshore.plan.model import Phase, Plan
from farshore.run import cuts_of, machine
from plan.estates import example
from run.bench import EAST, Bench

READS = ("/effectiveroutetable", "/routetables/primary", "/routetables/secondary", "/_lab/")


def is_write(method: str, url: str) -> bool:
    return method != "GET" and not any(read in url.lower() for read in READS)


def begun(path: Path | None = None) -> tuple[Bench, Plan]:
    estate = example("single-circuit-new-addresses", machines=Machines(include=("web1",)))
    return Bench(path, estate), make_plan(estate)


def took_effect(bench: Bench) -> Counter[tuple[str, str]]:
    """How often each kind of write, on whatever, was answered with a yes."""
    return Counter(
        (row["method"], row["url"].split("?")[0].rsplit("/", 1)[-1])
        for _, row in bench.cloud.store.shelf("requests").items()
        if row["status"] < 400 and is_write(row["method"], row["url"])
    )


@pytest.mark.parametrize("fate", ["unanswered", "lost"])
def test_every_write_in_doubt_and_none_of_them_twice(fate: str) -> None:
    bench, plan = begun()

    def fault(request: Request, number: int) -> str | None:
        return fate if number == 0 and is_write(request.method, request.url) else None

    outcome = bench.run(plan, Phase.PROVISION, Phase.PROTECT, Phase.DRILL, fault=fault)
    assert not outcome.halted, outcome.faults
    lose(bench.cloud, EAST)
    outcome = bench.run(plan, Phase.FAILOVER, Phase.COMMIT, fault=fault, happened=["disaster"])
    assert not outcome.failed and not outcome.halted, outcome.faults
    doubted = {event.step for event in bench.journal.read("r") if event.kind.value == "doubted"}
    assert len(doubted) > 20
    took = took_effect(bench)
    for verb in ("testFailover", "testFailoverCleanup", "unplannedFailover", "failoverCommit"):
        assert took["POST", verb] == 1, verb
    assert not {name: count for name, count in took.items() if count > 1 and name[0] == "PUT"}


@pytest.mark.parametrize("seed", range(3))
def test_there_and_back_by_processes_that_are_killed(seed: int, tmp_path: Path) -> None:
    bench, plan = begun(tmp_path / "runs.db")
    random = Random(seed)
    for phases, event in (
        ((Phase.PROVISION, Phase.PROTECT), None),
        ((Phase.DRILL,), None),
        ((Phase.FAILOVER, Phase.COMMIT), "disaster"),
        ((Phase.RETURN,), "return"),
        ((Phase.REPROTECT,), None),
        ((Phase.FAILBACK,), None),
    ):
        if event == "disaster":
            lose(bench.cloud, EAST)
        elif event == "return":
            give_back(bench.cloud, EAST)
        # Soon after they began, in the middle of something, and in the middle of a doubt.
        kills = [random.choice((0.3, 0.9, 5, 60, 95, 130)) * random.uniform(0.5, 1.5) for _ in range(6)]
        outcome = bench.run(plan, *phases, kills=kills, happened=[event] if event else [])
        assert not outcome.failed and not outcome.halted, (phases, kills, outcome.faults, outcome.waiting)
    took = took_effect(bench)
    for verb, times in (("testFailover", 1), ("unplannedFailover", 2), ("failoverCommit", 2), ("switchprotection", 2)):
        assert took["POST", verb] == times, verb
    events = bench.journal.read("r")
    assert machine.fold(plan, events) == outcome.state
    after = {node.id: set(node.after) for node in plan.steps}
    for cut in cuts_of(plan, events):
        assert all(after.get(id_, set()) <= cut.done for id_ in cut.done | cut.under_way)
