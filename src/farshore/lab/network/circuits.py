"""Microsoft.Network/expressRouteCircuits and their authorizations (E1 to E7, E34).

    created         circuitProvisioningState Enabled, serviceProviderProvisioningState NotProvisioned
    some hours on   the provider has done its part: Provisioned (E37 says hours to weeks; this lab is lucky)

A bandwidth only grows (E6), provider and peering location stay (E4), and a tier is only changed for one that allows
what is linked (E5, `circuit_links.py`). A circuit that is Provisioned or has connections can't be deleted (E2).
Deleting an authorization that is in use takes its connection with it (E34). Recorded: where an operation on something
below a circuit fails, the circuit has failed, and shows so with all that is below it, until one succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.arm.network import normal_location
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.network.circuit_links import connections_of, must_fit
from farshore.lab.network.references import CONNECTIONS
from farshore.lab.registry import event, resource_type, view
from farshore.lab.types import Put, ResourceType, child_of, set_state

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

CIRCUITS = "Microsoft.Network/expressRouteCircuits"
TIERS = ("Standard", "Premium", "Basic", "Local", "MultiCloud")
FAMILIES = ("UnlimitedData", "MeteredData")
BANDWIDTHS = (50, 100, 200, 500, 1000, 2000, 5000, 10000)
PROVIDER = "circuit.provider"
MOST, MOST_OF_A_REGION = 50, 10
"""E7: of a subscription."""
COUNTERS = ("primaryBytesIn", "primaryBytesOut", "secondaryBytesIn", "secondaryBytesOut")


@resource_type(CIRCUITS)
class ExpressRouteCircuits(ResourceType):
    forwards = True
    nested = ("peerings", "authorizations")
    keep_omitted = ("peerings", "authorizations")
    put_takes = "expressRouteCircuits.put"
    read_only = (
        "provisioningState",
        "resourceGuid",
        "circuitProvisioningState",
        "serviceProviderProvisioningState",
        "serviceKey",
        "gatewayManagerEtag",
        "stag",
    )

    def validate(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        if sku.get("tier") not in TIERS or sku.get("family") not in FAMILIES:
            raise bad_request(
                "InvalidRequestFormat",
                f"Circuit {put.id.text}: sku needs a tier of {TIERS} and a family of {FAMILIES}.",
            )
        provider = put.properties.get("serviceProviderProperties") or {}
        if put.properties.get("expressRoutePort") is None:
            if not provider.get("peeringLocation") or not provider.get("serviceProviderName"):
                raise bad_request(
                    "InvalidRequestFormat", f"Circuit {put.id.text} names no service provider and peering location."
                )
            bandwidth = provider.get("bandwidthInMbps")
            if bandwidth not in BANDWIDTHS:
                raise bad_request("InvalidRequestFormat", f"Circuit {put.id.text}: {bandwidth} Mbps is not offered.")
            before = (put.before_properties.get("serviceProviderProperties") or {}).get("bandwidthInMbps")
            if before is not None and bandwidth < before:
                # E6; no page names the code: ours.
                raise bad_request(
                    "CircuitBandwidthCannotBeLowered",
                    f"The bandwidth of circuit {put.id.text} cannot be lowered from {before} to {bandwidth} Mbps.",
                )
        if ((put.before or {}).get("sku") or {}).get("family") == "UnlimitedData" and sku["family"] == "MeteredData":
            # E5; no page names the code: ours.
            raise bad_request(
                "CircuitSkuFamilyCannotBeChanged", f"Circuit {put.id.text} cannot go from UnlimitedData to MeteredData."
            )
        if put.before is None:
            _check_count(put)
        else:
            _check_place(put, provider)
            if sku["tier"] != (put.before.get("sku") or {}).get("tier"):
                must_fit(put.cloud, {**put.body, "id": put.id.text})
        _check_peerings(put)

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {
            "circuitProvisioningState": "Disabled",
            "serviceProviderProvisioningState": "NotProvisioned",
            "allowClassicOperations": False,
            "serviceKey": put.cloud.guid("service key", put.id.key),
            "allowGlobalReach": False,
            "globalReachEnabled": False,
            **body["properties"],
        }
        return {**body, "properties": properties}

    def may_stay(self, put: Put) -> bool:
        return False

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        assert body is not None
        properties = {**body["properties"], "circuitProvisioningState": "Enabled"}
        properties.setdefault("gatewayManagerEtag", "")
        properties.setdefault("stag", 1 + int(cloud.chance("stag", id_.key) * 4000))
        cloud.write(id_, {**body, "properties": properties})
        if properties.get("serviceProviderProvisioningState") == "NotProvisioned":
            cloud.at(cloud.now + cloud.duration("expressRouteCircuits.provider", id_.key), PROVIDER, id_.key, None)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Recorded: an update shows the circuit as Disabled while it lasts; forwarding goes on."""
        if body["properties"].get("provisioningState") != "Updating":
            return body
        return {**body, "properties": {**body["properties"], "circuitProvisioningState": "Disabled"}}

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": "Provisioned",
            "serviceKey": cloud.guid("service key", str(body["id"]).lower()),
            **body["properties"],
        }
        return {**body, "properties": properties}

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        used = connections_of(cloud, id_)
        if used:
            raise Refused(
                400,
                "CircuitInUseCannotBeDeleted",
                f"Express route circuit {id_.text} is in use by connection {used[0]['id']} and cannot be deleted.",
            )
        body = cloud.body(id_)
        state = (body or {}).get("properties", {}).get("serviceProviderProvisioningState")
        if state in ("Provisioning", "Provisioned"):
            raise Refused(
                400,
                "CircuitProvisionedCannotBeDeleted",
                f"Express route circuit {id_.text} cannot be deleted while its provider state is {state}.",
            )


