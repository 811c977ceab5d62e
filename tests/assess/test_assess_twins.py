"""What assess looks up quickly is what a scan of everything says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from ipaddress import IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore import examples
from farshore.arm.decode import Address, Network
from farshore.assess import derive_objectives
from farshore.assess.context import Context
from farshore.assess.objectives import Conversation, Endpoint, one_of_each, resolve_in
from farshore.assess.rows import Rows
from farshore.estate.files import load
from farshore.estate.project import Objective
from farshore.routing.prefixes import covers
from farshore.routing.selection import choose, select
from farshore.routing.values import EffectiveRoute

KINDS: dict[str, Callable[[Endpoint], Hashable]] = {
    "each place": lambda end: end.place,
    "each address": lambda end: end.address,
    "two kinds": lambda end: int(end.address) % 2,
    "three kinds": lambda end: int(end.address) % 3,
    "one kind": lambda end: None,
}


def first_of_each(talks: Iterable[Conversation], kind: Callable[[Endpoint], Hashable]) -> list[Conversation]:
    """By all conversations, one after the other."""
    found: dict[Hashable, Conversation] = {}
    for talk in talks:
        found.setdefault((kind(talk.source), kind(talk.destination), talk.protocol, talk.port), talk)
    return list(found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("example", examples.names())
def test_one_of_each_is_the_first_of_all_conversations(example: str, kind: str) -> None:
    _, estate = load(examples.path(example))
    context = Context(estate)
    compared = 0
    for derived in derive_objectives(estate):
        for from_, to in ((derived.from_, derived.to), (derived.to, derived.from_), (derived.from_, derived.from_)):
            asked: Objective = replace(derived, from_=from_, to=to, ports=("443", "22", "443", "icmp"))
            expected = first_of_each(resolve_in(context, asked), KINDS[kind])
            assert list(one_of_each(context, asked, KINDS[kind])) == expected
            compared += len(expected)
    assert compared


# Rows

SPACE = ip_network("10.0.0.0/25")


@st.composite
def prefixes(draw: st.DrawFn) -> Network:
    length = draw(st.integers(25, 32))
    return IPv4Network((int(SPACE.network_address) + draw(st.integers(0, 127)), length), strict=False)


def row(prefix: Network, number: int) -> EffectiveRoute:
    return EffectiveRoute(
        source="User", state="Active", address_prefix=prefix, next_hop_type="VirtualAppliance", name=str(number)
    )


@given(st.lists(prefixes(), max_size=8))
def test_rows_choose_as_a_scan_does(held: list[Network]) -> None:
    rows = [row(prefix, number) for number, prefix in enumerate(held)]
    quick = Rows(rows)
    for address in SPACE:
        assert choose(quick.matching(address)) == select(rows, address), address


@given(st.lists(prefixes(), max_size=8), prefixes())
def test_parts_are_one_address_for_each_set_of_rows_that_hold_it(held: list[Network], asked: Network) -> None:
    """Every part into which the rows cut a prefix is met, and none twice."""
    quick = Rows(row(prefix, number) for number, prefix in enumerate(held))

    def longest(address: Address) -> Network | None:
        inner = [p for p in held if covers(p, address) and p.prefixlen > asked.prefixlen]
        return max(inner, key=lambda prefix: prefix.prefixlen, default=None)

    found = quick.parts(asked)
    assert all(covers(asked, address) for address in found)
    assert {longest(address) for address in asked} == {longest(address) for address in found}
    assert len({longest(address) for address in found}) == len(found)
