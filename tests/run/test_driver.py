"""The driver in a real lab: side by side, answers lost on the way, refusals, a region that goes, people."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.clock import LabClock
from farshore.errors import HeldError, InputError
from farshore.estate.project import Approvals
from farshore.lab.regions import give_back, lose
from farshore.lab.transport import lab_client, lab_clock
from farshore.plan import actions
from farshore.plan.model import Action, Phase
from farshore.run.driver import Driver
from farshore.run.events import Kind
from farshore.run.journal import Journal
from farshore.run.states import StepState
from prove.plans import step
from run.bench import EAST, Bench, Fault, id_of, put_step, story
from run.talk import NOW, refusal


def once(method: str, fate: Response | str, *, times: int = 1) -> Fault:
    """What becomes of the first requests of a method to each path."""
    return lambda request, number: fate if request.method == method and number < times else None


def seconds_between(bench: Bench, step_id: str, first: str, second: str) -> float:
    at = {event.kind.value: event.at for event in reversed(bench.journal.read("r")) if event.step == step_id}
    return (at[second] - at[first]).total_seconds()


# Side by side. -------------------------------------------------------------------------------------------------------


def test_steps_that_need_not_wait_go_side_by_side() -> None:
    names = list("abcdef")
    together, alone = Bench(), Bench()
    outcome = together.run(story(*(put_step(name) for name in names)))
    assert not outcome.halted and not outcome.failed and not outcome.faults
    alone.run(story(*(put_step(name) for name in names)), width=1)
    assert (together.now - NOW) * 3 < alone.now - NOW
    for bench in (together, alone):
        assert all(bench.there(name) and len(bench.writes(name)) == 1 for name in names)
        assert [bench.kinds(name) for name in names] == [["intended", "absent", "accepted", "done"]] * 6


def test_a_second_run_of_the_same_plan_writes_nothing() -> None:
    bench = Bench()
    bench.run(story(put_step("a"), put_step("b", after=["a"])))
    bench.journal = Journal(None)
    outcome = bench.run(story(put_step("a"), put_step("b", after=["a"])))
    assert not outcome.halted
    assert bench.kinds("a") == ["intended", "done"]
    assert len(bench.writes("a")) == len(bench.writes("b")) == 1


def test_an_intention_is_durable_before_its_request_leaves(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs.db")
    other = Journal(tmp_path / "runs.db")

    def look(request: Request, number: int) -> None:
        kinds = [event.kind for event in other.read("r") if event.step == "a"]
        assert Kind.INTENDED in kinds
        assert request.method == "GET" or Kind.ABSENT in kinds

    bench.run(story(put_step("a")), fault=look)
    assert len(bench.writes("a")) == 1


# Answers that do not come. -------------------------------------------------------------------------------------------


def test_an_answer_lost_after_the_write_took_effect_is_doubt_and_not_done_twice() -> None:
    bench = Bench()
    outcome = bench.run(story(put_step("a"), put_step("b", after=["a"])), fault=once("PUT", "unanswered"))
    assert not outcome.halted
    for name in "ab":
        assert len(bench.writes(name)) == 1
        assert bench.kinds(name)[:3] == ["intended", "absent", "doubted"]
        assert bench.kinds(name)[3] in ("done", "accepted")
    assert seconds_between(bench, "a", "doubted", "done") >= 90, "nothing of it can still be on its way"


def test_a_request_lost_on_its_way_is_doubt_and_then_done_once() -> None:
    bench = Bench()
    outcome = bench.run(story(put_step("a")), fault=once("PUT", "lost"))
    assert not outcome.halted
    assert bench.kinds("a") == ["intended", "absent", "doubted", "absent", "accepted", "done"]
    assert len(bench.writes("a")) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_an_answer_of_5xx_is_no_answer(status: int) -> None:
    bench = Bench()
    bench.run(story(put_step("a")), fault=once("PUT", refusal(status, "InternalServerError")))
    assert bench.kinds("a") == ["intended", "absent", "doubted", "absent", "accepted", "done"]


def test_a_network_that_loses_every_third_request() -> None:
    bench = Bench()
    count = 0

    def fault(request: Request, number: int) -> str | None:
        nonlocal count
        count += 1
        return (None, "lost", None, None, "unanswered", None)[count % 6]

    outcome = bench.run(story(*(put_step(name, after=list("abcd")[:i]) for i, name in enumerate("abcd"))), fault=fault)
    assert not outcome.halted
    assert [sum(row["status"] < 400 for row in bench.writes(name)) for name in "abcd"] == [1] * 4


# Refusals. -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("no", "wait"),
    [
        (refusal(429, "TooManyRequests", retry_after="47"), 47),
        (refusal(429, "RetryableErrorDueToAnotherOperation"), 20),
        (refusal(409, "AnotherOperationInProgress", retry_after="11"), 11),
        (refusal(412, "PreconditionFailed"), 20),
    ],
)
def test_a_no_that_may_be_a_yes_later_is_tried_again_as_told(no: Response, wait: float) -> None:
    bench = Bench()
    outcome = bench.run(story(put_step("a")), fault=once("PUT", no))
    assert not outcome.halted
    assert bench.kinds("a") == ["intended", "absent", "refused", "accepted", "done"]
    assert seconds_between(bench, "a", "refused", "accepted") >= wait


def test_a_no_is_not_tried_for_ever() -> None:
    bench = Bench()
    outcome = bench.run(story(put_step("a")), fault=once("PUT", refusal(409, "AnotherOperationInProgress"), times=99))
    assert outcome.failed == ("a",)
    assert outcome.faults["a"]["code"] == "AnotherOperationInProgress"
    assert bench.kinds("a").count("refused") == 29, "thirty attempts"


def test_a_failed_step_holds_up_those_after_it_and_nobody_else() -> None:
    bench = Bench()
    plan_ = story(put_step("a"), put_step("b", after=["a"]), put_step("x"), put_step("y", after=["x"]))

    def fault(request: Request, number: int) -> Response | None:
        mine = request.method == "PUT" and "/a?" in request.url and number == 0
        return refusal(403, "AuthorizationFailed", "you may not") if mine else None

    outcome = bench.run(plan_, fault=fault)
    assert outcome.halted and outcome.failed == ("a",)
    assert outcome.faults["a"] == {
        "code": "AuthorizationFailed",
        "message": "you may not",
        "target": None,
        "status": 403,
    }
    assert [outcome.state.steps[name].state.value for name in "abxy"] == ["failed", "waiting", "done", "done"]
    assert bench.kinds("b") == []
    # Its cause is mended, and somebody says so.
    bench.journal.ask("r", Kind.RETRIED, "a", {"by": "ann", "why": "the role is assigned"})
    again = bench.run(plan_)
    assert not again.halted and bench.there("b")


def test_a_failure_that_was_expected_lets_the_run_go_on() -> None:
    """D62: the disconnect of a lost region fails, and the run must not wait for it."""
    bench = Bench()
    bench.run(story(put_step("a", region=EAST)))
    lose(bench.cloud, EAST)
    bench.journal = Journal(None)
    plan_ = story(
        step("cut", action=actions.delete(id_of("a", EAST), attempts=3), may_fail=True), put_step("b", after=["cut"])
    )
    outcome = bench.run(plan_)
    assert not outcome.halted and outcome.failed == ()
    assert outcome.faults["cut"] and outcome.state.steps["cut"].expected
    assert bench.kinds("cut").count("doubted") == 3, "silence, three times, and the last is believed"
    assert bench.there("b")


# A region goes. ------------------------------------------------------------------------------------------------------


def test_a_region_lost_in_the_middle_of_a_step_and_back_in_time() -> None:
    bench = Bench()

    async def disaster(clock: LabClock) -> None:
        await clock.sleep(timedelta(seconds=1.5))  # the PUT is accepted
        lose(bench.cloud, EAST)
        await clock.sleep(timedelta(minutes=20))
        give_back(bench.cloud, EAST)

    outcome = bench.run(story(put_step("a", region=EAST), put_step("b")), beside=disaster)
    assert not outcome.halted, outcome
    assert bench.kinds("a") == ["intended", "absent", "accepted", "done"]
    assert bench.there("a", EAST) and len(bench.writes("a")) == 1


def test_a_region_that_does_not_return_fails_its_steps_and_no_others() -> None:
    bench = Bench()

    async def disaster(clock: LabClock) -> None:
        await clock.sleep(timedelta(seconds=0.5))
        lose(bench.cloud, EAST)

    outcome = bench.run(story(put_step("a", region=EAST), put_step("b")), beside=disaster)
    assert outcome.failed == ("a",) and outcome.faults["a"]["code"] == "NoAnswer"
    assert bench.there("b")


# People. -------------------------------------------------------------------------------------------------------------


def test_a_decision_waits_for_as_many_as_must_and_for_nobody_else() -> None:
    bench = Bench()
    action = actions.decision("shall it go?", Approvals(failover=("ann", "bob", "eve"), quorum=2))
    plan_ = story(step("call", action=action), put_step("b", after=["call"]))
    assert bench.run(plan_).waiting == ("call",)
    for by in ("carol", None, "bob", "bob"):
        bench.journal.ask("r", Kind.APPROVED, "call", {} if by is None else {"by": by})
    outcome = bench.run(plan_)
    assert outcome.waiting == ("call",) and not bench.there("b")
    assert outcome.state.steps["call"].approved_by == ("bob",)
    bench.journal.ask("r", Kind.APPROVED, "call", {"by": "ann"})
    again = bench.run(plan_)
    assert not again.halted and bench.there("b")
    assert again.state.steps["call"].result == {"by": "bob, ann"}


def test_a_step_for_a_person_waits_and_goes_on_when_he_says_so() -> None:
    bench = Bench()
    plan_ = story(
        step("call", action=actions.person("call the provider")), put_step("b", after=["call"]), put_step("c")
    )
    outcome = bench.run(plan_)
    assert outcome.waiting == ("call",) and outcome.halted and not outcome.failed
    asked = next(event for event in bench.journal.read("r") if event.kind is Kind.ASKED)
    assert asked.body["instruction"] == "call the provider"
    assert bench.there("c") and not bench.there("b")
    for _ in range(2):  # approved twice is approved
        bench.journal.ask("r", Kind.APPROVED, "call", {"by": "ann"})
    bench.journal.ask("r", Kind.RETRIED, "c")  # makes no sense: it is done
    bench.journal.ask("r", Kind.SKIPPED, "no such step")
    again = bench.run(plan_)
    assert not again.halted and bench.there("b")
    assert again.state.steps["call"].result == {"by": "ann"}
    assert bench.journal.asks("r") == [], "what made no sense is answered too"


def test_paused_resumed_skipped_cancelled() -> None:
    bench = Bench()
    plan_ = story(put_step("a"), put_step("b", after=["a"]), put_step("c", after=["b"]), put_step("d", after=["c"]))

    async def pause(clock: LabClock) -> None:
        await clock.sleep(timedelta(seconds=1))
        bench.journal.ask("r", Kind.PAUSED)

    outcome = bench.run(plan_, beside=pause)
    assert outcome.halted and bench.there("a") and not bench.there("b")
    paused = bench.run(plan_, Phase.PROVISION, Phase.FAILOVER)
    assert paused.halted and not bench.there("b"), "a paused run stays paused"
    bench.journal.ask("r", Kind.RESUMED)
    bench.journal.ask("r", Kind.SKIPPED, "b", {"by": "ann"})

    async def cancel(clock: LabClock) -> None:
        await clock.sleep(timedelta(seconds=1))
        bench.journal.ask("r", Kind.CANCELLED)

    cancelled = bench.run(plan_, beside=cancel)
    assert cancelled.halted
    assert [cancelled.state.steps[name].state.value for name in "abcd"] == ["done", "skipped", "done", "waiting"]


class Actuator:
    """People at a site."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, int]] = []

    async def apply(self, site: str, routers: Sequence[Any]) -> None:
        self.orders.append((site, len(routers)))


