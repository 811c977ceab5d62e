"""A circuit is raised once somebody has said so: nothing is written before, the rest of its body stays, and it is never
lowered (E6)."""

from __future__ import annotations

from typing import Any

import pytest

from farshore import examples
from farshore.arm.http import Request
from farshore.arm.json import Body
from farshore.estate.project import Approvals
from farshore.plan import actions
from farshore.plan.merge import says
from farshore.plan.model import Plan
from farshore.run.driver import RunOutcome
from farshore.run.events import Kind
from farshore.run.verbs import VERBS
from farshore.run.verbs.base import Absent, AgainError, Asked, Present
from prove.plans import step
from run.bench import Bench, Fault, story
from run.talk import answer, gone, hold, situation

_, ESTATE = examples.read("two-circuits-two-locations")
CIRCUIT = next(c.id for c in ESTATE.express_route_circuits if c.id.name == "er-singapore")
VERB = VERBS["raise_bandwidth"]


def raising(*approvers: str, mbps: int = 1000) -> Plan:
    return story(step("s", action=actions.raise_bandwidth(CIRCUIT, mbps, "Raise it?", Approvals(failover=approvers))))


def shown(mbps: int, state: str = "Succeeded") -> Any:
    properties = {"provisioningState": state, "serviceProviderProperties": {"bandwidthInMbps": mbps}}
    return answer(200, {"id": CIRCUIT.text, "etag": 'W/"1"', "properties": properties})


def told(mbps: int = 1000, *approvers: str, **more: Any) -> Any:
    return situation(
        actions.raise_bandwidth(CIRCUIT, mbps, "Raise it?", Approvals(failover=approvers)).arguments, **more
    )


class Told:
    """A lab with the example in it, and a run that raises."""

    def __init__(self, plan_: Plan) -> None:
        self.plan, self.bench = plan_, Bench(estate=ESTATE)
        self.before = self.circuit()

    def run(self, fault: Fault | None = None) -> RunOutcome:
        return self.bench.run(self.plan, fault=fault)

    def approve(self, by: str) -> None:
        self.bench.journal.ask("r", Kind.APPROVED, "s", {"by": by})

    def circuit(self) -> Body:
        found = self.bench.cloud.body(CIRCUIT)
        assert found is not None
        return found

    def mbps(self) -> int:
        return int(self.circuit()["properties"]["serviceProviderProperties"]["bandwidthInMbps"])

    def writes(self) -> int:
        return len(self.bench.writes("er-singapore"))


def test_nothing_is_written_before_somebody_says_so_and_then_once() -> None:
    run = Told(raising())
    outcome = run.run()
    assert outcome.waiting == ("s",) and outcome.halted and run.writes() == 0
    run.approve("anna")
    outcome = run.run()
    assert not outcome.halted and run.mbps() == 1000 and run.writes() == 1
    assert outcome.state.steps["s"].result["by"] == "anna"
    kept = {**run.before, "etag": run.circuit().get("etag")}
    provider = {**run.before["properties"]["serviceProviderProperties"], "bandwidthInMbps": 1000}
    kept["properties"] = {**run.before["properties"], "serviceProviderProperties": provider}
    assert says(run.circuit(), kept), "the rest of its body is kept"
    children = len(run.bench.cloud.children(CIRCUIT, "peerings"))
    assert children == len(Bench(estate=ESTATE).cloud.children(CIRCUIT, "peerings")) > 0


def test_only_who_is_named_may_approve_it() -> None:
    run = Told(raising("Anna", "Ben"))
    run.run()
    run.approve("carl")
    outcome = run.run()
    assert outcome.waiting == ("s",) and run.writes() == 0
    asked = [event.body["instruction"] for event in run.bench.journal.read("r") if event.kind is Kind.ASKED]
    assert asked == ["Raise it?"]
    run.approve("Ben")
    assert not run.run().halted and run.mbps() == 1000


def test_who_skips_it_has_left_the_circuit_as_it_was() -> None:
    run = Told(raising())
    run.run()
    run.bench.journal.ask("r", Kind.SKIPPED, "s", {"by": "anna", "why": "not needed"})
    assert not run.run().halted and run.mbps() == 200 and run.writes() == 0


def test_a_lost_answer_raises_nothing_twice() -> None:
    def fault(request: Request, number: int) -> str | None:
        return "unanswered" if request.method == "PUT" and number == 0 else None

    run = Told(raising())
    run.run()
    run.approve("anna")
    assert not run.run(fault).halted and run.mbps() == 1000 and run.writes() == 1
    assert "doubted" in run.bench.kinds("s")


@pytest.mark.parametrize("mbps", [200, 100, 50])
def test_what_is_as_large_or_larger_is_left_alone(mbps: int) -> None:
    run = Told(raising(mbps=mbps))
    assert not run.run().halted and run.writes() == 0 and run.mbps() == 200


def test_what_grew_while_it_was_asked_is_never_lowered() -> None:
    held = hold(VERB.follow(told(approved_by="anna")), [shown(2000)])
    assert held.result == {"by": "anna", "found": True, "mbps": 2000} and not held.writes
    held = hold(VERB.act(told(approved_by="anna")), [shown(2000)])
    assert not held.writes


def test_by_hand() -> None:
    assert isinstance(hold(VERB.look(told()), [shown(200)]).result, Absent)
    assert isinstance(hold(VERB.look(told()), [shown(1000)]).result, Present)
    assert hold(VERB.look(told()), [gone()]).code == "CircuitNotFound"
    assert isinstance(hold(VERB.act(told()), []).result, Asked)
    again = hold(VERB.follow(told(approved_by="anna")), [shown(200)])
    assert isinstance(again.error, AgainError), "the write is an act of its own"
    held = hold(VERB.act(told(approved_by="anna")), [shown(200), shown(200), answer(200, {})])
    (request,) = held.writes
    assert request.headers == {"if-match": 'W/"1"'} and not request.repeatable
    assert request.body["properties"]["serviceProviderProperties"] == {"bandwidthInMbps": 1000}
