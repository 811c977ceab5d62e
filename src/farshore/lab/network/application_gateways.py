"""Microsoft.Network/applicationGateways: shape only, in parts that know of each other.

parts       whatever a gateway lists is a sub-resource, under way as long as the gateway is; what one refers to shows
            who does (`httpListeners` of a port, `requestRoutingRules` of a listener)
v1, v2      a gateway of the second generation has no authentication certificates, and lists that the first has not
state       Stopped until it has been made, then Running (recorded)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.network.references import ref
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.patterns import NETWORK, Pattern
from farshore.lab.registry import action, completion, resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

GATEWAYS = "Microsoft.Network/applicationGateways"
PARTS = (
    *("gatewayIPConfigurations", "sslCertificates", "frontendIPConfigurations", "frontendPorts"),
    *("backendAddressPools", "backendHttpSettingsCollection", "httpListeners", "urlPathMaps", "requestRoutingRules"),
    *("probes", "rewriteRuleSets", "redirectConfigurations"),
)
FIRST = ("authenticationCertificates",)
SECOND = (
    *("trustedRootCertificates", "trustedClientCertificates", "sslProfiles", "loadDistributionPolicies"),
    *("backendSettingsCollection", "listeners", "routingRules", "privateLinkConfigurations"),
)
DEFAULTS: Mapping[str, Body] = {
    "frontendIPConfigurations": {"privateIPAllocationMethod": "Dynamic"},
    "backendAddressPools": {"backendAddresses": []},
    "backendHttpSettingsCollection": {
        "cookieBasedAffinity": "Disabled",
        "pickHostNameFromBackendAddress": False,
        "requestTimeout": 30,
    },
    "httpListeners": {"hostNames": [], "requireServerNameIndication": False},
    "probes": {"pickHostNameFromBackendHttpSettings": False, "minServers": 0, "match": {}},
}
BACK = {"backendHttpSettingsCollection": "backendHttpSettings"}
"""Kind of part to the list in which what it refers to shows it, where that has another name."""
USERS = ("httpListeners", "urlPathMaps", "requestRoutingRules", "redirectConfigurations", "backendHttpSettings")
WORDED = ("protocol", "cookieBasedAffinity", "ruleType", "redirectType")
WORDS = {
    word.lower(): word
    for word in (
        *("Http", "Https", "Tcp", "Tls", "Enabled", "Disabled", "Basic", "PathBasedRouting"),
        *("Permanent", "Temporary", "Found", "SeeOther"),
    )
}
"""In the spelling in which they are shown, however they were sent (recorded)."""


@resource_type(GATEWAYS)
class ApplicationGateways(ShapeOnly):
    pattern: ClassVar[Pattern] = NETWORK
    shape = Shape(
        shown={"operationalState": "Stopped"},
        ready={"operationalState": "Running"},
        parts={name: name for name in (*PARTS, *FIRST, *SECOND)},
    )
    read_only = ("provisioningState", "resourceGuid", "operationalState", "privateEndpointConnections")

    def links(self, body: Body) -> Iterator[Link]:
        for front in _parts(body["properties"], "frontendIPConfigurations"):
            if (public := ref(front, "publicIPAddress")) is not None and front.get("id"):
                yield Link("configuration", public.lower(), str(front["id"]))

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        sent = body["properties"]
        sku = sent.get("sku")
        second = isinstance(sku, dict) and str(sku.get("tier")).lower().endswith("_v2")
        properties = {**sent, **{name: sent.get(name) or [] for name in (*PARTS, *(SECOND if second else FIRST))}}
        if second:
            properties["privateEndpointConnections"] = sent.get("privateEndpointConnections") or []
        for name in PARTS:
            if isinstance(properties[name], list):
                properties[name] = [_with_defaults(name, part) if _is_part(part) else part for part in properties[name]]
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        users = _users(body["properties"])
        properties = dict(body["properties"])
        for name in PARTS:
            if isinstance(properties.get(name), list):
                properties[name] = [_with_users(part, users) for part in properties[name]]
        return {**body, "properties": properties}


def _with_defaults(name: str, part: Body) -> Body:
    """A part as it is kept: without what was said of its users, which may be others now."""
    own = {key: value for key, value in part["properties"].items() if key not in USERS or not isinstance(value, list)}
    spelled = {key: WORDS.get(str(own[key]).lower(), own[key]) for key in WORDED if key in own}
    return {**part, "properties": {**DEFAULTS.get(name, {}), **own, **spelled}}


def _with_users(part: Any, users: Mapping[str, Body]) -> Any:
    if not _is_part(part):
        return part
    return {**part, "properties": {**part["properties"], **users.get(str(part.get("id")).lower(), {})}}


def _is_part(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("properties"), dict)


def _parts(properties: Body, name: str) -> list[Body]:
    found = properties.get(name)
    return [item for item in found if _is_part(item)] if isinstance(found, list) else []


def _users(properties: Body) -> dict[str, Body]:
    """Id of a part in lower case to the lists of those that refer to it."""
    found: dict[str, Body] = {}
    for name in PARTS:
        for part in _parts(properties, name):
            for key in part["properties"]:
                target = ref(part, key)
                if target is not None and "/applicationgateways/" in target.lower():
                    lists = found.setdefault(target.lower(), {})
                    lists.setdefault(BACK.get(name, name), []).append({"id": part["id"]})
    return found


def _turned(cloud: Cloud, operation: Operation) -> None:
    operations.must_be_there(cloud, operation)
    id_ = operation.resource_id
    body = cloud.body(id_)
    assert body is not None
    state = "Running" if operation.verb == "start" else "Stopped"
    cloud.write(id_, {**body, "properties": {**body["properties"], "operationalState": state}})


def _turn(call: Call, verb: str) -> Response:
    call.must_exist()
    call.must_be_free()
    headers = ("azure-asyncoperation", "location")
    return call.accept(verb, duration="network.query", headers=headers, lock=True)


for _verb in ("start", "stop"):
    action(GATEWAYS, _verb)(lambda call, verb=_verb: _turn(call, verb))
    completion(GATEWAYS, _verb)(_turned)
