"""The examples as they are shipped: proven, all of them, in seconds; and what edited plans come to."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import cache

import msgspec
import pytest

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Objective
from farshore.examples import names, read
from farshore.plan.file import plan_as_json, plan_from_json, without_steps
from farshore.plan.make import make_plan
from farshore.plan.model import Phase, Plan, Step, StepKind
from farshore.prove import Coverage, Cut, Proof, covered, prove, uncovered_cut
from farshore.prove.describe import describe_proof
from farshore.prove.file import proof_as_json, proof_from_json
from prove.plans import nodes_of

ARTICLE = "two-circuits-two-locations"
SECONDS = 20
"""Ten times what a proof takes on one idle core: the test machine is shared."""


@cache
def example(name: str) -> tuple[Estate, Plan, Proof, float]:
    _, estate = read(name)
    plan = make_plan(estate)
    begun = time.perf_counter()
    proof = prove(estate, plan)
    return estate, plan, proof, time.perf_counter() - begun


def without(plan: Plan, *ids: str) -> Plan:
    """The plan file with some steps taken out by hand."""
    document = plan_as_json(plan)
    document["steps"] = [step for step in document["steps"] if step["id"] not in ids]
    return plan_from_json(document)


@pytest.mark.parametrize("name", names())
def test_every_example_is_proven_whole_and_fast(name: str) -> None:
    _, plan, proof, seconds = example(name)
    assert proof.ok, [item.summary for item in proof.counterexamples]
    assert proof.exhaustive
    assert seconds < SECONDS
    assert all(verdict.proven for verdict in proof.verdicts)
    assert {verdict.phase for verdict in proof.verdicts} == {step.phase.value for step in plan.steps}
    assert {verdict.objective for verdict in proof.verdicts} == {objective.name for objective in plan.objectives}
    assert proof.cuts > proof.states > 0
    assert proof.evaluations > 0 and len(proof.failures) > 10


@pytest.mark.parametrize("name", names())
def test_only_the_single_circuit_with_kept_addresses_has_its_exempt_interval(name: str) -> None:
    _, plan, proof, _ = example(name)
    exempt = [item for item in proof.counterexamples if item.exempt]
    if plan.topology != "single-circuit-kept-addresses":
        assert not proof.counterexamples
        return
    # The disconnect failed, the region is back, and the guard's DELETE has not taken effect yet (D62, D63).
    assert exempt == list(proof.counterexamples)
    assert {item.kind for item in exempt} == {"ambiguous"}
    assert {item.after for item in exempt} == {"return"}
    assert "having failed" in exempt[0].summary and "D63" in describe_proof(proof)


@pytest.mark.parametrize(
    "gone", [("return/disconnect/",), ("return/disconnect/", "return/deallocate/")], ids=["its end", "the whole guard"]
)
def test_an_interval_that_nothing_ends_is_not_exempt(gone: tuple[str, ...]) -> None:
    """D63: exempt is what lies between the region's return and the guard's DELETE, and not what has no DELETE."""
    estate, plan, _, _ = example("single-circuit-kept-addresses")
    steps = [step.id for step in plan.steps if step.id.startswith(gone)]
    proof = prove(estate, without_steps(plan, *steps))
    assert steps and not proof.ok
    assert "ambiguous" in {item.kind for item in proof.counterexamples if not item.exempt}


@pytest.mark.parametrize("name", names())
def test_any_run_passes_only_through_what_was_looked_at(name: str) -> None:
    """Runs with random timings: whenever a step begins or ends, the cut is covered."""
    _, plan, proof, _ = example(name)
    coverage = Coverage(proof, plan)
    nodes = nodes_of(plan)
    for seed in range(3):
        chance = random.Random(seed)
        done: set[str] = set()
        begun: set[str] = set()
        while len(done) < len(nodes):
            ready = [i for i, node in nodes.items() if i not in done | begun and done.issuperset(node.after)]
            if ready and len(begun) < 10 and chance.random() < 0.6:
                started = chance.choice(ready)
                if isinstance(nodes[started], Step):
                    begun.add(started)
                else:
                    done.add(started)
            elif begun:
                ended = chance.choice(sorted(begun))
                begun.remove(ended)
                done.add(ended)
            assert coverage.holds(done, begun), (done, begun)


def test_a_cut_that_the_order_does_not_allow_is_not_covered() -> None:
    _, plan, proof, _ = example(ARTICLE)
    step = plan.of_phase(Phase.FAILBACK)[-1]
    assert not covered(proof, plan, [], [step.id])
    said = uncovered_cut(proof, plan, Cut(done=frozenset(), under_way=frozenset({step.id})))
    assert said is not None and step.id in said
    assert uncovered_cut(proof, plan, Cut(done=frozenset())) is None


def test_a_proof_is_a_file() -> None:
    for name in (ARTICLE, "single-circuit-kept-addresses"):
        proof = example(name)[2]
        text = msgspec.json.encode(proof_as_json(proof))
        assert proof_from_json(msgspec.json.decode(text)) == proof
    document = proof_as_json(example(ARTICLE)[2])
    with pytest.raises(InputError, match="format"):
        proof_from_json(document | {"format": 2})
    with pytest.raises(InputError, match="cuts"):
        proof_from_json(document | {"cuts": "many"})


def test_a_proof_says_how_much_it_looked_at() -> None:
    _, _, proof, _ = example(ARTICLE)
    text = describe_proof(proof)
    assert text.startswith("Proven.")
    for line in ("cuts         1,472", "exhaustive   yes", "datacenter to machines", "circuit er-hongkong: 6 machines"):
        assert line in text


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("two-") and "new" not in name])
def test_with_the_sites_step_removed_the_proof_fails_at_the_connection(name: str) -> None:
    estate, plan, _, _ = example(name)
    removed = [step.id for step in plan.of_phase(Phase.PROVISION) if step.kind is StepKind.SITE]
    assert removed
    edited = without(plan, *removed)
    proof = prove(estate, edited)
    assert not proof.ok
    found = proof.counterexamples[0]
    assert (found.claim, found.kind, found.failed) == ("safety", "ambiguous", ())
    brought = edited.step(found.after)
    assert brought is not None and brought.letter == "b"
    circuits = [circuit.id.name for circuit in estate.express_route_circuits]
    for word in ("10.1.0.0/24", *circuits):
        assert word in found.summary
    assert found.summary in describe_proof(proof)
    assert "Ambiguous" in describe_proof(proof)


def test_without_the_fence_a_returned_region_serves_old_data() -> None:
    estate, plan, _, _ = example(ARTICLE)
    fences = [step.id for step in plan.of_phase(Phase.FAILOVER) if step.kind is StepKind.SITE]
    assert fences
    proof = prove(estate, without(plan, *fences))
    kinds = {item.kind: item for item in proof.counterexamples}
    assert not proof.ok
    assert kinds["stale"].after == "return"
    assert "old data" in kinds["stale"].summary


def test_the_articles_own_letters_are_unsafe_between_c_and_the_end_of_d() -> None:
    estate, _, _, _ = example(ARTICLE)
    plan = make_plan(estate, provision_ahead=["none"])
    letters = [[step for step in plan.steps if step.letter == letter] for letter in "abcd"]
    lettered = {step.id for steps in letters for step in steps}
    floor = tuple(dict.fromkeys(before for steps in letters for step in steps for before in step.after))
    floor = tuple(before for before in floor if before not in lettered)
    after: dict[str, tuple[str, ...]] = {}
    previous: tuple[str, ...] = floor
    for steps in letters:
        for step in steps:
            after[step.id] = previous
            previous = (step.id,)
    edited = replace(plan, steps=tuple(replace(s, after=after.get(s.id, s.after)) for s in plan.steps))
    proof = prove(estate, edited)
    assert not proof.ok and proof.exhaustive
    bypass = next(item for item in proof.counterexamples if item.kind == "bypass")
    asymmetric = next(item for item in proof.counterexamples if item.kind == "asymmetric")
    assert _letter(edited, bypass.after) == "c" and not bypass.failed
    assert _letter(edited, asymmetric.after) == "d" and not asymmetric.failed
    assert bypass.cut.done < asymmetric.cut.done
    assert str(bypass.flow) in bypass.summary and str(asymmetric.flow) in asymmetric.summary
    # What the planner makes of the same wish is safe.
    assert prove(estate, plan).ok


def test_a_machine_left_behind_is_missed_where_an_objective_needs_it() -> None:
    """D93: one of two communicating spokes stays; once the region is lost nobody reaches it."""
    estate, plan, _, _ = example(ARTICLE)
    stay = plan.machines[0]
    assert estate.project is not None
    chosen = replace(estate.project.machines, exclude=(stay.id.name,), boot_order=())
    partial = Estate(resources=estate.resources, sites=estate.sites, project=replace(estate.project, machines=chosen))
    made = make_plan(partial)
    needed = Objective(name="to the one that stays", from_="datacenter", to=stay.id.name)
    proof = prove(partial, made, [needed])
    missed = next(item for item in proof.counterexamples if item.claim == "reachability")
    assert missed.kind == "unreachable"


def test_a_pair_of_circuits_that_both_hubs_are_on_is_cured_by_no_circuit_that_they_have() -> None:
    """D91: what is connected already is no remedy."""
    _, _, proof, _ = example("two-circuits-new-addresses")
    alone = {item.failed[0].partition(" ")[0] for item in proof.exposures if len(item.failed) == 1}
    assert alone.isdisjoint({"circuit", "peering-location", "connection", "router"})
    pair = next(item for item in proof.exposures if item.failed == ("circuit er-hongkong", "circuit er-singapore"))
    assert pair.cure == "a further circuit for both hubs, in another peering location"


def _letter(plan: Plan, id_: str) -> str | None:
    step = plan.step(id_)
    return None if step is None else step.letter
