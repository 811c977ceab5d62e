"""`python -m bench.changes FOLDER`: single changes at one estate, each proven again under every failure it touches.

Answers a line of JSON: by kind of change the median and the 99th percentile in milliseconds, how many were made, and
how many of them had no short way (those are not timed: they are counted anew).
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

LIMITS = {
    "route": (3.0, 10.0),
    "prefix": (3.0, 10.0),
    "waypoint": (None, 50.0),
    "weight": (None, 50.0),
    "preference": (None, 50.0),
    "peering": (None, 50.0),
    "group": (None, 50.0),
    "machine": (None, 50.0),
}
"""Milliseconds: the median, the 99th percentile."""


def measured(folder: Path, times: int) -> dict[str, Any]:
    """All kinds, `times` changes of each."""
    from farshore.estate.files import each_body
    from farshore.estate.project import read_project
    from farshore.routing.failures import elements
    from farshore.routing.scale.changes.proven import Proven
    from farshore.routing.scale.columns import columns_of_bodies
    from farshore.routing.scale.reach import Reach

    columns = columns_of_bodies(lambda: each_body(folder / "estate.json"), read_project(folder / "farshore.yaml"))
    reach = Reach.of(columns)
    proven = Proven.of(reach, elements(columns.skeleton))
    gc.collect()
    gc.freeze()
    gc.disable()
    draw = Random(1)
    return {kind: _timed(make(proven, draw, times)) for kind, make in KINDS.items()}


def _timed(changes: Iterator[Callable[[], Any]]) -> dict[str, Any]:
    """Each change is made twice, and the quicker counts: a pause of the machine's is no cost of the engine's."""
    taken, further = [], 0
    for change in changes:
        once, found = _once(change)
        again, _ = _once(change)
        if found is None:
            further += 1
        else:
            taken.append(min(once, again))
    taken.sort()
    return {"median": median(taken), "p99": taken[int(len(taken) * 0.99)], "changes": len(taken), "anew": further}


def _once(change: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = change()
    return (time.perf_counter() - began) * 1000, found


def _routes(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A route more, to a prefix of a site, or one less, in a table of machines."""
    model = proven.reach.model
    prefixes = [str(prefix) for site in model.columns.skeleton.sites for prefix in site.prefixes]
    keys = sorted(model.columns.tables.keys() - _waypoint_tables(model))
    yield from _edits(proven, draw, keys, prefixes, times)


