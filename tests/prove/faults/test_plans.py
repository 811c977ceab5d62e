"""Faulty plans: each found at the step that brings the fault, and mended by a change that is proven."""

from __future__ import annotations

import pytest

from farshore.examples import read
from farshore.plan.make import make_plan
from farshore.prove import prove
from farshore.prove.mend import mended
from prove.faults.plans import PLANS, PlanFault
from prove.faults.reading import slice_of


@pytest.mark.parametrize("fault", slice_of(PLANS), ids=lambda fault: fault.name)
def test_it_is_found_named_and_mended(fault: PlanFault) -> None:
    _, estate = read(fault.example)
    plan = fault.edit(make_plan(estate))
    proof = prove(estate, plan)
    failing = [item for item in proof.counterexamples if not item.exempt]
    assert failing
    worst = failing[0]
    assert (worst.claim, worst.after) == (fault.claim, fault.after), worst.summary
    assert worst.forward.hops and worst.summary
    found = mended(estate, plan, worst)
    assert found is not None
    text, changed = found
    assert fault.mend in text
    assert prove(estate, changed).ok
