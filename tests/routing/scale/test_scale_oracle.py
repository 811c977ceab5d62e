"""Every cell of the engine at scale is what the scalar engine says of that one flow and its reply.

The oracle takes an address out of an end, traces it to the machine and back, and judges. Two words are one here:
`denied` and `unreachable` are both lost, and which of two reasons is told first is a matter of who is asked.
Where the engine leaves a cell *unknown* it may not be wrong, but it should seldom have to: that is counted.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import pairwise
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from farshore.arm.decode import Address
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import SiteLink
from farshore.routing import Flow, Routing, elements, judge
from farshore.routing.scale.line import address_at, span
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach
from routing.scale.estates import ROUTES, estate_of

SEEDS = int(os.environ.get("FARSHORE_SCALE_SEEDS", "40"))
PRIVATE = ("172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32")
LOST = {"denied": "lost", "unreachable": "lost"}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_cell_is_what_a_trace_says(seed: int) -> None:
    unknown = held_to_traces(estate_of(seed))
    assert unknown["unknown"] < sum(unknown.values()) or not unknown


@pytest.mark.parametrize("seed", range(SEEDS))
def test_with_sites_that_are_joined_every_cell_that_is_known_is_what_a_trace_says(seed: int) -> None:
    """By lines of their own, transit or not, and by Global Reach (E46)."""
    draw = Random(seed)
    estate = joined(draw, estate_of(seed))
    unknown = held_to_traces(estate)
    if any(link.transit for site in estate.sites for link in site.links):
        assert unknown.keys() <= {"unknown", "unreachable", "stale"}, "what a transit line may change is not known here"


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_with_second_addresses_every_cell_is_what_a_trace_says(seed: int) -> None:
    """Of machines, and of appliances, by which some tables name them (R24)."""
    held_to_traces(doubled(Random(seed), estate_of(seed)))


def held_to_traces(estate: Estate) -> Counter[str]:
    """Compares every cell under every condition, and counts words."""
    reach = Reach.of(estate)
    model = reach.model
    unknown = Counter[str]()
    for down in conditions(estate):
        standing = reach.when(down)
        words = reach.words(standing.condition)
        assert (reach.counts(standing) == counted(words)).all(), f"counts and cells differ with {sorted(down)} down"
        oracle = Routing(estate.with_outside(replace(estate.outside, down=estate.outside.down | down)))
        for machine, end, flow, nic in flows(reach):
            found = WORDS[words[machine, end]]
            if found == "denied" and any(cut(reach, end)):
                # A group tells addresses of this end apart: it is lost when one of them is.
                assert any(lost(oracle, replace(flow, source_address=other), nic) for other in cut(reach, end))
                continue
            forward, back = oracle.trace(flow)
            expected = judge(forward, back, promised=nic).kind
            unknown[found] += 1
            if found == "unknown" or (found == "wrong-owner" and model.ends.contested[end]):
                # A contested end is unsafe when any machine stands in it; the traced address need not be that one's.
                continue
            if expected == "unknown" and "by any of its NICs" in forward.because + back.because and found in LOST:
                # All NICs of an appliance lose it, each for a reason of its own: a trace can't say which, it is lost.
                continue
            assert LOST.get(found, found) == LOST.get(expected, expected), (
                f"down {sorted(down)}: {flow} is {found}, traced it is {expected}: {forward.because}; {back.because}"
            )
    return unknown


def joined(draw: Random, estate: Estate) -> Estate:
    """The estate with lines between some of its sites, and Global Reach between some of its circuits."""
    sites = list(estate.sites)
    for number, site in enumerate(sites[1:], 1):
        link = SiteLink(
            to=sites[number - 1].name, local_preference=draw.choice((50, 100, 200)), transit=draw.random() < 0.3
        )
        sites[number] = replace(site, links=(link,) if draw.random() < 0.7 else ())
    changes = []
    circuits = [dict(body) for body in estate.of_type("Microsoft.Network/expressRouteCircuits")]
    for one, other in pairwise(circuits):
        if draw.random() < 0.7:
            peering, *others = one["properties"]["peerings"]
            far = {"id": other["properties"]["peerings"][0].get("id") or f"{other['id']}/peerings/AzurePrivatePeering"}
            reach = {"name": "reach", "properties": {"peerExpressRouteCircuitPeering": far}}
            held = {**peering, "properties": {**peering["properties"], "connections": [reach]}}
            changes.append(Change(put={**one, "properties": {**one["properties"], "peerings": [held, *others]}}))
    return estate.with_changes(changes).with_sites(tuple(sites))


def doubled(draw: Random, estate: Estate) -> Estate:
    """The estate with a second address on every NIC, forty above the first; tables lead to either of an appliance."""
    changes, more = [], {}
    for body in map(deepcopy, map(dict, estate.of_type("Microsoft.Network/networkInterfaces"))):
        first = body["properties"]["ipConfigurations"][0]["properties"]
        address = str(ip_address(first["privateIPAddress"]) + 40)
        more[first["privateIPAddress"]] = address
        second = {"privateIPAddress": address, "subnet": first["subnet"], "primary": False}
        body["properties"]["ipConfigurations"].append({"name": "second", "properties": second})
        changes.append(Change(put=body))
    for body in map(deepcopy, map(dict, estate.of_type("Microsoft.Network/routeTables"))):
        for route in body["properties"]["routes"]:
            hop = route["properties"].get("nextHopIpAddress")
            if hop in more and draw.random() < 0.5:
                route["properties"]["nextHopIpAddress"] = more[hop]
        # What is for an appliance itself, by another of its addresses.
        itself = [(f"{more[hop]}/32", hop) for hop in ("10.1.0.68", "10.2.0.68") if hop in more]
        for prefix, hop in itself if "/rt-gw" in str(body["id"]) else ():
            properties = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
            body["properties"]["routes"].append({"name": f"to-{hop}", "properties": properties})
        changes.append(Change(put=body))
    return estate.with_changes(changes)


def conditions(estate: Estate) -> Iterator[frozenset[str]]:
    """Nothing, everything that can fail alone, and some of it in pairs."""
    singles = [element.down for element in elements(estate)]
    yield frozenset()
    yield from singles
    for number in range(0, len(singles), 3):
        yield singles[number] | singles[(number * 7 + 3) % len(singles)]


def flows(reach: Reach) -> Iterator[tuple[int, int, Flow, str]]:
    """One flow for each unit and end: from an address in the end to one machine of the unit."""
    model = reach.model
    machines = model.columns.machines
    first = {unit: row for row, unit in reversed(list(enumerate(model.units.of_machine.tolist())))}
    for unit, row in sorted(first.items()):
        for end in range(len(model.ends)):
            flow = Flow(
                source=model.sessions.sites[int(model.ends.sites[end])].name,
                source_address=address_at(int(model.ends.first[end])),
                destination_address=address_at(int(machines.addresses[row])),
            )
            yield unit, end, flow, machines.nics[row]


def cut(reach: Reach, end: int) -> list[Address]:
    """Addresses of an end that a security group might tell from its first one."""
    first, last = int(reach.model.ends.first[end]), int(reach.model.ends.last[end])
    pairs = [span(ip_network(text)) for text in (*ROUTES, *PRIVATE)]
    borders = {place for begin, stop in pairs for place in (begin, stop + 1) if first < place <= last}
    return [address_at(place) for place in (first, *sorted(borders))] if borders else []


def lost(oracle: Routing, flow: Flow, nic: str) -> bool:
    return judge(*oracle.trace(flow), promised=nic).kind in LOST


def counted(words: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    array = np.asarray(words)
    return np.stack([(array == word).sum(axis=1) for word in range(len(WORDS))], axis=1)
