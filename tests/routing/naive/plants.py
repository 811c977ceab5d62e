"""Errors to plant in the engine: a fact forgotten, halved or turned round, at least one for each thing compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from farshore.arm.ids import ResourceId
from farshore.arm.network import NetworkSecurityGroup, SecurityRule
from farshore.routing import (
    Disposition,
    Trace,
    balancers,
    effective,
    exchange,
    machines,
    peering,
    pools,
    replies,
    security,
    selection,
    service_endpoints,
    sites,
    speakers,
    system,
    vpn,
    walk,
    world,
)
from farshore.routing.bgp import Heard
from farshore.routing.circuits import Attachment, EdgeTable
from farshore.routing.failures import Health
from farshore.routing.gateways import spoken_for
from farshore.routing.index import Holder, Index, network_key
from farshore.routing.prefixes import within
from farshore.routing.sites import Offer
from farshore.routing.values import EffectiveRoute

Patch = pytest.MonkeyPatch


# Rows


def bgp_in_a_network(patch: Patch) -> None:
    """R14.3 forgotten: BGP's more specific routes get into a network's own space."""
    patch.setattr(effective, "within", lambda *_: False)
    patch.setattr(selection, "SHIELDS", frozenset())


def bgp_equal_to_a_network(patch: Patch) -> None:
    """R15 by half: what equals a network's space is listed, what lies inside is not."""
    patch.setattr(effective, "within", lambda prefix, others: prefix not in others and within(prefix, others))


def reserved_for_ever(patch: Patch) -> None:
    """R3 and R4 forgotten: the reserved None rows stay beside a 0/0."""
    right = effective.effective

    def wrong(system: Any, bgp: Any, user: Any, governed: Any = frozenset()) -> tuple[EffectiveRoute, ...]:
        held = list(system)
        rows = right(held, bgp, user, governed)
        kept = {row.address_prefix for row in rows}
        return (*rows, *(r for r in held if r.next_hop_type == "None" and r.address_prefix not in kept))

    patch.setattr(world, "effective", wrong)


def nothing_invalid(patch: Patch) -> None:
    """R15 forgotten: a user's route leaves the equal one Active."""
    patch.setattr(effective, "_overridden", lambda *_: False)


def families_unasked(patch: Patch) -> None:
    """R10a forgotten: IPv6 rows where there is no such address."""
    patch.setattr(world, "of_families", lambda rows, _: tuple(rows))


def tunnel_before_circuit(patch: Patch) -> None:
    """R19 turned round."""
    right = world.World._sources
    patch.setattr(world.World, "_sources", lambda self, network: reversed(list(right(self, network))))


def any_path_to_a_server(patch: Patch) -> None:
    """R46 by half: a Route Server uses every path that it was told, not the shortest."""
    patch.setattr(world, "shortest", tuple)


def dead_appliances_speak(patch: Patch) -> None:
    """R46 forgotten: what a stopped appliance told a Route Server stays."""
    patch.setattr(Health, "speaks", lambda self, nic, address: self.neighbour(address))


def said_back(patch: Patch) -> None:
    """R19 by half: a gateway says what its Route Server has, even where it has a circuit's route itself."""
    patch.setattr(world.World, "bare_exchange", property(lambda self: exchange.converge(_without_speakers(self))))


def _without_speakers(of: world.World) -> Any:
    return replace(speakers.inputs_of(of, bare=True), speakers=(), attachments=())


def branches_always_talk(patch: Patch) -> None:
    """R46 forgotten: gateways say what Route Servers were told, branch-to-branch traffic or not."""
    patch.setattr(
        world.World,
        "servers_for",
        lambda self, network: [held for held in self.ground.route_servers.values() if held.network == network],
    )


def one_of_equal_appliances(patch: Patch) -> None:
    """R46 by half: of appliances that share the traffic only the first is seen."""
    patch.setattr(walk, "sharing", lambda equal: tuple(equal)[:1])


