"""What stays of an abandoned run because nothing can undo it: a group, and a circuit's bandwidth once it is raised."""

from __future__ import annotations

import copy

import pytest

from farshore.arm.json import Body
from farshore.estate.estate import Change, Estate
from farshore.estate.project import Approvals
from farshore.plan import actions
from farshore.plan.abandon.undo import remains
from farshore.plan.abandon.values import Begun
from plan.estates import TWO, example
from prove.plans import plan, step


def circuit(estate: Estate, mbps: int, **properties: object) -> Body:
    """The estate's first circuit with so much more, and with other properties that Azure shows."""
    body = estate.get(estate.express_route_circuits[0].id)
    assert body is not None
    changed: Body = copy.deepcopy(body)
    changed["properties"]["serviceProviderProperties"]["bandwidthInMbps"] += mbps
    changed["properties"] |= properties
    return changed


@pytest.mark.parametrize(("more", "stays"), [(1000, True), (0, False)])
def test_a_bandwidth_stays_where_it_was_raised_and_nothing_else_of_a_circuit_does(more: int, stays: bool) -> None:
    """E6. What Azure shows of a circuit changes by itself too."""
    before = example(TWO)
    id_ = before.express_route_circuits[0].id
    body = circuit(before, more, gatewayManagerEtag="17", authorizations=[])
    raise_ = step("raise", action=actions.raise_bandwidth(id_, 2000, "raise it", Approvals()))
    begun = Begun(plan=plan([raise_]), before=before, done=frozenset(), touched=frozenset({"raise"}))
    found = list(remains(begun, before.with_changes([Change(put=body)])))
    assert [row.id for row in found] == ([id_.text] if stays else [])
