"""Pruning of recovery points (S25), and where a machine lands (S34 to S36)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network

from hypothesis import given, settings
from hypothesis import strategies as st

from farshore.lab.recovery.addresses import Subnet, failover_address, pick_subnet
from farshore.lab.recovery.addresses import test_address as drill_address
from farshore.lab.recovery.points import EVERY, Point, kept, lives

BEGIN = datetime(2026, 3, 1, 0, 2, tzinfo=UTC)


def points(count: int) -> list[Point]:
    made: list[Point] = []
    for number in range(count):
        time = BEGIN + number * EVERY
        life = lives(time, made[-1].time if made else None)
        made.append(Point(name=str(number), time=time, sequence=number, lives=life))
    return made


def test_two_hours_whole_then_one_an_hour_then_one_in_two() -> None:
    made = points(12 * 24 * 3)
    now = made[-1].time
    left = kept(made, now, timedelta(days=3))
    recent = [p for p in left if now - p.time <= timedelta(hours=2)]
    first_day = [p for p in left if timedelta(hours=2) < now - p.time <= timedelta(days=1)]
    older = [p for p in left if now - p.time > timedelta(days=1)]
    assert len(recent) == 25
    assert len(first_day) == 22
    assert {p.time.hour for p in older} <= set(range(0, 24, 2))
    assert len(older) == 24


def test_a_retention_of_zero_keeps_the_latest_only() -> None:
    made = points(30)
    assert kept(made, made[-1].time + timedelta(minutes=3), timedelta(0)) == [made[-1]]
    assert kept([], BEGIN, timedelta(0)) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.lists(st.integers(0, 700), max_size=6), st.integers(0, 2880))
def test_pruning_early_and_late_is_the_same(count: int, prunes: list[int], retention: int) -> None:
    made, span = points(count), timedelta(minutes=retention)
    left: list[Point] = []
    for number, point in enumerate(made):
        left.append(point)
        if number in prunes:
            left = kept(left, point.time, span)
    assert kept(left, made[-1].time, span) == kept(made, made[-1].time, span)


def subnet(prefix: str, *taken: str) -> Subnet:
    return Subnet(name="app", prefixes=(IPv4Network(prefix),), taken={IPv4Address(text) for text in taken})


ADDRESS = IPv4Address("10.1.0.20")


def test_the_subnet_is_the_configured_one_else_the_namesake_else_the_first_that_can_hold_a_machine() -> None:
    names = ["GatewaySubnet", "web", "App", "db"]
    assert pick_subnet(names, configured="DB", source="app") == "db"
    assert pick_subnet(names, configured="gone", source="app") == "App"
    assert pick_subnet(names, configured=None, source="other") == "App"
    assert pick_subnet(["GatewaySubnet"], configured=None, source="other") is None


def test_an_address_is_kept_only_if_it_is_static_fits_and_is_free() -> None:
    same = failover_address(subnet("10.1.0.0/24"), configured=None, source=ADDRESS, source_static=True)
    assert (same.address, same.static) == (ADDRESS, True)
    taken = failover_address(subnet("10.1.0.0/24", str(ADDRESS)), configured=ADDRESS, source=None, source_static=True)
    assert taken.address == IPv4Address("10.1.0.4")
    elsewhere = failover_address(subnet("10.9.0.0/24"), configured=None, source=ADDRESS, source_static=True)
    assert (elsewhere.address, elsewhere.static) == (IPv4Address("10.9.0.4"), True)
    dynamic = failover_address(subnet("10.1.0.0/24"), configured=None, source=ADDRESS, source_static=False)
    assert (dynamic.address, dynamic.static) == (IPv4Address("10.1.0.4"), False)
    reserved_range = failover_address(
        subnet("10.1.0.0/24"), configured=IPv4Address("10.1.0.3"), source=None, source_static=False
    )
    assert reserved_range.address == IPv4Address("10.1.0.4")


def test_a_test_never_takes_the_address_that_failover_needs() -> None:
    elsewhere = drill_address(subnet("10.1.0.0/24"), reserved=ADDRESS, failover_network=False)
    assert elsewhere.address == ADDRESS
    at_home = drill_address(subnet("10.1.0.0/24"), reserved=ADDRESS, failover_network=True)
    assert at_home.address == IPv4Address("10.1.0.254")
    last = drill_address(subnet("10.1.0.0/24"), reserved=IPv4Address("10.1.0.254"), failover_network=True)
    assert last.address == IPv4Address("10.1.0.253")
    switched = drill_address(subnet("10.1.0.0/24"), reserved=ADDRESS, failover_network=True, may_take_reserved=True)
    assert switched.address == ADDRESS


def test_a_full_subnet_has_no_address() -> None:
    full = subnet("10.1.0.0/29", "10.1.0.4", "10.1.0.5", "10.1.0.6")
    assert failover_address(full, configured=None, source=ADDRESS, source_static=True).address is None
