"""What appliances of the lab say by BGP to Route Servers and gateways: `GET|POST /_lab/announcements` (R46).

    GET   {"value": [{"to", "peer", "prefixes": [{"prefix", "as_path", "next_hop"?}]}]}
    POST  {"to": SERVER, "peer": "10.10.10.10", "prefixes": [{"prefix": "10.1.0.0/16", "as_path": [65001]}]}

An announcement replaces what that neighbour said before; no prefixes, and it says nothing any more. Whether it is heard
is Azure's business: there must be a BGP connection to that address, a machine of that address must run, and its path
must not hold 65515 (`farshore.routing.route_servers`). It takes effect at once.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.errors import InputError
from farshore.estate.outside import Advertisement
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.registry import handle, listener

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "announcements"


def all_of(cloud: Cloud) -> tuple[Advertisement, ...]:
    return tuple(
        Advertisement(
            to=row["to"].lower(),
            peer=ip_address(row["peer"]),
            prefix=ip_network(item["prefix"]),
            as_path=tuple(item["as_path"]),
            next_hop=None if item.get("next_hop") is None else ip_address(item["next_hop"]),
        )
        for row in cloud.table(TABLE).values()
        for item in row["prefixes"]
    )


@handle("GET", "_lab/announcements")
def show(call: Call) -> Response:
    return Response(status=200, body={"value": list(call.cloud.table(TABLE).values())})


@handle("POST", "_lab/announcements")
def announce(call: Call) -> Response:
    cloud, wanted = call.cloud, call.object()
    try:
        to = resource_id(str(wanted.get("to")))
        peer = ip_address(str(wanted.get("peer")))
        prefixes = [_prefix(item) for item in wanted.get("prefixes") or []]
    except (InputError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise bad_request(
            "InvalidAnnouncement", f'Say "to" (an id), "peer" (an address) and "prefixes" (prefix, as_path): {error}.'
        ) from None
    if not cloud.exists(to):
        raise Refused(404, "ResourceNotFound", f"The lab has no resource {to.text}.")
    key = f"{to.key}|{peer}"
    if prefixes:
        cloud.table(TABLE)[key] = {"to": to.text, "peer": str(peer), "prefixes": prefixes}
    else:
        cloud.table(TABLE).pop(key, None)
    cloud.epoch += 1
    return show(call)


@listener("resource.gone")
def gone(cloud: Cloud, subject: str, data: Any) -> None:
    """Nobody listens any more."""
    if "/virtualhubs/" in subject:
        for key in [key for key in cloud.table(TABLE) if key.startswith(f"{subject}|")]:
            del cloud.table(TABLE)[key]


def _prefix(item: Any) -> dict[str, Any]:
    path = [int(number) for number in item["as_path"]]
    if not path or not all(0 < number < 2**32 for number in path):
        raise ValueError(f"{quoted(item['as_path'])} is no AS path")
    found: dict[str, Any] = {"prefix": str(ip_network(str(item["prefix"]))), "as_path": path}
    if item.get("next_hop") is not None:
        found["next_hop"] = str(ip_address(str(item["next_hop"])))
    return found
