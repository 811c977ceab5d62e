"""What else can be asked of VPN gateways and their connections: packet captures, and a virtual WAN's own POSTs.

Recorded: each is a 202 with both headers. A capture's start tells its outcome as a text that holds JSON. Its stop
sends what was captured to a storage, and fails where nothing has come: so it is always here, where no gateway writes
to one. A reset of a virtual WAN's gateway has nothing to tell; a profile for clients is an address to fetch it at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.network.references import CONNECTIONS, GATEWAYS
from farshore.lab.registry import action, completion

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

WAN_GATEWAYS = "Microsoft.Network/vpnGateways"
CLIENT_GATEWAYS = "Microsoft.Network/p2sVpnGateways"
CAPTURING = (GATEWAYS, CONNECTIONS, WAN_GATEWAYS, WAN_GATEWAYS + "/vpnConnections")
STARTED = '{"Status":"Successful","Data":""}'


def _asked(call: Call, verb: str, duration: str) -> Response:
    call.must_exist()
    call.must_be_free()
    return call.accept(verb, duration=duration, headers=("azure-asyncoperation", "location"), lock=True)


def _over(cloud: Cloud, operation: Operation) -> None:
    operations.must_be_there(cloud, operation)
    id_ = operation.resource_id
    cloud.let_go(cloud.type_of(id_).lock(cloud, id_), operation.id)


def started(cloud: Cloud, operation: Operation) -> str:
    _over(cloud, operation)
    return STARTED


def stopped(cloud: Cloud, operation: Operation) -> None:
    _over(cloud, operation)
    raise Refused(
        409,
        "NoPacketCaptureResponseDataFound",
        f"No data of a packet capture on {operation.resource} was found in the storage.",
    )


for _type in CAPTURING:
    for _verb, _told in (("startPacketCapture", started), ("stopPacketCapture", stopped)):
        action(_type, _verb)(lambda call, verb=_verb: _asked(call, verb, "network.query"))
        completion(_type, _verb)(_told)


@action(WAN_GATEWAYS, "reset")
def reset(call: Call) -> Response:
    return _asked(call, "reset", "virtualNetworkGateways.reset")


@completion(WAN_GATEWAYS, "reset")
def was_reset(cloud: Cloud, operation: Operation) -> None:
    _over(cloud, operation)


@action(CLIENT_GATEWAYS, "generateVpnProfile")
def profile(call: Call) -> Response:
    return _asked(call, "generateVpnProfile", "network.query")


@completion(CLIENT_GATEWAYS, "generateVpnProfile")
def profiled(cloud: Cloud, operation: Operation) -> Body:
    _over(cloud, operation)
    name = cloud.guid("vpn profile", operation.id)
    return {"profileUrl": f"https://vpnprofiles.blob.core.windows.net/{operation.resource_id.name}/{name}.zip"}
