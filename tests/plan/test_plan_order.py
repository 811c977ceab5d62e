"""The order of the steps: what must be below what, and what a site meets in any order that the graph allows."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assess.broken import At
from assess.paired import PAIRED
from farshore import examples
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Link, Machines
from farshore.plan import Plan, World, apply, critical_path, make_plan, start
from farshore.plan.model import Event, Phase, Step, StepKind
from farshore.routing import Flow, trace
from plan.estates import LINKS, NEW, ONE, TWO, example, with_project
from prove.faults.reading import estate_of

PLANS = [(name, link, ahead) for name in examples.names() for link in LINKS for ahead in (("all",), ("none",))]


def plan_of(name: str, link: Link, ahead: tuple[str, ...]) -> tuple[Estate, Plan]:
    estate = example(name, link=link, provision_ahead=ahead)
    return estate, make_plan(estate)


def below(plan: Plan, id_: str) -> frozenset[str]:
    """Everything that a step comes after, near and far."""
    nodes = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    found: set[str] = set()
    waiting = list(nodes[id_].after)
    while waiting:
        before = waiting.pop()
        if before not in found:
            found.add(before)
            waiting += nodes[before].after
    return frozenset(found)


def named(plan: Plan, part: str, *phases: Phase) -> list[Step]:
    return [step for step in plan.steps if f"/{part}" in step.id and (not phases or step.phase in phases)]


@pytest.mark.parametrize(("name", "link", "ahead"), PLANS)
def test_nothing_is_announced_before_what_makes_it_safe(name: str, link: Link, ahead: tuple[str, ...]) -> None:
    _, plan = plan_of(name, link, ahead)
    targets = [
        step
        for step in plan.steps
        if step.letter == "b" or (step.letter == "c" and "silence/" not in step.id and _transit(step))
    ]
    assert targets
    for step in targets:
        under = below(plan, step.id)
        for letter in "ad":
            wanted = {other.id for other in plan.steps if other.letter == letter}
            assert wanted <= under or step.letter == "c", f"{step.id} waits for every {letter}"
        assert {other.id for other in named(plan, "appliance-check")} <= under
        # Every network whose table is to be on it, and the gateway.
        assert {other.id for other in plan.steps if other.letter == "a"} <= under
    for connection in [step for step in plan.steps if step.letter == "b"]:
        announced = {step.id for step in plan.steps if step.letter == "c" and step.phase is connection.phase}
        assert announced - {step.id for step in named(plan, "transit/")} - {
            step.id for step in plan.steps if step.letter == "c" and not _transit(step)
        } - {step.id for step in named(plan, "silence/")} <= below(plan, connection.id)


def _transit(step: Step) -> bool:
    body = step.action.arguments["body"]
    assert isinstance(body, dict)
    return body["properties"].get("useRemoteGateways") is True


@pytest.mark.parametrize(("name", "link", "ahead"), PLANS)
def test_a_machine_is_never_reached_in_two_networks_in_any_order(name: str, link: Link, ahead: tuple[str, ...]) -> None:
    if name == ONE and link is not Link.COLD and ahead == ("all",):
        pytest.skip("one circuit can't hold both networks: assess says so, and so does the proof (D60)")
    estate, plan = plan_of(name, link, ahead)

    @settings(max_examples=4, deadline=None)
    @given(data=st.data())
    def walk(data: st.DataObject) -> None:
        world = start(estate, plan)
        for node in _some_order(plan, data):
            world = apply(world, node.effects)
            if node.effects:
                for end in set(_ends(plan, world)):
                    assert end not in ("Ambiguous", "Stale", "WrongOwner", "Looped"), f"after {node.id}"

    walk()


def _some_order(plan: Plan, data: st.DataObject) -> Iterator[Step | Event]:
    """A random order that the graph allows, except that a refused disconnect stays refused until the region returns."""
    nodes: dict[str, Step | Event] = {}
    for items in (plan.steps, plan.events):
        nodes.update({item.id: item for item in items})
    left, done = dict(nodes), set[str]()
    chance = data.draw(st.randoms(use_true_random=False))
    while left:
        ready = [id_ for id_, node in left.items() if done.issuperset(node.after)]
        chosen = chance.choice(ready)
        done.add(chosen)
        yield left.pop(chosen)


def _ends(plan: Plan, world: World) -> Iterator[str]:
    site = world.estate.sites[0]
    for machine in (plan.machines[0], plan.machines[-1]):
        nic = world.promises[machine.id.key]
        address = machine.address if nic == machine.nic else machine.target_address
        flow = Flow(source=site.name, source_address=site.prefixes[0][10], destination_address=ip_address(address))
        forward, _ = trace(world.estate, flow)
        yield forward.disposition.value


def test_without_the_sites_step_two_networks_answer() -> None:
    """The site's step is no ornament: without it the connection makes the prefix ambiguous (D51, D90)."""
    estate = example(TWO)
    plan = make_plan(estate)
    world = start(estate, plan)
    for step in plan.of_phase(Phase.PROVISION):
        if step.kind is not StepKind.SITE:
            world = apply(world, step.effects)
    assert set(_ends(plan, world)) == {"Ambiguous"}


