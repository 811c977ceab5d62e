"""What of a body an api-version shows.

A resource is one thing; an api-version is a view of it. A property that came with a later version is left out of the
answers to an earlier one, some defaults were others then, and a few properties were shown only in old versions. The
versions are those in which Azure's own clients first know the property, and for what no client knows
(`isMigrateToCSES`, `kind` of a NIC), or shows earlier than its clients know it, the first in which it was recorded.

A reader that names no version (the lab itself) sees everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.json import Body

USUAL = "2024-05-01"
"""With which the lab asks itself where nobody names a version."""
SINCE: Mapping[str, Mapping[str, str]] = {
    "Microsoft.Network/virtualNetworks": {
        "properties.bgpCommunities": "2019-08-01",
        "properties.flowTimeoutInMinutes": "2021-02-01",
        "properties.encryption": "2021-08-01",
        "properties.privateEndpointVNetPolicies": "2023-09-01",
    },
    "Microsoft.Network/virtualNetworks/subnets": {
        "properties.delegations": "2018-08-01",
        "properties.purpose": "2018-08-01",
        "properties.natGateway": "2019-02-01",
        "properties.privateEndpointNetworkPolicies": "2019-04-01",
        "properties.privateLinkServiceNetworkPolicies": "2019-04-01",
        "properties.defaultOutboundAccess": "2023-06-01",
    },
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": {
        "properties.peeringSyncLevel": "2021-02-01",
        "properties.remoteVirtualNetworkAddressSpace": "2021-02-01",
        "properties.peerCompleteVnets": "2021-02-01",
        "properties.remoteGateways": "2021-02-01",
    },
    "Microsoft.Network/publicIPAddresses": {
        "sku": "2017-10-01",
        "sku.tier": "2020-07-01",
        "properties.ipTags": "2018-01-01",
        "properties.ddosSettings": "2022-05-01",
        "properties.deleteOption": "2021-02-01",
    },
    "Microsoft.Network/networkInterfaces": {
        "kind": "2021-08-01",
        "properties.nicType": "2020-03-01",
        "properties.allowPort25Out": "2022-01-01",
        "properties.vnetEncryptionSupported": "2021-02-01",
        "properties.disableTcpStateTracking": "2022-05-01",
        "properties.auxiliaryMode": "2022-05-01",
        "properties.auxiliarySku": "2022-09-01",
        "properties.hostedWorkloads": "2018-08-01",
        "properties.tapConfigurations": "2018-08-01",
    },
    "Microsoft.Network/virtualNetworkGateways": {
        "properties.customRoutes": "2019-02-01",
        "properties.vpnGatewayGeneration": "2019-07-01",
        "properties.enablePrivateIpAddress": "2019-12-01",
        "properties.bgpSettings.bgpPeeringAddresses": "2019-12-01",
        "properties.vpnClientConfiguration.radiusServers": "2020-03-01",
        "properties.vpnClientConfiguration.vpnAuthenticationTypes": "2020-11-01",
        "properties.natRules": "2021-02-01",
        "properties.enableBgpRouteTranslationForNat": "2021-02-01",
        "properties.isMigrateToCSES": "2021-08-01",
        "properties.disableIPSecReplayProtection": "2021-08-01",
        "properties.virtualNetworkGatewayPolicyGroups": "2021-08-01",
        "properties.vpnClientConfiguration.vngClientConnectionConfigurations": "2021-08-01",
        "properties.allowRemoteVnetTraffic": "2022-05-01",
        "properties.allowVirtualWanTraffic": "2022-05-01",
    },
    "Microsoft.Network/connections": {
        "properties.usePolicyBasedTrafficSelectors": "2017-03-01",
        "properties.ipsecPolicies": "2017-03-01",
        "properties.expressRouteGatewayBypass": "2018-07-01",
        "properties.packetCaptureDiagnosticState": "2019-11-01",
        "properties.gatewayCustomBgpIpAddresses": "2021-03-01",
        "properties.enablePrivateLinkFastPath": "2022-05-01",
    },
    "Microsoft.Network/virtualHubs": {
        "properties.allowBranchToBranchTraffic": "2020-08-01",
        "properties.virtualRouterAutoScaleConfiguration": "2021-08-01",
        "properties.hubRoutingPreference": "2022-01-01",
        "properties.networkVirtualAppliances": "2022-05-01",
    },
    "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections": {
        "properties.connectivityStatus": "2022-01-01",
        "properties.routingConfiguration.vnetRoutes.staticRoutesConfig": "2022-05-01",
    },
    "Microsoft.Network/vpnServerConfigurations": {"properties.configurationPolicyGroups": "2021-08-01"},
    "Microsoft.Network/vpnGateways/vpnConnections": {
        "properties.vpnLinkConnections.properties.vpnLinkConnectionMode": "2021-03-01",
        "properties.vpnLinkConnections.properties.vpnGatewayCustomBgpAddresses": "2021-03-01",
    },
    "Microsoft.Network/expressRoutePorts": {
        "properties.billingType": "2022-11-01",
        "properties.links.properties.coloLocation": "2022-05-01",
    },
    "Microsoft.Network/routeTables": {"properties.resourceGuid": "2020-04-01"},
    "Microsoft.Network/loadBalancers/loadBalancingRules": {"properties.backendAddressPools": "2021-02-01"},
    "Microsoft.Network/loadBalancers/backendAddressPools": {"properties.loadBalancerBackendAddresses": "2020-05-01"},
    "Microsoft.Network/loadBalancers/probes": {"properties.probeThreshold": "2022-05-01"},
    "Microsoft.Network/bastionHosts": {"sku": "2021-03-01"},
    "Microsoft.Network/applicationGateways": {
        "properties.trustedClientCertificates": "2020-06-01",
        "properties.sslProfiles": "2020-06-01",
        "properties.loadDistributionPolicies": "2021-05-01",
        "properties.backendSettingsCollection": "2021-08-01",
        "properties.listeners": "2021-08-01",
        "properties.routingRules": "2021-08-01",
    },
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": {
        # Somewhere between 2020-04-01, which does not show them, and 2023-02-01, which does.
        "properties.policySettings.requestBodyInspectLimitInKB": "2022-09-01",
        "properties.policySettings.fileUploadEnforcement": "2022-09-01",
        "properties.policySettings.requestBodyEnforcement": "2022-09-01",
    },
    "Microsoft.Network/firewallPolicies": {"properties.sku": "2020-07-01"},
    "Microsoft.Network/natGateways": {"sku.tier": "2020-07-01"},
    "Microsoft.Network/publicIPPrefixes": {"sku.tier": "2020-07-01"},
    "Microsoft.Network/privateEndpoints": {
        "properties.customNetworkInterfaceName": "2021-05-01",
        "properties.ipConfigurations": "2021-05-01",
    },
    "Microsoft.Authorization/roleAssignments": {
        "properties.condition": "2020-03-01",
        "properties.conditionVersion": "2020-03-01",
        "properties.description": "2020-03-01",
        "properties.delegatedManagedIdentityResourceId": "2020-04-01",
    },
    "Microsoft.Automation/automationAccounts": {
        "properties.RuntimeConfiguration": "2019-06-01",
        "properties.publicNetworkAccess": "2020-01-13",
        "properties.privateEndpointConnections": "2020-01-13",
        "properties.encryption": "2020-01-13",
        "systemData": "2021-06-22",
        "properties.disableLocalAuth": "2021-06-22",
        "properties.automationHybridServiceUrl": "2021-06-22",
    },
    "Microsoft.RecoveryServices/vaults": {
        "properties.backupStorageVersion": "2022-04-01",
        "properties.publicNetworkAccess": "2022-10-01",
        "properties.securitySettings": "2022-10-01",
        "properties.restoreSettings": "2023-02-01",
        "properties.securitySettings.softDeleteSettings": "2023-02-01",
        "properties.securitySettings.multiUserAuthorization": "2023-02-01",
        "properties.securitySettings.softDeleteSettings.enhancedSecurityState": "2024-04-01",
        "properties.redundancySettings": "2024-04-01",
        "properties.secureScore": "2024-04-01",
        "properties.bcdrSecurityLevel": "2024-04-01",
    },
    "Microsoft.Storage/storageAccounts": {
        "properties.keyCreationTime": "2021-02-01",
        "properties.networkAcls.ipv6Rules": "2023-05-01",
    },
    "Microsoft.Storage/storageAccounts/blobServices": {
        "properties.deleteRetentionPolicy.allowPermanentDelete": "2022-05-01",
    },
    "Microsoft.Storage/storageAccounts/fileServices": {"properties.protocolSettings": "2021-01-01"},
    "Microsoft.Compute/disks": {
        "properties.encryption": "2019-07-01",
        "properties.networkAccessPolicy": "2020-05-01",
        "properties.tier": "2020-06-30",
        "properties.publicNetworkAccess": "2021-04-01",
    },
    "Microsoft.Compute/snapshots": {
        "properties.encryption": "2019-07-01",
        "properties.networkAccessPolicy": "2020-05-01",
        "properties.publicNetworkAccess": "2021-04-01",
    },
    "Microsoft.Compute/capacityReservationGroups/capacityReservations": {
        "properties.platformFaultDomainCount": "2022-08-01",
    },
    "Microsoft.Compute/virtualMachines": {
        "properties.timeCreated": "2021-11-01",
        "properties.storageProfile.osDisk.deleteOption": "2021-03-01",
        "properties.storageProfile.dataDisks.deleteOption": "2021-03-01",
        "properties.osProfile.windowsConfiguration.patchSettings.assessmentMode": "2021-03-01",
        "properties.osProfile.linuxConfiguration.patchSettings": "2020-12-01",
        "properties.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates": "2022-08-01",
        "properties.osProfile.windowsConfiguration.enableVMAgentPlatformUpdates": "2022-08-01",
    },
}
"""Type to property's path to the first api-version that shows it. Sub-resources are looked into by their own types."""

