"""A witness that always agreed would be none: wrong engines, each found by a corner that it gets wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from farshore.cli.witness.states import State
from farshore.cli.witness.witnessed import Witnessed
from farshore.routing import circuits, effective, exchange, gateways, pools, security, selection, sites, world
from farshore.routing.values import EffectiveRoute
from farshore.twin.blueprint import blueprint_of
from farshore.twin.running import Twin
from twin.corners import CORNERS, hub, router, site
from twin.needs import needs_a_twin

pytestmark = [
    needs_a_twin,
    pytest.mark.skipif("FARSHORE_TWIN" not in os.environ, reason="make twin builds twins of engines that are wrong"),
]

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with Twin() as running:
        yield running


def no_weight(patch: pytest.MonkeyPatch) -> None:
    """A gateway that doesn't look at the connection's weight (E41)."""
    right = gateways.preferred
    patch.setattr(world, "preferred", lambda routes: right([route._replace(weight=0) for route in routes]))


def no_preference(patch: pytest.MonkeyPatch) -> None:
    """A site that doesn't look at local preference (E42)."""
    right = sites.preferred
    patch.setattr(sites, "preferred", lambda offers: right([replace(o, local_preference=1) for o in offers]))


def filters_read_from_the_shortest(patch: pytest.MonkeyPatch) -> None:
    def wrong(router, direction, prefix):  # type: ignore[no-untyped-def]
        covering = [f for f in router.filters if f.direction == direction and prefix.subnet_of(f.prefix)]
        return not covering or min(covering, key=lambda f: f.prefix.prefixlen).action == "allow"

    patch.setattr(sites, "allowed", wrong)


def bgp_inside_a_network(patch: pytest.MonkeyPatch) -> None:
    """A table that takes BGP's more specific routes into a network's own space (R14.3)."""
    patch.setattr(effective, "within", lambda *_: False)
    patch.setattr(selection, "SHIELDS", frozenset())


def groups_let_all_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pools, "refusal", lambda *_: None)


def hairpin_for_all(patch: pytest.MonkeyPatch) -> None:
    """An edge that passes every gateway's routes on to every other (E38)."""
    right = circuits.EdgeTable.towards

    def wrong(self, attachment, others, msee):  # type: ignore[no-untyped-def]
        every = [replace(other, allow_remote_vnet_traffic=True) for other in others]
        return right(self, replace(attachment, allow_remote_vnet_traffic=True), every, msee)

    patch.setattr(circuits.EdgeTable, "towards", wrong)


def gateway_subnet_without_a_table(patch: pytest.MonkeyPatch) -> None:
    """What comes out of a circuit goes straight to its machine (R36)."""
    right = effective.user_routes

    def wrong(table, known):  # type: ignore[no-untyped-def]
        rows, unknown = right(table, known)
        gone: list[EffectiveRoute] = [] if table is not None and table.id.name == "rt-gateway" else rows
        return gone, unknown

    patch.setattr(world, "user_routes", wrong)


PLANTED: tuple[tuple[Plant, str], ...] = (
    (no_weight, "a_weight_decides"),
    (no_preference, "one_range_on_two_circuits_with_a_preference"),
    (filters_read_from_the_shortest, "a_filter_that_spares_a_part"),
    (bgp_inside_a_network, "the_site_says_a_part_of_a_network"),
    (groups_let_all_pass, "groups_of_every_kind"),
    (hairpin_for_all, "a_hairpin_not_allowed"),
    (gateway_subnet_without_a_table, "through_an_appliance"),
)