@pytest.mark.parametrize("has_actuator", [True, False])
def test_an_order_to_a_site_goes_to_its_actuator_or_to_a_person(has_actuator: bool) -> None:
    bench, actuator = Bench(), Actuator()
    router = {"name": "ce1", "local_preference": 50, "prepend": 0, "filters": []}
    plan_ = story(step("s", action=actions.site_change("dc", [router], [])))
    outcome = bench.run(plan_, actuators={"dc": actuator} if has_actuator else {})
    if has_actuator:
        assert actuator.orders == [("dc", 1)] and not outcome.halted
    else:
        assert outcome.waiting == ("s",)
        asked = next(event for event in bench.journal.read("r") if event.kind is Kind.ASKED)
        assert "router ce1: local preference 50" in asked.body["instruction"]


# What must not be lost in between. -----------------------------------------------------------------------------------


def test_an_error_of_ours_comes_out_and_the_run_can_go_on() -> None:
    """It is no answer of Azure's: the step has not failed, and the driver must neither hang nor swallow it."""
    bench = Bench()

    def fault(request: Request, number: int) -> None:
        if request.method == "PUT":
            raise LookupError("a mistake of ours")

    with pytest.raises(LookupError, match="a mistake of ours"):
        bench.run(story(put_step("a"), put_step("b")), fault=fault)
    assert bench.journal.holder("r") is None
    outcome = bench.run(story(put_step("a"), put_step("b")))
    assert not outcome.halted
    assert bench.kinds("a") == ["intended", "absent", "doubted", "absent", "accepted", "done"]