def _waypoints(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A route more, to a prefix of a site, a network's or a subnet's range, or one less, in a table that packets under
    way meet: of a gateway's subnet or of an appliance's."""
    model = proven.reach.model
    prefixes = [str(prefix) for site in model.columns.skeleton.sites for prefix in site.prefixes]
    ranges = [str(prefix) for network in model.networks.all for prefix in network.address_space]
    ranges += [str(p) for network in model.networks.all for subnet in network.subnets for p in subnet.address_prefixes]
    yield from _edits(proven, draw, sorted(_waypoint_tables(model)), _evenly(draw, prefixes, ranges), times)


def _evenly(draw: Random, one: list[str], other: list[str]) -> list[str]:
    """As many of the one as of the other."""
    size = min(len(one), len(other))
    return draw.sample(one, size) + draw.sample(other, size)


def _waypoint_tables(model: Any) -> set[str]:
    from farshore.arm.ids import resource_id

    subnets = (model.world.index.subnet(resource_id(key)) for key in model.places)
    return {subnet.route_table.key for subnet in subnets if subnet is not None and subnet.route_table is not None}


def _edits(proven: Any, draw: Random, keys: list[str], prefixes: list[str], times: int) -> Iterator[Callable[[], Any]]:
    from farshore.routing.scale.changes.routed import routed

    columns = proven.reach.model.columns
    for _ in range(times):
        table = columns.tables[draw.choice(keys)]
        rows = list(zip(table.prefixes, table.next_hop_types, table.next_hops, strict=True))
        if rows and draw.random() < 0.4:
            rows.remove(draw.choice(rows))
        else:
            rows.append((draw.choice(prefixes), *draw.choice([("None", ""), *(row[1:] for row in rows)])))
        held = [tuple(column) for column in zip(*rows, strict=True)] if rows else [(), (), ()]
        other = replace(table, prefixes=held[0], next_hop_types=held[1], next_hops=held[2])
        yield lambda other=other: routed(proven, other)  # type: ignore[misc]


def _prefixes(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A router withholds a prefix that it told, or tells one that it withheld."""
    from farshore.routing.scale.changes.told import tells, told

    model = proven.reach.model
    for _ in range(times):
        site = draw.choice(model.columns.skeleton.sites)
        router, prefix = draw.choice(site.routers), draw.choice(site.prefixes)
        says = not tells(model, site.name, router.name, prefix)
        yield lambda s=site, r=router, p=prefix, y=says: told(proven, s.name, r.name, p, y)  # type: ignore[misc]


def _weights(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    from farshore.routing.scale.changes.weighed import weighed

    connections = sorted({key for gateway in proven.reach.model.gateways for key in gateway.connections})
    for _ in range(times // 4):
        key, weight = draw.choice(connections), draw.choice((10, 50, 100))
        yield lambda k=key, w=weight: weighed(proven, k, w)  # type: ignore[misc]


def _preferences(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    from farshore.routing.scale.changes.told import preferred

    sites = proven.reach.model.columns.skeleton.sites
    for _ in range(times // 4):
        site = draw.choice(sites)
        router, value = draw.choice(site.routers), draw.choice((50, 150, 300))
        yield lambda s=site, r=router, v=value: preferred(proven, s.name, r.name, v)  # type: ignore[misc]


def _peerings(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A half less, cut off, or with a flag turned: of a spoke or of a hub, as peerings have it."""
    from farshore.estate.estate import Change
    from farshore.routing.scale.changes.changed import changed

    resources = proven.reach.model.columns.skeleton.resources
    halves = [
        (key, place)
        for key in sorted(resources)
        if "/virtualnetworks/" in key
        for place, _ in enumerate(resources[key]["properties"].get("virtualNetworkPeerings", ()))
    ]
    for _ in range(times):
        key, place = draw.choice(halves)
        body = resources[key]
        every = list(body["properties"]["virtualNetworkPeerings"])
        half = every[place]["properties"]
        turned = draw.choice(
            ({"peeringState": "Disconnected"}, {"useRemoteGateways": not half.get("useRemoteGateways", False)}, None)
        )
        every[place : place + 1] = [] if turned is None else [{**every[place], "properties": {**half, **turned}}]
        change = Change(put={**body, "properties": {**body["properties"], "virtualNetworkPeerings": every}})
        yield lambda change=change: changed(proven, change)  # type: ignore[misc]


def _groups(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A security rule more, less, or the other way round."""
    from farshore.estate.estate import Change
    from farshore.routing.scale.changes.changed import changed

    columns = proven.reach.model.columns
    prefixes = [str(prefix) for site in columns.skeleton.sites for prefix in site.prefixes]
    keys = sorted(columns.groups)
    for _ in range(times):
        body = columns.groups[draw.choice(keys)]
        rules = list(body["properties"].get("securityRules", ()))
        if rules and draw.random() < 0.6:
            at = draw.randrange(len(rules))
            own = rules[at]["properties"]
            other = {"Allow": "Deny"}.get(own.get("access"), "Allow")
            rules[at : at + 1] = [] if draw.random() < 0.5 else [{"name": "r", "properties": {**own, "access": other}}]
        else:
            more = {"priority": 99, "direction": "Inbound", "access": "Deny", "protocol": "*"}
            ports = {"sourcePortRange": "*", "destinationPortRange": "*"}
            ends = {"sourceAddressPrefix": draw.choice(prefixes), "destinationAddressPrefix": "*"}
            rules.append({"name": "more", "properties": {**more, **ports, **ends}})
        change = Change(put={**body, "properties": {**body["properties"], "securityRules": rules}})
        yield lambda change=change: changed(proven, change)  # type: ignore[misc]


def _machines(proven: Any, draw: Random, times: int) -> Iterator[Callable[[], Any]]:
    """A NIC deleted, or put into another's subnet, at another address there, behind another's security group."""
    from farshore.arm.ids import resource_id
    from farshore.estate.estate import Change
    from farshore.routing.scale.changes.changed import changed
    from farshore.routing.scale.line import address_at

    machines = proven.reach.model.columns.machines
    for _ in range(times):
        at, other = draw.randrange(len(machines)), draw.randrange(len(machines))
        id_ = machines.nics[at]
        group = machines.group_keys[machines.groups[other]]
        inside = {
            "privateIPAddress": str(address_at(int(machines.addresses[other]) + draw.choice((0, 0, 100)))),
            "subnet": {"id": machines.subnet_keys[machines.subnets[other]]},
        }
        properties = {
            "virtualMachine": {"id": machines.holders[at]},
            "ipConfigurations": [{"name": "a", "properties": inside}],
            **({"networkSecurityGroup": {"id": group}} if group else {}),
        }
        location = machines.region_names[machines.regions[other]]
        body = {"id": id_, "name": id_.rpartition("/")[2], "location": location, "properties": properties}
        change = Change(delete=resource_id(id_)) if draw.random() < 0.3 else Change(put=body)
        yield lambda change=change: changed(proven, change)  # type: ignore[misc]


KINDS: dict[str, Callable[[Any, Random, int], Iterator[Callable[[], Any]]]] = {
    "route": _routes,
    "prefix": _prefixes,
    "waypoint": _waypoints,
    "weight": _weights,
    "preference": _preferences,
    "peering": _peerings,
    "group": _groups,
    "machine": _machines,
}

if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400)))
