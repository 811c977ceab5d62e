"""DRILL over the path: machines are tested in a network that sites reach as they would reach the far shore.

    a network of other ranges than any, its subnets under the tables that the machines' own have on the far shore
    hub's side of the peering -> the gateway subnet's table knows the range -> the drill's side, with the hub's gateway
    circuits announce the range -> machines boot in their waves -> packets -> cleanup
    the drill's side goes first (the range is withdrawn) -> circuits clear -> route -> hub's side -> network

The gateway's table knows the range before anything is announced (D41, D85), and forgets it only when nothing is any
more: a site never meets a test machine past the appliance. What is announced is the drill's own range, which nobody
else has, so that no flow of production can find its way there, whatever fails: the proof looks at every moment of it.
A range of its own is what lets the drill share a circuit with the source (D19, S42).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import VirtualNetwork
from farshore.estate.project import Link
from farshore.plan import actions
from farshore.plan.builders import drill, looks
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import Phase
from farshore.plan.recovery import slug

NAME = "path-drill"


def why_not(design: Design) -> str | None:
    """Why there can be no drill over the path; None where there can."""
    project = design.project
    if not design.gateways or not design.target_circuits:
        return "the target has no gateway and circuit that a path drill could go through"
    if project.link is Link.COLD or not {"gateway", "connection", "peerings"} <= design.ahead:
        return "the target's link is cold: its gateway is connected to no circuit before a disaster (path-drill)"
    if project.appliances and not {"appliances", "routeTables"} <= design.ahead:
        return "the target's appliances and tables are not provisioned ahead, and the path leads through them"
    if project.drill.network is not None:
        return (
            f"farshore.yaml names the drill's network {project.drill.network.name}; a path drill makes its own and "
            "takes it away again: `drill: {address_space: [...]}` gives it a range"
        )
    for space in _spaces(design):
        for owner, prefix in _others(design):
            if space.version == prefix.version and space.overlaps(prefix):
                return f"the drill's range {space} is {owner}'s too: it would be announced to the sites (D19)"
    return None


def build(design: Design, draft: Draft) -> None:
    draft.begin(Phase.DRILL)
    network, body, places = drill.made(design, NAME, tables=True)
    hub = _hub(design)
    spaces = [str(space) for space in _spaces(design)]
    draft.begin(
        Phase.DRILL,
        [draft.put(f"network/{network.name}", body, title=f"Create the drill's network {network.name}: {spaces[0]}")],
    )
    near = _peering(hub, network, {"allowGatewayTransit": True, "useRemoteGateways": False})
    far = _peering(network, hub, {"allowGatewayTransit": False, "useRemoteGateways": True})
    routes = _routes(design, spaces)
    ready = [draft.put("peering/hub", near.body, title=f"Peer {hub.name} with {network.name}")]
    for route in routes:
        title = f"The gateway's table {route.id.parent.name} leads {route.prefix} to the appliance (D41)"  # type: ignore[union-attr]
        ready = [draft.put(f"route/{route.id.name}", route.body, title=title, after=ready)]
    ready = [
        draft.put(
            "peering/drill",
            far.body,
            title=f"{network.name} uses the hub's gateway: {spaces[0]} is announced",
            after=ready,
        )
    ]
    for circuit in design.target_circuits:
        ready = [looks.read_circuit(draft, f"announced/{circuit.name}", circuit, spaces, [], ready)]
    drill.test(design, draft, network, places, ready, reached=True)
    draft.begin(Phase.DRILL, draft.ends())
    ready = [draft.delete("unpeer/drill", far.id, title=f"{network.name} leaves the hub: {spaces[0]} is withdrawn")]
    for circuit in design.target_circuits:
        ready = [looks.read_circuit(draft, f"withdrawn/{circuit.name}", circuit, [], spaces, ready)]
    for route in reversed(routes):
        title = f"The gateway's table {route.id.parent.name} forgets {route.prefix}"  # type: ignore[union-attr]
        ready = [draft.delete(f"unroute/{route.id.name}", route.id, title=title, after=ready)]
    ready = [draft.delete("unpeer/hub", near.id, title=f"{hub.name} leaves {network.name}", after=ready)]
    draft.delete("remove/network", network, title=f"Delete the drill's network {network.name}", after=ready)
    clear = [actions.expect_circuit(circuit, absent=spaces) for circuit in design.target_circuits]
    drill.show_clean(design, draft, [near.id, far.id, *(route.id for route in routes), network], clear)


# Parts. ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    id: ResourceId
    body: Body
    prefix: str = ""


def _peering(here: ResourceId, there: ResourceId, flags: dict[str, Any]) -> _Part:
    id_ = here.child("virtualNetworkPeerings", f"to-{there.name}")
    properties = {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        **flags,
        "remoteVirtualNetwork": {"id": there.text},
    }
    return _Part(id=id_, body={"id": id_.text, "name": id_.name, "properties": properties})


def _source_hub(design: Design) -> VirtualNetwork:
    """The hub with the gateway that the sites come through."""
    subnet = design.gateways[0].subnet
    hub = None if subnet is None else design.estate.virtual_network(subnet.parent)
    assert hub is not None, "a gateway of the design stands in one of its networks"
    return hub


def _hub(design: Design) -> ResourceId:
    return design.counterparts.of(_source_hub(design).id)


def _routes(design: Design, spaces: list[str]) -> list[_Part]:
    """What the gateway subnet's table of the target must know of the drill; nothing where the source's sends nothing
    through an appliance."""
    subnet = _source_hub(design).subnet("GatewaySubnet")
    source = None if subnet is None or subnet.route_table is None else design.estate.route_table(subnet.route_table)
    routes = () if source is None else source.routes
    hops = [route.next_hop_ip_address for route in routes if route.next_hop_ip_address is not None]
    if source is None or not hops:
        return []
    table = design.counterparts.of(source.id)
    parts = []
    for number, space in enumerate(spaces, 1):
        id_ = table.child("routes", f"to-{slug(design.project.name)}-drill-{number}")
        properties = {
            "addressPrefix": space,
            "nextHopType": "VirtualAppliance",
            "nextHopIpAddress": str(design.target.next_hop(str(hops[0]))),
        }
        parts.append(_Part(id=id_, body={"id": id_.text, "name": id_.name, "properties": properties}, prefix=space))
    return parts


def _spaces(design: Design) -> tuple[Network, ...]:
    return tuple(design.project.drill.address_space) or drill.DEFAULT_SPACE


def _others(design: Design) -> list[tuple[str, Network]]:
    """Everybody's ranges: networks, here and to come, and sites. The isolated drill's own network meets nobody."""
    own = f"{slug(design.project.name)}-drill"
    found = [(n.name, p) for n in design.estate.virtual_networks if n.name != own for p in n.address_space]
    found += [("the far shore", prefix) for prefix in design.announced_there]
    return found + [(site.name, prefix) for site in design.estate.sites for prefix in site.prefixes]
