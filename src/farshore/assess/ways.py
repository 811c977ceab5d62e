"""What a conversation's way rests on, by design: the things whose change could mend or break it.

Used to fold: when a flow fails and something on this list is already an error, the flow's failure follows from it. The
list is wide on purpose (both ends, their subnets, tables and groups, peerings, hubs, appliances, gateways, connections,
circuits, routers), because a broken thing is often one that the packet never came to.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId
from farshore.arm.network import VirtualNetwork
from farshore.assess.context import GATEWAY_SUBNET, Context
from farshore.assess.objectives import Conversation, Endpoint
from farshore.routing.values import Trace


def elements_of(context: Context, talk: Conversation, *traces: Trace) -> frozenset[str]:
    """Lower-case ids, and paths of farshore.yaml."""
    found = {item.lower() for end in (talk.source, talk.destination) for item in _of_end(context, end)}
    if talk.source.machine is None or talk.destination.machine is None:
        found |= {item.lower() for item in _of_circuits(context)}
    for address in context.source.appliances:
        for hub in context.source.hubs:
            found |= {holder.nic.id.key for holder in context.index.at(hub.id.key, address)}
    found |= {nic.id.key for nic in context.appliance_nics} | set(context.appliance_machines)
    for trace in traces:
        for hop in trace.hops:
            if hop.id is not None:
                found.add(str(hop.id).lower())
            if hop.choice is not None and hop.choice.chosen is not None and hop.choice.chosen.by:
                found.add(hop.choice.chosen.by.lower())
    return frozenset(found)


def _of_end(context: Context, end: Endpoint) -> Iterator[str]:
    if end.nic is None:
        yield f"sites/{end.name}"
        return
    if end.machine is not None:
        yield end.machine.key
    yield end.nic.key
    nic = context.estate.network_interface(end.nic)
    for item in () if nic is None else nic.ip_configurations:
        if item.subnet is not None:
            yield from _of_subnet(context, item.subnet)
    if nic is not None and nic.network_security_group is not None:
        yield nic.network_security_group.key
    network = context.index.network_of(end.nic)
    if network is not None:
        yield from _of_network(context, network)


def _of_subnet(context: Context, id_: ResourceId) -> Iterator[str]:
    yield id_.key
    subnet = context.estate.subnet(id_)
    for other in () if subnet is None else (subnet.route_table, subnet.network_security_group):
        if other is not None:
            yield other.key


def _of_network(context: Context, network: VirtualNetwork) -> Iterator[str]:
    """The network, its peerings with hubs, both halves, and the hubs' own subnets."""
    yield network.id.key
    for hub in context.source.hubs:
        for own, other in ((network, hub), (hub, network)):
            peering = context.peering_between(own, other)
            if peering is not None:
                yield peering.id.key
                yield hub.id.key
        for subnet in hub.subnets:
            holds_appliance = any(
                item.subnet == subnet.id for nic in context.appliance_nics for item in nic.ip_configurations
            )
            if subnet.name.lower() == GATEWAY_SUBNET or holds_appliance:
                yield from _of_subnet(context, subnet.id)


def _of_circuits(context: Context) -> Iterator[str]:
    for gateway in context.express_route_gateways(context.source):
        yield gateway.id.key
    for side in context.sides:
        # The target's connection too: a second offer of one range is a way's trouble as well.
        yield from (connection.id.key for connection in context.connections(side))
    for circuit in context.circuits:
        yield circuit.id.key
        yield from (peering.id.key for peering in circuit.peerings)
    for site in context.estate.sites:
        yield f"sites/{site.name}"
        yield from (f"sites/{site.name}/routers/{router.name}" for router in site.routers)
    yield "sites"
