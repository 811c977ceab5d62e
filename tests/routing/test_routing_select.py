"""Route selection twice: ours, and the plain words of R14 followed address by address."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore.routing import EffectiveRoute, describe, select
from farshore.routing.effective import effective
from farshore.routing.prefixes import LongestMatch, covers, inside, is_public, overlap

BASE = int(IPv4Address("10.0.0.0"))
SYSTEM = ("VnetLocal", "VNetPeering", "VNetGlobalPeering", "Internet", "None", "VirtualNetworkServiceEndpoint")
INSIDE = {"VnetLocal", "VNetPeering", "VNetGlobalPeering", "VirtualNetworkServiceEndpoint"}


@st.composite
def prefixes(draw: st.DrawFn) -> IPv4Network:
    """Any prefix of a world of 32 addresses, or everything."""
    length = draw(st.sampled_from([0, 27, 28, 29, 30, 31, 32]))
    start = draw(st.integers(0, 31))
    return IPv4Network((BASE + start if length else 0, length), strict=False)


@st.composite
def rows(draw: st.DrawFn, source: str | None = None, state: str | None = None) -> EffectiveRoute:
    chosen = source or draw(st.sampled_from(["Default", "VirtualNetworkGateway", "User"]))
    kinds = {
        "Default": SYSTEM,
        "VirtualNetworkGateway": ("VirtualNetworkGateway",),
        "User": ("VirtualAppliance", "Internet", "None", "VnetLocal", "VirtualNetworkGateway"),
    }
    return EffectiveRoute(
        source=chosen,
        state=state or draw(st.sampled_from(["Active", "Active", "Active", "Invalid"])),
        address_prefix=draw(prefixes()),
        next_hop_type=draw(st.sampled_from(kinds[chosen])),
    )


addresses = st.integers(0, 31).map(lambda offset: IPv4Address(BASE + offset))


def naive(table: list[EffectiveRoute], address: int) -> tuple[str, str] | None:
    """The words of R14, one after the other. A prefix is the set of its addresses."""
    candidates = [row for row in table if row.state == "Active" and address in set(_members(row.address_prefix))]
    # Routes to service endpoints cannot be overridden.
    endpoints = [row for row in candidates if row.next_hop_type == "VirtualNetworkServiceEndpoint"]
    if endpoints:
        candidates = endpoints
    else:
        # System routes of the virtual network, peerings and endpoints are preferred over BGP, even a more specific one.
        system = [r for r in table if r.source == "Default" and r.next_hop_type in INSIDE]
        if any(address in set(_members(row.address_prefix)) for row in system):
            candidates = [row for row in candidates if row.source != "VirtualNetworkGateway"]
    # The longest prefix is the smallest set.
    smallest = min((len(_members(row.address_prefix)) for row in candidates), default=0)
    candidates = [row for row in candidates if len(_members(row.address_prefix)) == smallest]
    # User-defined, then BGP, then system.
    for source in ("User", "VirtualNetworkGateway", "Default"):
        for row in candidates:
            if row.source == source:
                return source, str(row.address_prefix)
    return None


def _members(prefix: object) -> range:
    """The world's addresses inside a prefix; everything is the world and one more."""
    assert isinstance(prefix, IPv4Network)
    if prefix.prefixlen == 0:
        return range(BASE - 1, BASE + 33)
    first = int(prefix.network_address)
    return range(first, first + prefix.num_addresses)


@given(st.lists(rows(), max_size=10), addresses)
def test_selection_follows_the_plain_words(table: list[EffectiveRoute], address: IPv4Address) -> None:
    choice = select(table, address)
    ours = None if choice.chosen is None else (choice.chosen.source, str(choice.chosen.address_prefix))
    assert ours == naive(table, int(address)), describe(choice)


@given(st.lists(rows(), max_size=10), addresses)
def test_every_other_matching_row_is_passed_over_with_a_reason(
    table: list[EffectiveRoute], address: IPv4Address
) -> None:
    choice = select(table, address)
    matching = [row for row in table if covers(row.address_prefix, address)]
    assert len(choice.passed_over) == len(matching) - (choice.chosen is not None)
    assert all(item.reason for item in choice.passed_over)


@given(st.lists(rows(), max_size=8), addresses, st.randoms())
def test_the_order_of_rows_means_nothing(table: list[EffectiveRoute], address: IPv4Address, dice: Random) -> None:
    shuffled = list(table)
    dice.shuffle(shuffled)
    one, other = select(table, address).chosen, select(shuffled, address).chosen
    key = None if one is None else (one.source, one.address_prefix)
    assert key == (None if other is None else (other.source, other.address_prefix))