def test_a_verb_that_this_version_does_not_have_is_no_hang() -> None:
    with pytest.raises(InputError, match="no verb teleport"):
        Bench().run(story(step("a", action=Action(verb="teleport", arguments={}))))


def test_one_driver_drives_one_phase_after_the_other() -> None:
    bench = Bench()
    plan_ = story(put_step("a"), put_step("b", phase=Phase.FAILOVER))

    async def whole() -> None:
        clock = lab_clock(bench.cloud)
        async with clock.actor("test"), lab_client(bench.cloud, clock) as client:
            driver = Driver(plan_, run_id="r", client=client, journal=bench.journal, clock=clock)
            for phase in (Phase.PROVISION, Phase.FAILOVER):
                outcome = await driver.drive([phase])
                assert not outcome.halted

    asyncio.run(whole())
    assert bench.there("a") and bench.there("b")


def test_a_driver_that_was_fenced_off_stops_and_writes_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs.db")
    thief = Journal(tmp_path / "runs.db")

    async def steal(clock: LabClock) -> None:
        await clock.sleep(timedelta(seconds=1))
        thief.hold("r", force=True)

    with pytest.raises(HeldError, match="taken over"):
        bench.run(story(put_step("a"), put_step("b", after=["a"])), beside=steal)
    assert Kind.DONE not in [event.kind for event in thief.read("r")]
    assert not bench.there("b")
    thief.close()


def test_every_event_is_told_once_after_it_is_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs.db")
    bench.run(story(put_step("a"), put_step("b")), kills=[1.0, 2.0])
    assert bench.events == bench.journal.read("r")


def test_a_wait_for_a_person_takes_no_place() -> None:
    bench = Bench()
    plan_ = story(step("call", action=actions.person("call")), put_step("b"))
    outcome = bench.run(plan_, width=1)
    assert bench.there("b")
    assert outcome.state.steps["call"].state is StepState.ASKED
