"""The form of what is sent, by the names of its properties: refused at the door, so that no handler meets a text where
it looks for a list.

Azure parses a request against the api-version's schema before anything else happens. The lab keeps no schemas; what it
reads has one name in all the types that have it, so a table of names is enough. A name that is not in it is nobody's
business here, null is as good as absent, and every `id` below the top must be a resource id (L15).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab.answers import Refused, quoted

NAMESPACES = (
    "microsoft.network",
    "microsoft.compute",
    "microsoft.storage",
    "microsoft.resources",
    "microsoft.automation",
)
"""Whose bodies are looked at; Site Recovery has its own ways."""

OBJECT, LIST_OF_OBJECTS, LIST_OF_TEXTS, TEXT, NUMBER = (
    "an object",
    "a list of objects",
    "a list of texts",
    "a text",
    "a number",
)

_NAMES = {
    OBJECT: (
        "properties, sku, tags, addressSpace, dhcpOptions, subnet, routeTable, networkSecurityGroup, publicIPAddress,"
        " remoteVirtualNetwork, remoteAddressSpace, virtualNetworkGateway1, peer, serviceProviderProperties,"
        " bgpSettings, hardwareProfile, storageProfile, osProfile, networkProfile, osDisk, managedDisk, vhd,"
        " availabilitySet, creationData, networkAcls, dnsSettings, diagnosticsProfile, linuxConfiguration,"
        " virtualMachine, expressRoutePort, ipv6PeeringConfig, microsoftPeeringConfig, imageReference,"
        " windowsConfiguration, patchSettings, bgpCommunities, virtualNetworkGateway2, localNetworkGateway2,"
        " localNetworkAddressSpace, vpnClientConfiguration, vpnClientAddressPool, customRoutes, encryption,"
        " frontendIPConfiguration, backendAddressPool, probe, expressRouteCircuitPeering,"
        " peerExpressRouteCircuitPeering, virtualWan, virtualHub, remoteVirtualNetworkAddressSpace,"
        " routingConfiguration, vnetRoutes, staticRoutesConfig, propagatedRouteTables, associatedRouteTable,"
        " capacityReservation, capacityReservationGroup, proximityPlacementGroup"
    ),
    LIST_OF_OBJECTS: (
        "subnets, virtualNetworkPeerings, routes, securityRules, ipConfigurations, peerings, authorizations,"
        " serviceEndpoints, delegations, dataDisks, networkInterfaces, virtualNetworkRules, ipRules,"
        " bgpPeeringAddresses, vpnClientRootCertificates, vpnClientRevokedCertificates, frontendIPConfigurations,"
        " backendAddressPools, loadBalancingRules, probes, inboundNatRules, inboundNatPools, outboundRules,"
        " loadBalancerBackendAddressPools, loadBalancerInboundNatRules, natRules, loadBalancerBackendAddresses,"
        " privateLinkServiceConnections, manualPrivateLinkServiceConnections, vpnSiteLinks, vpnLinkConnections, links,"
        " applicationSecurityGroups, sourceApplicationSecurityGroups, destinationApplicationSecurityGroups"
    ),
    LIST_OF_TEXTS: (
        "addressPrefixes, dnsServers, sourceAddressPrefixes, destinationAddressPrefixes, sourcePortRanges,"
        " destinationPortRanges, zones, customBgpIpAddresses, vpnClientProtocols, vpnAuthenticationTypes"
    ),
    TEXT: (
        "location, name, id, uri, addressPrefix, nextHopType, nextHopIpAddress, privateIPAddress, gatewayType,"
        " privateIPAllocationMethod, connectionType, authorizationKey, peeringType, primaryPeerAddressPrefix,"
        " secondaryPeerAddressPrefix, peeringLocation, serviceProviderName, tier, family, createOption,"
        " sourceResourceId, sourceUri, vmSize, direction, access, protocol, sourceAddressPrefix,"
        " destinationAddressPrefix, sourcePortRange, destinationPortRange, storageAccountType, computerName, service,"
        " publicIPAllocationMethod, publicIPAddressVersion, deleteOption, state, osType, sharedKey, gatewayIpAddress,"
        " fqdn, bgpPeeringAddress, vpnType, publisher, offer, domainNameLabel, internalDnsNameLabel"
    ),
    NUMBER: (
        "peerASN, vlanId, bandwidthInMbps, routingWeight, diskSizeGB, lun, asn, peerWeight, idleTimeoutInMinutes,"
        " prefixLength"
    ),
}
FORMS = {name.strip(): form for form, names in _NAMES.items() for name in names.split(",")}

WITH_WORDS_OF_THEIR_OWN = ("imageReference", "plan", "identity", "internalMappings", "externalMappings")
"""In which a name means something else (an image's `sku` is a text); the lab reads nothing in them."""
AMBIGUOUS = ("sku", "addressSpace", "encryption")
"""Names that mean one thing in one type that is shape only, and another in the next."""
WITHOUT_SLASH = ("snapshot",)
"""What Compute takes by an id without its first slash too (recorded of an image)."""

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
_FITS: dict[str, Callable[[Any], bool]] = {
    OBJECT: lambda value: isinstance(value, dict),
    LIST_OF_OBJECTS: lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    LIST_OF_TEXTS: lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    TEXT: lambda value: isinstance(value, str),
    NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def check(body: Body, *, apart: Collection[str] = ()) -> None:
    """Raise `Refused` 400 for a body that could not be parsed. `apart`: names that mean something else here."""
    _look(body, None, apart)


def must_be_objects(found: Any, place: str) -> None:
    """Raise `Refused` 400 for what is no list of objects, where children are expected."""
    if not _FITS[LIST_OF_OBJECTS](found):
        raise _unreadable(place, LIST_OF_OBJECTS, found)


def must_be_name(name: str) -> None:
    """Raise `Refused` 400 for a name that Microsoft.Network does not take."""
    if not _NAME.fullmatch(name):
        raise Refused(
            400,
            "InvalidResourceName",
            f"Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word "
            "character, and it must end with a word character or with '_'. The name may contain word characters or "
            "'.', '-', '_'.",
        )


Place = tuple["Place | None", str | int]
"""What holds a value, and its name or number there; written out only where something is wrong."""


def _look(value: Any, held: Place | None, apart: Collection[str]) -> None:
    if isinstance(value, list):
        for at, item in enumerate(value):
            _look(item, (held, at), apart)
        return
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        form = None if held is not None and name in apart else FORMS.get(name)
        if item is not None and form is not None and not _FITS[form](item):
            raise _unreadable(_path((held, name)), form, item)
        if name == "tags":
            for tag, text in (item or {}).items():
                if text is not None and not isinstance(text, str):
                    raise _unreadable(_path(((held, name), tag)), TEXT, text)
            continue
        if name == "id" and item and held is not None:
            _must_be_id(item if held[1] not in WITHOUT_SLASH else "/" + item.lstrip("/"), (held, name))
        if isinstance(item, (dict, list)) and name not in WITH_WORDS_OF_THEIR_OWN:
            _look(item, (held, name), apart)


def _path(place: Place) -> str:
    """`properties.routes[2].name`."""
    held, name = place
    above = "" if held is None else _path(held)
    return f"{above}[{name}]" if isinstance(name, int) else f"{above}.{name}".lstrip(".")


def _must_be_id(text: str, place: Place) -> None:
    try:
        resource_id(text)
    except InputError:
        raise Refused(
            400,
            "LinkedInvalidPropertyId",
            f"Property id '{text}' at path '{_path(place)}' is invalid. Expect fully qualified resource Id that start "
            "with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
        ) from None


def _unreadable(place: str, form: str, item: Any) -> Refused:
    detail = {"code": "InvalidJson", "message": f"Error converting value {quoted(item)} to {form}. Path '{place}'."}
    return Refused(400, "InvalidRequestFormat", "Cannot parse the request.", details=[detail])
