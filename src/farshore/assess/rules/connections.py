"""Connections between gateways and circuits: the source's that carries production, and the target's (D46, D50, E32)."""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.connectivity import Connection
from farshore.assess.context import EXPRESS_ROUTE, Context, Side
from farshore.assess.findings import Finding, error, info, rule, warning
from farshore.estate.project import Link

SUCCEEDED = "succeeded"


@rule("FS321", "A connection refers to what is not there", "E32", "D46")
def dangling(context: Context) -> Iterator[Finding]:
    for connection in _express_route(context):
        gateway, circuit = connection.virtual_network_gateway1, connection.peer
        if gateway is None or context.estate.virtual_network_gateway(gateway) is None:
            yield error(
                connection.id,
                f"{connection.id.name} belongs to the gateway {'nobody' if gateway is None else gateway.name},"
                " which the estate does not hold",
                remedy="read the gateway into the estate, or delete the connection",
            )
        elif circuit is None or context.estate.express_route_circuit(circuit) is None:
            yield error(
                connection.id,
                f"{connection.id.name} leads to the circuit {'nobody' if circuit is None else circuit.name},"
                " which the estate does not hold",
                f"peer is {'absent' if circuit is None else circuit.short}",
                remedy="set peer to the id of the circuit, or read the circuit into the estate",
            )


@rule("FS322", "A connection is not provisioned", "E32", "L7")
def not_provisioned(context: Context) -> Iterator[Finding]:
    for side, connection in _ours(context):
        if connection.provisioning_state.lower() != SUCCEEDED:
            yield error(
                connection.id,
                f"{connection.id.name} is {connection.provisioning_state}: the {side.name} may not be reached by it",
                f"provisioningState is {connection.provisioning_state}",
                remedy=f"wait until {connection.id.name} is Succeeded, or delete and create it again",
            )


@rule("FS323", "The source's gateway is connected to no circuit", "D38", "E32")
def unconnected(context: Context) -> Iterator[Finding]:
    # Of any type: one of the wrong type is FS324's.
    joined = {connection.virtual_network_gateway1 for connection in context.estate.connections}
    for gateway in context.express_route_gateways(context.source):
        if gateway.id not in joined:
            yield error(
                gateway.id,
                f"{gateway.id.name} has no connection to a circuit: no site reaches the machines",
                remedy="read the connection into the estate, or create it",
            )


@rule("FS324", "A connection's type or place does not fit its gateway", "E32")
def unfit(context: Context) -> Iterator[Finding]:
    for connection in context.estate.connections:
        gateway = context.estate.virtual_network_gateway(connection.virtual_network_gateway1)
        if gateway is None or gateway.gateway_type.lower() != EXPRESS_ROUTE:
            continue
        kind = connection.connection_type.lower()
        if kind != EXPRESS_ROUTE and (kind != "vnet2vnet" or connection.peer is not None):
            yield error(
                connection.id,
                f"{connection.id.name} is of type {connection.connection_type or 'nothing'} and its gateway an"
                " ExpressRoute gateway",
                remedy="set connectionType to ExpressRoute",
            )
        network = context.estate.virtual_network(None if gateway.subnet is None else gateway.subnet.parent)
        strayed = network is not None and gateway.location != network.location  # FS304
        if connection.location and gateway.location and connection.location != gateway.location and not strayed:
            yield error(
                connection.id,
                f"{connection.id.name} is located in {connection.location} and its gateway in {gateway.location}",
                remedy=f"recreate the connection in {gateway.location}",
            )


@rule("FS325", "The target is connected to the source's circuit", "D48", "D54", "D20")
def wrong_circuit(context: Context) -> Iterator[Finding]:
    if context.project.single_circuit:
        return
    for connection in context.connections(context.target):
        if connection.peer in context.source_circuits and not _also_elsewhere(context, connection):
            assert connection.peer is not None
            yield error(
                connection.id,
                f"{connection.id.name} connects the target to {connection.peer.name}, the source's own circuit",
                f"the topology is {context.project.topology}",
                remedy="set peer to the second circuit",
            )


@rule("FS326", "The target has no connection yet", "D46", "D50")
def absent_in_target(context: Context) -> Iterator[Finding]:
    if context.connections(context.source) and not context.connections(context.target):
        when = (
            "in the failover, as `link: cold` asks"
            if context.project.link is Link.COLD
            else "in the failover, as `provision_ahead` asks"
            if not context.project.provisions_ahead("connection")
            else f"before a disaster, as `link: {context.project.link}` asks"
        )
        names = ", ".join(circuit.name for circuit in context.target_circuits)
        yield info("link", f"The target has no connection to {names or 'a circuit'}: the plan makes it {when}")


@rule("FS327", "A connection says that it is not connected", "E32", "E36")
def status(context: Context) -> Iterator[Finding]:
    for _, connection in _ours(context):
        said = context.index.raw(connection.id).text("properties.connectionStatus")
        if said is not None and said.lower() == "notconnected":
            yield warning(
                connection.id,
                f"{connection.id.name} reports NotConnected",
                "the status proves little in either direction; the circuit's route tables do",
                remedy="read the circuit's routeTables on both links",
            )


@rule("FS328", "The target is connected already, and the project wants it cold", "D90", "D60")
def not_cold(context: Context) -> Iterator[Finding]:
    if context.project.link is Link.COLD:
        for connection in context.connections(context.target):
            yield warning(
                connection.id,
                f"{connection.id.name} connects the target, and `link` is cold: no connection before a failover",
                remedy="delete the connection, or set link to armed where two circuits allow it",
            )


@rule("FS329", "A connection to a circuit of another subscription needs an authorization", "E34")
def authorization(context: Context) -> Iterator[Finding]:
    gateways = context.express_route_gateways(context.source)
    if not gateways or context.connections(context.target):
        return
    subscription = gateways[0].id.subscription.lower()
    for circuit in context.circuits:
        if circuit.id not in context.target_circuits or circuit.id.subscription.lower() == subscription:
            continue
        items = list(context.index.raw(circuit.id).items("properties.authorizations"))
        free = [i for i in items if (i.text("properties.authorizationUseStatus") or "").lower() == "available"]
        if not free:
            yield warning(
                circuit.id,
                f"{circuit.id.name} is in another subscription and shows no free authorization for the target",
                f"{len(items)} authorizations, none Available",
                remedy="have the circuit's owner create an authorization for the target's connection",
            )


def leading_nowhere(context: Context) -> tuple[Connection, ...]:
    """The source's connections to circuits that the estate does not hold: what else it is connected to, nobody knows
    (FS321)."""
    return tuple(
        connection
        for connection in context.connections(context.source)
        if context.estate.express_route_circuit(connection.peer) is None
    )


def _express_route(context: Context) -> Iterator[Connection]:
    """Those that say so, in source or target region, or of our circuits."""
    regions = {context.project.source_region, context.project.target.region}
    for connection in context.estate.connections:
        if connection.connection_type.lower() == EXPRESS_ROUTE and connection.location in regions:
            yield connection


def _ours(context: Context) -> Iterator[tuple[Side, Connection]]:
    for side in context.sides:
        for connection in context.connections(side):
            yield side, connection


def _also_elsewhere(context: Context, connection: Connection) -> bool:
    """With new addresses both hubs may be on both circuits (D91): the other connection is there, or the plan makes
    it."""
    return not context.project.keep_addresses and any(id_ != connection.peer for id_ in context.target_circuits)
