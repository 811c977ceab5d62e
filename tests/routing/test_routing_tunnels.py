"""A tunnel between two gateways of the estate is there while both its connections are, however they name each other."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.estate.outside import Outside
from farshore.routing import Disposition, effective_routes, judge, trace, trace_one_way, unread
from farshore.routing.scale import Reach
from routing.small import Net, flow, id_of
from routing.test_routing_traces import hub, router, site


def described(**first: Any) -> Net:
    """Two networks, a machine in each, and a tunnel between their gateways: each has a local network gateway for the
    other. `first`: properties of the first gateway."""
    net = Net()
    for number in (1, 2):
        net.network(
            f"n{number}", f"10.{number}.0.0/16", GatewaySubnet=f"10.{number}.255.0/27", app=f"10.{number}.2.0/24"
        )
        net.machine(f"vm{number}", (f"n{number}", "app", f"10.{number}.2.4"))
        own = net.gateway(f"g{number}", f"n{number}", kind="Vpn", **(first if number == 1 else {}))
        public = net.add("publicIPAddresses", f"ip{number}", ipAddress=f"20.50.0.{number}")
        part(net, own)["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": public}
        net.add(
            "localNetworkGateways",
            f"lng{number}",
            gatewayIpAddress=f"20.50.0.{number}",
            localNetworkAddressSpace={"addressPrefixes": [f"10.{number}.0.0/16"]},
        )
    for number, far in ((1, 2), (2, 1)):
        net.add(
            "connections",
            f"c{number}",
            connectionType="IPsec",
            virtualNetworkGateway1={"id": id_of("virtualNetworkGateways", f"g{number}")},
            localNetworkGateway2={"id": id_of("localNetworkGateways", f"lng{far}")},
        )
    return net


def part(net: Net, id_: str) -> Any:
    return net.bodies[id_]["properties"]


THERE = flow(id_of("networkInterfaces", "vm1-nic"), "10.1.2.4", "10.2.2.4")


def ends(net: Net, *down: str) -> Disposition:
    estate = net.estate(outside=Outside(down=frozenset(name.lower() for name in down)))
    return trace_one_way(estate, THERE).disposition


def test_a_tunnel_by_local_network_gateways_leads_into_the_other_s_network() -> None:
    forward, back = trace(described().estate(), THERE)
    assert [hop.kind for hop in forward.hops] == ["machine", "gateway", "tunnel", "gateway", "machine"]
    assert judge(forward, back).good


C2 = id_of("connections", "c2")


def test_a_tunnel_by_local_network_gateways_is_down_with_the_far_side_s_connection() -> None:
    assert ends(described()) == Disposition.DELIVERED
    assert ends(described(), C2) == Disposition.NO_ROUTE
    assert ends(described(), f"{C2}#10.2.255.12") == Disposition.DELIVERED, "one tunnel of two is left"
    assert ends(described(), f"{C2}#10.2.255.12", f"{C2}#10.2.255.13") == Disposition.NO_ROUTE
    assert ends(described(), id_of("virtualNetworkGateways", "g2")) == Disposition.NO_ROUTE


@pytest.mark.parametrize("change", ["deleted", "to another", "failed"])
def test_a_tunnel_whose_far_side_has_no_connection_back_is_down(change: str) -> None:
    net = described()
    if change == "deleted":
        del net.bodies[C2]
    elif change == "failed":
        part(net, C2)["provisioningState"] = "Failed"
    else:
        part(net, id_of("localNetworkGateways", "lng1"))["gatewayIpAddress"] = "203.0.113.9"
    assert ends(net) == Disposition.NO_ROUTE


def test_a_connection_back_to_a_name_may_be_to_anybody() -> None:
    """A local network gateway may have an `fqdn` in place of an address: its word is taken."""
    net = described()
    local = part(net, id_of("localNetworkGateways", "lng1"))
    del local["gatewayIpAddress"]
    local["fqdn"] = "g1.example"
    assert ends(net) == Disposition.DELIVERED
    assert ends(net, C2) == Disposition.NO_ROUTE


def test_a_connection_back_may_be_any_where_the_gateway_s_own_address_is_not_in_the_estate() -> None:
    net = described()
    del net.bodies[id_of("publicIPAddresses", "ip1")]
    assert ends(net) == Disposition.DELIVERED
    assert ends(net, C2) == Disposition.NO_ROUTE


HIDDEN: tuple[tuple[str, str], ...] = (
    ("connections/c2", "provisioningState"),
    ("connections/c2", "localNetworkGateway2"),
    ("localNetworkGateways/lng1", "gatewayIpAddress"),
    ("localNetworkGateways/lng2", "gatewayIpAddress"),
    ("publicIPAddresses/ip1", "ipAddress"),
    ("publicIPAddresses/ip2", "ipAddress"),
    ("virtualNetworkGateways/g2", "provisioningState"),
)


@pytest.mark.parametrize(("thing", "field"), HIDDEN)
def test_whether_the_far_side_answers_that_a_marker_hides_is_not_known(thing: str, field: str) -> None:
    net = described()
    kind, name = thing.split("/")
    part(net, id_of(kind, name))[field] = "<param:hidden>"
    assert ends(net) == ends(net, C2) == Disposition.INSUFFICIENT_INFORMATION
    assert any(field in text for text in unread(net.estate(), id_of("virtualNetworkGateways", "g1")))


# By address


def subnets(net: Net, number: int) -> list[Body]:
    found: list[Body] = part(net, id_of("virtualNetworks", f"n{number}"))["subnets"]
    return found


@pytest.mark.parametrize("near", [1, 2])
@pytest.mark.parametrize("what", ["virtualNetworkGateways", "connections"])
def test_what_is_down_by_an_address_of_a_subnet_that_can_t_be_read_is_not_known(near: int, what: str) -> None:
    """Nobody knows which instance that is, nor how many are left (E26)."""
    net = described()
    subnets(net, near)[0]["properties"]["addressPrefix"] = "10.<param:site>.255.0/27"
    own = id_of(what, f"{what[0].replace('v', 'g')}{near}")
    assert ends(net) == Disposition.DELIVERED
    for down in ((f"{own}#10.{near}.255.12",), (f"{own}#10.{near}.255.12", f"{own}#10.{near}.255.13")):
        assert ends(net, *down) == Disposition.INSUFFICIENT_INFORMATION
    another = id_of("virtualNetworkGateways", "another")
    assert ends(net, f"{another}#10.9.255.12") == Disposition.DELIVERED


def test_addresses_that_gateways_say_themselves_need_no_subnet() -> None:
    net = described(bgpSettings={"bgpPeeringAddress": "10.1.255.4,10.1.255.5"})
    subnets(net, 1)[0]["properties"]["addressPrefix"] = "10.<param:site>.255.0/27"
    own = id_of("virtualNetworkGateways", "g1")
    assert ends(net, f"{own}#10.1.255.4") == Disposition.DELIVERED
    assert ends(net, f"{own}#10.1.255.4", f"{own}#10.1.255.5") == Disposition.NO_ROUTE


def test_at_scale_what_is_down_by_an_address_that_nobody_can_place_is_not_known() -> None:
    net = Net()
    hub(net)
    net.machine("nva", ("hub", "nva", "10.0.1.4"), forward=True)
    subnet = next(item for item in part(net, id_of("virtualNetworks", "hub"))["subnets"] if item["name"][0] == "G")
    subnet["properties"]["addressPrefix"] = "10.<param:site>.255.0/27"
    gateway = id_of("virtualNetworkGateways", "gw").lower()
    down = frozenset({f"{gateway}#10.0.255.12"})
    estate = net.estate(site(router()))
    reach = Reach.of(estate)
    assert not reach.totals()["unknown"] and set(held(reach.totals(reach.when(down)))) == {"unknown"}
    already = estate.with_outside(Outside(down=down))
    assert judge(*trace(already, flow("dc", "192.168.0.9", "10.1.0.4"))).kind == "unknown"
    assert set(held(Reach.of(already).totals())) == {"unknown"}


def held(totals: dict[str, int]) -> dict[str, int]:
    return {word: cells for word, cells in totals.items() if cells}


def test_a_tunnel_to_a_branch_is_no_answer_to_one_between_gateways() -> None:
    """Neither gateway's public address is known: the branch's tunnel, which may lead anywhere, answers for no other."""
    net = Net()
    for number in (1, 2):
        net.network(f"n{number}", f"10.{number}.0.0/24", GatewaySubnet=f"10.{number}.0.0/27")
        net.gateway(f"vpn{number}", f"n{number}", kind="Vpn")
        place = net.add("localNetworkGateways", f"branch{number}", gatewayIpAddress=f"198.51.100.{number}")
        ends: Body = {"virtualNetworkGateway1": {"id": id_of("virtualNetworkGateways", f"vpn{number}")}}
        net.add("connections", f"out{number}", connectionType="IPsec", localNetworkGateway2={"id": place}, **ends)
        other = {"id": id_of("virtualNetworkGateways", f"vpn{3 - number}")}
        net.add("connections", f"half{number}", connectionType="Vnet2Vnet", virtualNetworkGateway2=other, **ends)
    for down in ("half1", "half2"):
        outside = Outside(down=frozenset({id_of("connections", down).lower()}))
        for number in (1, 2):
            subnet = id_of("virtualNetworks/subnets", f"n{number}", "GatewaySubnet")
            rows = effective_routes(net.estate(outside=outside), subnet)
            assert not [row for row in rows if str(row.address_prefix) == f"10.{3 - number}.0.0/24"], down
