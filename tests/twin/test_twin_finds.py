"""A witness that always agreed would be none: wrong engines, each found by a corner that it gets wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from farshore.cli.witness.states import State
from farshore.cli.witness.witnessed import Witnessed
from farshore.routing import circuits, effective, exchange, gateways, selection, sites, walk, world
from farshore.routing.values import EffectiveRoute
from farshore.twin.blueprint import blueprint_of
from farshore.twin.running import Twin
from twin.corners import CORNERS, hub, router, site
from twin.needs import needs_a_twin

pytestmark = needs_a_twin

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
    patch.setattr(walk, "refusal", lambda *_: None)


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
