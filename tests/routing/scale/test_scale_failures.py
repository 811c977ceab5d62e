"""Failures of peerings, and pairs of failures: the short ways against the long one."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from farshore.estate.estate import Change, Estate
from farshore.routing import elements
from farshore.routing.scale.conditions import condition_of
from farshore.routing.scale.outcomes import GOOD
from farshore.routing.scale.pairs import pairs_of
from farshore.routing.scale.peerings import peerings_of, without
from farshore.routing.scale.reach import Reach
from routing.scale.estates import estate_of

SEEDS = int(os.environ.get("FARSHORE_SCALE_SEEDS", "40"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_peering_costs_what_an_estate_without_it_lacks(seed: int) -> None:
    estate = estate_of(seed)
    reach = Reach.of(estate)
    peerings = peerings_of(reach)
    cold = reach.counts(reach.standing(reach.cold))
    for spoke in peerings.spokes:
        counts = without(reach, spoke.pair)
        assert (counts[spoke.units, GOOD] == 0).all(), f"seed {seed}: {spoke.pair} carries its spoke whole"
        rest = np.setdiff1d(np.arange(len(counts)), spoke.units)
        assert (counts[rest] == cold[rest]).all(), f"seed {seed}: {spoke.pair} matters to nobody else"
    for link in peerings.idle:
        assert (without(reach, link) == cold).all(), f"seed {seed}: {link} can fail unnoticed"
    for link in peerings.others:
        changed = Reach.of(_without(estate, reach, link))
        there = changed.counts(changed.standing(changed.cold))[changed.model.units.of_machine]
        assert (without(reach, link)[reach.model.units.of_machine] == there).all(), f"seed {seed}: {link}"


def _without(estate: Estate, reach: Reach, link: tuple[int, int]) -> Estate:
    """The estate itself with both halves disconnected."""
    names = [reach.model.networks.all[number] for number in link]
    changes = []
    for own, far in (names, names[::-1]):
        body = estate.resources[own.id.key]
        halves = [
            {**half, "properties": {**half["properties"], "peeringState": "Disconnected"}}
            if half["properties"]["remoteVirtualNetwork"]["id"].lower() == far.id.key
            else half
            for half in body["properties"]["virtualNetworkPeerings"]
        ]
        changes.append(Change(put={**body, "properties": {**body["properties"], "virtualNetworkPeerings": halves}}))
    return estate.with_changes(changes)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_pair_costs_what_both_failures_together_do(seed: int) -> None:
    reach = Reach.of(estate_of(seed))
    every = elements(reach.model.columns.skeleton)
    spokes = peerings_of(reach).spokes
    pairs = pairs_of(reach, every, [reach.under(element) for element in every], spokes)
    machines = reach.model.units.count
    good = reach.counts(reach.standing(reach.cold))[:, GOOD]
    fresh = Reach.of(replace(reach.model.columns))
    for first, one in enumerate(every):
        for second in range(first + 1, len(every)):
            both = fresh.standing(condition_of(fresh.model, one.down | every[second].down))
            cost = int(machines @ (good - fresh.counts(both)[:, GOOD]))
            assert pairs.of_elements[first, second] == cost, f"seed {seed}: {one} and {every[second]}"
        alone = fresh.counts(fresh.under(one))[:, GOOD].copy()
        for number, spoke in enumerate(spokes):
            left = alone.copy()
            left[spoke.units] = 0
            assert pairs.with_spokes[first, number] == int(machines @ (good - left))
    assert pairs.number == (len(every) + len(spokes)) * (len(every) + len(spokes) - 1) // 2
