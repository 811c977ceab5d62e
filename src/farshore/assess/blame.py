"""Which of two things to change, where one is right and only in the wrong place.

A route table that is good for a spoke is bad for the appliance's subnet and for a GatewaySubnet (R36, R35). When a
subnet carries a table that subnets of another role carry too, the table is as it should be there, and what was edited
is the subnet's reference to it.
"""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.arm.network import RouteTable, Subnet
from farshore.assess.context import GATEWAY_SUBNET, Context


def table_or_subnet(context: Context, subnet: Subnet, table: RouteTable | None) -> ResourceId:
    """The table; the subnet where it has none, or one that subnets of another role share."""
    if table is None:
        return subnet.id
    shared = context.remember("roles of tables", lambda: _roles(context)).get(table.id, {})
    role = _role(subnet, _workloads(context))
    return subnet.id if any(other != role and holders - {subnet.id} for other, holders in shared.items()) else table.id


def _roles(context: Context) -> dict[ResourceId, dict[str, set[ResourceId]]]:
    """The subnets that carry each table, by their role."""
    workloads = _workloads(context)
    found: dict[ResourceId, dict[str, set[ResourceId]]] = {}
    for side in context.sides:
        for network in side.networks:
            for subnet in network.subnets:
                if subnet.route_table is not None:
                    roles = found.setdefault(subnet.route_table, {})
                    roles.setdefault(_role(subnet, workloads), set()).add(subnet.id)
    return found


def _role(subnet: Subnet, workloads: frozenset[ResourceId]) -> str:
    if subnet.name.lower() == GATEWAY_SUBNET:
        return "gateway"
    return "workload" if subnet.id in workloads else "other"


def _workloads(context: Context) -> frozenset[ResourceId]:
    """Subnets with machines in spokes."""
    return context.remember(
        "workloads",
        lambda: frozenset(own.id for side in context.sides for spoke in side.spokes for own in spoke.subnets),
    )