@given(
    st.lists(rows(source="Default", state="Active"), max_size=6),
    st.lists(rows(source="VirtualNetworkGateway", state="Active"), max_size=4),
    st.lists(rows(source="User", state="Active"), max_size=3, unique_by=lambda row: row.address_prefix),
    addresses,
)
def test_the_effective_table_says_what_the_raw_sources_say(
    system: list[EffectiveRoute], bgp: list[EffectiveRoute], user: list[EffectiveRoute], address: IPv4Address
) -> None:
    """Laying the sources over each other, and leaving rows out, changes no answer but that of reserved ranges (R3)."""
    system = [row for row in system if row.next_hop_type != "None"]
    chosen = select(effective(system, bgp, user), address).chosen
    ours = None if chosen is None else (chosen.source, str(chosen.address_prefix))
    assert ours == naive([*system, *bgp, *user], int(address))


def _row(source: str, prefix: str, kind: str, state: str = "Active") -> EffectiveRoute:
    return EffectiveRoute(source=source, state=state, address_prefix=ip_network(prefix), next_hop_type=kind)


def test_a_shield_that_is_overridden_shields_unless_told_otherwise() -> None:
    """R20 is open: the flag gives the other answer."""
    table = [
        _row("Default", "10.1.0.0/16", "VnetLocal", "Invalid"),
        _row("User", "10.1.0.0/16", "VirtualAppliance"),
        _row("VirtualNetworkGateway", "10.1.2.0/24", "VirtualNetworkGateway"),
    ]
    address = ip_address("10.1.2.3")
    kept, open_ = select(table, address), select(table, address, shield_when_overridden=False)
    assert kept.chosen is not None and kept.chosen.source == "User"
    assert open_.chosen is not None and open_.chosen.source == "VirtualNetworkGateway"


@pytest.mark.parametrize(
    ("hop", "kept"), [("None", True), ("Internet", True), ("VirtualAppliance", False), ("VirtualNetworkGateway", False)]
)
def test_a_default_route_takes_the_reserved_rows_out_or_not(hop: str, kept: bool) -> None:
    """R3, measured: by the next hop of the 0/0."""
    system = [_row("Default", "0.0.0.0/0", "Internet"), _row("Default", "172.16.0.0/12", "None")]
    table = effective(system, [], [_row("User", "0.0.0.0/0", hop)])
    assert any(row.next_hop_type == "None" and row.address_prefix.prefixlen == 12 for row in table) == kept


@given(st.lists(prefixes(), max_size=12), addresses)
def test_the_longest_match_finds_all_longest_first(held: list[IPv4Network], address: IPv4Address) -> None:
    found = LongestMatch((prefix, prefix) for prefix in held).all(address)
    assert sorted(found, key=str) == sorted((p for p in held if address in p), key=str)
    assert [p.prefixlen for p in found] == sorted((p.prefixlen for p in found), reverse=True)


@given(prefixes(), prefixes())
def test_inside_and_overlap_are_those_of_sets(one: IPv4Network, other: IPv4Network) -> None:
    assert inside(one, other) == one.subnet_of(other)
    assert overlap(one, other) == one.overlaps(other)


def test_families_do_not_meet() -> None:
    four, six = ip_network("0.0.0.0/0"), ip_network("::/0")
    assert not inside(four, six) and not covers(six, IPv4Address("10.0.0.1")) and covers(six, IPv6Address("fd00::1"))
    assert is_public(ip_address("8.8.8.8")) and not is_public(ip_address("fd00::1"))


def test_a_private_endpoint_yields_to_a_route_only_where_policies_say_so() -> None:
    """R49: measured for the network's own range; that 0/0 alone doesn't do it is inferred."""
    endpoint = replace(_row("Default", "10.1.7.9/32", "InterfaceEndpoint"), by="pe")
    system = [_row("Default", "10.1.0.0/16", "VNetPeering"), endpoint]
    user = [_row("User", "10.1.0.0/16", "VirtualAppliance"), _row("User", "0.0.0.0/0", "VirtualAppliance")]
    address = ip_address("10.1.7.9")
    off = select(effective(system, [], user), address).chosen
    on = select(effective(system, [], user, frozenset({"pe"})), address).chosen
    only_default = select(effective(system, [], user[1:], frozenset({"pe"})), address).chosen
    assert off is not None and off.next_hop_type == "InterfaceEndpoint"
    assert on is not None and on.source == "User"
    assert only_default is not None and only_default.next_hop_type == "InterfaceEndpoint"