@pytest.mark.parametrize(("plant", "name"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_wrong_engine_is_found(twin: Twin, monkeypatch: pytest.MonkeyPatch, plant: Plant, name: str) -> None:
    plant(monkeypatch)
    estate = CORNERS[name][0]()
    exchange.converge.cache_clear()
    found = Witnessed(port=443, seed=1)
    found.see(twin, State(name, estate, blueprint_of(estate)))
    exchange.converge.cache_clear()
    assert found.differences, f"nobody noticed {plant.__name__} in {name}"


def a_number_too_many(patch: pytest.MonkeyPatch) -> None:
    """An edge that tells gateways a path with one number more: no flow goes another way."""
    right = circuits.EdgeTable.towards

    def wrong(self, attachment, others, msee):  # type: ignore[no-untyped-def]
        told = right(self, attachment, others, msee)
        return (route._replace(as_path=(*route.as_path, 64999)) for route in told)

    patch.setattr(circuits.EdgeTable, "towards", wrong)


@pytest.mark.parametrize("left_out", [False, True])
def test_a_wrong_table_is_found_or_not_counted_as_compared(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, left_out: bool
) -> None:
    """Where something of the estate has no host, BIRD can't have learned all: nothing is said of its tables then, and
    least of all that they agree."""
    net = hub()
    if left_out:
        net.add("privateEndpoints", "endpoint")
    estate = net.estate(site(router()))
    a_number_too_many(monkeypatch)
    exchange.converge.cache_clear()
    found = Witnessed(port=443, seed=1)
    found.see(twin, State("as it is", estate, blueprint_of(estate)))
    exchange.converge.cache_clear()
    assert bool(found.left_out) == left_out
    if left_out:
        assert (found.tables, found.tables_apart, found.differences) == (0, 4, [])
        assert "4 tables apart" in found.described()
    else:
        assert found.tables == 4 and {item["what"] for item in found.differences} == {"BGP"}


def icmp_goes_by_tcp_s_rules(patch: pytest.MonkeyPatch) -> None:
    """Groups that take an echo for a request to port 443 (R42)."""
    right = security.refusal

    def wrong(world, holder, direction, packet):  # type: ignore[no-untyped-def]
        return right(world, holder, direction, replace(packet, protocol="tcp", destination_port=443))

    patch.setattr(pools, "refusal", wrong)


def test_an_engine_that_is_wrong_about_icmp_is_found_by_pings_alone(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    icmp_goes_by_tcp_s_rules(monkeypatch)
    estate = CORNERS["groups_of_every_kind"][0]()
    found = Witnessed(port=443, seed=1)
    found.see(twin, State("as it is", estate, blueprint_of(estate)))
    assert set(found.wrong) == {"ping"}, found.described()


HOOK = "add chain inet twin altered {{ type filter hook {} priority {}; }}"
ALTERED = {
    # It passes on what should have ended with it: no host, and no count of a ping's, misses anything.
    "a_place_that_is_no_hop": ("/fw", HOOK.format("prerouting", -310), "ip ttl 1 ip ttl set 2", "traceroute"),
    "a_hop_that_keeps_silent": ("dc/ce1", HOOK.format("output", 0), "icmp type time-exceeded drop", "traceroute"),
    "a_hop_with_another_s_address": (
        "dc/ce1",
        HOOK.format("output", 0),
        "icmp type time-exceeded ip saddr set 198.18.0.1",
        "traceroute",
    ),
    "an_appliance_that_lets_no_echo_pass": ("/fw", HOOK.format("forward", 5), "meta l4proto icmp drop", "ping"),
    "a_machine_that_answers_no_echo": ("/vm1", HOOK.format("input", 5), "icmp type echo-request drop", "ping"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_twin_is_found_by_pings_or_by_traceroutes_alone(twin: Twin, name: str) -> None:
    end, chain, rule, kind = ALTERED[name]
    estate = CORNERS["through_an_appliance"][0]()
    blueprint = blueprint_of(estate)
    host = next(item for item in blueprint.plan["hosts"] if item["name"].endswith(end))
    host["nft"] += [chain, f"add rule inet twin altered {rule}"]
    found = Witnessed(port=443, seed=1)
    found.see(twin, State(name, estate, blueprint))
    assert set(found.wrong) == {kind}, found.described()
