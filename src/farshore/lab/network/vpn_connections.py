"""Microsoft.Network/connections between a VPN gateway and a site, or another VPN gateway; and their shared keys.

    IPsec      gateway and local network gateway
    Vnet2Vnet  gateway and gateway; there is one connection each way, and they meet where both have one shared key

Recorded: a connection shows `connectionStatus` once it is made and not while it is, and lists show neither that nor
the key. The key is a thing of its own below the connection: GET, PUT (200 with an operation) and `sharedkey/reset`
(202), which makes one of the length asked for.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network.references import CONNECTIONS, ref
from farshore.lab.registry import action, completion, sub_put, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

KINDS = {name.lower(): name for name in ("IPsec", "Vnet2Vnet", "ExpressRoute", "VPNClient")}
FAR_END = {"IPsec": "localNetworkGateway2", "Vnet2Vnet": "virtualNetworkGateway2"}
DEFAULTS: Body = {
    "packetCaptureDiagnosticState": "None",
    "connectionProtocol": "IKEv2",
    "routingWeight": 0,
    "enableBgp": False,
    "useLocalAzureIpAddress": False,
    "usePolicyBasedTrafficSelectors": False,
    "ipsecPolicies": [],
    "trafficSelectorPolicies": [],
    "ingressBytesTransferred": 0,
    "egressBytesTransferred": 0,
    "expressRouteGatewayBypass": False,
    "dpdTimeoutSeconds": 0,
    "connectionMode": "Default",
    "gatewayCustomBgpIpAddresses": [],
}
HIDDEN_IN_LISTS = ("connectionStatus", "sharedKey")
KEY_LENGTHS = range(1, 129)


def kind_of(properties: Body) -> str:
    """`connectionType` in Azure's spelling; what is no type stays as it was sent."""
    text = str(properties.get("connectionType"))
    return KINDS.get(text.lower(), text)


def is_vpn(properties: Body) -> bool:
    return kind_of(properties) in FAR_END


def check(put: Put, gateway: Body) -> None:
    """Both ends are there and of the right kind. No page names the codes: ours."""
    kind = kind_of(put.properties)
    if gateway["properties"].get("gatewayType") != "Vpn":
        raise bad_request(
            "ConnectionTypeNotSupportedByGateway",
            f"Connection {put.id.text} of type {kind} needs a gateway of type Vpn: {gateway['id']} is none.",
        )
    far = must_have(put.cloud, ref(put.body, FAR_END[kind]), put.id.text)
    if kind == "Vnet2Vnet" and far["properties"].get("gatewayType") != "Vpn":
        raise bad_request(
            "ConnectionTypeNotSupportedByGateway",
            f"Connection {put.id.text} of type {kind} needs a gateway of type Vpn: {far['id']} is none.",
        )
    if put.before is None:
        return
    for end in ("virtualNetworkGateway1", FAR_END[kind]):
        if (ref(put.before, end) or "").lower() != (ref(put.body, end) or "").lower():
            raise bad_request("PropertyChangeNotAllowed", f"Connection {put.id.text}: its {end} cannot be changed.")


def kept(body: Body, before: Body) -> Body:
    """The properties to keep; a key that is not sent stays."""
    sent = body["properties"]
    kind = kind_of(sent)
    properties = {**DEFAULTS, **sent, "connectionType": kind}
    for end in ("virtualNetworkGateway1", FAR_END[kind]):
        properties[end] = {"id": ref(body, end)}
    if not properties.get("sharedKey") and before.get("sharedKey"):
        properties["sharedKey"] = before["sharedKey"]
    return properties


def status(cloud: Cloud, id_: ResourceId, body: Body) -> str:
    """Between networks the two connections meet; what a site's device does is not known to this lab."""
    properties = body["properties"]
    far = ref(body, "virtualNetworkGateway2")
    for other in cloud.of_type(CONNECTIONS):
        if (
            far is not None
            and (ref(other, "virtualNetworkGateway1") or "").lower() == far.lower()
            and ref(other, "virtualNetworkGateway2") == ref(body, "virtualNetworkGateway1")
            and other["properties"].get("provisioningState") == "Succeeded"
            and other["properties"].get("sharedKey") == properties.get("sharedKey")
        ):
            return "Connected"
    return "Unknown"


def listed(body: Body) -> Body:
    """A VPN connection in a list."""
    if not is_vpn(body["properties"]):
        return body
    properties = {key: item for key, item in body["properties"].items() if key not in HIDDEN_IN_LISTS}
    return {**body, "properties": properties}


@view(CONNECTIONS, "sharedkey")
def shared_key(call: Call) -> Response:
    body = call.must_exist()
    return Response(status=200, body={"value": body["properties"].get("sharedKey", "")})


@sub_put(CONNECTIONS, "sharedkey")
def set_shared_key(call: Call) -> Response:
    """Recorded: 200, no body, and an operation to poll."""
    call.must_exist()
    call.must_be_free()
    value = call.object().get("value")
    if not isinstance(value, str) or not value:
        raise bad_request("InvalidRequestFormat", f"The shared key of {call.id.text} is a text in 'value'.")
    return call.accept(
        "sharedkey",
        duration="network.put",
        data={"key": value},
        status=200,
        headers=("azure-asyncoperation",),
        lock=True,
    )


@action(CONNECTIONS, "sharedkey")
def reset_shared_key(call: Call) -> Response:
    call.must_exist()
    if (call.argument or "").lower() != "reset":
        raise bad_request(
            "InvalidRequestUri", f"'{call.argument or ''}' is nothing that can be done with a shared key."
        )
    call.must_be_free()
    length = call.object().get("keyLength", 128)
    if length not in KEY_LENGTHS:
        raise bad_request("InvalidSharedKeyLength", f"keyLength {length} of {call.id.text} is not between 1 and 128.")
    cloud = call.cloud
    guid = cloud.guid("shared key", call.id.key, cloud.count("shared key", call.id.key))
    key = (hashlib.sha256(guid.encode()).hexdigest() * 2)[:length]
    headers = ("azure-asyncoperation", "location")
    return call.accept("sharedkey", duration="network.put", data={"key": key}, headers=headers, lock=True)


@completion(CONNECTIONS, "sharedkey")
def key_is_set(cloud: Cloud, operation: Operation) -> None:
    cloud.let_go(operation.resource_id, operation.id)
    operations.must_be_there(cloud, operation)
    body = cloud.body(operation.resource_id)
    assert body is not None
    properties = {**body["properties"], "sharedKey": operation.data["key"]}
    cloud.write(resource_id(str(body["id"])), {**body, "properties": properties})
