"""Microsoft.Network/localNetworkGateways: what a VPN connection takes a site for (R37).

A public address or a name, prefixes that lie behind it, and BGP settings where it speaks BGP. One that a connection
uses can't be deleted; no page names the code: ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.network.addresses import prefix
from farshore.lab.network.references import CONNECTIONS, ref
from farshore.lab.registry import resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

LOCAL_GATEWAYS = "Microsoft.Network/localNetworkGateways"


@resource_type(LOCAL_GATEWAYS)
class LocalNetworkGateways(ResourceType):
    forwards = True

    def validate(self, put: Put) -> None:
        sent = put.properties
        if not sent.get("gatewayIpAddress") and not sent.get("fqdn"):
            raise bad_request(
                "InvalidRequestFormat", f"Local network gateway {put.id.text} has neither gatewayIpAddress nor fqdn."
            )
        for text in (sent.get("localNetworkAddressSpace") or {}).get("addressPrefixes") or []:
            prefix(text, put.id.text)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = dict(body["properties"])
        if properties.get("bgpSettings") is not None:
            properties["bgpSettings"] = {"peerWeight": 0, **properties["bgpSettings"]}
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for connection in cloud.of_type(CONNECTIONS):
            if (ref(connection, "localNetworkGateway2") or "").lower() == id_.key:
                raise Refused(
                    400,
                    "LocalNetworkGatewayInUseCannotBeDeleted",
                    f"Local network gateway {id_.text} is in use by connection {connection['id']}.",
                )
