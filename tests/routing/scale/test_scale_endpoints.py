"""A private endpoint's NIC is on no machine, and takes what comes to it all the same (R8, R49)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from farshore.arm.ids import resource_id
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Router, Site
from farshore.routing import Flow, Routing, elements, judge
from farshore.routing.scale.changes.changed import changed
from farshore.routing.scale.changes.proven import Proven
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach
from routing.small import Net, id_of

ENDPOINT = id_of("privateEndpoints", "pe")
NIC = id_of("networkInterfaces", "pe-nic")


def estate_with_an_endpoint() -> Estate:
    net = Net()
    net.network("hub", "10.1.0.0/24", GatewaySubnet="10.1.0.0/26", app="10.1.0.128/27")
    circuit = net.circuit("er", "Hong Kong", 100)
    net.gateway("gw", "hub")
    net.connect("gw", "er")
    net.machine("vm", ("hub", "app", "10.1.0.132"))
    subnet = {"id": id_of("virtualNetworks/subnets", "hub", "app")}
    address = {"privateIPAddress": "10.1.0.140", "subnet": subnet, "primary": True}
    net.add("networkInterfaces", "pe-nic", ipConfigurations=[{"name": "a", "properties": address}])
    net.add("privateEndpoints", "pe", subnet=subnet, networkInterfaces=[{"id": NIC}])
    router = Router(name="ce", circuit=circuit, links=("primary", "secondary"))
    return net.estate(Site(name="dc", asn=65010, prefixes=(ip_network("192.168.0.0/16"),), routers=(router,)))


def test_it_is_not_counted_as_one_at_which_nobody_answers() -> None:
    estate = estate_with_an_endpoint()
    flow = Flow(source="dc", source_address=ip_address("192.168.0.9"), destination_address=ip_address("10.1.0.140"))
    assert judge(*Routing(estate).trace(flow), promised=ENDPOINT).kind == "delivered"

    reach = Reach.of(estate)
    words, units = reach.words(reach.cold), reach.model.units.of_machine
    told = {
        nic.rpartition("/")[2]: {WORDS[word] for word in words[unit]}
        for nic, unit in zip(reach.model.columns.machines.nics, units.tolist(), strict=True)
    }
    # By which of its rows and back by which way, nothing here follows: that it is lost is not said.
    assert told == {"vm-nic": {"delivered"}, "pe-nic": {"unknown"}}


def test_what_changes_of_it_is_counted_anew() -> None:
    estate = estate_with_an_endpoint()
    body = estate.resources[NIC.lower()]
    without = estate.with_changes([Change(delete=resource_id(NIC))])
    for before in (estate, without):
        assert changed(Proven.of(Reach.of(before), elements(before)), Change(put=body)) is None