def test_the_articles_own_order_bypasses_the_appliance() -> None:
    """Letters a, b, c, d with nothing ahead: after c and before d the site reaches spokes past the appliance (D85)."""
    estate = example(TWO, link=Link.COLD, provision_ahead=("none",))
    plan = make_plan(estate)
    world = start(estate, plan)
    for phase in (Phase.PROVISION, Phase.PROTECT, Phase.DRILL):
        for step in plan.of_phase(phase):
            world = apply(world, step.effects)
    world = apply(world, plan.events[0].effects)
    steps = plan.of_phase(Phase.FAILOVER)
    for step in sorted(steps, key=lambda s: s.letter or " "):
        if step.letter != "d":
            world = apply(world, step.effects)
    machine = plan.machines[0]
    site = world.estate.sites[0]
    flow = Flow(
        source=site.name,
        source_address=site.prefixes[0][10],
        destination_address=ip_address(machine.target_address),
    )
    forward, _ = trace(world.estate, flow)
    assert forward.disposition.value == "Delivered" and not forward.appliances


def test_the_fence_waits_for_nothing_and_denies_both_ways() -> None:
    plan = make_plan(example(TWO))
    (fence,) = named(plan, "fence/", Phase.FAILOVER)
    assert fence.after == ("disaster",) and fence.kind is StepKind.SITE
    routers = fence.action.arguments["routers"]
    assert isinstance(routers, list)
    filters = {(item["direction"], item["prefix"]) for item in routers[0]["filters"]}
    assert filters == {
        ("in", "10.10.10.0/24"),
        ("in", "10.1.0.0/24"),
        ("in", "10.2.0.0/24"),
        ("out", "192.168.0.0/16"),
    }
    verify = fence.action.arguments["verify"]
    assert isinstance(verify, list) and verify[0]["absent"] == ["192.168.0.0/16"]


def test_the_preference_shows_on_azures_side() -> None:
    plan = make_plan(example(TWO))
    (site,) = [step for step in plan.of_phase(Phase.PROVISION) if step.kind is StepKind.SITE]
    verify = site.action.arguments["verify"]
    assert isinstance(verify, list)
    assert [item["minimum_path_length"] for item in verify] == [{"192.168.0.0/16": 4}]
    assert verify[0]["circuit"].endswith("er-singapore")


@pytest.mark.parametrize("preferences", [(200, 100), (100, 200), (1, 500), (300, 301)])
def test_what_a_site_prefers_among_the_source_s_circuits_stays_and_the_target_s_comes_last(
    preferences: tuple[int, int],
) -> None:
    """E42: in any order in which its routers are changed, since only the target's is."""
    here = At(PAIRED, TWO)
    for name, preference in zip(("ce1", "ce3"), preferences, strict=True):
        here.bench.router(name)["local_preference"] = preference
    plan = make_plan(estate_of(here))
    (step,) = [step for step in plan.of_phase(Phase.PROVISION) if step.kind is StepKind.SITE]
    routers = step.action.arguments["routers"]
    assert isinstance(routers, list)
    (changed,) = routers
    assert changed["name"] == "ce2" and changed["local_preference"] < min(preferences)


