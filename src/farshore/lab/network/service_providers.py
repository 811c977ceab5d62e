"""Microsoft.Network/expressRouteServiceProviders: whom a circuit can be ordered from.

One provider that is everywhere: a circuit in this lab may name any. Peering locations are `farshore.arm.regions`'.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.arm.regions import peering_location_names
from farshore.lab.call import Call
from farshore.lab.network.circuits import BANDWIDTHS
from farshore.lab.paging import page
from farshore.lab.registry import provider_list

LIST = "Microsoft.Network/expressRouteServiceProviders"
PROVIDERS = ("Equinix", "Megaport")


@provider_list(LIST)
def providers(call: Call) -> Response:
    return page(call, [_row(name) for name in PROVIDERS])


def _row(name: str) -> Body:
    offers = [
        {"offerName": f"{mbps}Mbps" if mbps < 1000 else f"{mbps // 1000}Gbps", "valueInMbps": mbps}
        for mbps in BANDWIDTHS
    ]
    return {
        "name": name,
        # Recorded: an id without a subscription, a group and a name.
        "id": f"/subscriptions//resourceGroups//providers/{LIST}/",
        "type": LIST,
        "properties": {
            "provisioningState": "Succeeded",
            "peeringLocations": list(peering_location_names()),
            "bandwidthsOffered": offers,
        },
    }
