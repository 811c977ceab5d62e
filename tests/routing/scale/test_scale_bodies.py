"""A resource's body put or deleted and proven again says what the estate counted anew says, under every element.

Each seed's estate is changed in a few drawn ways, one at a time: a peering's flags and state, one more or less, a NIC
moved, doubled, added or deleted, a machine turned off or on, security rules edited, a subnet
associated with another group or table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from ipaddress import ip_address
from random import Random
from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.estate.estate import Change, Estate
from farshore.routing import Element, elements
from farshore.routing.scale.changes.changed import changed
from farshore.routing.scale.changes.proven import Difference, Proven
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach
from routing.scale.estates import ROUTES, estate_of
from routing.small import id_of
from routing.test_routing_markers import hidden, marked, values, values_in

SEEDS = int(os.environ.get("FARSHORE_SCALE_SEEDS", "40"))
Bodies = dict[str, Any]


LEAST = {"peering": 0.7, "nic": 0.6, "machine": 0.9, "group": 1, "association": 0.6, "connection": 0.9}
"""The kinds of changes, and of each the share that has a short way at least."""


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_body_s_change_is_what_counting_anew_gives(seed: int, kind: str) -> None:
    draw, estate = Random(f"{seed}{kind}"), estate_of(seed)
    held_to_counting_anew(estate, (DRAWN[kind](draw, dict(estate.resources)) for _ in range(4)), f"seed {seed}")


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_change_where_something_can_t_be_read_is_what_counting_anew_gives(seed: int, kind: str) -> None:
    """A marker in the estate, that the change may take away, or one that it brings."""
    draw = Random(f"hidden {seed}{kind}")
    estate = estate_of(seed)
    key, path = draw.choice(sorted(values(estate)))
    estate = hidden(estate, key, path)
    held_to_counting_anew(estate, _with_markers(kind, draw, estate), f"seed {seed}, {key} {path}")


def held_to_counting_anew(estate: Estate, changes: Iterable[Change | None], where: str) -> None:
    """Each change of an estate by itself, where it has a short way: its differences, under every element."""
    reach = Reach.of(estate)
    every = elements(reach.model.columns.skeleton)
    proven = Proven.of(reach, every)
    known = {element: _totals(reach, element) for element in (None, *every)}
    for change in changes:
        found = None if change is None else changed(proven, change)
        if change is None or found is None:
            continue
        after = Reach.of(estate.with_changes([change]))
        if len(after.model.ends) != len(reach.model.ends):
            # A table that nobody had used cuts ends: the two count other cells.
            continue
        for row, element in enumerate((None, *every)):
            expected = [new - old for old, new in zip(known[element], _totals(after, element), strict=True)]
            assert found[row].tolist() == expected, f"{where}, {element}, {change}"


def test_most_changes_have_a_short_way() -> None:
    """Of each kind; in these estates a gateway or an appliance is never far."""
    for kind, least in LEAST.items():
        short = [found is not None for seed in range(8) for found in _found(seed, kind)]
        assert sum(short) >= least * len(short), f"{kind}: {sum(short)} of {len(short)}"


def _with_markers(kind: str, draw: Random, estate: Estate) -> Iterator[Change | None]:
    for brings in (False, False, True, True):
        change = _drawn(kind, draw, estate)
        if change is not None and change.put is not None and brings:
            change = Change(put=marked(change.put, draw.choice(sorted(values_in(change.put)))))
        yield change


def _drawn(kind: str, draw: Random, estate: Estate) -> Change | None:
    """None where what is drawn on can't be read."""
    try:
        return DRAWN[kind](draw, dict(estate.resources))
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def _found(seed: int, kind: str) -> Iterator[Difference | None]:
    draw, estate = Random(f"{seed}{kind}"), estate_of(seed)
    reach = Reach.of(estate)
    proven = Proven.of(reach, elements(reach.model.columns.skeleton))
    for _ in range(8):
        change = DRAWN[kind](draw, dict(estate.resources))
        if change is not None:
            yield changed(proven, change)


def _totals(reach: Reach, element: Element | None) -> list[int]:
    held = reach.totals() if element is None else reach.totals(reach.under(element))
    return [held[word] for word in WORDS]


def _of(bodies: Bodies, kind: str) -> list[str]:
    return sorted(key for key in bodies if f"/{kind.lower()}/" in key and key.count("/") == 8)


def _peering(draw: Random, bodies: Bodies) -> Change | None:
    """A half's flags or state turned, a half or both halves' network less, one more."""
    networks = _of(bodies, "virtualNetworks")
    body = deepcopy(bodies[draw.choice(networks)])
    halves = body["properties"]["virtualNetworkPeerings"]
    what = draw.random()
    if halves and what < 0.6:
        half = draw.choice(halves)["properties"]
        for name in draw.sample(["useRemoteGateways", "allowGatewayTransit", "state", "remote"], draw.randint(1, 2)):
            if name == "state":
                half["peeringState"] = "Connected" if half.get("peeringState") != "Connected" else "Disconnected"
            elif name == "remote":
                space = bodies[half["remoteVirtualNetwork"]["id"].lower()]["properties"]["addressSpace"]
                halved = [str(prefix).replace("/24", "/25") for prefix in space["addressPrefixes"]]
                half["remoteAddressSpace"] = {"addressPrefixes": halved}
            else:
                half[name] = not half.get(name, False)
    elif halves and what < 0.8:
        halves.remove(draw.choice(halves))
    else:
        far = draw.choice(networks)
        if far == body["id"].lower():
            return None
        flags = {"allowGatewayTransit": draw.random() < 0.5, "useRemoteGateways": draw.random() < 0.5}
        properties = {"remoteVirtualNetwork": {"id": bodies[far]["id"]}, "peeringState": "Connected", **flags}
        halves.append({"name": f"more-{far.rsplit('/', 1)[-1]}", "properties": properties})
    return Change(put=body)


