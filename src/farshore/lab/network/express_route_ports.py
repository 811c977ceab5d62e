"""Microsoft.Network/expressRoutePorts (ExpressRoute Direct): a port's two links, and where ports can be had.

Recorded: a port that is being made shows of its links what a customer sets; where they are (router, interface, panel
and rack) is known when it is ready, and so are its MTU, ether type and allocation date. A PUT that sends links changes
what a customer sets of them. A link can be read by itself and written by nobody. The circuits on a port are shown as
soon as there are any. Places and their addresses are the lab's own, and any name is a place.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.regions import peering_location_names
from farshore.lab.answers import bad_request, child_not_found
from farshore.lab.call import Call
from farshore.lab.network.circuits import CIRCUITS
from farshore.lab.network.references import ref
from farshore.lab.paging import page
from farshore.lab.registry import action, named_view, provider_list, provider_one, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

PORTS = "Microsoft.Network/expressRoutePorts"
LOCATIONS = "Microsoft.Network/expressRoutePortsLocations"
LINKS = ("link1", "link2")
SET = ("connectorType", "adminState", "macSecConfig")
"""What a customer sets of a link."""
BANDWIDTHS = (10, 100)


def made(put: Put) -> Body:
    """The links of a port, as they were and as they are sent."""
    held = _by_name(put.before_properties.get("links"))
    sent = _by_name(put.properties.get("links"))
    links = []
    for name in dict.fromkeys((*LINKS, *held, *sent)):
        usual: Body = {"connectorType": "LC", "adminState": "Disabled", "macSecConfig": {"cipher": "GcmAes128"}}
        told = {key: value for key, value in sent.get(name, {}).items() if key in SET and value is not None}
        if isinstance(told.get("macSecConfig"), dict):
            told["macSecConfig"] = {**usual["macSecConfig"], **told["macSecConfig"]}
        links.append({"name": name, "properties": {**usual, **held.get(name, {}), **told}})
    return {"links": links}


def _by_name(links: Any) -> dict[str, Body]:
    return {str(link.get("name")): link.get("properties") or {} for link in links or [] if isinstance(link, dict)}


def filled(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """Where the links are."""
    properties = body["properties"]
    place = str(properties.get("peeringLocation") or "")
    links = []
    for number, link in enumerate(properties.get("links") or [], 1):
        where = {
            "routerName": f"{place.lower().replace(' ', '-')}-{number}",
            "interfaceName": f"HundredGigE0/0/0/{number}",
            "patchPanelId": f"PP:{number}",
            "rackId": f"R{number}",
            "coloLocation": place,
        }
        links.append({**link, "properties": {**where, **link["properties"]}})
    day = cloud.now
    date = properties.get("allocationDate") or f"{day:%A}, {day:%B} {day.day}, {day.year}"
    return {"links": links, "mtu": "1500", "etherType": "0x8100", "allocationDate": date}


def shown(cloud: Cloud, id_: ResourceId) -> Body:
    """The circuits on a port, and how much of it they have."""
    there = [item for item in cloud.of_type(CIRCUITS) if (ref(item, "expressRoutePort") or "").lower() == id_.key]
    if not there:
        return {}
    used = sum(item["properties"].get("bandwidthInGbps") or 0 for item in there)
    return {"provisionedBandwidthInGbps": float(used), "circuits": [{"id": item["id"]} for item in there]}


@view(PORTS, "links")
def links(call: Call) -> Response:
    return page(call, call.show()["properties"]["links"])


@named_view(PORTS, "links")
def link(call: Call) -> Response:
    for one in call.show()["properties"]["links"]:
        if str(one["name"]).lower() == (call.argument or "").lower():
            return Response(status=200, body=one)
    raise child_not_found(call.id.child("links", str(call.argument)))


@action(PORTS, "generateLoa")
def letter(call: Call) -> Response:
    """The letter that lets a colocation provider connect the port: a document in base64."""
    call.must_exist()
    customer = call.object().get("customerName")
    if not isinstance(customer, str) or not customer:
        raise bad_request("InvalidRequestFormat", f"A letter of authorization for {call.id.text} needs a customerName.")
    text = f"Letter of authorization: {customer} may have {call.id.name} connected."
    return Response(status=200, body={"encodedContent": b64encode(text.encode()).decode("ascii")})


@provider_list(LOCATIONS)
def places(call: Call) -> Response:
    return page(call, [_place(call, f"Equinix-{name.replace(' ', '-')}", ()) for name in peering_location_names()])


@provider_one(LOCATIONS)
def place(call: Call) -> Response:
    return Response(status=200, body=_place(call, str(call.argument), BANDWIDTHS))


def _place(call: Call, name: str, bandwidths: tuple[int, ...]) -> Body:
    """Recorded: only a place that is asked for alone tells what is free there."""
    return {
        "name": name,
        "id": f"/subscriptions/{call.id.subscription}/providers/{LOCATIONS}/{name}",
        "type": LOCATIONS,
        "properties": {
            "provisioningState": "Succeeded",
            "address": f"{name}, the lab",
            "contact": "support@lab.example",
            "availableBandwidths": [{"offerName": f"{gbps} Gbps", "valueInGbps": gbps} for gbps in bandwidths],
        },
    }
