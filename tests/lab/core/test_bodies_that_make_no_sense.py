"""Anything may be sent to a lab: it refuses what it cannot understand, and stays as it was.

Each type's good body is spoilt in one place by Hypothesis: a list where an object belongs, a text for a number, null.
Either the lab takes it (many places are nobody's business) or it answers 4xx in ARM's form; it never breaks, and what
it has taken can be read, listed, followed and put into the data plane.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farshore.arm.json import Body
from lab.core.bench import SUBSCRIPTION, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet
from lab.core.kinds import KINDS

WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "x", 5, -1, 1.5, True, [], {}, [None], ["x"], [5], [{}], [[]], {"id": 5}, {"id": "x"}, {"a": "b"}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body that could be spoilt."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from places(item, (*path, at))


def spoilt(body: Body, path: tuple[Any, ...], value: Any) -> Body:
    found = copy.deepcopy(body)
    where: Any = found
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = value
    return found


def rich(name: str) -> Body:
    """The type's body with more in it than its smallest form has."""
    body = copy.deepcopy(KINDS[name].body)
    more: dict[str, Body] = {
        "network": {
            "subnets": [
                {
                    "name": "nva",
                    "properties": {
                        "addressPrefix": "10.10.10.0/25",
                        "serviceEndpoints": [{"service": "Microsoft.Storage"}],
                        "delegations": [],
                    },
                }
            ],
            "virtualNetworkPeerings": [],
            "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
        },
        "interface": {"dnsSettings": {"dnsServers": []}, "enableIPForwarding": True},
        "gateway": {"bgpSettings": {"asn": 65515, "peerWeight": 0}, "activeActive": False},
        "circuit": {
            "peerings": [{"name": "AzurePrivatePeering", **KINDS["circuit peering"].body}],
            "authorizations": [{"name": "a", "properties": {}}],
        },
        "storage account": {"networkAcls": {"defaultAction": "Deny", "virtualNetworkRules": []}},
        "disk": {"osType": "Linux"},
    }
    if name == "machine":
        body = machine_body(net("nic", kind="networkInterfaces"), data_disks=1)
        image = {"publisher": "p", "offer": "o", "sku": "s", "version": "latest"}
        body["properties"]["storageProfile"]["imageReference"] = image
        body["properties"]["availabilitySet"] = {"id": rid("Microsoft.Compute/availabilitySets", "set")}
    if name in more:
        body["properties"] = {**(body.get("properties") or {}), **more[name]}
    return {**body, "tags": {"a": "b"}} if KINDS[name].tagged else body


BASES = {name: [(path, rich(name)) for path in places(rich(name))] for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_body_spoilt_in_one_place_breaks_nothing(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    path, body = data.draw(st.sampled_from(BASES[name]))
    sent = spoilt(body, path, data.draw(WRONG))
    is_update = data.draw(st.booleans())
    lab = _prepared(name)
    if is_update:
        lab.made(kind.url, kind.body)
    before = lab.get(kind.url).body
    answer = lab.put(kind.url, sent)
    assert answer.status < 500, answer.body
    if not answer.ok:
        assert refusal(answer, answer.status)
        assert lab.get(kind.url).body == before
        return
    end = lab.follow(answer)
    assert end.status < 500
    assert lab.get(kind.url).status == 200
    assert lab.get(kind.url.rsplit("/", 1)[0]).status == 200
    assert lab.get(f"/subscriptions/{SUBSCRIPTION}/resources").status == 200
    assert lab.post("/_lab/packets", {"from": "10.1.0.4", "to": "10.1.0.5"}).status == 200
    lab.follow(lab.delete(kind.url))


@pytest.mark.parametrize("name", KINDS)
def test_the_same_body_unspoilt_is_taken(name: str) -> None:
    lab = _prepared(name)
    assert lab.made(KINDS[name].url, rich(name))["name"] == KINDS[name].url.rsplit("/", 1)[1]


def _prepared(name: str) -> Lab:
    lab = Lab()
    KINDS[name].before(lab)
    if name == "machine":
        lab.made(KINDS["availability set"].url, KINDS["availability set"].body)
    if name not in ("subnet", "peering", "interface", "machine"):
        lab.made(vnet("probe"), network_body("10.1.0.0/24", a="10.1.0.0/25"))
        lab.made(net("probe", kind="networkInterfaces"), nic_body(subnet("probe", "a")))
    return lab


@pytest.mark.parametrize("name", ["machine", "disk", "storage account", "availability set"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_patch_spoilt_in_one_place_breaks_nothing(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    path, body = data.draw(st.sampled_from(BASES[name]))
    lab = _prepared(name)
    lab.made(kind.url, kind.body)
    answer = lab.patch(kind.url, spoilt(body, path, data.draw(WRONG)))
    assert answer.status < 500, answer.body
    if answer.ok:
        lab.follow(answer)
    assert lab.get(kind.url).status == 200