def test_one_circuit_deletes_and_reads_before_it_connects() -> None:
    plan = make_plan(example(ONE))
    (delete,) = named(plan, "disconnect/", Phase.FAILOVER)
    (clear,) = named(plan, "circuit-clear/", Phase.FAILOVER)
    (connect,) = [step for step in plan.of_phase(Phase.FAILOVER) if step.letter == "b"]
    assert delete.may_fail and delete.obligation == "guard"
    assert delete.id in clear.after and clear.id in connect.after
    (again,) = named(plan, "disconnect/", Phase.RETURN)
    assert again.after == ("return/watch/eastasia",)
    assert {again.id} | {step.id for step in named(plan, "deallocate/")} == set(plan.obligations[0].discharged_by)
    assert all(step.after == (again.id,) for step in named(plan, "deallocate/"))


def test_home_is_connected_only_when_the_target_is_gone_from_the_circuit() -> None:
    plan = make_plan(example(ONE))
    (connect,) = named(plan, "connection/", Phase.FAILBACK)
    under = below(plan, connect.id)
    assert {step.id for step in named(plan, "circuit-clear/", Phase.FAILBACK)} <= under
    assert {step.id for step in named(plan, "check/", Phase.FAILBACK)} <= under


def test_the_watch_tells_new_rows_from_old_ones_where_the_circuit_is_shared() -> None:
    for name, rows in ((ONE, "more"), (TWO, "any"), (NEW, "any")):
        (watch,) = named(make_plan(example(name)), "watch/")
        assert watch.action.arguments["rows"] == rows and watch.action.arguments["interval_seconds"] == 10


@pytest.mark.parametrize("name", examples.names())
def test_every_step_has_a_duration_with_a_source_and_a_title(name: str) -> None:
    for step in make_plan(example(name)).steps:
        assert step.title and step.duration_source, step.id
        assert step.expected_duration.total_seconds() > 0, step.id


@pytest.mark.parametrize("name", examples.names())
def test_all_of_a_phase_comes_after_the_phase_before(name: str) -> None:
    """But for the drill: a disaster waits for none, so what follows it stands on protection alone."""
    plan = make_plan(example(name))
    phases: list[Phase] = [phase for phase in Phase if phase is not Phase.DRILL]
    drill = plan.of_phase(Phase.DRILL)
    for step in drill:
        assert {other.id for other in plan.of_phase(Phase.PROTECT)} <= below(plan, step.id), step.id
    assert not any(below(plan, step.id) & {other.id for other in drill} for step in plan.steps if step not in drill)
    for step in plan.of_phase(*phases):
        earlier = phases[phases.index(step.phase) - 1] if step.phase is not Phase.PROVISION else None
        if earlier is not None:
            assert {other.id for other in plan.of_phase(earlier)} <= below(plan, step.id), step.id


def test_nothing_ahead_makes_the_gateway_decide() -> None:
    plan = make_plan(example(TWO, link=Link.COLD, provision_ahead=("none",)))
    path = critical_path(plan, Phase.FAILOVER)
    assert "failover/gateway/Source-Hub-vNet" in path.steps
    assert min(plan.predicted_recovery_seconds.values()) > 38 * 60


def test_the_argument_wins_over_the_project() -> None:
    plan = make_plan(example(TWO), provision_ahead=("none",))
    assert [step.phase for step in plan.steps if step.letter] == [Phase.FAILOVER] * 12


def test_appliances_are_never_replicated_and_machines_can_be_left_out() -> None:
    plan = make_plan(example(TWO, machines=Machines(include=("*",), exclude=("web*",))))
    assert {machine.id.name for machine in plan.machines} == {"db1", "app1", "app2", "file1"}


def test_what_there_is_nothing_to_plan_with() -> None:
    with pytest.raises(InputError, match="no scenario nothing"):
        make_plan(example(), scenario="nothing")
    with pytest.raises(InputError, match="needs a project"):
        make_plan(Estate.from_resources([]))
    with pytest.raises(InputError, match="no machine in eastasia"):
        make_plan(example(machines=Machines(include=("nobody",))))
    with pytest.raises(InputError, match="nothing that can be provisioned ahead"):
        make_plan(example(), provision_ahead=("gatway",))
    with pytest.raises(InputError, match="grey and region answer one question"):
        make_plan(example(), scenario="grey+region")
    with pytest.raises(InputError, match="makes no sense for this estate: no machine that moves stands in an availab"):
        make_plan(example(), scenario="zone")


def test_a_plan_is_the_same_each_time() -> None:
    assert make_plan(example()) == make_plan(with_project(example()))
