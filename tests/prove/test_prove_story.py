"""Stories that must be told: what goes wrong when a step is missing, late or half done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farshore.estate.estate import Estate
from farshore.plan.model import DeleteResource, Event, Phase, Plan, SetRouter, Step
from farshore.prove import Counterexample, Proof, prove
from prove.estates import (
    CE2,
    FAR,
    HOME,
    connect,
    deallocate,
    disaster,
    estate,
    failover,
    fence,
    planned,
    prefer,
    put,
    reach,
    returns,
)
from prove.plans import plan, step

VM1 = planned()


def proven(estate_: Estate, steps: Sequence[Step], events: Sequence[Event] = (), **fields: object) -> Proof:
    return prove(estate_, made(steps, events, **fields))


def made(steps: Sequence[Step], events: Sequence[Event] = (), **fields: object) -> Plan:
    given: dict[str, object] = {
        "machines": (VM1,),
        "objectives": (reach(survive=("circuit-link", "gateway-instance")),),
        "source_region": "eastasia",
        "target_region": "southeastasia",
    }
    return plan(steps, events, **(given | fields))


def only(proof: Proof, **wanted: object) -> Counterexample:
    found = [
        item for item in proof.counterexamples if all(getattr(item, key) == value for key, value in wanted.items())
    ]
    assert len(found) == 1, [item.summary for item in proof.counterexamples]
    return found[0]


def whole_story(*, fenced: bool = True) -> tuple[list[Step], list[Event]]:
    before_return = ["failover-vm1", *(["fence"] if fenced else [])]
    steps = [prefer(), connect(after=["prefer"]), failover(VM1), deallocate(VM1)]
    if fenced:
        steps.append(fence())
    return steps, [disaster([VM1], after=["connect"]), returns([VM1], after=before_return)]


def test_an_armed_target_with_a_fence_is_safe_all_the_way() -> None:
    proof = proven(estate(FAR.network()), *whole_story())
    assert proof.ok, [item.summary for item in proof.counterexamples]
    assert proof.exhaustive
    # Two routers' changes in either order, then one thing after another, with fence and failover side by side.
    assert proof.cuts == 4 + 1 + 1 + 3 + 1 + 1
    assert {(verdict.phase, verdict.proven) for verdict in proof.verdicts} == {
        ("provision", True),
        ("failover", True),
        ("return", True),
    }
    assert "circuit circuit-b" in proof.failures


def test_without_the_sites_step_the_connection_makes_two_networks_answer() -> None:
    proof = proven(estate(FAR.network()), [connect()])
    assert not proof.ok
    found = only(proof, kind="ambiguous")
    assert found.claim == "safety"
    assert found.after == "connect"
    assert found.failed == ()
    assert found.cut.done == {"connect"}
    for word in ("10.1.0.0/24", "circuit-a", "circuit-b", "connect", "192.168.0.10 -> 10.1.0.4 tcp/443"):
        assert word in found.summary


def test_a_site_step_that_is_half_done_already_decides() -> None:
    # Either router's change alone is enough: no order of the two leaves a gap before the connection.
    assert proven(estate(FAR.network()), [prefer(), connect(after=["prefer"])]).ok
    late = proven(estate(FAR.network()), [prefer(), connect()])
    assert only(late, kind="ambiguous").after == "connect"


def test_without_a_fence_a_failure_after_the_return_leads_to_old_data() -> None:
    proof = proven(estate(FAR.network()), *whole_story(fenced=False))
    assert not proof.ok
    stale = only(proof, kind="stale")
    assert stale.after == "return"
    # The site prefers circuit-a, and the region is back: no failure is even needed.
    assert stale.failed == ()


def test_a_phase_in_whose_midst_something_is_unsafe_is_not_proven_though_its_end_is() -> None:
    # The old machines are deallocated in the return, so that its end is good; what the return itself begins with isn't.
    steps, events = whole_story(fenced=False)
    late = step("late-fence", *fence().effects, after=["return"], phase=Phase.RETURN)
    steps = [
        replace(item, after=(*item.after, "late-fence")) if item.id == deallocate(VM1).id else item for item in steps
    ]
    proof = proven(estate(FAR.network()), [*steps, late], events)
    assert only(proof, kind="stale").after == "return"
    assert {verdict.phase: verdict.proven for verdict in proof.verdicts} == {
        "provision": True,
        "failover": True,
        "return": False,
    }
    assert "stale" in next(verdict.trace for verdict in proof.verdicts if verdict.phase == "return").lower()


def test_a_mere_preference_falls_back_to_stale_machines_when_the_secondary_fails() -> None:
    turned = step(
        "turn",
        SetRouter(site="datacenter", router=replace(CE2, local_preference=300)),
        after=["disaster"],
        phase=Phase.FAILOVER,
    )
    steps, _ = whole_story(fenced=False)
    events = [disaster([VM1], after=["connect"]), returns([VM1], after=["failover-vm1", "turn"])]
    proof = proven(estate(FAR.network()), [*steps, turned], events)
    stale = only(proof, kind="stale")
    assert stale.after == "return"
    assert len(stale.failed) == 1
    assert stale.claim == "safety"
    assert "ce2" in stale.failed[0] or "circuit-b" in stale.failed[0] or "gw" in stale.failed[0]


def test_the_articles_letters_in_their_own_order_bypass_the_appliance_then_are_asymmetric() -> None:
    # a gateway, b connection, c peerings, d tables: legal, and not safe between c and the end of d (D85).
    bare = [FAR.hub(table=False), FAR.spoke(table=False), *FAR.appliance(), FAR.gateway_table(), FAR.spoke_table()]
    steps = [
        failover(VM1),
        put("a", FAR.gateway(), after=["failover-vm1"], phase=Phase.FAILOVER),
        put("b", FAR.connection(), after=["a"], phase=Phase.FAILOVER),
        put("c-hub", FAR.peering("hub", "spoke"), after=["b"], phase=Phase.FAILOVER),
        put("c-spoke", FAR.peering("spoke", "hub"), after=["c-hub"], phase=Phase.FAILOVER),
        put("d-hub", FAR.gateway_subnet_with_table(), after=["c-spoke"], phase=Phase.FAILOVER),
        put("d-spoke", FAR.spoke_subnet_with_table(), after=["d-hub"], phase=Phase.FAILOVER),
    ]
    proof = proven(estate(bare), steps, [disaster([VM1])])
    assert not proof.ok
    bypass, asymmetric = only(proof, kind="bypass"), only(proof, kind="asymmetric")
    assert bypass.after == "c-spoke"
    assert asymmetric.after == "d-hub"
    assert "192.168.0.10 -> 10.1.0.4 tcp/443" in bypass.summary
    assert len(bypass.cut.done) < len(asymmetric.cut.done)

    # The same steps with the tables first, the connection last (a, d, c, b) are safe.
    safe = [
        failover(VM1),
        put("a", FAR.gateway(), after=["d-hub"], phase=Phase.FAILOVER),
        put("d-hub", FAR.gateway_subnet_with_table(), after=["failover-vm1"], phase=Phase.FAILOVER),
        put("d-spoke", FAR.spoke_subnet_with_table(), after=["failover-vm1"], phase=Phase.FAILOVER),
        put("c-hub", FAR.peering("hub", "spoke"), after=["a", "d-spoke"], phase=Phase.FAILOVER),
        put("c-spoke", FAR.peering("spoke", "hub"), after=["c-hub"], phase=Phase.FAILOVER),
        put("b", FAR.connection(), after=["c-spoke"], phase=Phase.FAILOVER),
    ]
    assert proven(estate(bare), safe, [disaster([VM1])]).ok


def test_a_source_that_is_served_must_stay_so_while_the_target_is_built() -> None:
    careless = step("cut-home", DeleteResource(id=HOME.id("connections", "cn")))
    proof = proven(estate(), [careless])
    found = only(proof, kind="unreachable")
    assert (found.claim, found.after) == ("reachability", "cut-home")


def test_what_cannot_be_told_is_not_called_safe() -> None:
    here = estate(FAR.network())
    blind = here.with_outside(replace(here.outside, unknown=frozenset({HOME.id("virtualNetworkGateways", "gw").key})))
    proof = prove(blind, made([prefer()]))
    assert not proof.ok
    assert only(proof, kind="unknown").claim == "safety"


def test_what_an_objective_denies_must_not_arrive() -> None:
    deny = reach(name="nobody", deny=True, through=None)
    proof = proven(estate(), [prefer()], objectives=(deny,))
    assert only(proof, kind="admitted").after == ""
    other = reach(name="nobody", deny=True, through=None, ports=("tcp/22",), from_="internet")
    assert proven(estate(), [prefer()], objectives=(other,)).ok


def test_failures_that_nobody_promised_to_survive_are_exposure_not_failure() -> None:
    proof = proven(estate(FAR.network()), *whole_story())
    assert proof.ok
    singles = {item.failed for item in proof.exposures if len(item.failed) == 1}
    assert ("circuit circuit-a",) in singles
    assert ("appliance nva",) in singles
    assert not any("circuit-link" in name for failed in singles for name in failed)
    pairs = {item.failed for item in proof.exposures if len(item.failed) == 2}
    assert ("circuit-link circuit-a primary", "circuit-link circuit-a secondary") in pairs
    lost = [len(item.machines) for item in proof.exposures]
    assert lost == sorted(lost, reverse=True)

    promised = proven(estate(), [prefer()], objectives=(reach(survive=("circuit",)),))
    assert only(promised, claim="reachability").failed == ("circuit circuit-a",)
