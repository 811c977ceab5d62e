"""The target network: what changes on the way from the source, what does not, and what is adopted."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore import examples
from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body, loads
from farshore.arm.network import (
    CONNECTIONS,
    EXPRESS_ROUTE_CIRCUITS,
    NETWORK_SECURITY_GROUPS,
    ROUTE_TABLES,
    VIRTUAL_NETWORK_GATEWAYS,
    VIRTUAL_NETWORKS,
)
from farshore.estate.counterparts import Counterparts, mapped_address, mapped_network
from farshore.estate.estate import Change, Estate
from farshore.estate.project import AddressMap, Drill
from farshore.plan import Plan, apply, make_plan, start
from farshore.plan.merge import says
from farshore.plan.model import Phase, PutResource, Step
from farshore.plan.target import Target
from plan.estates import BOTH, NEW, SUBSCRIPTION, TWO, edited, example, source_id, target_id, with_project

REAL = Path(os.environ.get("FARSHORE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
READ_ONLY = {
    "etag",
    "provisioningState",
    "resourceGuid",
    "peeringState",
    "peeringSyncLevel",
    "defaultSecurityRules",
    "ipAddress",
    "connectionStatus",
    "bgpSettings",
    "remoteAddressSpace",
}


def puts(plan: Plan, *phases: Phase) -> list[Step]:
    return [step for step in plan.of_phase(*phases) if step.action.verb == "put"]


def body_of(step: Step) -> Body:
    body = step.action.arguments["body"]
    assert isinstance(body, dict)
    return body


def written(plan: Plan, id_: ResourceId) -> Body:
    return next(body_of(step) for step in puts(plan, Phase.PROVISION) if resource_id(step.subject) == id_)


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


@pytest.mark.parametrize("name", examples.names())
def test_nothing_read_only_is_written(name: str) -> None:
    for step in puts(make_plan(example(name)), Phase.PROVISION):
        assert not READ_ONLY & set(keys(body_of(step))), step.id


@pytest.mark.parametrize("name", examples.names())
def test_nothing_in_the_target_refers_to_the_source(name: str) -> None:
    plan = make_plan(example(name))
    for step in puts(plan, Phase.PROVISION):
        assert "/rg-source/" not in json.dumps(body_of(step)).lower(), step.id
        assert body_of(step).get("location", "southeastasia") == "southeastasia"


def test_with_kept_addresses_routes_are_the_sources_own() -> None:
    """D78."""
    estate = example(TWO)
    plan = make_plan(estate)
    for name in ("rt-source-vnet1", "rt-source-vnet2", "rt-source-gateway"):
        source = estate.route_table(source_id(ROUTE_TABLES, name))
        made = written(plan, target_id(ROUTE_TABLES, f"{name}-asr"))
        assert source is not None
        there = estate.with_changes([Change(put=made)]).route_table(resource_id(made["id"]))
        assert there is not None and there.routes == source.routes
        assert there.disable_bgp_route_propagation == source.disable_bgp_route_propagation


def test_with_new_addresses_everything_that_names_one_is_rewritten() -> None:
    """D79: prefixes of the GatewaySubnet's table, next hops, security rules, spaces and subnets."""
    plan = make_plan(example(NEW))
    gateway = written(plan, target_id(ROUTE_TABLES, "rt-source-gateway-asr"))
    routes = {route["properties"]["addressPrefix"]: route["properties"] for route in gateway["properties"]["routes"]}
    assert set(routes) == {"10.101.0.0/24", "10.102.0.0/24"}
    assert {route["nextHopIpAddress"] for route in routes.values()} == {"10.110.10.10"}
    spoke = written(plan, target_id(ROUTE_TABLES, "rt-source-vnet1-asr"))
    assert spoke["properties"]["routes"][0]["properties"]["addressPrefix"] == "0.0.0.0/0"
    network = written(plan, target_id(VIRTUAL_NETWORKS, "Source-vNet1-asr"))
    assert network["properties"]["addressSpace"]["addressPrefixes"] == ["10.101.0.0/24"]
    group = json.dumps(written(plan, target_id(NETWORK_SECURITY_GROUPS, "nsg-source-vnet1-app-asr")))
    assert "10.1.0." not in group and "10.2.0." not in group and "192.168.0.0/16" in group


