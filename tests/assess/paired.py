"""A source that is connected to two circuits of its own, beside the target's."""

from __future__ import annotations

import copy

from .bench import TWO, Bench, bench
from .broken import Ground

SECOND = "cn-source-second"


def paired(example: str = TWO, *, weights: tuple[int, int] = (100, 0)) -> Bench:
    """The gateway's weights for the first circuit and the second; the site prefers the first, by 100 (E42)."""
    made = bench(example)
    circuit = made.copy_of("er-hongkong", "er-taipei")
    circuit["properties"]["serviceProviderProperties"]["peeringLocation"] = "Taipei"
    for peering in circuit["properties"]["peerings"]:
        peering["properties"] |= {
            "primaryPeerAddressPrefix": "172.16.9.0/30",
            "secondaryPeerAddressPrefix": "172.16.9.4/30",
        }
    made.copy_of("cn-source-hub", SECOND)["properties"]["peer"] = {"id": circuit["id"]}
    weigh(made, *weights)
    first = made.router("ce1")
    second = {**copy.deepcopy(first), "name": "ce3", "circuit": "er-taipei", "local_preference": 100}
    first["local_preference"] = 200
    made.project["sites"][0]["routers"].append(second)
    return made


def weigh(made: Bench, weight: int, other: int, *, second: str = SECOND) -> None:
    made.properties("cn-source-hub")["routingWeight"] = weight
    made.properties(second)["routingWeight"] = other


PAIRED = Ground("two circuits of the source", paired, target=False)
