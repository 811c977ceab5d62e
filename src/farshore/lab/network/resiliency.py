"""What an ExpressRoute gateway says of its own resilience (E30): `getResiliencyInformation`, `getRoutesInformation`.

    getRoutesInformation       the sites' prefixes, those that come by the same peering locations together, each with
                               the circuits that tell it and the AS path on either link
    getResiliencyInformation   a score of 100 and what would raise it, by component

Both are operations: 202 with location, from the lab's own tables at the moment of the answer. Azure does not say how it
reckons its score; this one is the lab's: equal parts for routes that come by two locations, for circuits whose both
links are up, for a gateway in zones, and for a failover test within the last half year. So compare a score with
another of this lab, never with Azure's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import dataplane, operations
from farshore.lab.call import Call
from farshore.lab.network.failover_tests import connected, last_completed, must_be_express_route
from farshore.lab.network.references import GATEWAYS
from farshore.lab.network.router_tables import is_of_a_site
from farshore.lab.registry import action, completion
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

LINKS = ("primary", "secondary")
PART = 25
"""What each of the four components is worth."""
TESTED_WITHIN = timedelta(days=182)
RECOMPUTED_AFTER = timedelta(hours=1)


@action(GATEWAYS, "getResiliencyInformation")
def resiliency(call: Call) -> Response:
    must_be_express_route(call)
    return call.accept("getResiliencyInformation", duration="network.query")


@action(GATEWAYS, "getRoutesInformation")
def routes(call: Call) -> Response:
    must_be_express_route(call)
    return call.accept("getRoutesInformation", duration="network.query")


@completion(GATEWAYS, "getRoutesInformation")
def told_routes(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    circuits = _circuits(cloud, operation.resource_id)
    names = {circuit.key: f"circuit{at}" for at, (circuit, _) in enumerate(circuits.values())}
    sets: dict[tuple[str, ...], dict[str, list[Body]]] = {}
    for prefix, by in _told(cloud, operation.resource_id).items():
        places = tuple(sorted({circuits[key][1] for key in by}))
        rows = [{"circuit": names[key], "pri": ways["primary"], "sec": ways["secondary"]} for key, ways in by.items()]
        sets.setdefault(places, {})[prefix] = rows
    return {
        "lastComputedTime": stamp(cloud.now),
        "nextEligibleComputeTime": stamp(cloud.now + RECOMPUTED_AFTER),
        "routeSetVersion": "1",
        "routeSets": [
            {"name": f"routeSet{at}", "locations": list(places), "details": details}
            for at, (places, details) in enumerate(sorted(sets.items()))
        ],
        "circuitsMetadataMap": {
            names[circuit.key]: {"name": circuit.name, "link": circuit.text, "location": place}
            for circuit, place in circuits.values()
        },
    }


@completion(GATEWAYS, "getResiliencyInformation")
def told_resiliency(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    components = list(_components(cloud, operation.resource_id))
    score = sum(int(component["currentScore"]) for component in components)
    missing = [PART - int(component["currentScore"]) for component in components]
    gains = [gain for gain in missing if gain]
    return {
        "overallScore": str(score),
        "scoreChange": "0",
        "minScoreFromRecommendations": str(min(gains, default=0)),
        "maxScoreFromRecommendations": str(sum(gains)),
        "lastComputedTime": stamp(cloud.now),
        "nextEligibleComputeTime": stamp(cloud.now + RECOMPUTED_AFTER),
        "components": components,
    }


def _components(cloud: Cloud, gateway: ResourceId) -> list[Body]:
    circuits, told = _circuits(cloud, gateway), _told(cloud, gateway)
    twice = [prefix for prefix, by in told.items() if len({circuits[key][1] for key in by}) > 1]
    whole = [prefix for prefix, by in told.items() if all(all(ways.values()) for ways in by.values())]
    sku = str(((cloud.body(gateway) or {}).get("properties") or {}).get("sku", {}).get("name") or "")
    tested = last_completed(cloud, gateway)
    return [
        _component(
            "RouteResiliency",
            len(twice) / len(told) if told else 0.0,
            "Reach every site from a second peering location",
            f"{len(told) - len(twice)} of {len(told)} prefixes come by one peering location only.",
        ),
        _component(
            "LinkResiliency",
            len(whole) / len(told) if told else 0.0,
            "Announce every prefix on both links of each circuit",
            f"{len(told) - len(whole)} of {len(told)} prefixes are missing on a link.",
        ),
        _component(
            "ZoneRedundantGateway",
            1.0 if sku.lower().endswith("az") or sku.lower() == "ergwscale" else 0.0,
            "Use a gateway in availability zones",
            f"The gateway's size is {sku}.",
        ),
        _component(
            "ResiliencyValidationTest",
            1.0 if tested is not None and cloud.now - tested <= TESTED_WITHIN else 0.0,
            "Test the failover of each peering location",
            "No failover test was completed within half a year.",
        ),
    ]


def _component(name: str, part: float, title: str, text: str) -> Body:
    score = int(PART * part)
    advice = {
        "recommendationTitle": title,
        "recommendationId": name,
        "severity": "High" if score == 0 else "Medium",
        "recommendationText": text,
        "callToActionText": "",
        "callToActionLink": "",
    }
    recommendations = [] if score == PART else [advice]
    return {"name": name, "currentScore": str(score), "maxScore": str(PART), "recommendations": recommendations}


def _circuits(cloud: Cloud, gateway: ResourceId) -> dict[str, tuple[ResourceId, str]]:
    """The circuits that a gateway is connected to by connections that are up, with where they end."""
    down = dataplane.plane(cloud).estate.outside.down
    return {
        circuit.key: (circuit, place)
        for connection, circuit, place in connected(cloud, gateway)
        if connection.key not in down
    }


def _told(cloud: Cloud, gateway: ResourceId) -> dict[str, dict[str, dict[str, str]]]:
    """Prefix of a site to the circuits that tell it, each with the AS path on either link, empty where it is silent."""
    routing = dataplane.plane(cloud).routing
    found: dict[str, dict[str, dict[str, str]]] = {}
    for key, (circuit, _) in _circuits(cloud, gateway).items():
        for link in LINKS:
            for route in routing.learned_routes(circuit, link):
                if is_of_a_site(route):
                    ways = found.setdefault(str(route.network), {}).setdefault(key, dict.fromkeys(LINKS, ""))
                    ways[link] = "-".join(map(str, route.as_path))
    return found
