"""How far a circuit reaches (E17 to E19, D58), and what two circuits at one place are worth (D53, D56).

The test compares geopolitical regions, not the names of two Azure regions: a Standard circuit in Hong Kong reaches
Southeast Asia, and a Local one does not. What no table says is unknown, and nobody concludes from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farshore.arm.connectivity import ExpressRouteCircuit, global_reach
from farshore.arm.regions import geopolitical_region_at, geopolitical_region_of, local_regions
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, info, rule, warning
from farshore.assess.rules.connections import leading_nowhere


@rule("FS121", "A Local circuit does not reach the region", "E17", "E19")
def local(context: Context) -> Iterator[Finding]:
    for circuit, region in _uses(context):
        if _tier(context, circuit) != "local" or circuit.peering_location is None:
            continue
        reached = local_regions(circuit.peering_location)
        if reached is None:
            yield warning(
                circuit.id,
                f"{circuit.id.name} is a Local circuit at {circuit.peering_location}; whether it reaches {region} is"
                " not known here",
                remedy="check the locations list, or use a Standard circuit",
            )
        elif region not in reached:
            yield error(
                circuit.id,
                f"{circuit.id.name} is a Local circuit at {circuit.peering_location} and does not reach {region}",
                f"it reaches {', '.join(sorted(reached))} only",
                remedy="raise sku.tier to Standard, or use a circuit near the region",
            )


@rule("FS122", "A circuit needs the Premium tier", "D58", "E17")
def premium(context: Context) -> Iterator[Finding]:
    for circuit, region in _uses(context):
        if _tier(context, circuit) in ("premium", "local") or circuit.peering_location is None:
            continue
        there, here = geopolitical_region_of(region), geopolitical_region_at(circuit.peering_location)
        if there is not None and here is not None and there != here:
            yield error(
                circuit.id,
                f"{circuit.id.name} at {circuit.peering_location} is {circuit.sku_tier or 'of no tier'} and can't be"
                f" linked to {region}",
                f"{circuit.peering_location} is in {here}, {region} in {there}",
                remedy="raise sku.tier to Premium",
            )


@rule("FS123", "Both circuits are at one peering location", "D53", "D56", "E16")
def one_location(context: Context) -> Iterator[Finding]:
    places = {circuit.id: circuit.peering_location.lower() for circuit in context.circuits if circuit.peering_location}
    here = {places[id_] for id_ in context.source_circuits if id_ in places}
    for id_ in context.target_circuits:
        if id_ in places and id_ not in context.source_circuits and places[id_] in here:
            circuit = context.estate.express_route_circuit(id_)
            assert circuit is not None
            yield warning(
                circuit.id,
                f"{circuit.id.name} is at {circuit.peering_location} like the source's circuit: losing the place loses"
                " both",
                "the article says that circuits of one location can't join one network (D56);"
                " today up to four can (E16)",
                remedy="use a circuit at another peering location if the place must not be a single point of failure",
            )


@rule("FS126", "Global Reach that can't be", "E46", "E17")
def reach(context: Context) -> Iterator[Finding]:
    circuits = {circuit.id: circuit for circuit in context.estate.express_route_circuits}
    for pair, connection in global_reach(circuits.values()):
        ends = sorted((circuits[id_] for id_ in pair if id_ in circuits), key=lambda circuit: circuit.id.key)
        why = _unjoinable(context, ends)
        if why:
            yield error(
                connection.id,
                f"Global Reach can't join {' and '.join(circuit.id.name for circuit in ends)}: {why}",
                remedy="join circuits of Standard or Premium at different peering locations, both Premium where the"
                " geopolitical regions differ",
            )


def _unjoinable(context: Context, ends: Sequence[ExpressRouteCircuit]) -> str:
    for circuit in ends:
        if _tier(context, circuit) == "local":
            return f"{circuit.id.name} is a Local circuit"
    places = [circuit.peering_location for circuit in ends if circuit.peering_location]
    if len(ends) < 2 or len(places) < 2:
        return ""
    if places[0].lower() == places[1].lower():
        return f"both are at {places[0]}"
    regions = [geopolitical_region_at(place) for place in places]
    standard = [circuit.id.name for circuit in ends if _tier(context, circuit) == "standard"]
    if None not in regions and regions[0] != regions[1] and standard:
        return f"{places[0]} is in {regions[0]}, {places[1]} in {regions[1]}, and {standard[0]} is Standard"
    return ""


@rule("FS124", "The reach of a circuit is not known", "E18")
def unknown(context: Context) -> Iterator[Finding]:
    for circuit, region in _uses(context):
        place = circuit.peering_location
        if place is None or _tier(context, circuit) == "premium":
            continue
        if geopolitical_region_at(place) is None or geopolitical_region_of(region) is None:
            yield info(
                circuit.id,
                f"Whether {circuit.id.name} at {place} reaches {region} without Premium is not in our table",
                remedy="check the locations list",
            )


@rule("FS125", "The circuits are crossed", "D48", "D49", "E19")
def crossed(context: Context) -> Iterator[Finding]:
    """The source by the circuit at the target's door and the target by the one at the source's: a disaster that takes a
    region and the place beside it then takes the other side's circuit."""
    source, target = context.project.source_region, context.project.target.region
    theirs = set(context.target_circuits) - set(context.source_circuits)
    for connection in () if leading_nowhere(context) else context.connections(context.source):
        here = context.estate.express_route_circuit(connection.peer)
        others = [c for c in context.circuits if c.id in theirs]
        if here is None or not others or not _is_beside(here, target) or _is_beside(here, source):
            continue
        if all(_is_beside(other, source) and not _is_beside(other, target) for other in others):
            yield error(
                connection.id,
                f"{connection.id.name} joins the source to {here.id.name} at {here.peering_location}, and leaves"
                f" {others[0].id.name} at {others[0].peering_location} to the target",
                f"{here.peering_location} is beside {target}, {others[0].peering_location} beside {source}",
                remedy=f"connect the source to {others[0].id.name}, and the target to {here.id.name}",
            )


def _uses(context: Context) -> Iterator[tuple[ExpressRouteCircuit, str]]:
    """Each circuit with each region that is, or will be, linked to it."""
    pairs = [(id_, context.project.source_region) for id_ in context.source_circuits]
    pairs += [(id_, context.project.target.region) for id_ in context.target_circuits]
    for id_, region in dict.fromkeys(pairs):
        circuit = context.estate.express_route_circuit(id_)
        if circuit is not None:
            yield circuit, region


def _tier(context: Context, circuit: ExpressRouteCircuit) -> str:
    """The tier in lower case; where the body gives only the SKU's name, its first part (`Local_UnlimitedData`)."""
    name = context.index.raw(circuit.id).text("sku.name") or ""
    return (circuit.sku_tier or name.partition("_")[0]).lower()


def _is_beside(circuit: ExpressRouteCircuit, region: str) -> bool:
    reached = None if circuit.peering_location is None else local_regions(circuit.peering_location)
    return reached is not None and region in reached
