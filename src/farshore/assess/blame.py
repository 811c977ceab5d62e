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
    workloads = {own.id for side in context.sides for spoke in side.spokes for own in spoke.subnets}

    def role(of: Subnet) -> str:
        if of.name.lower() == GATEWAY_SUBNET:
            return "gateway"
        return "workload" if of.id in workloads else "other"

    sharing = (
        other
        for side in context.sides
        for network in side.networks
        for other in network.subnets
        if other.route_table == table.id and other.id != subnet.id
    )
    return subnet.id if any(role(other) != role(subnet) for other in sharing) else table.id
