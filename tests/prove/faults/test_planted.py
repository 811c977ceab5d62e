"""Planted faults: each found, named, and mended by the change that is offered, which is assessed and proven anew."""

from __future__ import annotations

from functools import cache

import pytest

from assess.broken import At
from farshore.arm.json import dumps
from farshore.assess import Severity, assess
from farshore.estate.estate import Estate
from farshore.plan.make import make_plan
from farshore.prove import prove
from farshore.prove.repair import repair
from prove.faults.planted import PLANTED, Fault
from prove.faults.reading import estate_of, slice_of

_proven: dict[bytes, bool] = {}


def _holds(estate: Estate) -> bool:
    """Whether the estate's plan is proven. Many mends come to one estate: it is proven once, whatever its routes are
    called."""
    bodies = [_plain(estate.resources[key]) for key in sorted(estate.resources)]
    key = dumps([bodies, repr(estate.project), repr(estate.sites)])
    if key not in _proven:
        _proven[key] = prove(estate, make_plan(estate)).ok
    return _proven[key]


def _plain(value: object, kind: str = "") -> object:
    """A body without what no packet sees: names of routes and rules, their order, etags, nulls."""
    if isinstance(value, dict):
        drop = {"etag", "hasBgpOverride", "provisioningState"} | ({"name", "id", "type"} if kind == "route" else set())
        return {key: _plain(held, key) for key, held in value.items() if key not in drop and held is not None}
    if isinstance(value, list):
        items = [_plain(item, "route" if kind == "routes" else kind) for item in value]
        return sorted(items, key=lambda item: dumps(item)) if kind == "routes" else items
    return value


@cache
def _broken(fault: Fault) -> tuple[Estate, str]:
    at = At(fault.ground, fault.example)
    fault.edit(at)
    return estate_of(at), fault.subject(at)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_it_is_found_and_named(fault: Fault) -> None:
    estate, subject = _broken(fault)
    errors = [f for f in assess(estate).findings if f.severity is Severity.ERROR]
    assert subject.lower() in {f.subject.lower() for f in errors}, [(f.code, f.subject) for f in errors]


@pytest.mark.parametrize("fault", slice_of(PLANTED), ids=lambda fault: fault.name)
def test_the_change_that_is_offered_mends_it(fault: Fault) -> None:
    estate, _ = _broken(fault)
    found = repair(estate, proven=False)
    assert found is not None
    assert len(found.edits) == 1, found.text
    applied = found.edits[0].apply(estate)
    assert assess(applied).ok
    assert _holds(applied), found.text


def test_there_are_enough_of_them_and_each_is_its_own() -> None:
    assert len(PLANTED) >= 50
    assert len({fault.name for fault in PLANTED}) == len(PLANTED)
    assert len({fault.example for fault in PLANTED}) == 5
