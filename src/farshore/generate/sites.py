"""The sites around a generated estate, and its farshore.yaml.

Each site has a router on every circuit: preferred in its own peering location, second elsewhere, where it also
prepends. In an adversarial estate each router withholds its own half of the prefixes, so hardly two of them share a
policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from random import Random
from typing import Any

from farshore.generate.shape import LOCATIONS, REGIONS, Shape

ASN = 65010


def project(shape: Shape) -> dict[str, Any]:
    """The project file of a generated estate."""
    return {
        "version": 1,
        "name": f"generated-{shape.seed}",
        "cloud": "lab",
        "source": {"region": REGIONS[0]},
        "target": {"region": REGIONS[1], "resourceGroup": "rg-target", "names": "{name}-asr"},
        "topology": "two-circuits-two-locations",
        "sites": [_site(shape, number) for number in range(shape.site_count)],
    }


def _site(shape: Shape, number: int) -> dict[str, Any]:
    prefixes = shape.site_prefixes(number)
    routers = [
        {
            "name": f"ce{circuit}",
            "circuit": f"er-{circuit}",
            "local_preference": 200 if near else 100,
            "prepend": 0 if near else 1,
            "filters": _filters(shape, number, circuit, prefixes[1:]) if shape.adversarial else [],
        }
        for circuit, near in shape.circuits_of_site(number)
    ]
    return {
        "name": "dc-" + LOCATIONS[number].lower().replace(" ", ""),
        "asn": ASN + number,
        "prefixes": [str(prefix) for prefix in prefixes],
        "routers": routers,
        "stateful_firewall": False,
    }


def _filters(shape: Shape, site: int, circuit: int, prefixes: Sequence[IPv4Network]) -> list[dict[str, Any]]:
    draw = Random(f"{shape.seed}/filters/{site}/{circuit}")
    return [{"direction": "out", "prefix": str(prefix), "action": "deny"} for prefix in prefixes if draw.random() < 0.5]
