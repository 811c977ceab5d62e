"""What is linked to a circuit, and what its tier allows of that (E5, E15, E17, E46).

A connection to a gateway is a link, and so is Global Reach to another circuit. How many there may be goes by tier and
bandwidth; which regions a circuit reaches, by tier and peering location. A circuit that is to get a smaller tier must
fit it with all that it has. No page names the codes: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.regions import geopolitical_region_at, geopolitical_region_of, local_regions
from farshore.lab.answers import bad_request
from farshore.lab.network.references import CONNECTIONS, ref

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

CIRCUIT_CONNECTIONS = "Microsoft.Network/expressRouteCircuits/peerings/connections"
MOST_PREMIUM = {50: 20, 100: 25, 200: 25, 500: 40, 1000: 50, 2000: 60, 5000: 75, 10000: 100}
MOST = 10
"""E15."""


def connections_of(cloud: Cloud, circuit: ResourceId) -> list[Body]:
    """The connections whose peer is this circuit (E32)."""
    return [body for body in cloud.of_type(CONNECTIONS) if (ref(body, "peer") or "").lower() == circuit.key]


def is_joined(connection: Body) -> bool:
    """Whether Global Reach has joined two circuits by it, or is about to."""
    properties = connection["properties"]
    apart = properties.get("circuitConnectionStatus") == "Disconnected"
    return not apart or str(properties.get("provisioningState")) == "Updating"


def joined_with(cloud: Cloud, circuit: ResourceId) -> set[ResourceId]:
    """The circuits that Global Reach joins with this one, from either side (E46)."""
    found = set()
    for body in cloud.of_type(CIRCUIT_CONNECTIONS):
        other = ref(body, "peerExpressRouteCircuitPeering")
        if other is not None and is_joined(body):
            ends = {resource_id(str(body["id"])).top, resource_id(other).top}
            found |= ends - {circuit} if circuit in ends else set()
    return found


def must_have_room(cloud: Cloud, circuit: Body, *, more: int) -> None:
    """Refused where a circuit has more links than it takes, or would with so many more (E15)."""
    id_ = resource_id(str(circuit["id"]))
    most = MOST_PREMIUM.get(_provider(circuit).get("bandwidthInMbps", 0), MOST) if _tier(circuit) == "Premium" else MOST
    if len(connections_of(cloud, id_)) + len(joined_with(cloud, id_)) + more > most:
        raise bad_request("ExpressRouteCircuitLinkLimit", f"Circuit {id_.text} takes no more than {most} links (E15).")


def must_reach(circuit: Body, region: str) -> None:
    """Refused where a network of that region can't be linked to the circuit (E17, E19)."""
    tier, place = _tier(circuit), place_of(circuit)
    here, there, local = geopolitical_region_of(region), geopolitical_region_at(place), local_regions(place)
    wrong = (tier == "Local" and local is not None and region not in local) or (
        tier in ("Standard", "Basic") and here is not None and there is not None and here != there
    )
    if wrong:
        raise bad_request(
            "ExpressRouteCircuitRegionNotAllowed",
            f"Circuit {circuit['id']} of tier {tier} at {place} cannot be linked to a network in {region}.",
        )


def must_join(one: Body, other: Body) -> None:
    """Refused where Global Reach can't join two circuits (E46)."""
    for circuit in (one, other):
        if _tier(circuit) == "Local":
            raise bad_request("InvalidCircuitConnection", f"Circuit {circuit['id']} is Local: no Global Reach.")
    places = place_of(one), place_of(other)
    if places[0] and places[0].lower() == places[1].lower():
        raise bad_request(
            "InvalidCircuitConnection",
            f"Circuits {one['id']} and {other['id']} are both at {places[0]}: Global Reach joins different locations.",
        )
    regions = [geopolitical_region_at(place) for place in places]
    small = next((circuit for circuit in (one, other) if _tier(circuit) != "Premium"), None)
    if None not in regions and regions[0] != regions[1] and small is not None:
        raise bad_request(
            "InvalidCircuitConnection",
            f"{places[0]} and {places[1]} are in two geopolitical regions, and circuit {small['id']} is not Premium.",
        )


def must_fit(cloud: Cloud, circuit: Body) -> None:
    """Refused where a circuit as it is to be does not allow all that is linked to it (E5)."""
    id_ = resource_id(str(circuit["id"]))
    must_have_room(cloud, circuit, more=0)
    for connection in connections_of(cloud, id_):
        must_reach(circuit, cloud.region_of(resource_id(str(connection["id"]))) or "")
    for other in joined_with(cloud, id_):
        if (body := cloud.body(other)) is not None:
            must_join(circuit, body)


def place_of(circuit: Body) -> str:
    """A circuit's peering location; empty for one at a port of its own."""
    return str(_provider(circuit).get("peeringLocation") or "")


def _provider(circuit: Body) -> Body:
    return (circuit.get("properties") or {}).get("serviceProviderProperties") or {}


def _tier(circuit: Body) -> str | None:
    return (circuit.get("sku") or {}).get("tier")
