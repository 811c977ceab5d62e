"""ExpressRoute gateways: two instances, each a BGP speaker of its own (E26).

    circuit edge ──eBGP 12076/65515──►  instance  ──iBGP──►  its network, and each that borrows the gateway (R29)

An instance tells the circuits the spaces of its network and of the borrowers (R40). It prefers by the connection's
weight, as local preference, then by the shortest path (E41). What comes out of a circuit goes to its own network and
there meets the table of the GatewaySubnet (R36); what comes from a network leaves by what BGP taught.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from farshore.arm.connectivity import VirtualNetworkGateway
from farshore.twin.bird import Session, among, into_kernel, protocol, says
from farshore.twin.draft import DELIVER, Draft, Host
from farshore.twin.ground import Ground
from farshore.twin.networks import FAMILIES, Fabric

MSEE = 12076


@dataclass
class Gateway:
    """A gateway with the instances that work."""

    view: VirtualNetworkGateway
    network: str
    hosts: list[Host] = field(default_factory=list)
    speaks: bool = True

    @property
    def key(self) -> str:
        return self.view.id.key


def gateways_of(ground: Ground, draft: Draft, fabrics: dict[str, Fabric]) -> dict[str, Gateway]:
    """The gateways whose network stands, wired to the networks that use them."""
    found = {}
    for key in fabrics:
        for view in ground.gateways_in(key):
            subnet = None if view.subnet is None else ground.subnet(view.subnet)
            if subnet is None:
                draft.missing[view.id.key] = "its GatewaySubnet is not in the estate"
                continue
            gateway = Gateway(view, key, speaks=ground.speaks(view))
            for number in ground.instances(view):
                host = draft.host(f"gateway:{view.id.key}#{number}")
                gateway.hosts.append(host)
                wire = draft.wire(host, fabrics[key].host)
                fabrics[key].from_gateway(wire, subnet.name)
                for family in FAMILIES:
                    there = fabrics[key].host.at[family]
                    host.ip.append(f"-{family} route add default via {there} dev {wire} onlink table {DELIVER}")
                    # What it has to say itself, to an address of the network's: a time to live that has run out.
                    host.ip.append(f"-{family} rule add iif lo lookup {DELIVER} priority 32767")
                for user in ground.users_of(key):
                    if user in fabrics:
                        draft.wire(host, fabrics[user].host)
            found[view.id.key] = gateway
    return found


def speak(gateway: Gateway, ground: Ground, fabrics: dict[str, Fabric], edges: list[tuple[Host, int, bool]]) -> None:
    """The configuration of a gateway's instances. `edges`: the hosts of its circuits' links with the connection's
    weight, and whether the link carries IPv6."""
    said = ground.announced(gateway.network)
    for host in gateway.hosts:
        for family in FAMILIES:
            mine = [edge for edge in edges if family == 4 or edge[2]]
            if not mine or not gateway.speaks:
                continue
            host.bird += says(family, "own", said)
            host.bird += into_kernel(family, "source = RTS_BGP")
            own = among(said, family)
            for edge, weight, _ in mine:
                refuse = f"if net ~ {own} then reject; " if own else ""
                accept = f"{refuse}bgp_local_pref = {weight}; accept;"
                say = "if source = RTS_STATIC then accept;"
                host.bird += protocol(Session(host, edge, family, gateway.view.asn, MSEE, accept, say))
            for user in _users(gateway, ground, fabrics):
                session = Session(
                    host,
                    user.host,
                    family,
                    gateway.view.asn,
                    gateway.view.asn,
                    "reject;",
                    "if source = RTS_BGP then accept;",
                )
                host.bird += protocol(session)


def heard_by(
    fabric: Fabric, gateways: dict[str, Gateway], ground: Ground, families: dict[str, set[int]]
) -> list[Session]:
    """The sessions of a network's own host with the instances that teach it."""
    found = []
    for gateway in gateways.values():
        if gateway.speaks and fabric.network.id.key in ground.users_of(gateway.network):
            asn = gateway.view.asn
            for host in gateway.hosts:
                for family in sorted(families.get(gateway.key, ())):
                    found.append(Session(fabric.host, host, family, asn, asn))
    return found


def inward(host: Host, wire: str) -> None:
    """What comes by this wire comes out of a circuit: on to the gateway's network."""
    for family in FAMILIES:
        host.ip.append(f"-{family} rule add iif {wire} lookup {DELIVER} priority 100")


def _users(gateway: Gateway, ground: Ground, fabrics: dict[str, Fabric]) -> list[Fabric]:
    return [fabrics[key] for key in ground.users_of(gateway.network) if key in fabrics]
