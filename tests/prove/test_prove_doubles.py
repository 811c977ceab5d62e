"""Every single and every double failure at every cut, against a twin that knows no reason to leave any out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from itertools import combinations

import pytest

from farshore.estate.estate import Estate
from farshore.plan.effects import World, apply, start
from farshore.plan.model import Event, Plan, Step
from farshore.prove import Proof, prove
from farshore.prove.describe import describe_proof
from farshore.prove.file import proof_as_json, proof_from_json
from farshore.routing import Flow, Routing, elements, judge
from farshore.routing.failures import Element
from prove.estates import FAR, HOME, connect, disaster, estate, failover, fence, planned, prefer, reach, returns
from prove.plans import plan

VM1 = planned()
SITE = ip_address("192.168.0.10")
APPLIANCES = tuple(shore.id("networkInterfaces", "nva-nic") for shore in (HOME, FAR))
Pairs = set[frozenset[str]]


def _orders(plan_: Plan) -> list[tuple[str, ...]]:
    """Every set of steps and events that can be done, as one order that leads to it; routers are set one by one only
    inside a step, which the prover looks at as well and this twin doesn't."""
    nodes = {node.id: node for nodes in (plan_.steps, plan_.events) for node in nodes}
    found: dict[frozenset[str], tuple[str, ...]] = {frozenset(): ()}
    queue: list[tuple[str, ...]] = [()]
    while queue:
        done = queue.pop()
        for id_, node in nodes.items():
            if id_ not in done and set(node.after) <= set(done) and frozenset((*done, id_)) not in found:
                found[frozenset((*done, id_))] = (*done, id_)
                queue.append((*done, id_))
    return list(found.values())


def _kind(world: World, failed: Sequence[Element]) -> str:
    down = world.estate.outside.down.union(*(element.down for element in failed))
    here = world.estate.with_outside(replace(world.estate.outside, down=down))
    flow = Flow(source="datacenter", source_address=SITE, destination_address=ip_address(VM1.address))
    forward, back = Routing(here).trace(flow)
    return judge(forward, back, through=APPLIANCES, promised=world.promises[VM1.id.key]).kind


def _brute(estate_: Estate, plan_: Plan) -> tuple[Pairs, Pairs]:
    """What stops a flow by itself; what does in twos though neither does alone."""
    nodes = {node.id: node for nodes in (plan_.steps, plan_.events) for node in nodes}
    singles: Pairs = set()
    pairs: Pairs = set()
    for done in _orders(plan_):
        world = start(estate_, plan_)
        for id_ in done:
            world = apply(world, nodes[id_].effects)
        if _kind(world, ()) != "delivered":
            continue
        every = elements(world.estate)
        alone = {element: _kind(world, (element,)) for element in every}
        singles |= {frozenset({str(element)}) for element, kind in alone.items() if kind == "unreachable"}
        good = [element for element, kind in alone.items() if kind == "delivered"]
        pairs |= {
            frozenset({str(one), str(other)})
            for one, other in combinations(good, 2)
            if _kind(world, (one, other)) != "delivered"
        }
    return singles, pairs


def _found(proof: Proof, number: int) -> Pairs:
    return {frozenset(item.failed) for item in proof.exposures if len(item.failed) == number}


def _made(*items: Step | Event) -> Plan:
    return plan(
        [item for item in items if isinstance(item, Step)],
        [item for item in items if isinstance(item, Event)],
        machines=(VM1,),
        objectives=(reach(survive=()),),
        source_region="eastasia",
        target_region="southeastasia",
    )


STORIES = {
    "the home shore alone": (prefer(),),
    "both shores armed": (prefer(), connect(after=["prefer"])),
    "a failover": (
        prefer(),
        connect(after=["prefer"]),
        disaster([VM1], after=["connect"]),
        failover(VM1, after=["disaster"]),
        fence(after=["disaster"]),
        returns([VM1], after=["failover-vm1", "fence"]),
    ),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("prefer_home", [False, True])
def test_exposures_are_what_a_twin_without_shortcuts_finds(story: str, prefer_home: bool) -> None:
    here, made = estate(FAR.network(), prefer_home=prefer_home), _made(*STORIES[story])
    proof = prove(here, made)
    singles, pairs = _brute(here, made)
    assert _found(proof, 1) == singles
    assert _found(proof, 2) == pairs
    assert pairs


def test_a_proof_says_how_many_pairs_it_looked_at() -> None:
    proof = prove(estate(FAR.network()), _made(*STORIES["both shores armed"]))
    assert proof.double_failures >= len(proof.failures)
    assert proof.double_failures_traced > 0
    assert f"{proof.double_failures:,} double failures" in describe_proof(proof)
    assert proof_from_json(proof_as_json(proof)).double_failures == proof.double_failures