def stopped_gateway_speaks(patch: Patch) -> None:
    """R23 forgotten on the GatewaySubnet."""
    patch.setattr(world.World, "propagation_off", lambda *_: False)


def synced_at_once(patch: Patch) -> None:
    """R31 forgotten: a hub routes to space that its peering does not know yet."""
    patch.setattr(peering, "_reached", lambda _, remote: remote.address_space)


def endpoints_ungoverned(patch: Patch) -> None:
    """R49 forgotten."""
    patch.setattr(world, "governed_endpoints", lambda _: frozenset())


def users_override_services(patch: Patch) -> None:
    """R14 forgotten: the longest prefix decides over a service endpoint's, too."""
    patch.setattr(selection, "_ENDPOINTS", frozenset())


def services_everywhere(patch: Patch) -> None:
    """R22 forgotten: a plain endpoint covers all regions."""
    right = service_endpoints.endpoint_prefixes

    def wrong(service: str, location: str, known: Any) -> Any:
        return right(f"{service.removesuffix('.Global')}.Global", location, known)

    patch.setattr(system, "endpoint_prefixes", wrong)


def tags_before_prefixes(patch: Patch) -> None:
    """R18 forgotten: a tag beats an explicit prefix."""
    right = effective.user_routes

    def wrong(*given: Any) -> Any:
        rows, unknown = right(*given)
        return rows[::-1], unknown

    patch.setattr(world, "user_routes", wrong)


def tags_in_order_of_names(patch: Patch) -> None:
    """R18 by half: between tags the alphabet decides."""
    patch.setattr(effective, "_tag_rank", lambda route: (0, str(route.address_prefix)))


# Choices


def path_before_weight(patch: Patch) -> None:
    """E41 turned round."""

    def wrong(routes: Any) -> Any:
        held = tuple(routes)
        best = min(((len(r.as_path), -r.weight) for r in held), default=None)
        return tuple(r for r in held if (len(r.as_path), -r.weight) == best)

    patch.setattr(world, "preferred", wrong)


def preference_forgotten(patch: Patch) -> None:
    patch.setattr(sites, "_order", lambda offer: (len(offer.as_path), offer.med))


def med_forgotten(patch: Patch) -> None:
    def wrong(offer: Offer) -> tuple[int, int]:
        return -offer.local_preference, len(offer.as_path)

    patch.setattr(sites, "_order", wrong)


def every_gateway_open(patch: Patch) -> None:
    """E38 forgotten: what one gateway says goes to all others."""
    right = EdgeTable.towards

    def wrong(edge: EdgeTable, attachment: Attachment, others: Iterable[Attachment], msee: Any) -> Iterator[Heard]:
        opened = [replace(other, allow_remote_vnet_traffic=True) for other in others]
        return right(edge, replace(attachment, allow_remote_vnet_traffic=True), opened, msee)

    patch.setattr(EdgeTable, "towards", wrong)


def four_only(patch: Patch) -> None:
    """Gateways say nothing of IPv6."""
    patch.setattr(world, "spoken_for", lambda *given: [held for held in spoken_for(*given) if held[0].version == 4])


def half_a_tunnel_carries(patch: Patch) -> None:
    """A tunnel between two gateways works with one side's connection."""
    patch.setattr(vpn, "_answered", lambda *_: True)


def broken_tunnels_carry(patch: Patch) -> None:
    """A connection that is down carries all the same."""
    patch.setattr(Health, "connection", lambda *_: True)


# Ends


def dead_is_no_route(patch: Patch) -> None:
    _renamed(patch, Disposition.PATH_DEAD, Disposition.NO_ROUTE)


def nobody_is_no_route(patch: Patch) -> None:
    _renamed(patch, Disposition.NO_MACHINE, Disposition.NO_ROUTE)


def a_loop_is_dead(patch: Patch) -> None:
    _renamed(patch, Disposition.LOOPED, Disposition.PATH_DEAD)


