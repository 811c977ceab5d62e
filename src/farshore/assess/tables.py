"""What a subnet's table would do if everything around it worked: the design, not the moment.

A rule about route tables must not be blinded by what else is broken, or not built yet: a GatewaySubnet's table is wrong
whether or not the gateway is up. So the rows here are those of the design: the network itself, every peering as if
connected, the sites' prefixes as if the gateway had learned them, and the user's own routes. The choice among them is
Azure's (`routing/selection.py`, R14); what a packet meets at this moment is the traces' business (`rules/flows.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from farshore.arm.decode import Address, Network
from farshore.arm.network import NextHopType, Subnet, VirtualNetwork
from farshore.assess.context import Context, Side, is_appliance_route
from farshore.assess.rows import Rows
from farshore.routing.selection import choose
from farshore.routing.values import Choice, EffectiveRoute, RouteSource, RouteState

DEFAULT = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Where a subnet would send what goes to one part of a prefix."""

    prefix: Network
    """The prefix that was asked about."""
    address: Address
    choice: Choice
    appliance: bool
    """Whether it goes to an appliance that the design knows."""

    @property
    def chosen(self) -> EffectiveRoute | None:
        return self.choice.chosen

    @property
    def because(self) -> tuple[str, ...]:
        """The row that wins, and the appliance's that loses."""
        lines = [f"{self.prefix} takes {describe_row(self.chosen)}"]
        for passed in self.choice.passed_over:
            if passed.route.next_hop_type == NextHopType.VIRTUAL_APPLIANCE:
                lines.append(f"{describe_row(passed.route)} is passed over: {passed.reason}")
        return tuple(lines)


class Design:
    """The design's rows of a side's subnets."""

    def __init__(self, context: Context, side: Side) -> None:
        self.context = context
        self.side = side

    def answers(self, network: VirtualNetwork, subnet: Subnet, prefixes: Iterable[Network]) -> Iterator[Answer]:
        """One answer for each part into which the subnet's own routes cut the prefixes."""
        rows = Rows(self.rows(network, subnet))
        for prefix in prefixes:
            for address in rows.parts(prefix):
                choice = choose(rows.matching(address))
                yield Answer(prefix=prefix, address=address, choice=choice, appliance=self._is_appliance(choice.chosen))

    def rows(self, network: VirtualNetwork, subnet: Subnet) -> tuple[EffectiveRoute, ...]:
        """Network, peerings, sites by BGP unless propagation is off (R23), the user's routes."""
        rows = [_row(RouteSource.DEFAULT, prefix, NextHopType.VNET_LOCAL) for prefix in network.address_space]
        for peering in network.peerings:
            remote = self.context.estate.virtual_network(peering.remote_virtual_network)
            if remote is not None:
                by = peering.id.text
                rows += [_row(RouteSource.DEFAULT, p, NextHopType.VNET_PEERING, by=by) for p in remote.address_space]
        table = self.context.table_of(subnet)
        if table is None or not table.disable_bgp_route_propagation:
            rows += self._learned
        for route in () if table is None else table.routes:
            if not isinstance(route.address_prefix, str):
                hop = NextHopType.VIRTUAL_APPLIANCE if is_appliance_route(route) else route.next_hop_type
                hops = () if route.next_hop_ip_address is None else (route.next_hop_ip_address,)
                rows.append(
                    _row(RouteSource.USER, route.address_prefix, hop, hops, by=None if table is None else table.id.text)
                )
        return tuple(rows)

    @cached_property
    def _learned(self) -> tuple[EffectiveRoute, ...]:
        """The sites' prefixes, the same rows for every subnet that takes them."""
        gateway = NextHopType.VIRTUAL_NETWORK_GATEWAY
        return tuple(_row(RouteSource.VIRTUAL_NETWORK_GATEWAY, p, gateway) for p in self.context.site_prefixes)

    def _is_appliance(self, row: EffectiveRoute | None) -> bool:
        return (
            row is not None
            and row.next_hop_type == NextHopType.VIRTUAL_APPLIANCE
            and any(hop in self.side.appliances for hop in row.next_hop_ip_addresses)
        )


def describe_row(row: EffectiveRoute | None) -> str:
    """`192.168.0.0/16 VirtualNetworkGateway`, `0.0.0.0/0 VirtualAppliance 10.10.10.10 (User)`."""
    if row is None:
        return "no row at all"
    hops = "".join(f" {hop}" for hop in row.next_hop_ip_addresses)
    source = " (User)" if row.source == RouteSource.USER else ""
    return f"{row.address_prefix} {row.next_hop_type}{hops}{source}"


def _row(
    source: RouteSource, prefix: Network, hop: str, hops: tuple[Address, ...] = (), by: str | None = None
) -> EffectiveRoute:
    return EffectiveRoute(
        source=source.value,
        state=RouteState.ACTIVE.value,
        address_prefix=prefix,
        next_hop_type=str(hop),
        next_hop_ip_addresses=hops,
        by=by,
    )