def test_subnets_keep_their_names_and_machines_subnets_get_the_storage_endpoint() -> None:
    """S34, D87, D32, S40."""
    estate = example(TWO)
    source = source_id(VIRTUAL_NETWORKS, "Source-vNet1")

    def without_endpoints(body: Body) -> None:
        for subnet in body["properties"]["subnets"]:
            subnet["properties"].pop("serviceEndpoints", None)

    bare = edited(estate, source, without_endpoints)
    network = written(make_plan(bare), target_id(VIRTUAL_NETWORKS, "Source-vNet1-asr"))
    found = estate.virtual_network(source)
    assert found is not None
    assert [subnet["name"] for subnet in network["properties"]["subnets"]] == [subnet.name for subnet in found.subnets]
    app = next(subnet for subnet in network["properties"]["subnets"] if subnet["name"] == "app")
    assert app["properties"]["serviceEndpoints"] == [{"service": "Microsoft.Storage"}]
    assert app["properties"]["routeTable"]["id"].endswith("rt-source-vnet1-asr")
    hub = written(make_plan(bare), target_id(VIRTUAL_NETWORKS, "Source-Hub-vNet-asr"))
    assert not any("networkSecurityGroup" in s["properties"] for s in hub["properties"]["subnets"])


def test_peerings_have_the_sources_flags() -> None:
    """D76, D42, D43."""
    plan = make_plan(example(TWO))
    flags = {
        step.id.rsplit("/", 1)[1]: body_of(step)["properties"]
        for step in puts(plan, Phase.PROVISION)
        if step.letter == "c"
    }
    assert len(flags) == 4
    for name, properties in flags.items():
        from_hub = name.startswith("Source-Hub")
        assert properties["allowVirtualNetworkAccess"] and properties["allowForwardedTraffic"]
        assert properties["allowGatewayTransit"] is from_hub and properties["useRemoteGateways"] is not from_hub