def _renamed(patch: Patch, right: Disposition, wrong: Disposition) -> None:
    """Every end of one kind is said to be of another."""
    ended = walk._Walk.end

    def end(self: Any, disposition: Disposition, because: str, **more: Any) -> Trace:
        return ended(self, wrong if disposition == right else disposition, because, **more)

    patch.setattr(walk._Walk, "end", end)


def stopped_machines_answer(patch: Patch) -> None:
    """R25 forgotten."""
    patch.setattr(Health, "nic", lambda *_: None)


def regions_never_fail(patch: Patch) -> None:
    patch.setattr(Health, "region", lambda *_: True)


def endpoint_is_nobody(patch: Patch) -> None:
    """A private endpoint's interface, which is on no machine, takes nothing but by its own row."""
    patch.setattr(Index, "_endpoints_by_nic", lambda _: {})


def balancer_notices_nothing(patch: Patch) -> None:
    """A load balancer takes its first member, dead or not."""
    right = machines._of_frontend

    def wrong(of: Any, frontend: Any, network: Any) -> Any:
        return right(of, replace(frontend, members=frontend.members[:1]), network)

    patch.setattr(machines, "_of_frontend", wrong)


def first_member_only(patch: Patch) -> None:
    """Of a pool's members only the first is followed."""
    right = machines._of_pool

    def wrong(*given: Any) -> Any:
        found = right(*given)
        return found if isinstance(found, str) else replace(found, members=found.members[:1])

    patch.setattr(machines, "_of_pool", wrong)


def good_share_counts(patch: Patch) -> None:
    """Of shares that end differently the last is told, not the worst."""
    patch.setattr(pools, "shared", lambda ends, *_: ends[-1])


def a_frontend_forgets(patch: Patch) -> None:
    """R43 forgotten where a reply comes by the frontend that the flow came by."""
    patch.setattr(replies, "_record", lambda hop: hop.id.key if isinstance(hop.id, ResourceId) else "")


def one_state_for_each_member(patch: Patch) -> None:
    """A pool's members keep states of their own, whatever the hash."""
    right = machines._of_pool

    def wrong(*given: Any) -> Any:
        found = right(*given)
        if isinstance(found, str) or not found.members:
            return found
        return replace(found, members=tuple(replace(item, state_key=item.id.key) for item in found.members))

    patch.setattr(machines, "_of_pool", wrong)


def bare_addresses_unread(patch: Patch) -> None:
    """Pools that hold addresses are empty."""
    patch.setattr(balancers.Behind, "_named", lambda *_: iter(()))


def balancers_of_four_only(patch: Patch) -> None:
    """A load balancer's IPv6 frontend is nobody's address."""
    right = Index.frontend
    patch.setattr(Index, "frontend", lambda of, key, at: right(of, key, at) if at.version == 4 else None)


def own_addresses_forwarded(patch: Patch) -> None:
    """R24 by half: an appliance forwards what is for another address of its own."""
    right = machines._of_nic
    patch.setattr(machines, "_of_nic", lambda of, holder: replace(right(of, holder), own=(holder.address,)))


def one_address_a_family(patch: Patch) -> None:
    """A NIC's second addresses are nobody's."""
    right = Index._holders_by_address

    def wrong(of: Index) -> Any:
        held = {key: [h for h in holders if _first(h)] for key, holders in right(of).items()}
        return {key: holders for key, holders in held.items() if holders}

    patch.setattr(Index, "_holders_by_address", wrong)


def _first(holder: Holder) -> bool:
    primary = holder.nic.primary
    return holder.address.version == 6 or primary is None or holder.address == primary.private_ip_address


