"""One circuit, addresses kept, the region back: two networks answer for one range until somebody cuts one off (D60 to
D65, E40, D92). Here by hand and by packets every few seconds, as anybody beside Farshore would measure it."""

from __future__ import annotations

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from lab.core.bench import COMPUTE, NETWORK, Lab, example_lab, machine_body, network_body, nic_body, refusal, rid

FAR = "rg-farshore-dr"
HONG_KONG = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
CONNECTION = rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")
WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
FAR_WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group=FAR)
FAR_CONNECTION = rid(f"{NETWORK}/connections", "far-cn", group=FAR)


def far_shore(lab: Lab) -> None:
    """A network with the kept range, a machine with web1's address, and a gateway, in the far region."""
    vnet = rid(f"{NETWORK}/virtualNetworks", "far", group=FAR)
    body = network_body("10.1.0.0/24", "southeastasia", app="10.1.0.0/25", GatewaySubnet="10.1.0.128/25")
    lab.made(vnet, body)
    nic = rid(f"{NETWORK}/networkInterfaces", "web1-nic", group=FAR)
    lab.made(nic, nic_body(vnet + "/subnets/app", "10.1.0.4", "southeastasia"))
    lab.made(FAR_WEB1, machine_body(nic, "southeastasia"))
    inside = {"subnet": {"id": vnet + "/subnets/GatewaySubnet"}}
    lab.made(
        rid(f"{NETWORK}/virtualNetworkGateways", "far-gw", group=FAR),
        {
            "location": "southeastasia",
            "properties": {
                "gatewayType": "ExpressRoute",
                "sku": {"name": "ErGw1AZ"},
                "ipConfigurations": [{"name": "default", "properties": inside}],
            },
        },
    )


def far_connection() -> Body:
    return {
        "location": "southeastasia",
        "properties": {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": {"id": rid(f"{NETWORK}/virtualNetworkGateways", "far-gw", group=FAR)},
            "peer": {"id": HONG_KONG},
        },
    }


def taken_over() -> Lab:
    """The source region lost, and the kept range connected from the far one."""
    lab = example_lab("single-circuit-kept-addresses")
    far_shore(lab)
    refused = lab.put(FAR_CONNECTION, far_connection())
    assert refusal(refused) == "ExpressRouteCircuitVnetAddressSpaceOverlap"
    lab.fault(kind="region", region="eastasia", state="lost")
    lab.wait(minutes=5)
    machines.supersede(lab.cloud, resource_id(WEB1))
    assert lab.ask("DELETE", CONNECTION) is None
    lab.made(FAR_CONNECTION, far_connection())
    return lab


def answered_by(lab: Lab) -> str | None:
    by = lab.packet("datacenter", "10.1.0.4")["answered_by"]
    return None if by is None else str(by["machine"])


def test_with_the_region_lost_the_far_shore_serves_alone() -> None:
    lab = taken_over()
    packet = lab.packet("datacenter", "10.1.0.4")
    assert packet["disposition"] == "Delivered" and packet["answered_by"] == {
        "nic": rid(f"{NETWORK}/networkInterfaces", "web1-nic", group=FAR),
        "machine": FAR_WEB1,
        "stale": False,
    }


def test_the_window_opens_with_the_first_row_and_closes_with_the_delete() -> None:
    lab = taken_over()
    lab.fault(kind="region", region="eastasia", state="returned")
    began = lab.now
    dispositions: list[str] = []
    deleting = None
    while (lab.now - began).total_seconds() < 600:
        lab.wait(2)
        dispositions.append(str(lab.packet("datacenter", "10.1.0.4")["disposition"]))
        if deleting is None:
            deleting = lab.ask("DELETE", CONNECTION)
    assert deleting is not None and deleting.status == 202
    bad = [at for at, found in enumerate(dispositions) if found != "Delivered"]
    assert bad, "two networks answer for one range until one is cut off"
    assert bad == list(range(bad[0], bad[-1] + 1)), "one window, not several"
    assert 2 * len(bad) < 240 and dispositions[-1] == "Delivered"
    assert answered_by(lab) == FAR_WEB1
    # What has been cut off cannot come back beside the other: the range is on the circuit.
    inside = {
        "virtualNetworkGateway1": {"id": rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")}
    }
    again: Body = {
        "location": "eastasia",
        "properties": {"connectionType": "ExpressRoute", "peer": {"id": HONG_KONG}, **inside},
    }
    assert refusal(lab.put(CONNECTION, again)) == "ExpressRouteCircuitVnetAddressSpaceOverlap"


def test_nobody_acting_means_that_the_window_stays_open() -> None:
    lab = taken_over()
    lab.fault(kind="region", region="eastasia", state="returned")
    lab.wait(hours=2)
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Ambiguous"
    rows = lab.follow(lab.post(HONG_KONG + "/peerings/AzurePrivatePeering/routeTables/primary")).body["value"]
    assert len({row["nextHop"] for row in rows if row["network"] == "10.1.0.0/24"}) == 4
