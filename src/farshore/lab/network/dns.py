"""Microsoft.Network/privateDnsZones and dnsZones: names, their records, and the networks that ask for them.

    zones, links   of no region: `global`. A PUT of a private zone or of a link is answered 202 with an empty object
                   and both addresses, which lie in the group (recorded)
    record sets    at once; a zone has its SOA from the beginning
    etags          a bare GUID, unlike the rest of Microsoft.Network

No name is looked up here: the records are kept and shown (`docs/lab-fidelity.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import registry
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.network.references import only_ids
from farshore.lab.paging import page
from farshore.lab.patterns import PRIVATE_DNS, RESOURCES, Pattern
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

PRIVATE, PUBLIC = "Microsoft.Network/privateDnsZones", "Microsoft.Network/dnsZones"
LINKS = f"{PRIVATE}/virtualNetworkLinks"
RECORDS: Mapping[str, tuple[str, Any]] = {
    "A": ("aRecords", []),
    "AAAA": ("aaaaRecords", []),
    "CNAME": ("cnameRecord", None),
    "MX": ("mxRecords", []),
    "PTR": ("ptrRecords", []),
    "SOA": ("soaRecord", None),
    "SRV": ("srvRecords", []),
    "TXT": ("txtRecords", []),
}
"""Kind of record to the property that holds them, and what that is where there is none."""
SOA: Body = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
MOST = {
    "maxNumberOfRecordSets": 25000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}


class Named(ResourceType):
    """What all of them are: kept and shown."""

    shape_only = True
    pattern: ClassVar[Pattern] = PRIVATE_DNS
    patches = True
    everywhere = True
    read_only = ("provisioningState",)

    def on_put(self, put: Put) -> Body:
        return only_ids(self.standard(put))

    def first_answer(self, put: Put) -> Body | None:
        return {}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return {**body, "etag": cloud.etag(id_).removeprefix("W/").strip('"')}


@resource_type(PRIVATE)
class PrivateZones(Named):
    def after_put(self, put: Put) -> None:
        soa = put.id.child("SOA", "@")
        if not put.cloud.exists(soa):
            own = Put(cloud=put.cloud, id=soa, body={"properties": {"ttl": 3600}}, before=None, query={})
            put.cloud.type_of(soa).keep(own, "Succeeded")

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        records = sum(len(cloud.children(id_, kind)) for kind in RECORDS)
        links = cloud.children(id_, "virtualNetworkLinks")
        registering = [link for link in links if link["properties"].get("registrationEnabled")]
        counted = {
            **MOST,
            "numberOfRecordSets": records,
            "numberOfVirtualNetworkLinks": len(links),
            "numberOfVirtualNetworkLinksWithRegistration": len(registering),
        }
        return super().show(cloud, id_, {**body, "properties": {**counted, **body["properties"]}}, query)


@resource_type(LINKS)
class Links(Named):
    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = {"registrationEnabled": False, **body["properties"]}
        return {**body, "properties": {**properties, "virtualNetworkLinkState": "InProgress"}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is not None:
            done = {**body["properties"], "virtualNetworkLinkState": "Completed"}
            cloud.write(id_, {**body, "properties": done})


@resource_type(PUBLIC)
class PublicZones(Named):
    pattern = RESOURCES


class RecordSets(Named):
    tracked = False
    pattern = RESOURCES
    holds: ClassVar[tuple[str, Any]]
    private: ClassVar[bool]

    def patch(self, call: Call) -> Response:
        return self.write(call, merged(call.must_exist(), call.object()))

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        zone = put.id.parent
        assert zone is not None
        name, nothing = self.holds
        full = zone.name if put.id.name == "@" else f"{put.id.name}.{zone.name}"
        shown: Body = {"fqdn": f"{full}.", "ttl": 3600}
        if nothing is not None:
            shown[name] = nothing
        elif name == "soaRecord":
            shown[name] = SOA
        if self.private:
            shown["isAutoRegistered"] = False
        return {**body, "properties": {**shown, **body["properties"]}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = dict(body["properties"])
        if self.private:
            properties.pop("provisioningState", None)
        return super().show(cloud, id_, {**body, "properties": properties}, query)


def _register() -> None:
    for zone in (PRIVATE, PUBLIC):
        for kind, holds in RECORDS.items():
            name = f"{zone}/{kind}"
            parts = {"__doc__": f"{name}: shape only.", "holds": holds, "private": zone == PRIVATE}
            resource_type(name)(type("Records", (RecordSets,), parts))


_register()


def _all(call: Call) -> Response:
    """The record sets of every kind."""
    call.must_exist()
    rows: list[Body] = []
    for kind in RECORDS:
        type_ = registry.TYPES[f"{call.id.type}/{kind}".lower()]
        rows += type_.rows(call, list(call.cloud.children(call.id, kind)))
    return page(call, rows)


view(PRIVATE, "ALL")(_all)
view(PUBLIC, "all")(lambda call: _all(call))
view(PUBLIC, "recordsets")(lambda call: _all(call))
