"""What must not change an answer: the order of things, other names, a network that has nothing to do with them.

Over drawn networks, all flows both ways and their replies; test_routing_metamorphic.py does it for the examples.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.routing import Flow, Routing, Trace
from routing.small import Net, id_of

from .building import estate_of
from .drawing import words
from .words import Words

NETWORKS = max(40, int(os.environ.get("FARSHORE_NAIVE", "400")) // 100)
NEW = {"spoke": "aaa", "(?<!virtual)hub": "zzz", "nva": "mmm"}
"""New names for old; `virtualhubs` is no name."""


def reordered(estate: Estate) -> Estate:
    """Bodies, and the lists in them whose order means nothing, the other way round."""

    def turned(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: turned(held, name) for name, held in reversed(value.items())}
        if isinstance(value, list):
            held = [turned(item) for item in value]
            return held if key in ("ipConfigurations", "securityRules") else held[::-1]
        return value

    bodies = [turned(body) for body in reversed(list(estate.resources.values()))]
    return _again(estate, bodies)  # type: ignore[arg-type]


def renamed(estate: Estate) -> Estate:
    made = _again(estate, json.loads(_new(json.dumps(list(estate.resources.values())))))
    return made.with_outside(replace(estate.outside, down=frozenset(map(_new, estate.outside.down))))


def _new(text: str) -> str:
    for old, new in NEW.items():
        text = re.sub(old, new, text)
    return text


def with_a_stranger(estate: Estate) -> Estate:
    """A network that is peered with nobody, with the same addresses as others, and a circuit that nobody is on."""
    net = Net()
    net.network("stranger", "10.1.0.0/16", app="10.1.0.0/24")
    net.machine("strangevm", ("stranger", "app", "10.1.0.132"))
    net.circuit("strange", "London", 200)
    return _again(estate, [*estate.resources.values(), *net.bodies.values()])


def _again(estate: Estate, bodies: list[Body]) -> Estate:
    return Estate.from_resources(bodies).with_sites(estate.sites).with_outside(estate.outside)


Answer = tuple[str, str, list[str]]
"""How a way ended, who took it, the appliances and sites on it."""


def answers(estate: Estate, drawn: Words, name: Callable[[str], str]) -> list[Answer]:
    """All answers; `name` says what a NIC of the drawing is called in this estate."""
    routing, found = Routing(estate), []
    for home in drawn.homes:
        for source in map(ip_address, drawn.addresses(home)):
            for nic, held in drawn.machines().items():
                for machine in (address for address in map(ip_address, held) if address.version == source.version):
                    out = id_of("networkInterfaces", name(nic))
                    there = Flow(source=home.name, source_address=source, destination_address=machine)
                    back = Flow(source=out, source_address=machine, destination_address=source)
                    found += [_answer(trace) for flow in (there, back) for trace in routing.trace(flow)]
    return found


def _answer(trace: Trace) -> Answer:
    taken = "" if trace.delivered_to is None else trace.delivered_to.name
    return trace.disposition, taken, [hop.name for hop in trace.hops if hop.kind in ("appliance", "site")]


CHANGES = (reordered, renamed, with_a_stranger)


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_it_changes_no_answer(change: Callable[[Estate], Estate]) -> None:
    name = _new if change is renamed else str

    @seed(7)
    @settings(
        max_examples=NETWORKS,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def same(drawn: Words) -> None:
        estate = estate_of(drawn)
        before = [(word, name(taken), list(map(name, hops))) for word, taken, hops in answers(estate, drawn, str)]
        assert answers(change(estate), drawn, name) == before

    same()


def test_a_change_that_matters_does_change_them() -> None:
    """The same with a table less: somewhere an answer is another."""

    @seed(7)
    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(words())
    def same(drawn: Words) -> None:
        estate = estate_of(drawn)
        fewer = [body for body in estate.resources.values() if "routetables" not in str(body["id"]).lower()]
        assert answers(_again(estate, fewer), drawn, str) == answers(estate, drawn, str)

    with pytest.raises(AssertionError):
        same()
