"""A site's public addresses, to a subnet with a service endpoint or a route for a tag that nobody knows (R18, R22)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Outside, Router, Site
from farshore.routing import Flow, Routing, elements, judge
from farshore.routing.scale.changes.changed import changed
from farshore.routing.scale.changes.proven import Proven
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach
from routing.small import Net, id_of

TOLD = {"Storage.eastasia": "20.60.0.0/16", "Storage.southeastasia": "20.61.0.0/16"}
SAID = ("20.60.7.0/24", "20.61.7.0/24", "20.62.7.0/24", "192.168.0.0/16")


def estate_with(endpoints: list[str], told: dict[str, str], *routes: tuple[str, str]) -> Estate:
    net = Net()
    app = {"addressPrefix": "10.1.0.128/27", "serviceEndpoints": [{"service": service} for service in endpoints]}
    net.network("hub", "10.1.0.0/24", GatewaySubnet="10.1.0.0/26", app={**app, "routeTable": net.table("rt", *routes)})
    circuit = net.circuit("er", "Hong Kong", 100)
    net.gateway("gw", "hub")
    net.connect("gw", "er")
    net.machine("vm", ("hub", "app", "10.1.0.132"))
    router = Router(name="ce", circuit=circuit, links=("primary", "secondary"))
    site = Site(name="dc", asn=65010, prefixes=tuple(map(ip_network, SAID)), routers=(router,))
    outside = Outside(service_prefixes={tag: (ip_network(prefix),) for tag, prefix in told.items()})
    return net.estate(site, outside=outside)


@pytest.mark.parametrize(
    ("endpoints", "told", "routes", "unknown"),
    [
        ([], TOLD, [], set()),
        (["Microsoft.Storage"], TOLD, [], {"20.60.7.0/24", "20.61.7.0/24"}),
        (["Microsoft.Storage"], {}, [], set()),
        ([], {}, [("Sql", "None")], {"20.60.7.0/24", "20.61.7.0/24", "20.62.7.0/24"}),
        ([], TOLD, [("Storage.eastasia", "VnetLocal")], set()),
    ],
)
def test_what_an_endpoint_or_a_tag_may_take_is_not_said_to_arrive(
    endpoints: list[str], told: dict[str, str], routes: list[tuple[str, str]], unknown: set[str]
) -> None:
    estate = estate_with(endpoints, told, *routes)
    reach, oracle = Reach.of(estate), Routing(estate)
    words, nic = reach.words(reach.cold), id_of("networkInterfaces", "vm-nic")
    found = set()
    for end in range(len(reach.model.ends)):
        address = ip_address(int(reach.model.ends.first[end]))
        flow = Flow(source="dc", source_address=address, destination_address=ip_address("10.1.0.132"))
        word, traced = WORDS[words[0, end]], judge(*oracle.trace(flow), promised=nic).kind
        if word == "unknown":
            found |= {prefix for prefix in SAID if address in ip_network(prefix)}
        else:
            assert word == traced, f"{address} is {word}, traced it is {traced}"
    assert found == unknown


def test_a_table_that_names_a_tag_nobody_knows_is_felt() -> None:
    before, after = estate_with([], {}), estate_with([], {}, ("Sql", "None"))
    table = id_of("routeTables", "rt")
    reach, anew = Reach.of(before), Reach.of(after)
    difference = changed(Proven.of(reach, elements(before)), Change(put=after.resources[table.lower()]))
    assert difference is not None
    counted = anew.counts(anew.standing(anew.cold)).sum(axis=0) - reach.counts(reach.standing(reach.cold)).sum(axis=0)
    assert difference[0].tolist() == counted.tolist()
    assert counted.any()
