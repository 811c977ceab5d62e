"""What farshore.yaml says against what the estate holds: topology, addresses, link, times (D17, D48 to D60).

The topology is checked against circuits and addresses; a contradiction is an error. The article's own cautions on a
working topology (D17, D57) are warnings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.project import Link, Topology
from farshore.estate.standing import stuck

GATEWAY_TAKES = timedelta(minutes=45)
"""E24: the longest that Azure's own text gives."""


@rule("FS101", "No machine is selected", "D21")
def nobody(context: Context) -> Iterator[Finding]:
    if not context.machines:
        machines = context.project.machines
        yield error(
            "machines",
            f"`machines` selects no machine of {context.project.source_region}",
            f"include {list(machines.include)}, exclude {list(machines.exclude)}",
            f"machines there: {', '.join(machine.name for machine in context.bystanders) or 'none'}",
            remedy="include the machines to recover, or correct the source region",
        )


@rule("FS102", "The topology does not fit the circuits", "D48", "D53", "D57")
def against_circuits(context: Context) -> Iterator[Finding]:
    if not context.source_circuits:
        return
    here = ", ".join(id_.name for id_ in context.source_circuits)
    there = ", ".join(id_.name for id_ in context.target_circuits)
    shared = set(context.source_circuits) & set(context.target_circuits)
    if context.connections(context.target) and shared:
        return  # who is connected to what is FS325's and FS331's
    if any(context.estate.express_route_circuit(id_) is None for id_ in context.source_circuits):
        return  # a connection to a circuit that is not there: FS321
    topology = context.project.topology
    several = len({*context.source_circuits, *context.target_circuits}) > 1
    # With new addresses both hubs may be on both (D91).
    shareable = several and topology is Topology.TWO_CIRCUITS_NEW_ADDRESSES
    if context.project.single_circuit and several:
        yield error(
            "topology",
            f"The topology is {topology}, and the estate has "
            + ("several circuits for both sides" if shared else "a circuit for each side"),
            f"source by {here}, target by {there}",
            remedy="choose a topology with two circuits, or leave out the router of the second",
        )
    elif not context.project.single_circuit and shared and not shareable:
        yield error(
            "topology",
            f"The topology is {topology}, and there is no second circuit for the target",
            f"source by {here}; no other circuit has a router of a site",
            remedy="add a router on the second circuit, or choose a topology with a single circuit",
        )


@rule("FS103", "The topology does not fit the peering locations", "D48", "D53")
def against_locations(context: Context) -> Iterator[Finding]:
    places = {circuit.id: circuit.peering_location for circuit in context.circuits if circuit.peering_location}
    here = {places[id_] for id_ in context.source_circuits if id_ in places}
    there = {places[id_] for id_ in context.target_circuits if id_ in places and id_ not in context.source_circuits}
    if not here or not there:
        return
    same = {place.lower() for place in here} & {place.lower() for place in there}
    topology = context.project.topology
    if topology is Topology.TWO_CIRCUITS_TWO_LOCATIONS and same:
        what = "both circuits are at one peering location"
    elif topology is Topology.TWO_CIRCUITS_ONE_LOCATION and not same:
        what = "the circuits are at two peering locations"
    else:
        return
    yield error(
        "topology",
        f"The topology is {topology}, and {what}",
        f"source at {', '.join(sorted(here))}, target at {', '.join(sorted(there))}",
        remedy="choose the topology that fits, or the other circuit",
    )


@rule("FS104", "The topology does not fit the addresses", "D17", "D52", "D60", "D66")
def against_addresses(context: Context) -> Iterator[Finding]:
    topology, keep = context.project.topology, context.project.keep_addresses
    wants_new, wants_kept = topology.value.endswith("new-addresses"), topology.value.endswith("kept-addresses")
    if (wants_new and keep) or (wants_kept and not keep):
        yield error(
            "topology",
            f"The topology is {topology}, and addresses are {'kept' if keep else 'mapped'}",
            remedy="give `addresses` a map" if keep else "set `addresses` to keep, or choose a topology with new ones",
        )


@rule("FS105", "One circuit and the same addresses on both shores", "D17", "D18", "D60", "D62", "D63")
def kept_on_one_circuit(context: Context) -> Iterator[Finding]:
    if context.project.single_circuit and context.project.keep_addresses:
        yield warning(
            "addresses",
            "With a single circuit the article recommends new addresses: source and target can't be connected at once",
            "in a regional disaster the source's disconnect may fail, and packets may be lost when the region returns",
            remedy="map the networks to new ranges, or accept that the guard acts when the region returns",
        )


@rule("FS106", "A single circuit ends at a single place", "D57", "E4")
def one_place(context: Context) -> Iterator[Finding]:
    if context.project.single_circuit and context.circuits:
        circuit = context.circuits[0]
        yield warning(
            "topology",
            f"{circuit.id.name} is the only circuit: it survives the loss of a link, not of"
            f" {circuit.peering_location or 'its peering location'}",
            remedy="add a circuit at another peering location if that must not be",
        )


@rule("FS107", "An objective's recovery time is shorter than making the gateway takes", "E24", "D13", "S57")
def too_short(context: Context) -> Iterator[Finding]:
    if context.project.provisions_ahead("gateway") or context.express_route_gateways(context.target):
        return
    for objective in context.objectives:
        if objective.recovery_time < GATEWAY_TAKES and not objective.deny:
            minutes = objective.recovery_time.total_seconds() / 60
            yield warning(
                f"objectives/{objective.name}",
                f"Objective {objective.name} allows {minutes:g} minutes, and the target's gateway alone takes up to 45",
                "the gateway is not among provision_ahead",
                remedy="provision the gateway ahead",
            )


@rule("FS108", "Site Recovery's defaults suit this project badly", "D86", "D17", "S31")
def default_networks(context: Context) -> Iterator[Finding]:
    """Site Recovery copies the source's ranges into networks that it makes; new addresses need networks made before."""
    if not context.project.keep_addresses and context.project.link is not Link.COLD:
        for home, there in zip(context.target.homes, context.target.networks, strict=True):
            if there.address_space == home.address_space:
                held = next(stuck(context.estate, context.project, home, there), None)
                yield (warning if held is None else error)(
                    there.id,
                    f"{there.name} has the ranges of {home.name}, as Site Recovery makes networks, and the project maps"
                    " them to new ones",
                    f"{', '.join(map(str, there.address_space))}",
                    *(() if held is None else (held.because,)),
                    remedy="provision gives it the new ones: nothing is in it yet" if held is None else held.remedy,
                )