def test_a_public_address_only_where_the_source_shows_one() -> None:
    """E25."""
    estate = example(TWO)
    gateway = source_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub")
    bare = edited(
        estate, gateway, lambda body: body["properties"]["ipConfigurations"][0]["properties"].pop("publicIPAddress")
    )
    made = written(make_plan(bare), target_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub-asr"))
    assert "publicIPAddress" not in made["properties"]["ipConfigurations"][0]["properties"]
    assert not any("public-ip" in step.id for step in make_plan(bare).steps)
    assert "publicIPAddress" in json.dumps(
        written(make_plan(estate), target_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub-asr"))
    )


# Adoption. ---------------------------------------------------------------------------------------------------------


def built(estate: Estate) -> Estate:
    """The estate with its target network provisioned."""
    plan = make_plan(estate)
    world = start(estate, plan)
    for step in plan.of_phase(Phase.PROVISION):
        world = apply(world, [effect for effect in step.effects if isinstance(effect, PutResource)])
    return world.estate


def test_a_target_that_is_there_is_left_as_it_is() -> None:
    """Planned again on what it has built, the plan changes nothing."""
    estate = built(example(TWO))
    for step in puts(make_plan(estate), Phase.PROVISION):
        there = estate.get(step.subject)
        if there is not None:
            assert says(there, body_of(step)), step.id
            assert step.expected_duration.total_seconds() < 2


def test_a_target_that_is_wrong_is_corrected_in_place() -> None:
    estate = built(example(TWO))
    hub = target_id(VIRTUAL_NETWORKS, "Source-Hub-vNet-asr")

    def break_it(body: Body) -> None:
        for peering in body["properties"]["virtualNetworkPeerings"]:
            peering["properties"]["allowGatewayTransit"] = False

    broken = edited(estate, hub, break_it)
    plan = make_plan(broken)
    world = start(broken, plan)
    for step in plan.of_phase(Phase.PROVISION):
        assert step.action.verb != "delete"
        world = apply(world, step.effects)
    network = world.estate.virtual_network(hub)
    assert network is not None and all(peering.allow_gateway_transit for peering in network.peerings)


def test_what_somebody_built_under_other_names_is_adopted() -> None:
    """Found by address space, by the GatewaySubnet, by the subnet's table, by the peering's other end."""
    estate = built(example(TWO))
    own = "/resourcegroups/rg-farshore-dr/providers/microsoft.network/"
    renamed: list[Body] = []
    for key, body in estate.resources.items():
        if own in key:
            text = json.dumps(body)
            for old, new in (("-asr", "-far"),):
                text = text.replace(old, new)
            renamed.append(json.loads(text))
    gone = [Change(delete=resource_id(key)) for key in estate.resources if own in key]
    other = estate.with_changes(gone).with_changes([Change(put=body) for body in renamed])
    counterparts = Counterparts(other)
    assert counterparts.of(source_id(VIRTUAL_NETWORKS, "Source-Hub-vNet")).name == "Source-Hub-vNet-far"
    assert counterparts.of(source_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub")).name == "ergw-source-hub-far"
    assert counterparts.of(source_id(ROUTE_TABLES, "rt-source-vnet1")).name == "rt-source-vnet1-far"
    for step in puts(make_plan(other), Phase.PROVISION):
        there = other.get(step.subject)
        assert there is None or says(there, body_of(step)), step.id
        assert "-asr" not in step.subject, step.id


def test_the_drills_network_is_never_taken_for_the_target() -> None:
    estate = example(TWO)
    body = copy.deepcopy(estate.get(source_id(VIRTUAL_NETWORKS, "Source-vNet1")))
    assert body is not None
    id_ = target_id(VIRTUAL_NETWORKS, "drill")
    body |= {"id": id_.text, "name": "drill", "location": "southeastasia"}
    body["properties"].pop("virtualNetworkPeerings")
    for subnet in body["properties"]["subnets"]:
        subnet.pop("id")
    other = estate.with_changes([Change(put=body)])
    other = with_project(other, drill=Drill(network=id_))
    assert Counterparts(other).of(source_id(VIRTUAL_NETWORKS, "Source-vNet1")).name == "Source-vNet1-asr"
    plan = make_plan(other)
    (network,) = puts(plan, Phase.DRILL)
    assert resource_id(network.subject) == id_ and not network.effects
    check = plan.step("drill/check/web1")
    assert check is not None and check.action.arguments["address"] == "10.1.0.4"


# Connections. ------------------------------------------------------------------------------------------------------


def circuit_id(name: str) -> str:
    return make_id(SUBSCRIPTION, "rg-expressroute", EXPRESS_ROUTE_CIRCUITS, name).text


def connected(plan: Plan) -> dict[str, tuple[str, int]]:
    """Circuit to the target's connection and its weight."""
    bodies = [body_of(step) for step in puts(plan, Phase.PROVISION) if step.letter == "b"]
    return {
        resource_id(body["properties"]["peer"]["id"]).name: (body["name"], body["properties"]["routingWeight"])
        for body in bodies
    }


@pytest.mark.parametrize("weights", [(100, 0), (0, 100), (7, 7)])
def test_the_target_weighs_circuits_as_the_source_does(weights: tuple[int, int]) -> None:
    """E41, E42: the site mirrors the source's weights, and the target's flows come back the way they went."""
    estate = example(BOTH)
    names = ("cn-source-hub", "cn-source-hub-singapore")
    for name, weight in zip(names, weights, strict=True):
        body = copy.deepcopy(estate.get(source_id(CONNECTIONS, name)))
        assert body is not None
        body["properties"]["routingWeight"] = weight
        estate = estate.with_changes([Change(put=body)])
    assert connected(make_plan(estate)) == {
        "er-hongkong": ("cn-source-hub-asr", weights[0]),
        "er-singapore": ("cn-source-hub-singapore-asr", weights[1]),
    }


@pytest.mark.parametrize(("circuit", "weight"), [("er-hongkong", 100), ("er-singapore", 0)])
def test_a_target_on_one_of_two_circuits_keeps_it_and_gets_the_other(circuit: str, weight: int) -> None:
    """D91: with new addresses both hubs are on both circuits; what somebody made before keeps its name."""
    estate = example(BOTH)
    step = next(step for step in puts(make_plan(estate), Phase.PROVISION) if step.id.startswith("provision/gateway/"))
    body = copy.deepcopy(estate.get(source_id(CONNECTIONS, "cn-source-hub")))
    assert body is not None
    body |= {"id": target_id(CONNECTIONS, "by-hand").text, "name": "by-hand", "location": "southeastasia"}
    body["properties"]["virtualNetworkGateway1"] = {"id": step.subject}
    body["properties"]["peer"] = {"id": circuit_id(circuit)}
    made = connected(make_plan(estate.with_changes([Change(put=body_of(step)), Change(put=body)])))
    assert set(made) == {"er-hongkong", "er-singapore"}
    assert made[circuit] == ("by-hand", weight)
    assert {name for name, _ in made.values()} - {"by-hand"} <= {"cn-source-hub-asr", "cn-source-hub-singapore-asr"}


def test_a_circuit_that_the_source_is_not_on_is_not_connected_twice() -> None:
    """The target is on both circuits already, the source on one of them."""
    estate = example(BOTH).with_changes([Change(delete=source_id(CONNECTIONS, "cn-source-hub-singapore"))])
    step = next(step for step in puts(make_plan(estate), Phase.PROVISION) if step.id.startswith("provision/gateway/"))
    bodies = []
    for number, circuit in enumerate(("er-singapore", "er-hongkong")):
        body = copy.deepcopy(estate.get(source_id(CONNECTIONS, "cn-source-hub")))
        assert body is not None
        name = f"by-hand-{number}"
        body |= {"id": target_id(CONNECTIONS, name).text, "name": name, "location": "southeastasia"}
        body["properties"]["virtualNetworkGateway1"] = {"id": step.subject}
        body["properties"]["peer"] = {"id": circuit_id(circuit)}
        bodies.append(body)
    made = connected(make_plan(estate.with_changes([Change(put=body) for body in (body_of(step), *bodies)])))
    assert {circuit: name for circuit, (name, _) in made.items()} == {
        "er-singapore": "by-hand-0",
        "er-hongkong": "by-hand-1",
    }


# Addresses. --------------------------------------------------------------------------------------------------------


@given(offset=st.integers(0, 255), length=st.integers(24, 32))
def test_a_mapped_range_keeps_its_place_and_size(offset: int, length: int) -> None:
    estate = example(
        NEW,
        keep_addresses=False,
        address_map=(AddressMap(from_=ip_network("10.1.0.0/24"), to=ip_network("10.101.7.0/24")),),
    )
    assert estate.project is not None
    address = ip_network("10.1.0.0/24")[offset]
    moved = mapped_address(estate.project, address)
    assert int(moved) - int(ip_network("10.101.7.0/24")[0]) == offset
    prefix = ip_network(f"{address}/{length}", strict=False)
    there = mapped_network(estate.project, prefix)
    assert there.prefixlen == length and moved in there
    assert mapped_network(estate.project, ip_network("10.0.0.0/8")) == ip_network("10.0.0.0/8")


# Real estates. -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data at {REAL}: set FARSHORE_REAL_DATA")
def test_real_networks_are_rewritten_without_a_word() -> None:
    """Every network, table, group and gateway of the real topologies and routing cases that has an id."""
    _, estate = examples.read(NEW)
    count = 0
    for body in _real_bodies():
        here = Estate.from_resources([{"id": body["id"], "location": "eastasia"}])
        target = Target(Counterparts(replace(here, project=estate.project)))
        made = _rewritten(target, body)
        if made is not None:
            assert resource_id(str(made["id"])).resource_group == "rg-farshore-dr"
            assert not {"etag", "provisioningState"} & set(keys(made))
            count += 1
    assert count > 50


def _rewritten(target: Target, body: Body) -> Body | None:
    kinds = {
        VIRTUAL_NETWORKS: target.virtual_network,
        ROUTE_TABLES: target.route_table,
        NETWORK_SECURITY_GROUPS: target.security_group,
        VIRTUAL_NETWORK_GATEWAYS: target.gateway,
    }
    rewrite = kinds.get(next((kind for kind in kinds if resource_id(body["id"]).is_a(kind)), ""))
    return None if rewrite is None else rewrite(body)


def _real_bodies() -> Iterator[Body]:
    for path in sorted((REAL / "routing-cases").glob("*.json")) + sorted((REAL / "topologies").rglob("*.json")):
        for number, body in enumerate(_found(loads(path.read_bytes()))):
            kind, name = body.get("type"), body.get("name")
            if not isinstance(body.get("id"), str) and isinstance(kind, str) and isinstance(name, str):
                if "/" not in kind or "<" in name or "/" in name or "[" in name or kind.count("/") > 1:
                    continue
                body = {**body, "id": make_id("s", "g", kind, f"{name}-{number}").text}
            if isinstance(body.get("id"), str) and body["id"].startswith("/subscriptions/"):
                yield body


def _found(value: Any) -> Iterator[Body]:
    if isinstance(value, dict):
        if "properties" in value and ("id" in value or "type" in value):
            yield value
        for item in value.values():
            yield from _found(item)
    elif isinstance(value, list):
        for item in value:
            yield from _found(item)
