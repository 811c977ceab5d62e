"""What must change nothing: names, the order of resources, the case of ids, the names of regions, strangers."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from farshore import examples
from farshore.arm.ids import resource_id
from farshore.estate.estate import Estate
from farshore.estate.outside import Site
from farshore.routing import Flow, Trace, effective_routes, elements, judge, learned_routes, trace
from routing.small import Net

Answers = dict[str, Any]


@pytest.fixture(params=examples.names())
def estate(request: pytest.FixtureRequest) -> Estate:
    _, found = examples.read(request.param)
    return found


def answers(estate: Estate, *, names: bool = False) -> Answers:
    """Everything we say about an estate, without names and ids: by address and by prefix."""
    found: Answers = {}
    nics = {str(nic.primary.private_ip_address): nic for nic in estate.network_interfaces if nic.primary is not None}
    for address, nic in nics.items():
        found[f"routes {address}"] = sorted(
            (r.source, r.state, str(r.address_prefix), r.next_hop_type, *map(str, r.next_hop_ip_addresses))
            for r in effective_routes(estate, nic.id)
        )
    for circuit in estate.express_route_circuits:
        prefix = circuit.private_peering and str(circuit.private_peering.primary_peer_address_prefix)
        found[f"learned {prefix}"] = sorted(
            (str(r.network), str(r.next_hop), r.as_path) for r in learned_routes(estate, circuit.id)
        )
    flows = [("192.168.7.7", estate.sites[0].name, address) for address in nics]
    flows += [(own, nic.id.text, address) for own, nic in nics.items() for address in (*nics, "192.168.7.7", "8.8.8.8")]
    for own, source, address in flows:
        flow = Flow(source=source, source_address=ip_address(own), destination_address=ip_address(address))
        forward, back = trace(estate, flow)
        found[f"{own} -> {address}"] = (judge(forward, back).kind, _shape(forward), _shape(back))
    found["elements"] = sorted((item.kind, len(item.down)) for item in elements(estate))
    return found


def _shape(way: Trace) -> tuple[Any, ...]:
    rows = [hop.choice.chosen for hop in way.hops if hop.choice is not None]
    return way.disposition, [hop.kind for hop in way.hops], [row and str(row.address_prefix) for row in rows]


def _bodies(estate: Estate) -> list[Any]:
    return [json.loads(json.dumps(body)) for body in estate.resources.values()]


def _sites(sites: tuple[Site, ...], renamed: dict[str, str]) -> tuple[Site, ...]:
    return tuple(
        replace(
            site,
            routers=tuple(
                replace(router, circuit=resource_id(renamed.get(router.circuit.text, router.circuit.text)))
                for router in site.routers
            ),
        )
        for site in sites
    )


def test_the_order_of_resources_changes_nothing(estate: Estate) -> None:
    bodies = _bodies(estate)
    random.Random(3).shuffle(bodies)
    assert answers(Estate.from_resources(bodies).with_sites(estate.sites)) == answers(estate)


def test_the_case_of_ids_changes_nothing(estate: Estate) -> None:
    """Azure answers ids in whatever case it likes; references differ from the things they name."""
    dice = random.Random(5)

    def respell(found: re.Match[str]) -> str:
        return "".join(dice.choice([letter.upper(), letter.lower()]) for letter in found.group())

    text = re.sub(r'(?<="id": ")/subscriptions/[^"]+', respell, json.dumps(_bodies(estate)))
    assert answers(Estate.from_resources(json.loads(text)).with_sites(estate.sites)) == answers(estate)


def test_names_change_nothing(estate: Estate) -> None:
    """Every resource gets another name, in another alphabetical order; GatewaySubnet is Azure's own (R35)."""
    text = json.dumps(_bodies(estate))
    renamed = {}
    for number, body in enumerate(estate.resources.values()):
        old = str(body["id"])
        if "/providers/" in old:
            renamed[old] = f"{old.rsplit('/', 1)[0]}/n{(number * 37) % 101:03}"
    for old, new in sorted(renamed.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(rf'"{re.escape(old)}(?=["/])', f'"{new}', text, flags=re.IGNORECASE)
    again = Estate.from_resources(json.loads(text)).with_sites(_sites(estate.sites, renamed))
    # What the project says of appliances goes by id, and says nothing else than the default here.
    assert answers(again) == answers(replace(estate, project=None))


def test_regions_are_only_names(estate: Estate) -> None:
    text = json.dumps(_bodies(estate)).replace("southeastasia", "norwayeast").replace("eastasia", "japanwest")
    again = Estate.from_resources(json.loads(text)).with_sites(estate.sites)
    assert answers(again) == answers(estate)


def test_strangers_change_nothing(estate: Estate) -> None:
    """A network that is connected to nothing, with the same addresses."""
    net = Net()
    net.network("stranger", "10.1.0.0/24", app="10.1.0.0/24")
    net.machine("strange", ("stranger", "app", "10.1.0.4"))
    more = Estate.from_resources([*_bodies(estate), *net.bodies.values()]).with_sites(estate.sites)
    ours, before = answers(more), answers(estate)
    held = [key for key in before if "->" not in key and key != "elements" and key != "routes 10.1.0.4"]
    assert {key: ours[key] for key in held} == {key: before[key] for key in held}
    from_site = [key for key in before if key.startswith("192.168.7.7 ->")]
    assert {key: ours[key] for key in from_site} == {key: before[key] for key in from_site}
