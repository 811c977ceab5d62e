"""Microsoft.Network/virtualNetworks/virtualNetworkPeerings: one half of a peering (R28 to R33).

    the first half made     Initiated
    both halves there       Connected on both
    one half deleted        the other Disconnected; updating it makes it Initiated again, and only then can the
                            deleted half be made anew (L31)

`remoteAddressSpace` is the copy of the other network's space that this half was synced with, and what it routes to;
a changed space reaches it by a PUT with `syncRemoteAddressSpace=true`. `peeringSyncLevel` says what is out of date:
Local where our copy is, Remote where the other half's copy of us is (recorded: a first half is RemoteNotInSync).

Gateway transit (R29, L30): `useRemoteGateways` needs a provisioned gateway in the other network, none in the own one,
`allowGatewayTransit` on the other half if that is there, and no second peering of the network that uses one. Codes
that no page names are ours, and said so below.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.cloud import must_have
from farshore.lab.network.addresses import overlapping, space_of
from farshore.lab.network.references import ref
from farshore.lab.network.virtual_networks import gateways_in, peerings_of
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType, is_young

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

FLAGS = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
    "doNotVerifyRemoteGateways": False,
    "peerCompleteVnets": True,
}


@resource_type("Microsoft.Network/virtualNetworks/virtualNetworkPeerings")
class VirtualNetworkPeerings(ResourceType):
    tracked = False
    forwards = True
    put_takes = "virtualNetworkPeerings.put"
    read_only = ("provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteGateways")

    def may_stay(self, put: Put) -> bool:
        """Recorded: to sync takes its time, also where there is nothing to sync."""
        return not _syncs(put)

    def validate(self, put: Put) -> None:
        own = put.id.parent
        assert own is not None
        self.check(put, space_of(put.cloud.body(own)))

    def check(self, put: Put, space: tuple[Network, ...]) -> None:
        """A half in a network that has, or is about to have, this space."""
        own = put.id.parent
        assert own is not None
        remote_text = ref(put.body, "remoteVirtualNetwork")
        if remote_text is None:
            raise bad_request("InvalidRequestFormat", f"Peering {put.id.text} names no remoteVirtualNetwork.")
        remote = resource_id(remote_text)
        if remote == own:
            raise bad_request("InvalidPeering", f"Virtual network {own.text} cannot be peered with itself.")
        remote_body = must_have(put.cloud, remote_text, put.id.text)
        if put.before is not None and resource_id(str(ref(put.before, "remoteVirtualNetwork"))) != remote:
            raise bad_request(
                "ChangingRemoteVirtualNetworkNotAllowed",
                f"Changing the remote virtual network of peering {put.id.text} is not allowed.",
            )
        _check_ready(remote_body, put)
        for other in peerings_of(put.cloud, own):
            if (
                resource_id(str(other["id"])) != put.id
                and resource_id(str(ref(other, "remoteVirtualNetwork"))) == remote
            ):
                raise bad_request(
                    "AnotherPeeringAlreadyReferencesRemoteVnet",
                    f"Peering {put.id.text} cannot be created: peering {other['id']} already references remote "
                    f"virtual network {remote_text}.",
                )
        _check_spaces(put, own, remote, space)
        partner = partner_of(put.cloud, own, remote)
        if put.created and partner is not None and partner["properties"].get("peeringState") == "Disconnected":
            raise bad_request(
                "RemotePeeringIsDisconnected",
                f"Cannot create or update peering {put.id.text} because remote peering {partner['id']} referencing "
                "parent virtual network is in Disconnected state. Update or re-create the remote peering to get it "
                "back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted.",
            )
        _check_transit(put, own, remote, partner)

    def on_put(self, put: Put) -> Body:
        own = put.id.parent
        assert own is not None
        remote = resource_id(str(ref(put.body, "remoteVirtualNetwork")))
        body = self.standard(put)
        sent = body["properties"]
        properties = {**FLAGS, **sent}
        before = put.before_properties
        sync = _syncs(put)
        space = ((put.cloud.body(remote) or {}).get("properties") or {}).get("addressSpace")
        copy = before.get("remoteAddressSpace")
        properties["remoteAddressSpace"] = space if sync or copy is None else copy
        for key in (
            "remoteVirtualNetworkAddressSpace",
            "localAddressSpace",
            "localVirtualNetworkAddressSpace",
            "remoteBgpCommunities",
        ):
            properties.pop(key, None)
        partner = partner_of(put.cloud, own, remote)
        properties["peeringState"] = "Connected" if partner is not None else "Initiated"
        properties.setdefault("resourceGuid", put.cloud.guid("peering", *sorted((own.key, remote.key))))
        properties.setdefault("routeServiceVips", {})
        return {**body, "properties": properties}

    def after_put(self, put: Put) -> None:
        """The other half is Connected too."""
        own = put.id.parent
        assert own is not None
        partner = partner_of(put.cloud, own, resource_id(str(ref(put.body, "remoteVirtualNetwork"))))
        if partner is not None:
            _set_peering_state(put.cloud, partner, "Connected")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        own = id_.parent
        assert own is not None
        partner = partner_of(cloud, own, resource_id(str(ref(body, "remoteVirtualNetwork"))))
        if partner is not None:
            _set_peering_state(cloud, partner, "Disconnected")

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """Synced, and in the state that its other half gives it."""
        id_ = resource_id(str(body["id"]))
        own, remote_text = id_.parent, ref(body, "remoteVirtualNetwork")
        if own is None or remote_text is None:
            return body
        remote = resource_id(remote_text)
        properties = {**FLAGS, **body["properties"]}
        partner = partner_of(cloud, own, remote)
        properties["peeringState"] = properties.get("peeringState") or ("Connected" if partner else "Initiated")
        if "remoteAddressSpace" not in properties and (there := cloud.body(remote)) is not None:
            properties["remoteAddressSpace"] = there["properties"].get("addressSpace")
        for key in ("peeringSyncLevel", "remoteVirtualNetworkAddressSpace", "remoteGateways"):
            properties.pop(key, None)
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        own = id_.parent
        assert own is not None
        remote = resource_id(str(ref(body, "remoteVirtualNetwork")))
        there = cloud.body(remote)
        properties = {**body["properties"], "peeringSyncLevel": _sync_level(cloud, own, remote, body)}
        if there is not None:
            properties["remoteVirtualNetworkAddressSpace"] = there["properties"].get("addressSpace")
            if there["properties"].get("bgpCommunities"):
                properties["remoteBgpCommunities"] = there["properties"]["bgpCommunities"]
        if properties.get("useRemoteGateways"):
            properties["remoteGateways"] = [{"id": found["id"]} for found in gateways_in(cloud, remote)]
        return {**body, "properties": properties}


def _syncs(put: Put) -> bool:
    return put.query.get("syncremoteaddressspace", "").lower() == "true"


def partner_of(cloud: Cloud, own: ResourceId, remote: ResourceId) -> Body | None:
    """The half in the remote network that points back."""
    for body in peerings_of(cloud, remote):
        target = ref(body, "remoteVirtualNetwork")
        if target is not None and target.lower() == own.key:
            return body
    return None


def _set_peering_state(cloud: Cloud, half: Body, state: str) -> None:
    if half["properties"].get("peeringState") != state:
        cloud.write(resource_id(str(half["id"])), {**half, "properties": {**half["properties"], "peeringState": state}})


def _sync_level(cloud: Cloud, own: ResourceId, remote: ResourceId, body: Body) -> str:
    local = _copy(body) == set(space_of(cloud.body(remote)))
    partner = partner_of(cloud, own, remote)
    there = partner is not None and _copy(partner) == set(space_of(cloud.body(own)))
    if local:
        return "FullyInSync" if there else "RemoteNotInSync"
    return "LocalNotInSync" if there else "LocalAndRemoteNotInSync"


def _copy(half: Body) -> set[Network]:
    texts = (half["properties"].get("remoteAddressSpace") or {}).get("addressPrefixes") or []
    return {ip_network(str(text)) for text in texts}


def _check_ready(remote: Body, put: Put) -> None:
    state = remote["properties"].get("provisioningState")
    if state not in ("Succeeded", None):
        raise bad_request(
            "ReferencedResourceNotProvisioned",
            f"Cannot proceed with operation because resource {remote['id']} used by resource {put.id.text} is not in "
            f"Succeeded state. Resource is in {state} state and the last operation that updated/is updating the "
            "resource is PutVirtualNetworkOperation.",
        )


def _check_spaces(put: Put, own: ResourceId, remote: ResourceId, mine: tuple[Network, ...]) -> None:
    """L28: the two must not overlap. L29: nor may either overlap what the other is peered with."""
    cloud = put.cloud
    theirs = space_of(cloud.body(remote))
    met = overlapping(mine, theirs)
    if met:
        raise bad_request(
            "VnetAddressSpacesOverlap",
            f"Cannot create or update peering {put.id.text}. Virtual networks {own.text} and {remote.text} cannot be "
            f"peered because their address spaces overlap. Overlapping address prefixes: {', '.join(map(str, met))}.",
        )
    for network, space, other in ((own, theirs, remote), (remote, mine, own)):
        for peering in peerings_of(cloud, network):
            third = resource_id(str(ref(peering, "remoteVirtualNetwork")))
            if third != other and overlapping(space, space_of(cloud.body(third))):
                raise bad_request(
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    f"Cannot create or update peering {put.id.text} because address space of virtual network "
                    f"{other.text} overlaps with that of {third.text}, which is already peered with {network.text}.",
                )


def _check_transit(put: Put, own: ResourceId, remote: ResourceId, partner: Body | None) -> None:
    if not _flag(put.properties, "useRemoteGateways"):
        if partner is not None and not _flag(put.properties, "allowGatewayTransit") and uses_remote_gateways(partner):
            # No page names this code: ours.
            raise bad_request(
                "AllowGatewayTransitInUse",
                f"AllowGatewayTransit of peering {put.id.text} cannot be false: peering {partner['id']} uses remote "
                "gateways.",
            )
        return
    cloud = put.cloud
    if gateways_in(cloud, own):
        raise bad_request(
            "ParentVnetAlreadyHasGateways",
            f"Cannot set UseRemoteGateways of peering {put.id.text}: virtual network {own.text} already has gateways.",
        )
    for other in peerings_of(cloud, own):
        if resource_id(str(other["id"])) != put.id and uses_remote_gateways(other):
            # No page names this code: ours.
            raise bad_request(
                "AnotherPeeringAlreadyUsesRemoteGateways",
                f"Peering {other['id']} of the same virtual network already uses remote gateways.",
            )
    if partner is not None and not _flag(partner["properties"], "allowGatewayTransit"):
        # L30 gives the message and not the code: ours.
        raise bad_request(
            "RemotePeeringDoesNotAllowGatewayTransit",
            f"Peering {put.id.text} cannot have UseRemoteGateways flag set to true because remote peering "
            f"{partner['id']} referencing parent virtual network has AllowGatewayTransit flag set to false.",
        )
    usable = [
        body
        for body in gateways_in(cloud, remote)
        if not is_young(cloud, resource_id(str(body["id"])))
        and body["properties"].get("provisioningState") in ("Succeeded", "Updating")
    ]
    if not usable:
        raise bad_request(
            "RemoteVnetHasNoGateways",
            f"Peering {put.id.text} cannot have UseRemoteGateways flag set to true because remote virtual network "
            f"{remote.text} referenced by the peering does not have any gateways.",
        )


def uses_remote_gateways(half: Body) -> bool:
    return _flag(half["properties"], "useRemoteGateways")


def _flag(properties: Mapping[str, Any], name: str) -> bool:
    return properties.get(name) in (True, "true", "True")
