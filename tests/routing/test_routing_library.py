"""What the library refuses: one clear error each, with the value and what was expected."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.routing import Flow, Outside, Routing, advertised_routes, judge, learned_routes, trace
from farshore.routing.scale import Reach
from routing.small import flow, id_of
from twin.corners import hub, router, site

GATEWAY = id_of("virtualNetworkGateways", "gw")
CIRCUIT = id_of("expressRouteCircuits", "er")


def estate() -> Estate:
    return hub().estate(site(router()))


def asked(**given: Any) -> Flow:
    plain: dict[str, Any] = {
        "source": "dc",
        "source_address": ip_address("192.168.0.9"),
        "destination_address": ip_address("10.1.0.4"),
    }
    return Flow(**(plain | given))


FIREWALL = id_of("virtualMachines", "fw")
AS_WRITTEN = {
    "region:eastasia": ("region:EastAsia", "region:East Asia", "Region:east asia"),
    "location:hong kong": ("location:Hong Kong", "LOCATION:hong kong"),
    f"{CIRCUIT}#primary".lower(): (f"{CIRCUIT}#Primary",),
    GATEWAY.lower(): (GATEWAY, GATEWAY.upper()),
    "router:dc/ce1": ("router:DC/CE1",),
    FIREWALL.lower(): (FIREWALL,),
}


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_what_is_down_is_matched_as_azure_matches_names(name: str) -> None:
    """A region is one in every case and spelling."""
    held = estate()
    plain = trace(held.with_outside(Outside(down=frozenset({name}))), asked())
    reach = Reach.of(held)
    for written in AS_WRITTEN[name]:
        other = frozenset({written})
        assert trace(held.with_outside(Outside(down=other)), asked()) == plain
        assert Outside(unknown=other, stopped=other, stale=other) == Outside(
            unknown=frozenset({name}), stopped=frozenset({name}), stale=frozenset({name})
        )
        assert reach.totals(reach.when(other)) == reach.totals(reach.when(frozenset({name})))
    if "#" not in name:
        assert not judge(*plain).good


REFUSED: dict[str, tuple[Callable[[Estate], object], str]] = {
    "an address as text": (lambda _: asked(source_address="192.168.0.9"), "192.168.0.9"),
    "a protocol": (lambda _: asked(protocol="quic"), "quic"),
    "a port": (lambda _: asked(destination_port=99999), "99999"),
    "an own port": (lambda _: asked(source_port=-1), "-1"),
    "an appliance's name": (lambda held: judge(*trace(held, asked()), through="nva"), "nva"),
    "a gateway's instance": (lambda held: learned_routes(held, GATEWAY, "zzz"), "zzz"),
    "a gateway's number": (lambda held: advertised_routes(held, f"{GATEWAY}#7"), "7"),
    "a circuit's link": (lambda held: learned_routes(held, CIRCUIT, "tertiary"), "tertiary"),
    "a circuit's link, advertised": (lambda held: Routing(held).advertised_routes(f"{CIRCUIT}#third"), "third"),
    "a neighbour": (lambda held: advertised_routes(held, GATEWAY, to="somebody"), "somebody"),
    "nothing that speaks": (lambda held: learned_routes(held, id_of("virtualNetworks", "hub")), "hub"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_said_with_its_value(what: str) -> None:
    held = estate()
    ask, value = REFUSED[what]
    with pytest.raises(InputError) as caught:
        ask(held)
    assert value in str(caught.value.value), caught.value
    assert caught.value.expected, caught.value
    shown = "".join(traceback.format_exception(caught.value))
    assert f"value: {caught.value.value}" in shown and f"expected: {caught.value.expected}" in shown


def test_what_is_right_is_answered() -> None:
    held = estate()
    assert learned_routes(held, GATEWAY) and advertised_routes(held, GATEWAY, to="172.16.0.2")
    primary, both = learned_routes(held, CIRCUIT, "primary"), learned_routes(held, CIRCUIT)
    assert primary and len(both) >= len(primary)
    way = judge(*trace(held, flow("dc", "192.168.0.9", "10.1.0.4")), through=id_of("networkInterfaces", "nva-nic"))
    assert way.kind in ("bypass", "delivered")


def test_what_is_down_is_said_outside() -> None:
    held = estate()
    down = held.with_outside(Outside(down=frozenset({GATEWAY.lower()})))
    assert judge(*trace(held, asked())).kind == "delivered"
    assert judge(*trace(down, asked())).kind == "unreachable"