def any_gateway_is_vpn(patch: Patch) -> None:
    """R21 by half: a user's row finds a VPN gateway beside ExpressRoute."""

    def wrong(of: Any, network: Any) -> Any:
        keys = [network.id.key, *(live.remote_key for live in of.ground.remote_of.get(network.id.key, ()))]
        held = [gateway for key in keys for gateway in of.index.gateways_in.get(key, ())]
        return next((gateway for gateway in held if gateway.gateway_type == "Vpn"), None)

    patch.setattr(walk, "vpn_gateway_of", wrong)


# Groups


def priorities_unread(patch: Patch) -> None:
    """R42 forgotten: rules in the order of the list."""

    def wrong(group: NetworkSecurityGroup, direction: str) -> tuple[SecurityRule, ...]:
        own = [rule for rule in group.security_rules if rule.direction == direction]
        return (*own, *security._DEFAULTS[direction])

    patch.setattr(security, "_rules", wrong)


def ports_unread(patch: Patch) -> None:
    patch.setattr(security, "_port", lambda *_: True)


def protocols_unread(patch: Patch) -> None:
    right = security._matches
    patch.setattr(security, "_matches", lambda of, rule, holder, it: right(of, replace(rule, protocol="*"), holder, it))


def application_groups_empty(patch: Patch) -> None:
    right = security._end

    def wrong(of: Any, prefixes: Any, groups: Any, address: Any, holder: Any) -> bool | None:
        return False if groups else right(of, prefixes, groups, address, holder)

    patch.setattr(security, "_end", wrong)


def application_groups_of_whole_nics(patch: Patch) -> None:
    """A NIC's second address is in the groups of its first."""
    right = security._end

    def wrong(of: Any, prefixes: Any, groups: Any, address: Any, holder: Any) -> bool | None:
        nics = {held.nic.id.key: held.nic for held in of.index.at(network_key(holder.subnet), address)}
        items = (item for nic in nics.values() for item in nic.ip_configurations)
        if any(set(groups) & set(item.application_security_groups) for item in items):
            return True
        return right(of, prefixes, groups, address, holder)

    patch.setattr(security, "_end", wrong)


def tag_of_the_network_alone(patch: Patch) -> None:
    """R44 forgotten."""

    def wrong(of: Any, subnet: Any) -> Any:
        return of.index.network_of(subnet).address_space

    patch.setattr(world, "virtual_network_tag", wrong)


def one_group_only(patch: Patch) -> None:
    """R43 by half: a NIC's own group is not asked."""
    right = security.refusal

    def wrong(of: Any, holder: Any, direction: str, packet: Any) -> Any:
        nic = replace(holder.nic, network_security_group=None)
        return right(of, replace(holder, nic=nic), direction, packet)

    patch.setattr(pools, "refusal", wrong)


PLANTS = (
    bgp_in_a_network,
    bgp_equal_to_a_network,
    reserved_for_ever,
    nothing_invalid,
    families_unasked,
    synced_at_once,
    endpoints_ungoverned,
    users_override_services,
    services_everywhere,
    tags_before_prefixes,
    tags_in_order_of_names,
    tunnel_before_circuit,
    any_path_to_a_server,
    dead_appliances_speak,
    said_back,
    branches_always_talk,
    one_of_equal_appliances,
    stopped_gateway_speaks,
    path_before_weight,
    preference_forgotten,
    med_forgotten,
    every_gateway_open,
    four_only,
    half_a_tunnel_carries,
    broken_tunnels_carry,
    dead_is_no_route,
    nobody_is_no_route,
    a_loop_is_dead,
    stopped_machines_answer,
    regions_never_fail,
    endpoint_is_nobody,
    balancer_notices_nothing,
    first_member_only,
    good_share_counts,
    a_frontend_forgets,
    one_state_for_each_member,
    bare_addresses_unread,
    balancers_of_four_only,
    own_addresses_forwarded,
    one_address_a_family,
    any_gateway_is_vpn,
    priorities_unread,
    ports_unread,
    protocols_unread,
    application_groups_empty,
    application_groups_of_whole_nics,
    tag_of_the_network_alone,
    one_group_only,
)
