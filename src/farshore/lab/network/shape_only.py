"""Types of Microsoft.Network that are shape only: kept and shown whole, with the provider's own operations.

    PUT     the body is looked at as far as every body is, kept, and shown with what Azure adds; 201 or 200 and an
            operation to poll. Children that a parent shows inside are resources of their own
    GET     as kept
    DELETE  202, and it is gone

Nothing that they would do in Azure is done here, and nothing is refused that Azure would refuse for a reason of its
own: `SHAPES` says what there is, what it shows unasked, and what it shows once it is ready; `shape_only_made.py` has
what depends on more than the type. Packets see them as far as
`farshore.routing` reads such bodies in an estate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.call import Call
from farshore.lab.network import asns
from farshore.lab.network.addresses import prefix
from farshore.lab.network.references import only_ids, sku_of
from farshore.lab.network.shape_only_made import ALONE, CHECKED, FILLED, MADE, TOLD
from farshore.lab.network.virtual_wan import STANDING
from farshore.lab.patterns import APPLIANCES, IP_GROUPS, NETWORK, NETWORK_AT_ONCE, Pattern
from farshore.lab.registry import action, completion, resource_type
from farshore.lab.types import Put, ResourceType, set_state

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

NAMESPACE = "Microsoft.Network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`shown`: properties that Azure shows unasked; `ready`: those it sets when the operation is over."""

    shown: Mapping[str, Any] = field(default_factory=dict)
    ready: Mapping[str, Any] = field(default_factory=dict)
    sku: Mapping[str, Any] | None = None
    inside: Mapping[str, str] = field(default_factory=dict)
    """Kind of child to the property in which it is shown."""
    guid: bool = True
    """Whether it shows a `resourceGuid`."""
    at_once: bool = False
    """Whether a PUT is no long-running operation."""
    quick: bool = False
    """Whether a PUT is over when it is answered, though its operation can be polled."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Property that lists sub-resources to the kind that their ids name, of those that are under way with their
    resource; all else that it lists is Succeeded at once (recorded)."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The same of sub-resources that are Succeeded at once."""
    sync: bool = False
    """Whether nothing of it takes time."""
    tracked: bool = False
    """Of a child: whether it has a location and tags of its own."""
    quick_tags: bool = True
    """Whether a PUT of new tags alone is over when it is answered."""
    slow_tags: bool = False
    """Whether new tags take time, though there is no operation to poll (recorded)."""
    read_only: tuple[str, ...] = ()
    """Properties that a client may send and that count for nothing."""
    created: int = 201
    """With what a PUT of something new is answered."""
    virtual_appliance: bool = False
    """Whether it is of the firewall's provider, with operations and spellings of its own."""
    pattern: Pattern | None = None
    """Where it answers as no other type does."""
    spelled: str | None = None
    """Its `type` as it is shown, where that is not the path's spelling (recorded)."""


PLAIN = Shape()
NO_GUID = Shape(guid=False)
AT_ONCE = Shape(at_once=True)
SYNC = Shape(sync=True)
APPLIANCE = Shape(virtual_appliance=True)

