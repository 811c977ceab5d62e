"""Mends: offered where they are derivable, and true, because each was proven before it was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farshore.plan.model import Event, Phase, Plan, Step
from farshore.prove import Counterexample, prove
from farshore.prove.describe import describe_proof
from farshore.prove.mend import mend
from farshore.prove.mends import with_mends
from prove.estates import FAR, connect, deallocate, disaster, estate, failover, planned, prefer, put, reach, returns
from prove.plans import plan

VM1 = planned()
HERE = estate(FAR.network())


def made(steps: Sequence[Step], events: Sequence[Event] = ()) -> Plan:
    return plan(
        steps,
        events,
        machines=(VM1,),
        objectives=(reach(),),
        source_region="eastasia",
        target_region="southeastasia",
    )


def worst(plan_: Plan) -> Counterexample:
    return prove(HERE, plan_).counterexamples[0]


def test_a_site_step_that_comes_too_late_is_moved() -> None:
    late = made([connect(), prefer(after=["connect"])])
    assert mend(HERE, late, worst(late)) == "let prefer come before connect"


def test_a_site_step_that_is_missing_is_named_with_router_and_circuit() -> None:
    missing = made([connect()])
    text = mend(HERE, missing, worst(missing))
    assert text is not None
    for word in ("before connect", "router ce1 at datacenter", "circuit circuit-a", "local preference 200"):
        assert word in text


def test_a_fence_that_is_missing_is_named_with_prefixes() -> None:
    steps = [prefer(), connect(after=["prefer"]), failover(VM1), deallocate(VM1)]
    events = [disaster([VM1], after=["connect"]), returns([VM1], after=["failover-vm1"])]
    unfenced = made(steps, events)
    text = mend(HERE, unfenced, worst(unfenced))
    assert text is not None
    for word in ("a fence is missing: before return", "router ce1", "deny", "10.1.0.0/24"):
        assert word in text


def test_tables_that_come_after_the_peering_are_moved_with_what_they_need() -> None:
    bare = [FAR.hub(table=False), FAR.spoke(table=False), *FAR.appliance(), FAR.gateway(), FAR.peering("hub", "spoke")]
    here = estate(bare)

    def late(id_: str, *bodies: dict[str, object], after: str, letter: str) -> Step:
        return replace(put(id_, *bodies, after=[after], phase=Phase.FAILOVER), letter=letter)

    steps = [
        failover(VM1),
        late("connection", FAR.connection(), after="failover-vm1", letter="b"),
        late("peering", FAR.peering("spoke", "hub"), after="connection", letter="c"),
        late("tables", FAR.gateway_table(), FAR.spoke_table(), after="peering", letter="d"),
        late("on-hub", FAR.gateway_subnet_with_table(), after="tables", letter="d"),
        late("on-spoke", FAR.spoke_subnet_with_table(), after="on-hub", letter="d"),
    ]
    unsafe = made(steps, [disaster([VM1])])
    bypass = next(item for item in prove(here, unsafe).counterexamples if item.kind == "bypass")
    assert mend(here, unsafe, bypass) == "let tables, on-hub and on-spoke come before peering"


def test_what_no_order_and_no_router_mends_has_no_mend() -> None:
    # Nothing brings vm1 up in the target: its objective fails at the end of FAILOVER, and that is all to be said.
    steps = [
        prefer(),
        connect(after=["prefer"]),
        put("nothing", FAR.spoke_table(), after=["disaster"], phase=Phase.FAILOVER),
    ]
    hopeless = made(steps, [disaster([VM1], after=["connect"])])
    proof = prove(HERE, hopeless)
    assert not proof.ok
    assert [item.mend for item in with_mends(HERE, hopeless, proof).counterexamples] == [""]


def test_a_described_proof_shows_the_mend() -> None:
    late = made([connect(), prefer(after=["connect"])])
    proof = with_mends(HERE, late, prove(HERE, late))
    assert "  mend         let prefer come before connect" in describe_proof(proof)
