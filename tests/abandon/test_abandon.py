"""A run is given up after each step, and while each is under way: the estate is what it was, no packet of any second
went astray, and what is left has its reason. Here a few moments of each story; `make abandon` tells them all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from abandon.cutting import Cut, cuts_of, given_up
from farshore import examples
from farshore.plan.model import Phase
from farshore.run.events import Kind

MOMENTS = os.environ.get("FARSHORE_CUTS")
"""How many of each story, or `all`."""
TWO, ONE, NEW = "two-circuits-two-locations", "single-circuit-kept-addresses", "single-circuit-new-addresses"
STORIES = [
    *((topology, "published", 1) for topology in examples.names()),
    (TWO, "grey+armed+no-drill", 1),
    (TWO, "swap+no-drill", 1),
    (ONE, "grey+no-drill", 0),
    (TWO, "data-plane+silent+no-drill", 0),
    (NEW, "path-drill", 0),
]
"""Each with how many of its moments are told where not all of them are."""


def moments() -> Iterator[Any]:
    for topology, scenario, some in STORIES:
        cuts = list(cuts_of(topology, scenario, tuple(Phase)))
        count = len(cuts) if MOMENTS == "all" else min(len(cuts), int(MOMENTS or some))
        for cut in Random(f"{topology} {scenario}").sample(cuts, count):
            yield pytest.param(topology, scenario, cut, id=f"{topology}-{scenario}-{cut.step}-{cut.kind.value}")


@pytest.mark.parametrize(("topology", "scenario", "cut"), list(moments()))
def test_given_up_it_is_as_it_was(topology: str, scenario: str, cut: Cut, tmp_path: Path) -> None:
    given = given_up(tmp_path / "project", topology, scenario, cut)
    assert given is None or given.wrong() == []


@pytest.mark.skipif(MOMENTS is None, reason="make abandon tells whole stories")
@pytest.mark.parametrize("step", ["failover/machine/file1", "reprotect/machine/file1", "failback/commit/file1"])
def test_a_machine_of_unmanaged_disks_leaves_nothing_behind(step: str, tmp_path: Path) -> None:
    """Site Recovery leaves it in the target (S47), where it would hold its subnet."""
    given = given_up(tmp_path / "project", TWO, "published", Cut(step=step, kind=Kind.DONE), whole=True)
    assert given is not None and given.wrong() == []