def _check_count(put: Put) -> None:
    """E7. No page names the code: ours."""
    mine = [b for b in put.cloud.of_type(CIRCUITS) if resource_id(str(b["id"])).subscription == put.id.subscription]
    here = [body for body in mine if normal_location(body.get("location")) == normal_location(put.location)]
    for found, most, where in ((here, MOST_OF_A_REGION, f" in {put.location}"), (mine, MOST, "")):
        if len(found) >= most:
            raise bad_request(
                "ExpressRouteCircuitCountLimitReached",
                f"Subscription {put.id.subscription} has {len(found)} circuits{where}, and may have {most}.",
            )


def _check_place(put: Put, provider: Body) -> None:
    """E4: a circuit is one provider's at one place. No page names the code: ours."""
    before = put.before_properties.get("serviceProviderProperties") or {}
    for name in ("serviceProviderName", "peeringLocation"):
        held, sent = str(before.get(name) or ""), str(provider.get(name) or "")
        if held and sent.lower() != held.lower():
            raise bad_request(
                "PropertyChangeNotAllowed",
                f"Circuit {put.id.text}: {name} cannot be changed from {held} to {quoted(sent)}.",
            )


def _check_peerings(put: Put) -> None:
    """Peerings inside the PUT are looked at like any other; those that it leaves out go, if they can."""
    sent = put.properties.get("peerings")
    if sent is None:
        return
    named = set()
    for child in sent:
        inner = child_of(put, "peerings", child)
        put.cloud.type_of(inner.id).validate(inner)
        named.add(inner.id.key)
    for held in put.cloud.children(put.id, "peerings"):
        id_ = resource_id(str(held["id"]))
        if id_.key not in named:
            put.cloud.type_of(id_).on_delete(put.cloud, id_)


class OfCircuit(ResourceType):
    """Something below a circuit: as it fares, so does its circuit."""

    tracked = False

    def operation_done(self, cloud: Cloud, operation: Operation) -> Body | None:
        found = super().operation_done(cloud, operation)
        circuit = operation.resource_id.top
        if ((cloud.body(circuit) or {}).get("properties") or {}).get("provisioningState") == "Failed":
            set_state(cloud, circuit, "Succeeded")
        return found

    def operation_failed(self, cloud: Cloud, operation: Operation, refused: Refused) -> None:
        super().operation_failed(cloud, operation, refused)
        set_state(cloud, operation.resource_id.top, "Failed")


@resource_type(CIRCUITS + "/authorizations")
class Authorizations(OfCircuit):
    read_only = ("provisioningState", "authorizationKey", "authorizationUseStatus", "connectionResourceUri")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {
            "authorizationKey": put.cloud.guid("authorization", put.id.key, put.cloud.count("made", put.id.key)),
            "authorizationUseStatus": "Available",
            **body["properties"],
        }
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """One authorization, one connection (E34)."""
        used = next(
            (
                item
                for item in cloud.of_type(CONNECTIONS)
                if item["properties"].get("authorizationKey") == body["properties"].get("authorizationKey")
            ),
            None,
        )
        properties = {**body["properties"], "authorizationUseStatus": "Available" if used is None else "InUse"}
        if used is not None:
            properties["connectionResourceUri"] = used["id"]
        return {**body, "properties": properties}

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        key = body["properties"].get("authorizationKey")
        for connection in cloud.of_type(CONNECTIONS):
            if connection["properties"].get("authorizationKey") == key:
                cloud.remove(resource_id(str(connection["id"])))


@event(PROVIDER)
def provided(cloud: Cloud, subject: str, data: Json) -> None:
    """The provider has built its part."""
    body = cloud.body(subject)
    if body is not None:
        properties = {**body["properties"], "serviceProviderProvisioningState": "Provisioned"}
        cloud.write(resource_id(str(body["id"])), {**body, "properties": properties})


@view(CIRCUITS, "stats")
def stats(call: Call) -> Response:
    call.must_exist()
    return Response(status=200, body=dict.fromkeys(COUNTERS, 0))