SHAPES: Mapping[str, Shape] = {
    "routeFilters": Shape(inside={"routeFilterRules": "rules"}, guid=False),
    "routeFilters/routeFilterRules": Shape(shown={"routeFilterRuleType": "Community"}),
    "virtualWans": Shape(
        shown={
            "disableVpnEncryption": False,
            "allowBranchToBranchTraffic": True,
            "office365LocalBreakoutCategory": "None",
            "type": "Standard",
        },
        guid=False,
    ),
    "virtualHubs": Shape(
        shown={
            "virtualHubRouteTableV2s": [],
            "virtualRouterAsn": asns.GATEWAYS,
            "virtualRouterIps": [],
            "routeTable": {"routes": []},
            "virtualRouterAutoScaleConfiguration": {"minCapacity": 2},
            "networkVirtualAppliances": [],
            "routingState": "None",
            "allowBranchToBranchTraffic": False,
            "hubRoutingPreference": "ExpressRoute",
        },
        guid=False,
        slow_tags=True,
        read_only=("routingState", "virtualRouterIps", "virtualRouterAsn", *STANDING.values()),
    ),
    "virtualHubs/hubVirtualNetworkConnections": Shape(
        shown={
            "allowHubToRemoteVnetTransit": True,
            "allowRemoteVnetToUseHubVnetGateways": False,
            "enableInternetSecurity": False,
            "connectivityStatus": "Unknown",
        },
        ready={"connectivityStatus": "Connected"},
    ),
    "virtualHubs/bgpConnections": Shape(
        shown={"connectionState": "Connecting"}, ready={"connectionState": "Connected"}
    ),
    "virtualHubs/ipConfigurations": Shape(shown={"privateIPAllocationMethod": "Dynamic"}),
    "virtualHubs/hubRouteTables": Shape(
        shown={"routes": [], "labels": [], "associatedConnections": [], "propagatingConnections": []}
    ),
    "virtualHubs/routeMaps": Shape(
        shown={"rules": [], "associatedInboundConnections": [], "associatedOutboundConnections": []}
    ),
    "virtualHubs/routeTables": PLAIN,
    "virtualHubs/routingIntent": PLAIN,
    "vpnGateways": Shape(
        shown={
            "isRoutingPreferenceInternet": False,
            "enableBgpRouteTranslationForNat": False,
            "packetCaptureDiagnosticState": "None",
            "ipConfigurations": [],
        },
        read_only=("packetCaptureDiagnosticState", "ipConfigurations"),
        inside={"vpnConnections": "connections", "natRules": "natRules"},
        guid=False,
    ),
    "vpnGateways/vpnConnections": Shape(parts={"vpnLinkConnections": "vpnLinkConnections"}),
    "vpnGateways/natRules": Shape(shown={"type": "Static"}),
    "vpnSites": Shape(
        shown={
            "isSecuritySite": False,
            "o365Policy": {"breakOutCategories": {"allow": False, "optimize": False, "default": False}},
        },
        guid=False,
        parts={"vpnSiteLinks": "vpnSiteLinks"},
    ),
    "vpnServerConfigurations": Shape(
        shown={
            "vpnProtocols": ["OpenVPN", "IkeV2"],
            "vpnAuthenticationTypes": ["Certificate"],
            "vpnClientRootCertificates": [],
            "vpnClientRevokedCertificates": [],
            "radiusServers": [],
            "radiusServerRootCertificates": [],
            "radiusClientRootCertificates": [],
            "vpnClientIpsecPolicies": [],
            "configurationPolicyGroups": [],
        },
        guid=False,
    ),
    "p2sVpnGateways": Shape(
        shown={"customDnsServers": [], "isRoutingPreferenceInternet": False, "vpnGatewayScaleUnit": 1},
        guid=False,
        parts={"p2SConnectionConfigurations": "p2sConnectionConfigurations"},
    ),
    "expressRouteGateways": Shape(
        shown={"allowNonVirtualWanTraffic": False, "autoScaleConfiguration": {"bounds": {"min": 2}}},
        inside={"expressRouteConnections": "expressRouteConnections"},
        guid=False,
    ),
    "expressRouteGateways/expressRouteConnections": Shape(
        shown={"routingWeight": 0, "enableInternetSecurity": False},
    ),
    "expressRoutePorts": Shape(
        shown={
            "provisionedBandwidthInGbps": 0.0,
            "billingType": "MeteredData",
        },
        parts={"links": "links"},
        read_only=("provisionedBandwidthInGbps", "mtu", "etherType", "allocationDate", "circuits"),
    ),
    "expressRoutePorts/authorizations": Shape(shown={"authorizationUseStatus": "Available"}),
    "expressRouteCrossConnections": Shape(inside={"peerings": "peerings"}, guid=False),
    "expressRouteCrossConnections/peerings": PLAIN,
    "virtualNetworkGateways/natRules": Shape(shown={"type": "Static"}),
    "natGateways": Shape(shown={"idleTimeoutInMinutes": 4}, sku={"name": "Standard", "tier": "Regional"}),
    "publicIPPrefixes": Shape(
        shown={"prefixLength": 28, "publicIPAddressVersion": "IPv4", "ipTags": []},
        sku={"name": "Standard", "tier": "Regional"},
    ),
    "azureFirewalls": Shape(
        shown={
            "additionalProperties": {},
            "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        },
        guid=False,
    ),
    "ipGroups": Shape(
        shown={"ipAddresses": [], "firewalls": [], "firewallPolicies": []},
        guid=False,
        pattern=IP_GROUPS,
        spelled="IpGroups",
    ),
    "bastionHosts": Shape(
        shown={"scaleUnits": 2, "bastionShareableLinks": {}},
        sku={"name": "Standard"},
        guid=False,
        parts={"ipConfigurations": "bastionHostIpConfigurations"},
    ),
    "ApplicationGatewayWebApplicationFirewallPolicies": Shape(shown={"customRules": []}, guid=False),
    "ddosProtectionPlans": Shape(guid=False, quick=True),
    "ddosCustomPolicies": Shape(
        shown={"detectionRules": [], "frontendIpConfigurations": [], "publicIPAddresses": []},
        guid=False,
        named={"detectionRules": "ddosDetectionRules"},
    ),
    "serviceEndpointPolicies": Shape(inside={"serviceEndpointPolicyDefinitions": "serviceEndpointPolicyDefinitions"}),
    "serviceEndpointPolicies/serviceEndpointPolicyDefinitions": PLAIN,
    "privateEndpoints/privateDnsZoneGroups": Shape(
        shown={"privateDnsZoneConfigs": []}, parts={"privateDnsZoneConfigs": "privateDnsZoneConfigs"}
    ),
    "networkWatchers/flowLogs": Shape(guid=False, tracked=True),
    "networkWatchers/packetCaptures": PLAIN,
    "networkProfiles": Shape(
        shown={"containerNetworkInterfaces": [], "containerNetworkInterfaceConfigurations": []}, quick=True
    ),
    "networkVirtualAppliances": Shape(guid=False, virtual_appliance=True),
    "networkManagers": AT_ONCE,
    "networkManagers/networkGroups": AT_ONCE,
    "networkManagers/connectivityConfigurations": AT_ONCE,
    "networkManagers/securityAdminConfigurations": AT_ONCE,
    "virtualNetworkTaps": Shape(shown={"networkInterfaceTapConfigurations": []}),
    "virtualRouters": NO_GUID,
    "virtualRouters/peerings": PLAIN,
    "securityPartnerProviders": Shape(guid=False, quick_tags=False),
    "customIPPrefixes": Shape(
        shown={"commissionedState": "Provisioning", "failedReason": "", "childCustomIpPrefixes": []}
    ),
    "ipAllocations": PLAIN,
    "dscpConfigurations": PLAIN,
    "networkSecurityPerimeters": AT_ONCE,
    "networkSecurityPerimeters/links": AT_ONCE,
    "networkSecurityPerimeters/loggingConfigurations": SYNC,
    "networkSecurityPerimeters/profiles": SYNC,
    "networkSecurityPerimeters/profiles/accessRules": SYNC,
    "networkSecurityPerimeters/resourceAssociations": AT_ONCE,
    "networkManagerConnections": Shape(sync=True, guid=False),
    "networkManagers/commits": PLAIN,
    "networkManagers/ipamPools": Shape(tracked=True),
    "networkManagers/ipamPools/staticCidrs": AT_ONCE,
    "networkManagers/networkGroups/staticMembers": SYNC,
    "networkManagers/routingConfigurations": AT_ONCE,
    "networkManagers/routingConfigurations/ruleCollections": AT_ONCE,
    "networkManagers/routingConfigurations/ruleCollections/rules": AT_ONCE,
    "networkManagers/scopeConnections": SYNC,
    "networkManagers/securityAdminConfigurations/ruleCollections": AT_ONCE,
    "networkManagers/securityAdminConfigurations/ruleCollections/rules": AT_ONCE,
    "networkManagers/securityUserConfigurations": AT_ONCE,
    "networkManagers/securityUserConfigurations/ruleCollections": AT_ONCE,
    "networkManagers/securityUserConfigurations/ruleCollections/rules": AT_ONCE,
    "networkManagers/verifierWorkspaces": Shape(at_once=True, tracked=True),
    "networkManagers/verifierWorkspaces/reachabilityAnalysisIntents": SYNC,
    "networkManagers/verifierWorkspaces/reachabilityAnalysisRuns": AT_ONCE,
    "applicationGateways/privateEndpointConnections": Shape(created=200),
    "applicationSecurityGroups/addressPrefixSets": PLAIN,
    "authenticationPolicies": PLAIN,
    "expressRouteLags": PLAIN,
    "expressRouteLags/authorizations": Shape(shown={"authorizationUseStatus": "Available"}),
    "firewallPolicies/firewallPolicyDrafts": SYNC,
    "firewallPolicies/kubeSelectorGroups": PLAIN,
    "firewallPolicies/ruleCollectionGroups/ruleCollectionGroupDrafts": SYNC,
    "firewallPolicies/signatureOverrides": Shape(sync=True, created=200),
    "firstPartyServiceTags": PLAIN,
    "interconnectGroups": SYNC,
    "networkInterfaces/tapConfigurations": PLAIN,
    "networkVirtualAppliances/inboundSecurityRules": APPLIANCE,
    "networkVirtualAppliances/networkVirtualApplianceConnections": APPLIANCE,
    "networkVirtualAppliances/virtualApplianceSites": APPLIANCE,
    "networkWatchers/connectionAnalyzers": PLAIN,
    "serviceGateways": PLAIN,
    "virtualHubs/connectionPolicies": PLAIN,
    "virtualNetworkAppliances": PLAIN,
    "virtualNetworkAppliances/capabilities": PLAIN,
    "vpnServerConfigurations/configurationPolicyGroups": PLAIN,
}
"""Type below the namespace to its shape."""

ROUTES_OF_HUBS = ("effectiveRoutes", "inboundRoutes", "outboundRoutes")


class ShapeOnly(ResourceType):
    """Any of them."""

    shape: ClassVar[Shape]
    forwards = True
    shape_only = True

    def full_id(self, call: Call) -> ResourceId:
        """In the provider's own spelling of the type, however it was asked for (recorded)."""
        id_ = super().full_id(call)
        kind, own = id_.pairs[-1][0], self.type.rsplit("/", 1)[-1]
        head = id_.text[: len(id_.text) - len(f"{kind}/{id_.name}")]
        return id_ if kind == own or call.cloud.exists(id_) else resource_id(f"{head}{own}/{id_.name}")

    def validate(self, put: Put) -> None:
        """A range is a range: `farshore.routing` reads it; and so is the length of one."""
        if put.properties.get("addressPrefix") is not None:
            prefix(put.properties["addressPrefix"], put.id.text)
        check = CHECKED.get(_short(put.id))
        if check is not None:
            check(put)
        length = put.properties.get("prefixLength")
        if length is not None:
            prefix(
                f"::/{length}" if put.properties.get("publicIPAddressVersion") == "IPv6" else f"0.0.0.0/{length}",
                put.id.text,
            )

    def on_put(self, put: Put) -> Body:
        body = only_ids(self.standard(put))
        shape = self.shape
        make = MADE.get(_short(put.id))
        properties = {**shape.shown, **body["properties"], **({} if make is None else make(put))}
        if not shape.guid:
            properties.pop("resourceGuid", None)
        for key, value in properties.items():
            if isinstance(value, list) and self.label_of(key) is None:
                kind = shape.parts.get(key) or shape.named.get(key) or key
                properties[key] = [_part(put.id.text, self.type, kind, item, key in shape.parts) for item in value]
        if shape.sku is not None:
            body["sku"] = sku_of(put.body, shape.sku)
        return {**body, "properties": properties}

    def may_stay(self, put: Put) -> bool:
        return self.shape.quick_tags

    def is_quick(self, put: Put) -> bool:
        return self.shape.quick

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is None:
            return
        fill = FILLED.get(_short(id_))
        found = {**self.shape.ready, **({} if fill is None else fill(cloud, id_, body))}
        if found:
            cloud.write(id_, {**body, "properties": {**body["properties"], **found}})

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        etag, state = cloud.etag(id_), str(body["properties"].get("provisioningState", "Succeeded"))
        properties = dict(body["properties"])
        for key, value in properties.items():
            if isinstance(value, list) and self.label_of(key) is None:
                now = state if key in self.shape.parts else None
                properties[key] = [_as_now(item, etag, now) for item in value]
        tell = TOLD.get(_short(id_))
        told = {} if tell is None else tell(cloud, id_)
        kind = {} if self.shape.spelled is None else {"type": f"{NAMESPACE}/{self.shape.spelled}"}
        return {**body, **kind, "properties": {**properties, **told}}

    def get(self, call: Call) -> Response:
        answer, alone = super().get(call), ALONE.get(_short(call.id))
        return answer if alone is None else replace(answer, body=alone(dict(answer.body)))

    def patch(self, call: Call) -> Response:
        answer = super().patch(call)
        if not self.shape.slow_tags:
            return answer
        takes = call.cloud.duration("virtualNetworkGateways.tags", call.id.key)
        set_state(call.cloud, call.id, "Updating")
        self.begin(call, call.id, "put", created=False, takes=takes)
        return self.get(call)

    def label_of(self, name: str) -> str | None:
        """The kind of child that is shown in a property."""
        return next((kind for kind, label in self.labels.items() if label == name), None)


def _short(id_: ResourceId) -> str:
    """The type below the namespace, in lower case."""
    return id_.type.split("/", 1)[1].lower()


def _part(parent: str, type_: str, kind: str, item: Any, known: bool = False) -> Any:
    """A named thing in a list is a sub-resource: it has an id, a type and a state, and so has what it lists itself.
    `known`: even if it was sent without any properties."""
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not (known or "properties" in item):
        return item
    id_, own = f"{parent}/{kind}/{item['name']}", f"{type_}/{kind}"
    properties = {
        key: [_part(id_, own, key, inner) for inner in value] if isinstance(value, list) else value
        for key, value in (item.get("properties") or {}).items()
    }
    return {
        "name": item["name"],
        "id": id_,
        **{key: value for key, value in item.items() if key not in ("name", "id", "type", "etag", "properties")},
        "type": own,
        "properties": {**properties, "provisioningState": "Succeeded"},
    }


def _as_now(item: Any, etag: str, state: str | None) -> Any:
    """A sub-resource as its resource is: of the same etag, and with a `state` under way as long as that is."""
    if not isinstance(item, dict) or "type" not in item or "properties" not in item:
        return item
    properties = {
        key: [_as_now(inner, etag, state) for inner in value] if isinstance(value, list) else value
        for key, value in item["properties"].items()
    }
    now = {} if state is None else {"provisioningState": state}
    return {**item, "etag": etag, "properties": {**properties, **now}}


def _pattern(shape: Shape) -> Pattern:
    usual = APPLIANCES if shape.virtual_appliance else NETWORK_AT_ONCE if shape.at_once else NETWORK
    return replace(shape.pattern or usual, sync=shape.sync, put_created=shape.created)


def _register() -> None:
    for name, shape in SHAPES.items():
        is_child = "/" in name
        parts: dict[str, Any] = {
            "__doc__": f"{NAMESPACE}/{name}: shape only.",
            "__module__": __name__,
            "shape": shape,
            "tracked": shape.tracked or not (is_child or name == "networkManagerConnections"),
            "nested": tuple(shape.inside),
            "keep_omitted": tuple(shape.inside),
            "labels": dict(shape.inside),
            "read_only": (*ResourceType.read_only, *shape.read_only),
            "apart": is_child,
            "pattern": _pattern(shape),
        }
        resource_type(f"{NAMESPACE}/{name}")(type("ShapeOnly", (ShapeOnly,), parts))


_register()


def _routes_of_hub(call: Call, verb: str) -> Response:
    call.must_exist()
    headers = ("azure-asyncoperation", "location")
    return call.accept(verb, duration="network.query", headers=headers)


def _told(cloud: Cloud, operation: Operation) -> Body:
    operations.must_be_there(cloud, operation)
    return {"value": []}


for _verb in ROUTES_OF_HUBS:
    action(f"{NAMESPACE}/virtualHubs", _verb)(lambda call, verb=_verb: _routes_of_hub(call, verb))
    completion(f"{NAMESPACE}/virtualHubs", _verb)(_told)
