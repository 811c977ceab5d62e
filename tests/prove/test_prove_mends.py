"""Mends of one proof: they can all be done, or it is said which exclude each other."""

from __future__ import annotations

from dataclasses import replace

from farshore.estate.estate import Change, Estate
from farshore.plan.model import Plan
from farshore.prove import prove
from farshore.prove.mend import mended
from farshore.prove.mends import with_mends
from prove.estates import FAR, HOME, connect, disaster, estate, failover, planned, prefer, put, reach, returns
from prove.plans import plan

VM1 = planned()
OPEN = reach(through=None)


def _made(*steps: object, **fields: object) -> Plan:
    given: dict[str, object] = {
        "machines": (VM1,),
        "objectives": (OPEN,),
        "source_region": "eastasia",
        "target_region": "southeastasia",
    }
    return plan(steps, **(given | fields))  # type: ignore[arg-type]


def _without_tables() -> Estate:
    bare = []
    for subnet in (HOME.gateway_subnet_with_table(), HOME.spoke_subnet_with_table()):
        properties = {name: value for name, value in subnet["properties"].items() if name != "routeTable"}
        bare.append(Change(put={**subnet, "properties": properties}))
    return estate().with_changes(bare)


def test_two_steps_that_are_only_safe_together_are_said_to_exclude_each_other() -> None:
    # Each table alone leads one direction through the appliance, and the other past it: whichever comes first is wrong.
    here = _without_tables()
    both = _made(put("on-hub", HOME.gateway_subnet_with_table()), put("on-spoke", HOME.spoke_subnet_with_table()))
    proof = prove(here, both)
    assert {item.after for item in proof.counterexamples} == {"on-hub", "on-spoke"}
    for item in proof.counterexamples:
        assert mended(here, both, item) is not None, "each has a mend of its own"
    first, second = (item.mend for item in with_mends(here, both, proof).counterexamples)
    assert "can't be had" not in first
    assert second.endswith(f"; this can't be had together with: {first}")


def test_a_later_mend_is_proven_on_top_of_the_earlier() -> None:
    # Two things are missing, and neither change mends what the other does.
    steps = [connect(), failover(VM1)]
    events = [disaster([VM1], after=["connect"]), returns([VM1], after=["failover-vm1"])]
    bare = _made(*steps, events=events, objectives=(reach(),))
    here = estate(FAR.network())
    proof = prove(here, bare)
    told = with_mends(here, bare, proof)
    mends = [item.mend for item in told.counterexamples]
    assert all(mends), mends
    assert "prefer" in mends[0] and "(once the others are done" not in mends[0]
    fence = next(text for text in mends if "a fence is missing" in text)
    assert fence.endswith(f"(once the others are done: {mends[0]})")


def test_one_change_that_mends_all_is_told_with_each() -> None:
    late = _made(connect(), prefer(after=["connect"]), objectives=(reach(), replace(reach(), name="another")))
    here = estate(FAR.network())
    told = with_mends(here, late, prove(here, late)).counterexamples
    assert {item.objective for item in told} == {"site to machines", "another"}
    assert {item.mend for item in told} == {"let prefer come before connect"}


def test_a_mend_of_one_objective_may_not_break_another() -> None:
    # What mends `open` here puts the tables off; the other objective asks that the appliance is passed from the start.
    here = _without_tables()
    both = _made(
        put("on-hub", HOME.gateway_subnet_with_table()),
        put("on-spoke", HOME.spoke_subnet_with_table(), after=["on-hub"]),
        objectives=(OPEN, replace(reach(), name="always through")),
    )
    proof = prove(here, both)
    wrong = {(item.objective, item.kind, item.after) for item in proof.counterexamples}
    for item in proof.counterexamples:
        found = mended(here, both, item)
        if found is not None:
            left = {(i.objective, i.kind, i.after) for i in prove(here, found[1]).counterexamples}
            assert left < wrong
