"""A proof read back from its file is the one that was written: what is judged of its traces comes to the same."""

from __future__ import annotations

from farshore.arm.json import dumps, loads
from farshore.prove.file import proof_as_json, proof_from_json
from farshore.prove.values import Counterexample, Cut, Proof
from farshore.routing import judge, trace
from routing.small import flow
from routing.test_routing_pools import OWN, pooled
from routing.test_routing_traces import router, site


def test_who_else_shares_the_traffic_is_kept() -> None:
    net = pooled()
    asked = flow("dc", "192.168.0.9", "10.1.0.4")
    forward, back = trace(net.estate(site(router())), asked)
    shared = [hop for hop in forward.hops if hop.any_of]
    assert shared
    assert all(hop.others and hop.hashed_by for hop in shared)
    found = Counterexample(
        claim="safety",
        kind="asymmetric",
        objective="all",
        flow=asked,
        machine="vm",
        cut=Cut(done=frozenset()),
        after="",
        failed=(),
        forward=forward,
        back=back,
        summary="",
    )
    proof = Proof(ok=False, cuts=1, states=1, evaluations=1, exhaustive=True, failures=(), counterexamples=(found,))
    read = proof_from_json(loads(dumps(proof_as_json(proof))))
    assert read == proof
    again = read.counterexamples[0]
    assert again.back is not None
    one = shared[0].id
    assert one is not None
    for through in (OWN, str(one)):
        assert judge(again.forward, again.back, through=through) == judge(forward, back, through=through)
    assert judge(again.forward, again.back, through=str(one)).kind == "bypass", "another member may take it"
