"""BGP neighbours of a VPN gateway, those that say nothing too."""

from __future__ import annotations

from farshore.arm.json import Body
from lab.core.bench import Lab, net
from lab.core.kinds import tunnel

VPN = net("vpn", kind="virtualNetworkGateways")


def peers(lab: Lab, query: str = "") -> list[tuple[str, int, str, int]]:
    rows = lab.follow(lab.post(f"{VPN}/getBgpPeerStatus{query}")).body["value"]
    return [(row["neighbor"], row["asn"], row["state"], row["routesReceived"]) for row in rows]


def connect(lab: Lab, *, bgp: bool) -> None:
    ends: Body = {
        "virtualNetworkGateway1": {"id": VPN},
        "localNetworkGateway2": {"id": net("site", kind="localNetworkGateways")},
        "connectionType": "IPsec",
        "sharedKey": "abc",
        "enableBgp": bgp,
    }
    lab.made(net("cn", kind="connections"), {"location": "eastasia", "properties": ends})


def test_a_neighbour_that_says_nothing_is_connecting() -> None:
    lab = Lab()
    tunnel(lab)
    assert peers(lab) == []
    connect(lab, bgp=True)
    assert peers(lab) == [("192.168.0.1", 65010, "Connecting", 0)]
    assert peers(lab, "?peer=192.168.0.1") == peers(lab) and peers(lab, "?peer=192.168.0.9") == []
    lab.gone(net("cn", kind="connections"))
    assert peers(lab) == []


def test_without_bgp_there_is_no_neighbour() -> None:
    lab = Lab()
    tunnel(lab)
    connect(lab, bgp=False)
    assert peers(lab) == []