UNTIL: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "Microsoft.Network/virtualNetworks": {"enableVmProtection": ("2020-08-01", False)},
}
"""Type to property to the first api-version that no longer shows it, and what it was."""

ONCE: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "Microsoft.Network/virtualNetworks/subnets": {"privateEndpointNetworkPolicies": ("2022-01-01", "Enabled")},
}
"""Type to property to the first api-version with today's default, and the default before it."""

_SINCE = {type_.lower(): table for type_, table in SINCE.items()}
_UNTIL = {type_.lower(): table for type_, table in UNTIL.items()}
_ONCE = {type_.lower(): table for type_, table in ONCE.items()}


def as_of(body: Body, type_: str, query: Mapping[str, str]) -> Body:
    """The body as the query's api-version shows it."""
    version, kind = query.get("api-version", "")[:10], type_.lower()
    if not version or (kind not in _SINCE and kind not in _UNTIL):
        return body
    for path, first in _SINCE.get(kind, {}).items():
        if version < first:
            body = _without(body, path.split("."))
    gone = {name: value for name, (end, value) in _UNTIL.get(kind, {}).items() if version < end}
    if gone:
        body = {**body, "properties": {**body.get("properties", {}), **gone}}
    return body


def default(type_: str, name: str, query: Mapping[str, str], today: Any) -> Any:
    """The default of a property in an api-version."""
    found = _ONCE.get(type_.lower(), {}).get(name)
    version = query.get("api-version", "")[:10]
    return today if found is None or not version or version >= found[0] else found[1]


def _without(body: Any, path: list[str]) -> Any:
    if isinstance(body, list):
        return [_without(item, path) for item in body]
    if not isinstance(body, dict) or path[0] not in body:
        return body
    if len(path) == 1:
        return {key: value for key, value in body.items() if key != path[0]}
    return {**body, path[0]: _without(body[path[0]], path[1:])}
