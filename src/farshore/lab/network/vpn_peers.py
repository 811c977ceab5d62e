"""The BGP neighbours that a VPN gateway is told of by its connections, and that say nothing.

Those that have told it something stand in `router_tables.gateway_peers`. A neighbour of a connection with `enableBgp`
that has not is there all the same: `Connecting`, with no route of its. In the lab that is a branch behind which no
site speaks, or another gateway whose tunnel, or which itself, is down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.network.references import CONNECTIONS, ref
from farshore.lab.network.router_tables import peer_row

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ENDS = ("localNetworkGateway2", "virtualNetworkGateway1", "virtualNetworkGateway2")


def silent(cloud: Cloud, gateway: ResourceId, heard: set[str]) -> list[Body]:
    """Rows of the neighbours that are set up and are not among `heard`, by address."""
    found = {address: asn for address, asn in _neighbours(cloud, gateway) if address not in heard}
    return [peer_row(address, asn, "Connecting", routes=0) for address, asn in sorted(found.items())]


def _neighbours(cloud: Cloud, gateway: ResourceId) -> Iterator[tuple[str, int]]:
    for body in cloud.of_type(CONNECTIONS):
        ends = {name: ref(body, name) for name in ENDS}
        mine = [name for name, text in ends.items() if text is not None and text.lower() == gateway.key]
        if not mine or body["properties"].get("enableBgp") is not True:
            continue
        for name, text in ends.items():
            if name in mine or text is None:
                continue
            settings = ((cloud.body(text) or {}).get("properties") or {}).get("bgpSettings") or {}
            for address in str(settings.get("bgpPeeringAddress") or "").split(","):
                if address:
                    yield address, int(settings.get("asn") or 0)
