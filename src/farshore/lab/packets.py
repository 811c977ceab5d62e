"""`POST /_lab/packets`: send a flow through the lab's data plane and get its way.

    {"from": site | "site:address" | NIC or machine id | address, "to": address, "protocol": "tcp", "port": 443,
     "count": 1}

The answer says what became of the flow and its reply, who took it and whether that one's data is stale. `disposition`
is the flow's own where it was not delivered, else its reply's, else Delivered; Asymmetric where both ways live and a
stateful thing sees only one of them. `{"packets": [..]}` sends several and answers `{"value": [..]}`.
"""

from __future__ import annotations

from typing import Any

from farshore.arm.http import Response
from farshore.errors import InputError
from farshore.lab import dataplane
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.registry import handle
from farshore.times import stamp


@handle("POST", "_lab/packets")
def packets(call: Call) -> Response:
    wanted = call.object()
    if isinstance(wanted.get("packets"), list):
        return Response(status=200, body={"value": [_sent(call, one) for one in wanted["packets"]]})
    return Response(status=200, body=_sent(call, wanted))


def checked_packet(wanted: Any) -> dict[str, Any]:
    """`from`, `to`, `protocol`, `port` of a packet as somebody sent it; refuses what is none."""
    if not isinstance(wanted, dict):
        raise bad_request("InvalidPacket", f"A packet is an object with 'from' and 'to', not {quoted(wanted)}.")
    for name in ("from", "to"):
        if not isinstance(wanted.get(name), str):
            raise bad_request("InvalidPacket", f"A packet needs '{name}'.")
    port, count = wanted.get("port", 443), wanted.get("count", 1)
    if port is not None and not (_is_number(port) and 0 <= port <= 65535):
        raise bad_request("InvalidPacket", f"port is a number up to 65535, not {quoted(port)}.")
    if not (_is_number(count) and count > 0):
        raise bad_request("InvalidPacket", f"count is a number from 1, not {quoted(count)}.")
    protocol = str(wanted.get("protocol") or "tcp").lower()
    return {"from": wanted["from"], "to": wanted["to"], "protocol": protocol, "port": port}


def _sent(call: Call, wanted: Any) -> dict[str, Any]:
    packet = checked_packet(wanted)
    count = wanted.get("count", 1)
    try:
        found = dataplane.send(call.cloud, packet["from"], packet["to"], packet["protocol"], packet["port"])
    except InputError as error:
        raise bad_request("InvalidPacket", str(error)) from None
    return {"time": stamp(call.cloud.now), "count": count, **found}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
