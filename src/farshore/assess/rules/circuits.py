"""Circuits that source or target are reached by, and the site's end of them (E1 to E9, E33, D45, D49)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from farshore.arm.connectivity import CircuitPeering, ExpressRouteCircuit
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.outside import Router, Site
from farshore.routing.prefixes import overlap

LINKS = ("primary", "secondary")
AZURE_ASN = 12076
RESERVED_ASNS = range(65515, 65521)


@rule("FS311", "A circuit is not provisioned", "E2", "E33")
def not_provisioned(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        states = (
            ("serviceProviderProvisioningState", circuit.service_provider_provisioning_state, "Provisioned"),
            ("circuitProvisioningState", circuit.circuit_provisioning_state, "Enabled"),
            ("provisioningState", circuit.provisioning_state, "Succeeded"),
        )
        for name, found, wanted in states:
            if found.lower() != wanted.lower():
                yield error(
                    circuit.id,
                    f"{circuit.id.name} is not ready: {name} is {found}",
                    f"{name} must be {wanted}",
                    remedy="have the provider provision the circuit"
                    if name.startswith("service")
                    else f"bring {circuit.id.name} to {wanted}",
                )
                break


@rule("FS312", "A circuit's private peering is missing or disabled", "D45", "E8", "E33")
def no_private_peering(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        peering = circuit.private_peering
        if peering is None:
            yield error(
                circuit.id,
                f"{circuit.id.name} has no private peering: it reaches no virtual network",
                f"peerings: {', '.join(item.peering_type for item in circuit.peerings) or 'none'}",
                remedy="configure AzurePrivatePeering on the circuit",
            )
        elif peering.state.lower() != "enabled":
            yield error(
                peering.id,
                f"The private peering of {circuit.id.name} is {peering.state}: nothing is reached through it",
                f"state is {peering.state}",
                remedy="set the private peering's state to Enabled",
            )


@rule("FS313", "The BGP number of a circuit's private peering is wrong", "E9")
def wrong_asn(context: Context) -> Iterator[Finding]:
    for circuit, peering in _peerings(context):
        asn = peering.peer_asn
        if asn is None:
            continue
        sites = [site for site, _ in _routers_on(context, circuit)]
        if asn == AZURE_ASN or asn in RESERVED_ASNS:
            yield error(
                peering.id,
                f"The private peering of {circuit.id.name} expects AS {asn}, which is reserved for Azure",
                remedy="set peerASN to the site's own number",
            )
        elif sites and all(site.asn != asn for site in sites):
            site = sites[0]
            elsewhere = [
                other.private_peering.peer_asn
                for other in context.circuits
                if other.id != circuit.id
                and other.private_peering is not None
                and any(found is site for found, _ in _routers_on(context, other))
            ]
            # Where the site's other circuits don't agree with farshore.yaml either, the file is what is wrong.
            file_is_wrong = bool(elsewhere) and all(number == asn for number in elsewhere)
            yield error(
                f"sites/{site.name}" if file_is_wrong else peering.id,
                f"{circuit.id.name} expects AS {asn} at the far end, and {site.name} is AS {site.asn}:"
                " the BGP session does not come up",
                f"peerASN {asn}; sites/{site.name}/asn {site.asn}",
                remedy=f"set peerASN to {site.asn}; where a provider runs the routers, give the site the"
                " provider's number",
            )


@rule("FS314", "The link addresses of a circuit's private peering are wrong", "E9")
def link_addresses(context: Context) -> Iterator[Finding]:
    spaces = [
        (network, prefix) for side in context.sides for network in side.networks for prefix in network.address_space
    ]
    for circuit, peering in _peerings(context):
        prefixes = (peering.primary_peer_address_prefix, peering.secondary_peer_address_prefix)
        for name, prefix in zip(LINKS, prefixes, strict=True):
            taken = next((n for n, space in spaces if prefix is not None and overlap(space, prefix)), None)
            if isinstance(prefix, IPv4Network) and prefix.prefixlen != 30:
                yield error(
                    peering.id,
                    f"The {name} link of {circuit.id.name} has {prefix}, and a link needs a /30",
                    remedy=f"set {name}PeerAddressPrefix to a /30",
                )
            elif taken is not None:
                yield error(
                    peering.id,
                    f"The {name} link of {circuit.id.name} has {prefix}, which lies inside {taken.name}",
                    remedy="use a /30 that no virtual network has",
                )
        if prefixes[0] is not None and prefixes[0] == prefixes[1]:
            yield error(
                peering.id,
                f"Both links of {circuit.id.name} have {prefixes[0]}",
                "each link needs a /30 of its own",
                remedy="set secondaryPeerAddressPrefix to another /30",
            )


@rule("FS315", "No router of any site is on a circuit that the plan relies on", "E42", "D51")
def no_router(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        if not _routers_on(context, circuit):
            which = "source" if circuit.id in context.source_circuits else "target"
            yield error(
                "sites",
                f"No site has a router on {circuit.id.name}, by which the {which} is reached",
                remedy=f"add a router with circuit: {circuit.id.name} to the site that has it",
            )


@rule("FS316", "A circuit has a link that no router uses", "E4", "E9")
def single_link(context: Context) -> Iterator[Finding]:
    for circuit in context.circuits:
        routers = _routers_on(context, circuit)
        used = {link for _, router in routers for link in router.links}
        unused = [link for link in LINKS if link not in used]
        if routers and unused:
            site, router = routers[0]
            yield warning(
                f"sites/{site.name}/routers/{router.name}",
                f"The {unused[0]} link of {circuit.id.name} ends at no router: losing the other cuts the circuit",
                "both BGP sessions are required for the service level",
                remedy=f"add {unused[0]} to the links of a router on {circuit.id.name}",
            )


@rule("FS317", "Two routers claim one link of a circuit", "E9")
def link_twice(context: Context) -> Iterator[Finding]:
    for circuit in context.estate.express_route_circuits:
        holder: dict[str, tuple[Site, Router]] = {}
        for site, router in _routers_on(context, circuit):
            for link in router.links:
                if link in holder:
                    other_site, other = holder[link]
                    yield error(
                        f"sites/{site.name}/routers/{router.name}",
                        f"{other_site.name}/{other.name} and {site.name}/{router.name} both have the {link} link of"
                        f" {circuit.id.name}",
                        "a link is one /30 with one address for the customer's router",
                        remedy=f"give each router the links that end at it, or another circuit than {circuit.id.name}",
                    )
                    break
                holder[link] = (site, router)


@rule("FS318", "The target's circuit is smaller than the source's", "D49", "E6")
def smaller(context: Context) -> Iterator[Finding]:
    """A smaller one that both sides are on (D91) too: all traffic is on it when the larger is gone."""
    here = [c.bandwidth_in_mbps for c in context.circuits if c.id in context.source_circuits and c.bandwidth_in_mbps]
    for circuit in context.circuits:
        own = circuit.bandwidth_in_mbps
        if circuit.id in context.target_circuits and own is not None and here and own < max(here):
            which = "larger circuit" if circuit.id in context.source_circuits else "circuit"
            yield warning(
                circuit.id,
                f"{circuit.id.name} has {own} Mbps, the source's {which} {max(here)} Mbps",
                "it can be raised in a disaster if the port has room, needs the provider, and never shrinks back",
                remedy=f"check with the provider that {circuit.id.name} can be raised to {max(here)} Mbps",
            )


def _peerings(context: Context) -> Iterator[tuple[ExpressRouteCircuit, CircuitPeering]]:
    for circuit in context.circuits:
        if circuit.private_peering is not None:
            yield circuit, circuit.private_peering


def _routers_on(context: Context, circuit: ExpressRouteCircuit) -> list[tuple[Site, Router]]:
    return [(site, router) for site in context.estate.sites for router in site.routers if router.circuit == circuit.id]
