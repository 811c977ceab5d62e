"""The target network, body by body, from the source's.

Site Recovery builds machines; it does not build route tables, gateways, connections, peerings, security groups or
appliances (D24, S32). This file writes them: each function takes a body as Azure answers it in the source and returns
the body to put in the target. What changes on the way:

  names        by `target.names`; children keep theirs (S34)
  places       region, resource group; ids of mirrored resources become their counterparts'
  addresses    by `addresses.map`: address spaces, subnets, routes, rules, DNS servers (D79)
  next hops    to the appliance of the target, whatever address it has there (R21)
  peerings     the same flags as the source (D76, D42, D43)

and what does not: routes that name no mapped address are the source's own (D78). Only what Azure lets a client write
is written: each type has its list, so that states, etags, GUIDs and back references never come along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import (
    CONNECTIONS,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    ROUTE_TABLES,
    VIRTUAL_NETWORK_GATEWAYS,
    VIRTUAL_NETWORKS,
    VirtualNetwork,
)
from farshore.errors import InputError
from farshore.estate.counterparts import Counterparts, mapped_address, mapped_network
from farshore.estate.standing import ranges_after, space_after

STORAGE = "Microsoft.Storage"
APPLICATION_SECURITY_GROUPS = "Microsoft.Network/applicationSecurityGroups"


class Target:
    """Bodies for the target. `appliances` are the addresses that next hops move to, beyond the address map."""

    def __init__(self, counterparts: Counterparts, appliances: Mapping[Address, Address] | None = None) -> None:
        self.of = counterparts
        self.project = counterparts.project
        self.appliances = dict(appliances or {})

    # Addresses. ----------------------------------------------------------------------------------------------------

    def network_text(self, text: Any) -> Any:
        """A prefix, an address, or a text that is neither (a tag, a marker): the target's form of it."""
        if not isinstance(text, str):
            return text
        try:
            if "/" in text:
                return str(mapped_network(self.project, ip_network(text)))
            return str(mapped_address(self.project, ip_address(text)))
        except ValueError:
            return text

    def next_hop(self, text: Any) -> Any:
        try:
            address = ip_address(str(text))
        except ValueError:
            return text
        return str(self.appliances.get(address) or mapped_address(self.project, address))

    def networks(self, prefixes: Iterable[Network]) -> tuple[Network, ...]:
        return tuple(mapped_network(self.project, prefix) for prefix in prefixes)

    # One function a type. ------------------------------------------------------------------------------------------

    def resource_group(self, source: ResourceId) -> Body:
        id_ = self.of.group(source)
        return {"id": id_.text, "name": id_.name, "location": self.project.target.region}

    def security_group(self, body: Body) -> Body:
        rules = [
            {"name": _name(rule), "properties": self._rule(_properties(rule))}
            for rule in _items(_properties(body), "securityRules")
        ]
        return self._body(body, NETWORK_SECURITY_GROUPS, {"securityRules": rules})

    def application_security_group(self, body: Body) -> Body:
        return self._body(body, APPLICATION_SECURITY_GROUPS, {})

    def route_table(self, body: Body) -> Body:
        properties = _chosen(_properties(body), ("disableBgpRoutePropagation", "disablePeeringRoute"))
        properties["routes"] = [
            {"name": _name(route), "properties": self._route(_properties(route))}
            for route in _items(_properties(body), "routes")
        ]
        return self._body(body, ROUTE_TABLES, properties)

    def virtual_network(
        self, body: Body, *, tables: bool = True, storage: Iterable[str] = (), groups: bool = True
    ) -> Body:
        """The network with its subnets. `tables` associates the route tables in the same put, so that no subnet is
        ever without its own (D85); `storage` names the subnets of replicated machines, which need the storage
        endpoint before reprotect (D32, S40). Peerings are resources of their own. A network that stands is completed:
        what it has beside is in the body, or is kept by what the body does not say (`estate/standing.py`)."""
        source, pair = _properties(body), self._standing(body)
        properties = _chosen(source, ("bgpCommunities", "flowTimeoutInMinutes", "encryption"))
        prefixes = (source.get("addressSpace") or {}).get("addressPrefixes") or []
        properties["addressSpace"] = {"addressPrefixes": [self.network_text(prefix) for prefix in prefixes]}
        if pair is not None:
            properties["addressSpace"] = {"addressPrefixes": [str(p) for p in space_after(self.project, *pair)]}
        servers = (source.get("dhcpOptions") or {}).get("dnsServers")
        if servers:
            properties["dhcpOptions"] = {"dnsServers": [self.network_text(server) for server in servers]}
        wanting = {name.lower() for name in storage}
        properties["subnets"] = [
            self._subnet(subnet, pair, tables=tables, groups=groups, storage=_name(subnet).lower() in wanting)
            for subnet in _items(source, "subnets")
        ]
        return self._body(body, VIRTUAL_NETWORKS, properties)

    def subnet(self, network: Body, name: str, *, storage: bool = False) -> Body:
        """One subnet with its table, as a resource of its own: for tables that are put on later."""
        own = resource_id(str(network["id"]))
        found = next(s for s in _items(_properties(network), "subnets") if _name(s).lower() == name.lower())
        id_ = self.of.of(own).child("subnets", _name(found))
        return {
            "id": id_.text,
            **self._subnet(found, self._standing(network), tables=True, groups=True, storage=storage),
        }

    def peering(self, network: ResourceId, peering: Body, *, use_remote_gateways: bool | None = None) -> Body:
        """One side of a peering with the source's own flags (D76). `use_remote_gateways` false keeps a spoke silent
        until a later put (`link: silent`)."""
        source = _properties(peering)
        properties = _chosen(
            source,
            (
                "allowVirtualNetworkAccess",
                "allowForwardedTraffic",
                "allowGatewayTransit",
                "useRemoteGateways",
                "peerCompleteVnets",
                "localSubnetNames",
                "remoteSubnetNames",
                "enableOnlyIPv6Peering",
            ),
        )
        if use_remote_gateways is not None:
            properties["useRemoteGateways"] = use_remote_gateways
        remote = resource_id(str(source["remoteVirtualNetwork"]["id"]))
        properties["remoteVirtualNetwork"] = {"id": self.of.of(remote).text}
        id_ = self.of.of(network.child("virtualNetworkPeerings", _name(peering)))
        return {"id": id_.text, "name": id_.name, "properties": properties}

    def public_ip(self, body: Body) -> Body:
        """Standard and static: nothing else is taken by a gateway any more (E25, L35)."""
        properties = _chosen(_properties(body), ("publicIPAddressVersion", "idleTimeoutInMinutes"))
        properties["publicIPAllocationMethod"] = "Static"
        made = self._body(body, PUBLIC_IP_ADDRESSES, properties)
        made["sku"] = {"name": "Standard", "tier": (body.get("sku") or {}).get("tier") or "Regional"}
        return made

    def gateway(self, body: Body) -> Body:
        """The ExpressRoute gateway of the target hub (D74). A public address only where the source shows one: newer
        gateways have one that the platform manages (E25)."""
        source = _properties(body)
        properties = _chosen(
            source,
            (
                "gatewayType",
                "vpnType",
                "sku",
                "autoScaleConfiguration",
                "allowRemoteVnetTraffic",
                "allowVirtualWanTraffic",
                "adminState",
                "resiliencyModel",
            ),
        )
        if isinstance(properties.get("sku"), Mapping):
            properties["sku"] = _chosen(properties["sku"], ("name", "tier"))
        there = self.of.estate.get(self.of.of(resource_id(str(body["id"]))))
        if there is not None and "vpnType" not in _properties(there):
            # It means nothing for ExpressRoute, and is no reason to write to a gateway that stands (E24).
            properties.pop("vpnType", None)
        properties["ipConfigurations"] = [
            self._gateway_configuration(configuration) for configuration in _items(source, "ipConfigurations")
        ]
        return self._body(body, VIRTUAL_NETWORK_GATEWAYS, properties)

    def connection(self, body: Body, circuit: ResourceId) -> Body:
        """A new connection from the target's gateway to its circuit (D46, D75)."""
        source = _properties(body)
        properties = _chosen(
            source, ("connectionType", "routingWeight", "expressRouteGatewayBypass", "enablePrivateLinkFastPath")
        )
        gateway = resource_id(str(source["virtualNetworkGateway1"]["id"]))
        properties["virtualNetworkGateway1"] = {"id": self.of.of(gateway).text}
        properties["peer"] = {"id": circuit.text}
        return self._body(body, CONNECTIONS, properties)

    # Parts. --------------------------------------------------------------------------------------------------------

    def _body(self, source: Body, type_: str, properties: dict[str, Any]) -> Body:
        id_ = self.of.of(resource_id(str(source["id"])))
        body: Body = {
            "id": id_.text,
            "name": id_.name,
            "type": type_,
            "location": self.project.target.region,
            "properties": properties,
        }
        if source.get("tags"):
            body["tags"] = source["tags"]
        return body

    def _standing(self, body: Body) -> tuple[VirtualNetwork, VirtualNetwork] | None:
        """The models of a source network and of the one that stands for it; None where there is none yet, or where a
        range is a marker."""
        estate, own = self.of.estate, resource_id(str(body["id"]))
        home, there = estate.virtual_network(own), estate.virtual_network(self.of.of(own))
        return None if home is None or there is None or home.unknown or there.unknown else (home, there)

    def _subnet(
        self,
        subnet: Body,
        pair: tuple[VirtualNetwork, VirtualNetwork] | None,
        *,
        tables: bool,
        groups: bool,
        storage: bool,
    ) -> Body:
        source = _properties(subnet)
        properties = _chosen(
            source, ("privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies", "defaultOutboundAccess")
        )
        if "addressPrefixes" in source:
            properties["addressPrefixes"] = [self.network_text(prefix) for prefix in source["addressPrefixes"]]
        elif "addressPrefix" in source:
            properties["addressPrefix"] = self.network_text(source["addressPrefix"])
        home = None if pair is None else pair[0].subnet(_name(subnet))
        there = None if pair is None else pair[1].subnet(_name(subnet))
        if home is not None and there is not None:
            ranges = [str(prefix) for prefix in ranges_after(self.project, home, there)]
            shown = _properties(self.of.estate.get(there.id) or {})
            # One range is shown under the one key or the other: in the same as it stands.
            properties.pop("addressPrefix", None)
            properties.pop("addressPrefixes", None)
            if len(ranges) == 1 and "addressPrefixes" not in shown:
                properties["addressPrefix"] = ranges[0]
            else:
                properties["addressPrefixes"] = ranges
        for key, wanted in (("routeTable", tables), ("networkSecurityGroup", groups)):
            reference = (source.get(key) or {}).get("id")
            if wanted and isinstance(reference, str):
                properties[key] = {"id": self._reference(reference)}
        # Locations of an endpoint are read back, not chosen: they follow the region.
        endpoints = [{"service": item["service"]} for item in source.get("serviceEndpoints") or [] if "service" in item]
        if there is not None:
            # A list without names is written whole: what stands is in it, first, as it stands.
            names = [_service(service) for service in there.service_endpoints]
            endpoints = [
                *({"service": service} for service in there.service_endpoints),
                *(item for item in endpoints if _service(item["service"]) not in names),
            ]
        if storage and not any(_service(item["service"]) == STORAGE.lower() for item in endpoints):
            endpoints.append({"service": STORAGE})
        if endpoints:
            properties["serviceEndpoints"] = endpoints
        delegations = [
            {"name": _name(item), "properties": _chosen(_properties(item), ("serviceName",))}
            for item in _items(source, "delegations")
        ]
        if delegations:
            properties["delegations"] = delegations
        return {"name": _name(subnet), "properties": properties}

    def _route(self, source: Mapping[str, Any]) -> Body:
        properties: Body = _chosen(source, ("addressPrefix", "nextHopType", "nextHopIpAddress"))
        if "addressPrefix" in properties:
            properties["addressPrefix"] = self.network_text(properties["addressPrefix"])
        if properties.get("nextHopIpAddress"):
            properties["nextHopIpAddress"] = self.next_hop(properties["nextHopIpAddress"])
        return properties

    def _rule(self, source: Mapping[str, Any]) -> Body:
        properties: Body = _chosen(
            source,
            (
                "description",
                "protocol",
                "access",
                "priority",
                "direction",
                "sourcePortRange",
                "sourcePortRanges",
                "destinationPortRange",
                "destinationPortRanges",
            ),
        )
        for side in ("source", "destination"):
            one, many = f"{side}AddressPrefix", f"{side}AddressPrefixes"
            if one in source:
                properties[one] = self.network_text(source[one])
            if source.get(many):
                properties[many] = [self.network_text(prefix) for prefix in source[many]]
            groups = f"{side}ApplicationSecurityGroups"
            if source.get(groups):
                properties[groups] = [{"id": self._reference(item["id"])} for item in source[groups]]
        return properties

    def _gateway_configuration(self, configuration: Body) -> Body:
        source = _properties(configuration)
        properties: Body = {"privateIPAllocationMethod": "Dynamic"}
        if (subnet := (source.get("subnet") or {}).get("id")) is not None:
            properties["subnet"] = {"id": self._reference(subnet)}
        if (public := (source.get("publicIPAddress") or {}).get("id")) is not None:
            properties["publicIPAddress"] = {"id": self._reference(public)}
        return {"name": _name(configuration), "properties": properties}

    def _reference(self, text: str) -> str:
        """The counterpart of a reference; a marker stays what it is."""
        try:
            return self.of.of(resource_id(text)).text
        except InputError:
            return text


def _properties(body: Mapping[str, Any]) -> dict[str, Any]:
    found = body.get("properties")
    return found if isinstance(found, dict) else {}


def _items(properties: Mapping[str, Any], key: str) -> list[Body]:
    found = properties.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _chosen(source: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: source[key] for key in keys if source.get(key) is not None}


def _service(text: str) -> str:
    """`Microsoft.Storage.Global` is the same service, reached from elsewhere too."""
    return text.lower().removesuffix(".global")


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or str(item.get("id") or "unnamed").rsplit("/", 1)[-1])
