"""Effects: what steps do to the world, whatever their order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.arm.ids import ResourceId
from farshore.arm.network import PEERINGS, VIRTUAL_NETWORKS
from farshore.errors import InputError
from farshore.estate.outside import Router
from farshore.plan import World, apply, make_plan, start
from farshore.plan.merge import merged, says
from farshore.plan.model import (
    DeleteResource,
    Lose,
    MachineState,
    Promise,
    PutResource,
    Restore,
    SetMachine,
    SetRouter,
)
from plan.estates import example, source_id

HUB = source_id(VIRTUAL_NETWORKS, "Source-Hub-vNet")
SPOKE = source_id(VIRTUAL_NETWORKS, "Source-vNet1")
WEB = source_id("Microsoft.Compute/virtualMachines", "web1")


def world() -> World:
    estate = example()
    return start(estate, make_plan(estate))


def peering_state(world: World, network: ResourceId, remote: ResourceId) -> str | None:
    found = world.estate.virtual_network(network)
    assert found is not None
    return next((p.peering_state for p in found.peerings if p.remote_virtual_network == remote), None)


def peering_id(world: World, network: ResourceId, remote: ResourceId) -> ResourceId:
    found = world.estate.virtual_network(network)
    assert found is not None
    return next(p.id for p in found.peerings if p.remote_virtual_network == remote)


def test_everybody_is_promised_at_home_first() -> None:
    first = world()
    assert first.promises[WEB.key] == source_id("Microsoft.Network/networkInterfaces", "web1-nic")
    assert not first.estate.outside.stopped and not first.estate.outside.stale


def test_a_half_that_is_deleted_leaves_the_other_disconnected_until_both_are_there_again() -> None:
    first = world()
    id_ = peering_id(first, SPOKE, HUB)
    body = first.estate.get(id_)
    assert body is not None
    without = apply(first, [DeleteResource(id=id_)])
    assert peering_state(without, HUB, SPOKE) == "Disconnected"
    again = apply(without, [PutResource(body=body)])
    assert peering_state(again, HUB, SPOKE) == peering_state(again, SPOKE, HUB) == "Connected"


def test_a_half_without_the_other_is_initiated() -> None:
    first = world()
    here, there = peering_id(first, SPOKE, HUB), peering_id(first, HUB, SPOKE)
    body = first.estate.get(here)
    assert body is not None
    alone = apply(first, [DeleteResource(id=there), DeleteResource(id=here), PutResource(body=body)])
    assert peering_state(alone, SPOKE, HUB) == "Initiated"


def test_a_deleted_network_disconnects_its_peers() -> None:
    without = apply(world(), [DeleteResource(id=SPOKE)])
    assert peering_state(without, HUB, SPOKE) == "Disconnected"
    assert without.estate.virtual_network(SPOKE) is None


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_peerings_does_not_matter(order: list[int]) -> None:
    first = world()
    networks = (HUB, SPOKE, source_id(VIRTUAL_NETWORKS, "Source-vNet2"))
    ids = [
        peering_id(first, one, other)
        for one, other in ((HUB, SPOKE), (SPOKE, HUB), (HUB, networks[2]), (networks[2], HUB))
    ]
    bodies = [first.estate.get(id_) or {} for id_ in ids]
    bare = apply(first, [DeleteResource(id=id_) for id_ in ids])
    after = apply(bare, [PutResource(body=bodies[index]) for index in order])
    assert {
        peering_state(after, id_.parent or HUB, other)
        for id_, other in zip(ids, (SPOKE, HUB, networks[2], HUB), strict=True)
    } == {"Connected"}
    assert all(id_.is_a(PEERINGS) for id_ in ids)


def test_machines_run_stop_and_go_stale() -> None:
    stale = apply(world(), [SetMachine(id=WEB, state=MachineState.STALE)])
    assert stale.estate.outside.stale == {WEB.key}
    stopped = apply(stale, [SetMachine(id=WEB, state=MachineState.STOPPED)])
    assert stopped.estate.outside.stopped == {WEB.key} and not stopped.estate.outside.stale
    gone = apply(stopped, [DeleteResource(id=WEB)])
    assert not gone.estate.outside.stopped and gone.estate.virtual_machine(WEB) is None


def test_a_machine_that_is_put_runs() -> None:
    first = world()
    body = first.estate.get(WEB)
    assert body is not None
    again = apply(first, [SetMachine(id=WEB, state=MachineState.STALE), PutResource(body=body)])
    assert not again.estate.outside.stale


def test_a_region_is_lost_and_returns() -> None:
    lost = apply(world(), [Lose(elements=("region:eastasia",))])
    assert "region:eastasia" in lost.estate.outside.down
    assert not apply(lost, [Restore(elements=("region:eastasia",))]).estate.outside.down
    assert not apply(lost, [Restore(elements=("region:East Asia",))]).estate.outside.down


def test_a_promise_moves() -> None:
    there = source_id("Microsoft.Network/networkInterfaces", "elsewhere")
    assert apply(world(), [Promise(machine=WEB, nic=there)]).promises[WEB.key] == there


def test_a_router_is_set_and_one_that_is_not_there_is_bad_input() -> None:
    first = world()
    router = first.estate.sites[0].routers[0]
    changed = Router(name=router.name, circuit=router.circuit, local_preference=300)
    after = apply(first, [SetRouter(site="datacenter", router=changed)])
    assert after.estate.sites[0].router(router.name) == changed
    with pytest.raises(InputError, match="router nobody at datacenter"):
        apply(first, [SetRouter(site="datacenter", router=Router(name="nobody", circuit=router.circuit))])


def test_a_put_keeps_what_it_does_not_say_and_shares_what_it_does_not_touch() -> None:
    first = world()
    after = apply(first, [PutResource(body={"id": HUB.text, "name": HUB.name, "tags": {"owner": "network"}})])
    body = after.estate.get(HUB)
    assert body is not None and body["tags"] == {"owner": "network"}
    assert body["properties"] == (first.estate.get(HUB) or {})["properties"]
    assert after.estate.get(SPOKE) is first.estate.get(SPOKE)
    assert "tags" not in (first.estate.get(HUB) or {})


def test_lists_of_named_things_merge_by_name_and_others_are_one_value() -> None:
    there = {"id": "x", "properties": {"subnets": [{"name": "A", "properties": {"a": 1}}], "prefixes": ["1", "2"]}}
    said = {
        "id": "x",
        "properties": {"subnets": [{"name": "a", "properties": {"b": 2}}, {"name": "c"}], "prefixes": ["3"]},
    }
    both = merged(there, said)
    assert both["properties"]["subnets"] == [{"name": "a", "properties": {"a": 1, "b": 2}}, {"name": "c"}]
    assert both["properties"]["prefixes"] == ["3"]
    assert says(both, said) and not says(there, said)


def test_says_ignores_case_and_spaces_of_places() -> None:
    assert says({"location": "East Asia"}, {"location": "eastasia"})
    assert says({"peer": {"id": "/Subscriptions/S"}}, {"peer": {"id": "/subscriptions/s"}})
    assert not says({"a": [1]}, {"a": [1, 2]})