def _nic(draw: Random, bodies: Bodies) -> Change | None:
    nics = _of(bodies, "networkInterfaces")
    key = draw.choice(nics)
    what = draw.random()
    if what < 0.25:
        return Change(delete=resource_id(bodies[key]["id"]))
    body = deepcopy(bodies[key])
    inside = body["properties"]["ipConfigurations"][0]["properties"]
    other = bodies[draw.choice(nics)]["properties"]["ipConfigurations"][0]["properties"]
    if what < 0.5:
        # Another's address, in its subnet or where it is: two answer for one, or it stands where nobody looks.
        inside["privateIPAddress"] = other["privateIPAddress"]
        inside["subnet"] = draw.choice([inside["subnet"], other["subnet"]])
    elif what < 0.75:
        subnet = other["subnet"]
        inside["subnet"] = subnet
        near = f"{other['privateIPAddress'].rpartition('.')[0]}.{draw.randint(6, 250)}"
        inside["privateIPAddress"] = str(ip_address(near))
    groups = _of(bodies, "networkSecurityGroups")
    if groups and draw.random() < 0.4:
        body["properties"]["networkSecurityGroup"] = {"id": bodies[draw.choice(groups)]["id"]}
    if draw.random() < 0.3:
        body["id"] = id_of("networkInterfaces", "more")
        body["name"] = "more"
        body["properties"]["virtualMachine"] = {"id": id_of("virtualMachines", "more")}
    if draw.random() < 0.15:
        body["location"] = draw.choice(("eastasia", "southeastasia"))
    return Change(put=body)


def _machine(draw: Random, bodies: Bodies) -> Change | None:
    body = deepcopy(bodies[draw.choice(_of(bodies, "virtualMachines"))])
    power = draw.choice(("deallocated", "running", "stopped"))
    body["properties"]["instanceView"] = {"statuses": [{"code": f"PowerState/{power}"}]}
    return Change(put=body)


def _group(draw: Random, bodies: Bodies) -> Change | None:
    groups = _of(bodies, "networkSecurityGroups")
    if not groups:
        return None
    key = draw.choice(groups)
    if draw.random() < 0.1:
        return Change(delete=resource_id(bodies[key]["id"]))
    body = deepcopy(bodies[key])
    rules = body["properties"]["securityRules"]
    what = draw.random()
    if what < 0.3:
        rules.remove(draw.choice(rules))
    elif what < 0.6:
        rule = draw.choice(rules)["properties"]
        rule["access"] = "Deny" if rule["access"] == "Allow" else "Allow"
    else:
        source = draw.choice((*ROUTES, "*", "VirtualNetwork"))
        given = {"direction": draw.choice(("Inbound", "Outbound")), "access": draw.choice(("Allow", "Deny"))}
        ports = {"sourcePortRange": "*", "destinationPortRange": draw.choice(("*", "443"))}
        ends = {"sourceAddressPrefix": source, "destinationAddressPrefix": draw.choice(("*", "10.1.1.4"))}
        rules.append({"name": "more", "properties": {"priority": 90, "protocol": "*", **given, **ports, **ends}})
    return Change(put=body)


def _association(draw: Random, bodies: Bodies) -> Change | None:
    body = deepcopy(bodies[draw.choice(_of(bodies, "virtualNetworks"))])
    subnet = draw.choice(body["properties"]["subnets"])["properties"]
    what = draw.choice(("routeTable", "networkSecurityGroup"))
    held = _of(bodies, f"{what}s")
    if held and draw.random() < 0.75:
        subnet[what] = {"id": bodies[draw.choice(held)]["id"]}
    else:
        subnet.pop(what, None)
    return Change(put=body)


def _connection(draw: Random, bodies: Bodies) -> Change | None:
    held = _of(bodies, "connections")
    if not held:
        return None
    body = deepcopy(bodies[draw.choice(held)])
    if draw.random() < 0.3:
        return Change(delete=resource_id(body["id"]))
    body["properties"]["routingWeight"] = draw.choice((0, 10, 200))
    return Change(put=body)


DRAWN: dict[str, Callable[[Random, Bodies], Change | None]] = {
    "peering": _peering,
    "nic": _nic,
    "machine": _machine,
    "group": _group,
    "association": _association,
    "connection": _connection,
}


def test_what_routing_never_asks_for_changes_nothing() -> None:
    estate: Estate = estate_of(1)
    reach = Reach.of(estate)
    proven = Proven.of(reach, elements(reach.model.columns.skeleton))
    disk = {"id": id_of("virtualMachines", "vm").replace("virtualMachines", "disks"), "name": "vm", "properties": {}}
    found = changed(proven, Change(put=disk))
    assert found is not None and not found.any()
