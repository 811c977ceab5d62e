"""Global Reach: what it takes of a circuit, and circuits that can't be joined (E15, E46)."""

from __future__ import annotations

from .bench import Bench
from .casebook import Case, both, case
from .cases_circuits import HONG_KONG, SINGAPORE, circuit_id, connect_many, private, provider, tier

REACH = "expressRouteCircuits/er-hongkong/peerings/AzurePrivatePeering/connections/reach"


def joined(bench: Bench, one: str, other: str) -> None:
    """Global Reach, held by the first."""
    far = {"id": f"{circuit_id(other)}/peerings/AzurePrivatePeering"}
    reach = {"name": "reach", "properties": {"peerExpressRouteCircuitPeering": far, "addressPrefix": "172.31.9.0/29"}}
    private(bench, one)["connections"] = [reach]


CASES: tuple[Case, ...] = (
    # E15: Global Reach counts too.
    case(
        "FS814",
        "expressRouteCircuits/er-hongkong",
        both(lambda b: connect_many(b, 9, HONG_KONG), lambda b: joined(b, HONG_KONG, SINGAPORE)),
        quiet=lambda b: connect_many(b, 9, HONG_KONG),
    ),
    # E46: Local, one place, two geopolitical regions.
    case(
        "FS126",
        REACH,
        both(lambda b: joined(b, HONG_KONG, SINGAPORE), lambda b: tier(b, SINGAPORE, "Local")),
        quiet=lambda b: joined(b, HONG_KONG, SINGAPORE),
    ),
    case(
        "FS126",
        REACH,
        both(
            lambda b: joined(b, HONG_KONG, SINGAPORE),
            lambda b: provider(b, SINGAPORE).update(peeringLocation="Hong Kong"),
        ),
    ),
    case(
        "FS126",
        REACH,
        both(
            lambda b: joined(b, HONG_KONG, SINGAPORE),
            lambda b: provider(b, SINGAPORE).update(peeringLocation="Amsterdam"),
        ),
    ),
)
