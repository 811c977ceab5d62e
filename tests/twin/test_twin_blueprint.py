"""What is to be built, without building it: these tests need no BIRD."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import Advertisement, Filter, Outside
from farshore.twin.blueprint import blueprint_of
from routing.small import Net, id_of
from twin.corners import hub, router, site


def host(estate: Estate, name: str) -> dict[str, list[str]]:
    """One host of the estate's blueprint, by the end of its name."""
    found = [item for item in blueprint_of(estate).plan["hosts"] if item["name"].endswith(name)]
    assert len(found) == 1, [item["name"] for item in blueprint_of(estate).plan["hosts"]]
    text: dict[str, list[str]] = found[0]
    return text


def rows(estate: Estate, name: str, prefix: str) -> list[str]:
    """The routes to a prefix, of all tables."""
    return [line for line in host(estate, name)["ip"] if " route add " in line and f" {prefix} " in f"{line} "]


def test_the_order_of_sources_is_in_the_metrics() -> None:
    """R14.2: User before BGP before Default, by metric; the network's own space goes on to who is on the spot."""
    estate = hub(spoke=(("10.0.0.0/16", "10.0.1.4"), ("0.0.0.0/0", "10.0.1.4")), propagate=True).estate(site(router()))
    to_hub = rows(estate, "virtualnetworks/spoke", "10.0.0.0/16")
    assert any(line.endswith("metric 5") for line in to_hub) and any(line.endswith("metric 10") for line in to_hub)
    assert any("throw 10.1.0.0/24" in line for line in rows(estate, "virtualnetworks/spoke", "10.1.0.0/24"))
    assert any("metric 20;" in line for line in host(estate, "virtualnetworks/spoke")["bird"])


def test_reserved_rows_give_way_to_a_default_route() -> None:
    """R3: with a 0/0 of a user's they stand in the table that is asked last. R2: what a network contains is its own."""
    none = rows(hub(spoke=()).estate(site(router())), "virtualnetworks/spoke", "192.168.0.0/16")
    assert none and all("prohibit" in line for line in none)
    assert any(" table 1000 " in line for line in none), "without a 0/0 they are rows like others"
    routed = rows(hub().estate(site(router())), "virtualnetworks/spoke", "192.168.0.0/16")
    assert any(" table 20000 " in line for line in routed) and not any(" table 1000 " in line for line in routed)
    net = Net()
    net.network("wide", "10.0.0.0/7", app="10.0.0.0/24")
    assert not rows(net.estate(), "virtualnetworks/wide", "10.0.0.0/8")


def test_filters_become_bird_s_longest_first() -> None:
    deny = Filter(direction="in", prefix=ip_network("10.0.0.0/8"), action="deny")
    spare = Filter(direction="in", prefix=ip_network("10.1.0.0/24"), action="allow")
    made = hub().estate(site(replace(router(), filters=(deny, spare))))
    bird = "\n".join(host(made, "dc/ce1")["bird"])
    assert "if net ~ [ 10.0.0.0/8+ ] && !(net ~ [ 10.1.0.0/24+ ]) then reject;" in bird


def test_what_does_not_work_has_no_host() -> None:
    """E26, R25: an instance, a machine, a region, a router that is down is not there."""
    net = hub()
    every = set(blueprint_of(net.estate(site(router()))).hosts)
    for name, gone in (
        (f"{id_of('virtualNetworkGateways', 'gw')}#0", {"gateway"}),
        (id_of("virtualMachines", "vm1"), {"machine"}),
        (id_of("expressRouteCircuits", "er"), {"circuit"}),
        ("router:dc/ce1", {"router"}),
        ("region:eastasia", {"network", "machine", "gateway"}),
    ):
        outside = Outside(down=frozenset({name.lower()}))
        left = set(blueprint_of(net.estate(site(router()), outside=outside)).hosts)
        assert left < every and {item.partition(":")[0] for item in every - left} == gone, name


def test_a_link_without_its_customer_s_side_still_hears_gateways() -> None:
    outside = Outside(down=frozenset({f"{id_of('expressRouteCircuits', 'er')}#primary".lower()}))
    plan = blueprint_of(hub().estate(site(router()), outside=outside)).plan
    ends = [tuple(end.partition(":")[0] for end in pair) for _, *pair in plan["wires"] if "er#primary" in str(pair)]
    assert ends == [("circuit", "gateway")] * 2


def test_what_has_no_host_is_named_with_a_reason() -> None:
    net = hub()
    net.gateway("vpn", "hub", kind="Vpn")
    net.add("virtualHubs", "rs")
    found = blueprint_of(net.estate(site(router()))).missing
    assert {key.rpartition("/")[2] for key in found} == {"vpn", "rs"}
    assert all(found.values())


def test_an_estate_that_uses_the_wires_own_range_is_refused() -> None:
    net = Net()
    net.network("n", "198.18.4.0/24", app="198.18.4.0/24")
    with pytest.raises(InputError, match="numbers its own wires") as caught:
        blueprint_of(net.estate())
    assert caught.value.value == "198.18.4.0/24"


def test_a_host_says_nothing_of_the_engine() -> None:
    """The twin is a witness: it may not even know the engine's modules (tests/test_tidy.py reads the imports)."""
    plan = blueprint_of(hub().estate(site(router()))).plan
    assert {item["name"].partition(":")[0] for item in plan["hosts"]} == {
        "network",
        "machine",
        "gateway",
        "circuit",
        "router",
        "site",
    }


def test_an_address_that_is_held_twice_is_told() -> None:
    """Azure does not give one out twice; an estate written by hand may."""
    net = hub()
    net.machine("twin", ("spoke", "app", "10.1.0.4"))
    missing = blueprint_of(net.estate(site(router()))).missing
    assert list(missing.values()) == ["10.1.0.4 is held twice in spoke"]
    assert next(iter(missing)).endswith(("vm1-nic", "twin-nic"))


def test_an_estate_seen_without_reserved_rows_gets_none() -> None:
    """`none_prefixes` empty is an observation; None is the absence of one (R4)."""
    made = hub(spoke=())
    assert not any("prohibit" in line for line in host(made.estate(outside=Outside(none_prefixes=())), "spoke")["ip"])
    assert any("prohibit" in line for line in host(made.estate(), "spoke")["ip"])


def test_what_only_announces_is_left_out_by_its_resource_s_id() -> None:
    """`to` may name a link after `#`; a hop has the circuit's own id."""
    circuit = id_of("expressRouteCircuits", "er").lower()
    said = Advertisement(
        to=f"{circuit}#primary", peer=ip_address("172.16.0.1"), prefix=ip_network("10.9.0.0/24"), as_path=(65001,)
    )
    estate = hub().estate(site(router()), outside=Outside(advertised=(said,)))
    assert set(blueprint_of(estate).missing) == {circuit}
