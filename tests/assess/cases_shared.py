"""With new addresses both hubs are on both circuits (D91): what is said of that, and what no longer is."""

from __future__ import annotations

from .bench import BOTH, Bench
from .casebook import Case, both, case
from .cases_circuits import CONNECTION, SINGAPORE, provider, swap

SECOND = CONNECTION + "-singapore"

CASES: tuple[Case, ...] = (
    case("FS102", "topology", lambda b: b.project.update(topology="single-circuit-new-addresses"), example=BOTH),
    # It is one topology's.
    case("FS102", "topology", lambda b: b.project.update(topology="two-circuits-two-locations"), example=BOTH),
    # A circuit that the source is on too is not left to the target.
    case("FS125", "connections/cn-source-hub", swap, quiet_example=BOTH),
    # All traffic is on the smaller circuit when the larger is gone (D49).
    case(
        "FS318",
        "expressRouteCircuits/er-singapore",
        lambda b: None,
        severity="warning",
        example=BOTH,
        quiet=lambda b: provider(b, SINGAPORE).update(bandwidthInMbps=1000),
    ),
    case(
        "FS325",
        "connections/cn-source-hub-asr",
        both(lambda b: b.remove(SECOND), lambda b: b.remove(SECOND + "-asr")),
        target=True,
        example=BOTH,
    ),
    case("FS908", "objectives/vNet2 to vNet1", lambda b: b.remove(SECOND), example=BOTH),
    # The target alone is on one circuit.
    case("FS908", "objectives/datacenter to machines", lambda b: _third(b), example=BOTH),
    case(
        "FS908",
        "objectives/datacenter to machines",
        lambda b: provider(b, SINGAPORE).update(peeringLocation="Hong Kong"),
        example=BOTH,
    ),
)


def _third(bench: Bench) -> None:
    """A circuit of the target's own: a router is on it, and the source is not."""
    circuit = bench.copy_of("er-hongkong", "er-taipei")
    circuit["properties"]["serviceProviderProperties"]["peeringLocation"] = "Taipei"
    for peering in circuit["properties"]["peerings"]:
        peering["properties"] |= {
            "primaryPeerAddressPrefix": "172.16.9.0/30",
            "secondaryPeerAddressPrefix": "172.16.9.4/30",
        }
    bench.project["sites"][0]["routers"].append({"name": "ce3", "circuit": "er-taipei", "local_preference": 50})
